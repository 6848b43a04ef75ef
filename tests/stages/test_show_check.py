"""`hdgan show --check`: is an artifact, and all that it was made from, what its manifest says?"""

import json
import os
import shutil
from pathlib import Path

import pytest

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.integrity import compare_files
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED
from hdgan.artifacts.order import Order
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.cli import main
from hdgan.errors import DamagedArtifactError, SettingsError
from hdgan.settings.show import ShowSettings
from hdgan.stages.show.checking import MOST_NAMES
from hdgan.stages.show.run import show
from hdgan.stages.show.told import Told
from tests.peak_memory import numbers

LAYOUT_1 = Path(__file__).parents[1] / "fixtures" / "layout-1"
CHECK = ShowSettings(check=True)

READING = """
import sys
from pathlib import Path
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.integrity import compare_files
artifact = Artifact.open(Path(sys.argv[1]))
before = peak_kb()
files = compare_files(artifact, lambda num_bytes: None)
print(int(files.is_whole), files.num_bytes, peak_kb() - before)
"""


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with one artifact of every kind, which a test may damage."""
    return Path(shutil.copytree(LAYOUT_1, tmp_path / "kept"))


def checked(folder: Path) -> Told:
    return show(folder, CHECK)


def exit_code(*tokens: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(token) for token in tokens])
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def made(folder: Path, files: dict[str, bytes], parents: dict[str, str] | None = None) -> Path:
    def make(unfinished: UnfinishedArtifact) -> None:
        for name, data in files.items():
            unfinished.write(name, data)

    made_once(folder, Order("sample-set", {}, parents or {}), make)
    return folder


def test_what_is_whole_is_said_with_all_that_it_was_made_from(kept: Path) -> None:
    told = checked(kept / "pairs")

    assert not told.differs
    names = list(told.facts)
    assert names[0] == "pair-set pairs"
    assert set(names[1:6]) == {
        "generator generator",
        "classifier classifier",
        "tile-set tiles",
        "sample-set samples",
        "annotation-set annotations",
    }
    digest = Artifact.open(kept / "pairs").digest
    assert told.facts["pair-set pairs"] == f"whole: 15 files, 23.9 kB, digest {digest[:12]}"
    assert told.facts["result"] == (
        "whole: 6 artifacts checked; 2 of what it was made from not checked"
    )


def test_missing_changed_and_additional_files_are_named(kept: Path) -> None:
    pairs = kept / "pairs"
    (pairs / "images" / "p0000001.png").unlink()
    (pairs / "labels" / "p0000000.png").write_bytes(b"other")
    (pairs / "images" / "p9999999.png").write_bytes(b"new")
    (pairs / "notes.txt").write_text("mine")

    told = checked(pairs)

    assert told.differs
    assert str(told.facts["pair-set pairs"]).startswith(
        "DIFFERS: 1 missing, 1 changed, 2 additional, of 15 files"
    )
    assert told.facts["pair-set pairs: missing"] == "images/p0000001.png"
    assert told.facts["pair-set pairs: changed"] == "labels/p0000000.png"
    assert told.facts["pair-set pairs: additional"] == "images/p9999999.png, notes.txt"
    assert str(told.facts["result"]).startswith("DIFFERS: pair-set pairs; 2 of what")
    assert "restore the folder from a copy, or make the artifact again" in str(told.facts["result"])
    assert "move additional files out of the folder" in str(told.facts["result"])


def test_damage_of_an_ancestor_is_found(kept: Path) -> None:
    (kept / "tiles" / "tiles.csv").write_text("other")

    told = checked(kept / "comparison")

    assert told.differs
    assert told.facts["tile-set tiles: changed"] == "tiles.csv"
    assert str(told.facts["comparison comparison"]).startswith("whole")
    assert str(told.facts["result"]).startswith("DIFFERS: tile-set tiles")


def test_ancestors_that_are_not_at_hand_are_not_checked_and_named(kept: Path) -> None:
    shutil.rmtree(kept / "generator")

    told = checked(kept / "classifier")

    assert not told.differs
    (name,) = [name for name in told.facts if name.startswith("generator")]
    assert told.facts[name] == "not checked: in no folder beside classifier"
    assert "not checked" in str(told.facts["result"])


def test_a_parent_whose_manifest_was_changed_is_no_longer_the_one(kept: Path) -> None:
    manifest = kept / "generator" / MANIFEST
    content = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps(content | {"made_by": "somebody else"}))

    told = checked(kept / "samples")

    assert [fact for name, fact in told.facts.items() if name.startswith("generator")] == [
        "not checked: in no folder beside samples; of this kind is generator, but it is another or "
        "has been changed"
    ]


@pytest.mark.parametrize("content", [b"", b"{", b'{"kind": "classifier"}'])
def test_a_folder_beside_whose_manifest_is_broken_differs_if_a_parent_is_missing(
    kept: Path, content: bytes
) -> None:
    assert not checked(kept / "pairs").differs
    (kept / "classifier" / MANIFEST).write_bytes(content)

    told = checked(kept / "pairs")

    assert told.differs
    assert str(told.facts["manifest of classifier"]).startswith("DIFFERS: ")
    assert str(told.facts["result"]).startswith("DIFFERS: classifier")
    assert "restore the manifest" in str(told.facts["result"])


@pytest.mark.parametrize(
    "content", [b'{"short_name": "A page"}', b"[]", b'{"kind": "generator", "layout": 2}']
)
def test_a_manifest_of_another_program_or_layout_is_not_broken(kept: Path, content: bytes) -> None:
    shutil.rmtree(kept / "classifier")
    (kept / "website").mkdir()
    (kept / "website" / MANIFEST).write_bytes(content)

    assert not checked(kept / "pairs").differs


def test_a_broken_folder_beside_does_not_matter_if_no_parent_is_missing(tmp_path: Path) -> None:
    made(tmp_path / "alone", {"a": b"a"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / MANIFEST).write_bytes(b"{")

    assert not checked(tmp_path / "alone").differs


def test_a_linked_folder_is_additional(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (kept / "samples" / "link").symlink_to(tmp_path / "elsewhere")

    told = checked(kept / "samples")

    assert told.facts[f"{told.kind} samples: additional"] == "link"


def test_an_artifact_without_parents_is_checked_alone(tmp_path: Path) -> None:
    told = checked(made(tmp_path / "alone", {"a/b.txt": b"content"}))

    assert list(told.facts) == ["sample-set alone", "result"]
    assert told.facts["result"] == "whole: 1 artifact checked"


def test_each_ancestor_is_read_once_even_if_it_is_there_twice(kept: Path) -> None:
    shutil.copytree(kept / "generator", kept / "copy of generator")

    told = checked(kept / "pairs")

    assert [name.startswith("generator") for name in told.facts].count(True) == 1


def test_ancestors_are_found_beside_a_linked_artifact(kept: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(kept / "samples")

    told = checked(tmp_path / "elsewhere" / "link")

    assert "generator generator" in told.facts


def test_a_shipped_generator_is_checked_by_its_name() -> None:
    told = checked(Path("phantom"))

    assert not told.differs
    assert str(told.facts["generator phantom (comes with hdgan)"]).startswith("whole")


def test_the_exit_code_says_whether_something_differs(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["show", str(kept / "samples"), "--check"])
    whole = capsys.readouterr().out
    (kept / "samples" / "samples.csv").unlink()

    assert exit_code("show", kept / "samples", "--check", "--json") == 1
    said = json.loads(capsys.readouterr().out)

    assert whole.splitlines()[-1].startswith("  result")
    assert "  whole: 3 artifacts checked" in whole.splitlines()[-1]
    assert said["sample-set samples: missing"] == "samples.csv"
    assert exit_code("show", kept / "nothing", "--check") == 2


def test_a_damaged_manifest_is_bad_input(kept: Path) -> None:
    (kept / "samples" / MANIFEST).write_text("{")

    with pytest.raises(DamagedArtifactError, match="is damaged"):
        checked(kept / "samples")


def test_a_name_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {"a.txt": b"a"})
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"a")
    manifest = json.loads((folder / MANIFEST).read_bytes())
    digest = manifest["files"]["a.txt"]
    for name in ("../secret.txt", str(secret)):
        manifest["files"][name] = digest
    (folder / MANIFEST).write_text(json.dumps(manifest))

    told = checked(folder)

    assert told.differs
    assert set(str(told.facts["sample-set made: missing"]).split(", ")) == {
        "../secret.txt",
        str(secret),
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_place_of_a_file_is_missing_and_not_waited_for(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {"a.txt": b"a"})
    (folder / "a.txt").unlink()
    os.mkfifo(folder / "a.txt")

    told = checked(folder)

    assert told.facts["sample-set made: missing"] == "a.txt"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_a_file_that_the_disk_does_not_give_is_unreadable(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {"a.txt": b"a", "b.txt": b"b"})
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to("/proc/self/mem")

    told = checked(folder)

    assert told.differs
    assert told.facts["sample-set made: unreadable"] == "a.txt"
    assert "sample-set made: changed" not in told.facts


def test_what_is_being_added_is_not_additional(kept: Path) -> None:
    (kept / "pairs" / UNFINISHED / "grown").mkdir(parents=True)
    (kept / "pairs" / UNFINISHED / "grown" / "new.png").write_bytes(b"new")

    told = checked(kept / "pairs")

    assert not told.differs
    assert "a run has begun to add to it" in str(told.facts["pair-set pairs"])


def test_of_very_many_names_some_are_listed(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {"a.txt": b"a"})
    for i in range(MOST_NAMES + 7):
        (folder / f"{i:04d}.txt").write_bytes(b"")

    told = checked(folder)

    listed = str(told.facts["sample-set made: additional"])
    assert listed.startswith("0000.txt, 0001.txt")
    assert listed.endswith(f"{MOST_NAMES - 1:04d}.txt, and 7 more")


def test_names_of_files_cannot_move_the_cursor_of_a_terminal(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {"a.txt": b"a"})
    (folder / "\x1b[2J.txt").write_bytes(b"")

    told = checked(folder)

    assert told.facts["sample-set made: additional"] == "\\x1b[2J.txt"


def test_every_byte_is_counted_once(kept: Path) -> None:
    artifact, read = Artifact.open(kept / "pairs"), list[int]()

    files = compare_files(artifact, read.append)

    assert sum(read) == files.num_bytes
    assert files.num_bytes == sum(
        (kept / "pairs" / name).stat().st_size for name in artifact.manifest.files
    )


def test_many_more_files_than_threads_are_all_compared(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {f"{i}.txt": b"%d" % i for i in range(300)})
    for i in range(0, 300, 50):
        (folder / f"{i}.txt").write_bytes(b"other")

    files = compare_files(Artifact.open(folder), lambda num_bytes: None)

    assert files.changed == tuple(sorted(f"{i}.txt" for i in range(0, 300, 50)))
    assert (files.missing, files.additional, files.unreadable) == ((), (), ())


def test_memory_does_not_grow_with_the_size_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "made"

    def make(unfinished: UnfinishedArtifact) -> None:
        for name in "abcd":
            with (unfinished.folder / name).open("wb") as file:
                file.truncate(2**27)

    made_once(folder, Order("sample-set", {}, {}), make)

    is_whole, num_bytes, more_kb = numbers(READING, folder)

    assert (is_whole, num_bytes) == (1, 2**29)
    assert more_kb < 40_000


def test_a_page_and_a_check_exclude_one_another(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--html writes a page, --check and --regenerate"):
        ShowSettings(html=tmp_path / "page.html", check=True)
