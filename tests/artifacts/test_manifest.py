"""Manifests, artifacts and their three errors."""

import json
import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import (
    LAYOUT,
    MANIFEST,
    UNFINISHED,
    Manifest,
    read_manifest,
    write_manifest,
)
from hdgan.artifacts.order import Order
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.seen import Seen, seen_together
from hdgan.artifacts.unfinished import UnfinishedArtifact, being_made, made_once, seen_by
from hdgan.errors import (
    DamagedArtifactError,
    MissingArtifactError,
    SettingsError,
    StorageError,
    WrongArtifactError,
)

text = st.text(st.characters(codec="utf-8"), max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


@given(
    settings=st.dictionaries(text, plain, max_size=4),
    parents=st.dictionaries(text, text, max_size=3),
    seen=st.dictionaries(text, st.lists(st.integers(0, 9), max_size=4), max_size=2),
    slides=st.dictionaries(
        text, st.dictionaries(st.integers(0, 9), st.lists(text, max_size=2), max_size=2), max_size=2
    ),
    drawings=st.dictionaries(
        text, st.lists(st.tuples(st.integers(0), st.integers(0)), max_size=2), max_size=2
    ),
)
def test_a_manifest_survives_writing_and_reading(
    tmp_path_factory: pytest.TempPathFactory,
    settings: dict[str, object],
    parents: dict[str, str],
    seen: dict[str, list[int]],
    slides: dict[str, dict[int, list[str]]],
    drawings: dict[str, list[tuple[int, int]]],
) -> None:
    folder = tmp_path_factory.mktemp("artifact")
    manifest = Manifest(
        kind="sample-set",
        layout=LAYOUT,
        settings=settings,
        parents=parents,
        seen=seen,
        seen_slides=slides,
        seen_drawings=drawings,
        files={"a": "0"},
        made_by="test",
    )

    write_manifest(folder, manifest)

    assert read_manifest(folder) == manifest


def make(folder: Path, order: Order | None = None, content: bytes = b"content") -> Artifact:
    """An artifact with one file."""

    def fill(unfinished: UnfinishedArtifact) -> None:
        unfinished.write("data/file.txt", content)

    made_once(folder, order or Order("sample-set", {"seed": 0}, {}), fill)
    return Artifact.open(folder)


def test_a_finished_folder_holds_its_files_and_no_leftovers(tmp_path: Path) -> None:
    artifact = make(tmp_path / "a")

    assert artifact.read("data/file.txt") == b"content"
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"data", MANIFEST}


KILLED_WHILE_CLEARING = """
import os, sys
from pathlib import Path
from hdgan.artifacts.unfinished import Order, made_once

folder, left = Path(sys.argv[1]), int(sys.argv[2])

def die(event, arguments):
    global left
    if event in ("os.remove", "os.rmdir") and (folder / "manifest.json").is_file():
        left -= 1
        if left < 0:
            os._exit(9)

def fill(unfinished):
    for name in ("a/first.txt", "b/second.txt", "zzz.txt"):
        unfinished.write_scratch(name, b"work")
    unfinished.write("data/file.txt", b"content")

sys.addaudithook(die)
made_once(folder, Order("sample-set", {"seed": 0}, {}), fill)
"""
"""Makes an artifact, and dies when so many files and folders of its scratch are gone."""


@pytest.mark.parametrize("removed", range(7))
def test_what_a_run_left_that_was_killed_at_its_very_end_is_cleared(
    tmp_path: Path, removed: int
) -> None:
    tokens = [sys.executable, "-c", KILLED_WHILE_CLEARING, str(tmp_path / "a"), str(removed)]
    died = subprocess.run(tokens, check=False).returncode

    make(tmp_path / "a")

    assert died == 9
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"data", MANIFEST}


def test_a_missing_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingArtifactError, match="There is no folder"):
        Artifact.open(tmp_path / "nowhere")


def test_a_file_is_no_artifact(tmp_path: Path) -> None:
    (tmp_path / "network.safetensors").write_bytes(b"weights")

    with pytest.raises(MissingArtifactError, match=r"is a file.*import-generator"):
        Artifact.open(tmp_path / "network.safetensors")


def test_a_folder_of_images_is_no_artifact(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"picture")

    with pytest.raises(MissingArtifactError, match=r"was not made by hdgan.*hdgan tile"):
        Artifact.open(tmp_path)


