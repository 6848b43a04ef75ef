"""Artifacts of layout 1, of every kind, as an earlier version left them: they are read for ever."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import LAYOUT, MANIFEST, digest_of_file
from hdgan.artifacts.other_layout import refuse_other_layout
from hdgan.artifacts.pair_set import PairSet
from hdgan.cli import main
from hdgan.errors import DamagedArtifactError
from hdgan.pipeline import Kind
from hdgan.settings.show import ShowSettings
from hdgan.stages.show.run import show

LAYOUT_1 = Path(__file__).parents[1] / "fixtures" / "layout-1"

DIGESTS = {
    "annotations": "570c5c1feaf2",
    "classifier": "b80545d29626",
    "comparison": "833e25426145",
    "dataset": "b8d2c9d5d5b5",
    "evaluation": "d30fcd0a97d3",
    "generator": "a3ba7df36c08",
    "pairs": "acb77f2d6d97",
    "quality": "0acb28dde1fd",
    "samples": "d896d5d76aa1",
    "segmentation": "6346ddf58915",
    "segmenter": "0ef4cfa498b6",
    "tiles": "5ed2bac2d231",
    "truth": "2c987ccc0191",
}
"""How the digest of each begins: whoever must change one has changed what layout 1 was."""

NEXT = {
    "tiles": (
        "train-generator tiles new --resolution 16 --kimg 0.016 --preset small --batch 8 "
        "--channel-base 64 --channel-max 4 --latent-dim 4 --threads 1 --device cpu"
    ),
    "generator": "sample generator new --num-samples 2 --device cpu",
    "samples": "import-annotations samples painted new --classes classes.json",
    "annotations": "train-classifier annotations new --steps 4 --num-members 2 --device cpu",
    "classifier": "synthesize classifier new --num-pairs 2 --workers 1 --device cpu",
    "truth": "evaluate segmenter truth new --fold 0 --device cpu",
    "pairs": "train-segmenter pairs new --steps 1 --batch 2 --crop-px 16 --width 2 --device cpu",
    "segmenter": "segment segmenter tiles new --device cpu",
    "segmentation": "import-annotations tiles segmentation new",
}
"""A verb that reads each, and writes `new`; of those left out, `show` alone is the reader."""

SAME = {
    "generator": (
        "train-generator tiles generator --resolution 16 --kimg 0.032 --preset small --batch 8 "
        "--channel-base 64 --channel-max 4 --latent-dim 4 --noise --threads 1 "
        "--snapshot-kimg 0.032 --device cpu"
    ),
    "samples": "sample generator samples --num-samples 4 --select 3 --device cpu",
    "classifier": (
        "train-classifier annotations classifier --steps 20 --batch 16 --num-members 2 "
        "--no-context --device cpu"
    ),
    "evaluation": "evaluate classifier annotations evaluation --device cpu",
    "pairs": "synthesize classifier pairs --num-pairs 4 --workers 1 --device cpu",
    "dataset": "export pairs dataset --layout plain",
    "segmenter": (
        "train-segmenter pairs segmenter --steps 5 --batch 2 --crop-px 16 --width 2 --device cpu"
    ),
    "segmentation": "segment segmenter tiles segmentation --device cpu",
    "comparison": (
        "compare truth comparison --annotated-samples annotations --arms supervised hdgan "
        "--counts 1 --draws 1 --seeds 1 --steps 5 --batch 2 --width 2 --num-pairs 2 "
        "--classifier-steps 5 --classifier-members 2 --num-pictures 1 --workers 1 --device cpu"
    ),
}
"""The commands that made them, of those that need no file of a user's."""