def test_an_unfinished_folder_is_missing_its_manifest(tmp_path: Path) -> None:
    with being_made(tmp_path / "a", Order("sample-set", {}, {})):
        pass

    with pytest.raises(MissingArtifactError, match=r"no finished artifact.*run the same command"):
        Artifact.open(tmp_path / "a")


def test_another_kind_is_mismatched(tmp_path: Path) -> None:
    make(tmp_path / "a", Order("generator", {}, {}))

    with pytest.raises(WrongArtifactError, match="is of kind generator, but sample-set is needed"):
        SampleSet.open(tmp_path / "a")


def test_a_changed_file_is_damaged(tmp_path: Path) -> None:
    artifact = make(tmp_path / "a")
    (tmp_path / "a" / "data" / "file.txt").write_bytes(b"contend")

    with pytest.raises(DamagedArtifactError, match=r"file.txt is not the file that was written"):
        artifact.read("data/file.txt")
    with pytest.raises(DamagedArtifactError, match=r"file.txt is not the file that was written"):
        artifact.check_files()


def test_a_lost_file_is_damaged(tmp_path: Path) -> None:
    artifact = make(tmp_path / "a")
    (tmp_path / "a" / "data" / "file.txt").unlink()

    with pytest.raises(DamagedArtifactError, match=r"file.txt is missing"):
        artifact.read("data/file.txt")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"kind": 3}', b"\xff\xfe", b'{"kind": "x", "extra": 1}']
)
def test_a_broken_manifest_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)

    with pytest.raises(DamagedArtifactError, match=r"manifest.json is damaged"):
        read_manifest(tmp_path)


def test_a_manifest_of_another_layout_is_refused_with_its_program(tmp_path: Path) -> None:
    make(tmp_path / "a")
    path = tmp_path / "a" / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | {"layout": 99, "made_by": "hdgan 9"}))

    with pytest.raises(DamagedArtifactError, match=r"layout 99.*written by hdgan 9"):
        read_manifest(tmp_path / "a")


def test_an_equal_order_is_made_once(tmp_path: Path) -> None:
    order = Order("sample-set", {"seed": 0}, {})
    make(tmp_path / "a", order)

    assert not made_once(tmp_path / "a", order, lambda _: pytest.fail("made twice"))


@pytest.mark.parametrize("is_finished", [True, False])
def test_another_order_leaves_the_folder_alone(tmp_path: Path, is_finished: bool) -> None:  # noqa: FBT001
    folder = tmp_path / "a"
    if is_finished:
        make(folder)
    else:
        with being_made(folder, Order("sample-set", {"seed": 0}, {})) as unfinished:
            assert unfinished is not None
            unfinished.write("data/file.txt", b"content")

    with (
        pytest.raises(WrongArtifactError, match="seed was 0, now 1"),
        being_made(folder, Order("sample-set", {"seed": 1}, {})),
    ):
        pass

    assert (folder / "data" / "file.txt").read_bytes() == b"content"


def test_work_begun_before_a_setting_existed_goes_on(tmp_path: Path) -> None:
    with being_made(tmp_path / "a", Order("generator", {"seed": 0}, {})) as unfinished:
        assert unfinished is not None
        unfinished.write("progress.jsonl", b"days of work")

    order = Order("generator", {"seed": 0, "new": None}, {})
    with being_made(tmp_path / "a", order) as unfinished:
        assert unfinished is not None
        assert unfinished.has("progress.jsonl")


def test_work_on_input_that_was_changed_begins_anew(tmp_path: Path) -> None:
    with being_made(tmp_path / "a", Order("tile-set", {}, {"images": "1"})) as unfinished:
        assert unfinished is not None
        unfinished.write("images/old.png", b"old")
        unfinished.write_scratch("images/old.json", b"[]")

    with being_made(tmp_path / "a", Order("tile-set", {}, {"images": "2"})) as unfinished:
        assert unfinished is not None
        assert not unfinished.has("images/old.png")
        assert not (unfinished.scratch / "images").exists()


def test_a_refusal_leaves_the_folder_free_unless_there_is_a_checkpoint(tmp_path: Path) -> None:
    order = Order("generator", {}, {})

    def work_and_refuse(name: str, unfinished: UnfinishedArtifact) -> None:
        unfinished.write(name, b"work")
        raise SettingsError("no")

    for name, kept in (("progress.txt", False), (".unfinished/checkpoint.safetensors", True)):
        folder = tmp_path / name.replace("/", "-")
        with pytest.raises(SettingsError):
            made_once(folder, order, partial(work_and_refuse, name))
        assert (folder / name).is_file() == kept


def test_an_order_with_other_parents_says_which(tmp_path: Path) -> None:
    make(tmp_path / "a", Order("sample-set", {}, {"generator": "one"}))

    with (
        pytest.raises(WrongArtifactError, match="made from another generator"),
        being_made(tmp_path / "a", Order("sample-set", {}, {"generator": "two"})),
    ):
        pass


def test_a_strange_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")

    with (
        pytest.raises(WrongArtifactError, match="not empty and was not made by hdgan"),
        being_made(tmp_path, Order("sample-set", {}, {})),
    ):
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")

    with (
        pytest.raises(StorageError, match="is a file; the output must be a folder"),
        being_made(tmp_path / "a", Order("sample-set", {}, {})),
    ):
        pass


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    order = Order("sample-set", {}, {})

    with (
        being_made(tmp_path / "a", order),
        pytest.raises(StorageError, match="Another run of hdgan is writing"),
        being_made(tmp_path / "a", order),
    ):
        pass


def test_what_parents_have_seen_is_passed_on(tmp_path: Path) -> None:
    one = Seen({"tiles": [1, 2]}, {"tiles": {1: ["a"], 2: ["b"]}}, {"generator": [(0, 4)]})
    other = Seen({"tiles": [2, 3], "other": [0]}, {"tiles": {2: ["b"]}}, {"generator": [(5, 5)]})
    first = make(tmp_path / "a", Order("generator", {}, {}, one))
    second = make(tmp_path / "b", Order("segmenter", {}, {}, other))

    together = seen_by(first, second)

    assert together.folds == {"other": [0], "tiles": [1, 2, 3]}
    assert together.slides == {"tiles": {1: ["a"], 2: ["b"]}}
    assert together.drawings == {"generator": [(0, 5)]}
    assert first.manifest.learned.has_all_slides
    assert not together.has_all_slides


def test_what_a_generator_from_elsewhere_has_learned_from_stays_unknown(tmp_path: Path) -> None:
    known = make(tmp_path / "a", Order("generator", {}, {}, Seen({"t": [1]}, {"t": {1: ["a"]}})))
    imported = make(tmp_path / "b", Order("generator", {}, {}))

    drawn = make(tmp_path / "c", Order("sample-set", {}, {}, seen_by(known, imported)))

    assert drawn.manifest.learned.slides == {"t": {1: ["a"]}, imported.digest: {}}
    assert known.manifest.learned.has_all_slides
    assert not seen_by(drawn).has_all_slides


def test_a_manifest_of_an_earlier_version_knows_no_slides(tmp_path: Path) -> None:
    made = make(tmp_path / "a", Order("generator", {}, {}, Seen({"tiles": [1]})))
    content = json.loads((tmp_path / "a" / MANIFEST).read_text())

    assert set(content) == {"kind", "layout", "settings", "parents", "seen", "files", "made_by"}
    assert content["layout"] == 1
    assert made.manifest.learned == Seen({"tiles": [1]})
    assert not made.manifest.learned.has_all_slides


def test_a_run_that_an_earlier_version_has_begun_goes_on(tmp_path: Path) -> None:
    order = Order("generator", {"seed": 0}, {}, Seen({"tiles": [1]}, {"tiles": {1: ["a"]}}))
    with being_made(tmp_path / "a", order) as begun:
        assert begun is not None
        begun.write_scratch("work.txt", b"work")
    command = tmp_path / "a" / UNFINISHED / "command.json"
    command.write_text(json.dumps(json.loads(command.read_text()) | {"seen": {"tiles": [1]}}))

    with being_made(tmp_path / "a", order) as unfinished:
        assert unfinished is not None
        assert (unfinished.scratch / "work.txt").read_bytes() == b"work"
        unfinished.finish()

    assert Artifact.open(tmp_path / "a").manifest.learned == order.seen


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), max_size=12))
def test_rows_of_seeds_stand_for_the_same_seeds_when_they_are_joined(
    rows: list[tuple[int, int]],
) -> None:
    given_rows = [(first, first + more) for first, more in rows]
    joined = seen_together(Seen(drawings={"g": given_rows})).drawings["g"]

    seeds = {seed for first, last in given_rows for seed in range(first, last + 1)}
    assert [seed for first, last in joined for seed in range(first, last + 1)] == sorted(seeds)
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(joined))


def test_a_digest_changes_with_any_file(tmp_path: Path) -> None:
    first = make(tmp_path / "a")
    second = make(tmp_path / "b", content=b"other")

    assert first.digest != second.digest
    assert first.digest == make(tmp_path / "c").digest