Run = Callable[[str], None]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copies of all of them, in the current folder."""
    shutil.copytree(LAYOUT_1, tmp_path / "kept")
    monkeypatch.chdir(tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def run(kept: Path) -> Run:
    """Runs a command beside label maps of the samples and a class map."""
    (kept / "painted").mkdir()
    labels = np.zeros((16, 16), dtype=np.uint8)
    labels[:4] = 1
    for path in (kept / "samples" / "images").glob("*.png"):
        (kept / "painted" / path.name).write_bytes(png_of(labels))
    shutil.copy(kept / "truth" / "classes.json", kept / "classes.json")
    return lambda command: main(command.split())


def test_there_is_one_of_every_kind() -> None:
    manifests = [json.loads(path.read_bytes()) for path in LAYOUT_1.glob(f"*/{MANIFEST}")]

    assert {manifest["kind"] for manifest in manifests} == set(get_args(Kind))
    assert {manifest["layout"] for manifest in manifests} == {1}


def test_they_are_as_they_were_made_and_small() -> None:
    files = [path for path in LAYOUT_1.rglob("*") if path.is_file()]

    found = {path.parent.name: digest_of_file(path) for path in LAYOUT_1.glob(f"*/{MANIFEST}")}
    assert {name: digest[:12] for name, digest in found.items()} == DIGESTS
    assert sum(path.stat().st_size for path in files) < 400_000


@pytest.mark.parametrize("name", DIGESTS)
def test_each_is_opened_and_understood(name: str, tmp_path: Path) -> None:
    facts = show(LAYOUT_1 / name, ShowSettings(html=tmp_path / "page.html")).facts

    assert "not understood" not in facts
    assert str(facts["whole"]).startswith("yes")
    assert (tmp_path / "page.html").stat().st_size > 5000


@pytest.mark.parametrize("name", DIGESTS)
def test_each_is_checked_with_what_it_was_made_from(name: str) -> None:
    told = show(LAYOUT_1 / name, ShowSettings(check=True))

    assert not told.differs
    assert str(told.facts["result"]).startswith("whole")
    assert not any("in no folder beside" in str(fact) for fact in told.facts.values())


@pytest.mark.parametrize("name", NEXT)
def test_the_next_stage_takes_each(name: str, kept: Path, run: Run) -> None:
    before = digest_of_file(kept / name / MANIFEST)

    run(NEXT[name])

    made = Artifact.open(kept / "new").manifest
    assert made.layout == LAYOUT
    assert before in made.parents.values()
    assert digest_of_file(kept / name / MANIFEST) == before


def test_scores_of_a_generator_are_still_found_beside_it(kept: Path) -> None:
    facts = show(kept / "generator").facts

    assert "KID, by quality" in facts


def test_an_evaluation_still_tells_of_the_labels_of_new_pairs(kept: Path, run: Run) -> None:
    run(NEXT["classifier"])

    told = PairSet.open(kept / "new").about["labels_quality"]
    assert told["digest"] == digest_of_file(kept / "evaluation" / MANIFEST)


@pytest.mark.parametrize("name", SAME)
def test_the_same_command_finds_its_work_done(name: str, kept: Path, run: Run) -> None:
    before = digest_of_file(kept / name / MANIFEST)

    run(SAME[name])

    assert digest_of_file(kept / name / MANIFEST) == before


def test_pairs_are_added_to_those_that_were_kept(kept: Path, run: Run) -> None:
    run("synthesize classifier pairs --num-pairs 6 --workers 1 --device cpu")

    assert PairSet.open(kept / "pairs").about["num_drawn"] == 6


def as_layout(folder: Path, layout: int, **more: object) -> Path:
    """The same artifact, as a manifest of another layout would say of it."""
    path = folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"layout": layout} | more))
    return folder


@pytest.mark.parametrize("layout", [0, 2])
def test_another_layout_is_refused_with_the_version_that_reads_it(
    layout: int, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    as_layout(kept / "samples", layout, made_by="hdgan 7.1.0")

    with pytest.raises(SystemExit) as stopped:
        main(["show", str(kept / "samples")])

    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"has layout {layout}; this version of hdgan reads layout 1" in said
    assert "It was written by hdgan 7.1.0: use that version" in said


def test_a_later_layout_may_say_more(kept: Path) -> None:
    folder = as_layout(kept / "samples", 2, made_by="hdgan 7.1.0", licences=["CC0-1.0"])

    with pytest.raises(DamagedArtifactError, match=r"pip install 'hdgan>=7\.1\.0'"):
        Artifact.open(folder)


def test_an_earlier_layout_needs_the_version_that_wrote_it(kept: Path) -> None:
    folder = as_layout(kept / "samples", 0, made_by="hdgan 0.0.9")

    with pytest.raises(DamagedArtifactError, match=r"pip install 'hdgan==0\.0\.9'"):
        refuse_other_layout(folder, (folder / MANIFEST).read_bytes(), LAYOUT)


@pytest.mark.parametrize("made_by", ["\x1b[2Jhdgan 1", "hdgan 1; rm -rf ~", "other 3", 5])
def test_a_version_that_is_none_is_not_repeated(made_by: object, kept: Path) -> None:
    folder = as_layout(kept / "samples", 2, made_by=made_by)

    with pytest.raises(DamagedArtifactError, match=r"layout 1\. Use the version that wrote it, or"):
        refuse_other_layout(folder, (folder / MANIFEST).read_bytes(), LAYOUT)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"layout": "2"}', b'{"layout": true}'])
def test_a_manifest_without_a_layout_is_left_to_those_who_read_it(
    text: bytes, tmp_path: Path
) -> None:
    refuse_other_layout(tmp_path, text, LAYOUT)

    assert not list(tmp_path.iterdir())


def test_an_ancestor_of_another_layout_is_not_checked(kept: Path) -> None:
    manifest = as_layout(kept / "generator", 2) / MANIFEST
    child = kept / "samples" / MANIFEST
    content = json.loads(child.read_bytes())
    child.write_text(json.dumps(content | {"parents": {"generator": digest_of_file(manifest)}}))

    told = show(kept / "samples", ShowSettings(check=True))

    assert not told.differs
    assert any("not checked" in str(f) and "has layout 2" in str(f) for f in told.facts.values())
