"""Bad input gives one clear line that names the file, and nothing earlier is lost."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.images import png_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.cli import main
from hdgan.stages.import_annotations import import_annotations
from tests.tiny_world import IMPORT, TinyWorld, draw_tiles, paint_samples


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, but for the scratch of unfinished runs."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".unfinished" not in path.parts
    }


@pytest.fixture
def copy(world: TinyWorld, tmp_path: Path) -> TinyWorld:
    """A world that a test may spoil."""
    shutil.copytree(world.folder, tmp_path / "world")
    return TinyWorld(tmp_path / "world")


def complaints(errors: str) -> list[str]:
    """What a command says besides what it needs and from where it goes on."""
    said = re.compile(r"[a-z-]+: (needs about|goes on after) ")
    return [line for line in errors.splitlines() if line.strip() and not said.match(line)]


class Refusal:
    """Runs commands that must fail and checks that nothing else happens."""

    def __init__(self, capsys: pytest.CaptureFixture[str], kept: Path) -> None:
        self.capsys, self.kept = capsys, kept

    def __call__(self, *tokens: object) -> str:
        """The line that a command prints before it exits with 2."""
        before = contents(self.kept)
        with pytest.raises(SystemExit) as stopped:
            main([str(token) for token in tokens])
        assert stopped.value.code == 2
        output = self.capsys.readouterr()
        lines = complaints(output.err)
        assert len(lines) == 1, output.err
        assert output.out == ""
        assert contents(self.kept) == before
        return lines[0]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], copy: TinyWorld) -> Refusal:
    return Refusal(capsys, copy.folder)


def test_an_empty_folder(refused: Refusal, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    line = refused("tile", tmp_path / "empty", tmp_path / "tiles")

    assert f"{tmp_path / 'empty'} holds no slide and no image" in line
    assert ".png" in line


def test_a_folder_that_is_not_there(refused: Refusal, tmp_path: Path) -> None:
    line = refused("tile", tmp_path / "nowhere", tmp_path / "tiles")

    assert f"There is no folder {tmp_path / 'nowhere'}" in line


def test_a_truncated_png(refused: Refusal, tmp_path: Path) -> None:
    draw_tiles(tmp_path, count=6)
    broken = tmp_path / "images" / "patient3_003.png"
    broken.write_bytes(broken.read_bytes()[:200])

    line = refused("tile", tmp_path / "images", tmp_path / "tiles")

    assert f"{broken} is damaged or cut short" in line
    assert not (tmp_path / "tiles" / "manifest.json").exists()
    broken.unlink()
    main(["tile", str(tmp_path / "images"), str(tmp_path / "tiles")])
    assert (tmp_path / "tiles" / "manifest.json").exists()


def test_a_mended_command_finds_its_folder_free(
    copy: TinyWorld, refused: Refusal, tmp_path: Path
) -> None:
    name = AnnotationSet.open(copy.annotations).records()[0].image
    wrong = copy.painted / f"{name}.png"
    good = wrong.read_bytes()
    wrong.write_bytes(png_of(np.full((16, 16), 5, dtype=np.uint8)))
    command = ["import-annotations", copy.samples, copy.painted, tmp_path / "a"]
    refused(*command, "--classes", copy.classes)

    wrong.write_bytes(good)
    main([str(token) for token in [*command, "--classes", copy.classes]])

    assert len(AnnotationSet.open(tmp_path / "a").records()) == 12


def test_a_run_that_was_stopped_before_it_made_anything_does_not_claim_its_folder(
    copy: TinyWorld, tmp_path: Path
) -> None:
    scratch = tmp_path / "s" / ".unfinished"
    scratch.mkdir(parents=True)
    order = {"kind": "sample-set", "settings": {"seed": 7}, "parents": {}, "seen": {}}
    (scratch / "command.json").write_text(json.dumps(order))

    main(["sample", str(copy.generator), str(tmp_path / "s"), "--num-samples", "2"])

    assert len(SampleSet.open(tmp_path / "s").records()) == 2


def test_an_unfinished_run_of_another_command_is_left_alone(
    copy: TinyWorld, refused: Refusal, tmp_path: Path
) -> None:
    scratch = tmp_path / "s" / ".unfinished"
    scratch.mkdir(parents=True)
    order = {"kind": "sample-set", "settings": {"seed": 7}, "parents": {}, "seen": {}}
    (scratch / "command.json").write_text(json.dumps(order))
    (scratch / "checkpoint.safetensors").write_bytes(b"days of work")

    line = refused("sample", copy.generator, tmp_path / "s", "--num-samples", "2")

    assert "already holds an unfinished run of another command (" in line
    assert (scratch / "checkpoint.safetensors").read_bytes() == b"days of work"


def test_tiles_inside_their_images(refused: Refusal, tmp_path: Path) -> None:
    draw_tiles(tmp_path, count=6)

    line = refused("tile", tmp_path / "images", tmp_path / "images" / "tiles")

    assert "lies inside" in line
    assert not (tmp_path / "images" / "tiles").exists()


def test_a_fold_of_annotated_samples(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    line = refused("evaluate", copy.classifier, copy.annotations, tmp_path / "e", "--fold", "0")

    assert "--fold is for annotated tiles" in line


def test_a_label_map_of_the_wrong_size(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    name = AnnotationSet.open(copy.annotations).records()[0].image
    wrong = copy.painted / f"{name}.png"
    wrong.write_bytes(png_of(np.zeros((8, 16), dtype=np.uint8)))

    line = refused(
        "import-annotations", copy.samples, copy.painted, tmp_path / "a", "--classes", copy.classes
    )

    assert f"{wrong} is 16 x 8 pixels, but its image is 16 x 16" in line


def test_a_class_outside_the_class_map(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    name = AnnotationSet.open(copy.annotations).records()[0].image
    wrong = copy.painted / f"{name}.png"
    wrong.write_bytes(png_of(np.full((16, 16), 5, dtype=np.uint8)))

    line = refused(
        "import-annotations", copy.samples, copy.painted, tmp_path / "a", "--classes", copy.classes
    )

    assert f"{wrong} has 256 pixels of class 5" in line
    assert "ends at 4 ('artery')" in line


def test_a_label_map_of_no_image(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    stranger = copy.painted / "holiday.png"
    stranger.write_bytes(png_of(np.zeros((16, 16), dtype=np.uint8)))

    line = refused(
        "import-annotations", copy.samples, copy.painted, tmp_path / "a", "--classes", copy.classes
    )

    assert f"{stranger} belongs to no image of {copy.samples}" in line


def test_label_maps_without_a_class_map(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    line = refused("import-annotations", copy.samples, copy.painted, tmp_path / "a")

    assert "Give a class map with --classes" in line


def test_an_artifact_of_another_kind(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    line = refused("sample", copy.tiles, tmp_path / "samples")

    assert f"{copy.tiles} is of kind tile-set, but generator is needed" in line


@pytest.mark.parametrize(
    ("verb", "inputs"),
    [
        ("train-generator", ["samples"]),
        ("train-classifier", ["samples"]),
        ("evaluate", ["tiles", "annotations"]),
        ("evaluate", ["classifier", "samples"]),
        ("synthesize", ["generator"]),
        ("train-segmenter", ["tiles"]),
        ("segment", ["classifier", "tiles"]),
        ("segment", ["segmenter", "pairs"]),
        ("import-annotations", ["pairs", "painted"]),
    ],
)
def test_every_verb_refuses_another_kind(
    copy: TinyWorld, refused: Refusal, tmp_path: Path, verb: str, inputs: list[str]
) -> None:
    line = refused(verb, *(copy.folder / name for name in inputs), tmp_path / "out")

    assert " is of kind " in line
    assert any(str(copy.folder / name) in line for name in inputs)


def test_samples_of_another_generator(
    copy: TinyWorld, refused: Refusal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copy.folder / "other"
    options = "--resolution 16 --kimg 0.016 --preset small --channel-max 4 --latent-dim 4 --seed 5"
    main(["train-generator", str(copy.tiles), str(other), *options.split()])
    capsys.readouterr()

    line = refused("train-classifier", copy.annotations, tmp_path / "c", "--generator", other)

    assert f"{copy.samples} was not made from {other}, but from another generator" in line


def test_a_classifier_is_not_evaluated_on_samples_of_another_generator(
    copy: TinyWorld, refused: Refusal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copy.folder / "other"
    options = "--resolution 16 --kimg 0.016 --preset small --channel-max 4 --latent-dim 4 --seed 5"
    main(["train-generator", str(copy.tiles), str(other), *options.split()])
    samples, painted = copy.folder / "other-samples", copy.folder / "other-painted"
    main(["sample", str(other), str(samples), "--num-samples", "9", "--select", "3"])
    paint_samples(samples, painted, [f"s{i:06d}" for i in range(9)])
    annotations = copy.folder / "other-annotations"
    import_annotations(samples, painted, annotations, IMPORT, copy.classes)
    capsys.readouterr()

    line = refused("evaluate", copy.classifier, annotations, tmp_path / "e")

    assert f"{copy.classifier} was fitted to another generator" in line


def test_a_parent_that_is_not_at_hand(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    shutil.move(copy.annotations, tmp_path / "alone" / "annotations")
    refused.kept = tmp_path / "alone"

    line = refused("train-classifier", tmp_path / "alone" / "annotations", tmp_path / "c")

    assert "was made from a sample-set" in line
    assert "Say where it is with --samples" in line


def test_a_sample_that_was_painted_over_is_noticed(
    copy: TinyWorld, refused: Refusal, tmp_path: Path
) -> None:
    """Its manifest is forged too, so that only drawing it again can tell."""
    from hdgan.artifacts.manifest import Manifest, digest_of_file, write_manifest
    from hdgan.artifacts.sample_set import SampleSet

    samples = SampleSet.open(copy.samples)
    for record in samples.records():
        (copy.samples / record.image).write_bytes(png_of(255 - samples.image(record)))
    files = {name: digest_of_file(copy.samples / name) for name in samples.manifest.files}
    write_manifest(copy.samples, Manifest(**(samples.manifest.model_dump() | {"files": files})))
    import_annotations(copy.samples, copy.painted, copy.folder / "again", IMPORT, copy.classes)

    line = refused("train-classifier", copy.folder / "again", tmp_path / "c")

    assert "images, latents and weights no longer belong together" in line


def test_a_damaged_parent(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    weights = copy.generator / "generator.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")

    line = refused("sample", copy.generator, tmp_path / "samples")

    assert f"{weights} is not the file that was written" in line


def test_tiles_smaller_than_the_resolution(
    copy: TinyWorld, refused: Refusal, tmp_path: Path
) -> None:
    line = refused("train-generator", copy.tiles, tmp_path / "g", "--resolution", "32")

    assert "is 16 x 16 pixels, too small for a generator of 32 px" in line


def test_a_fold_that_is_not_there(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    line = refused("train-generator", copy.tiles, tmp_path / "g", "--folds", "7")

    assert f"{copy.tiles} has no tile in folds [7]; it has folds [0, 1, 2, 3, 4]" in line


def test_a_test_on_tiles_that_were_learned_from(
    copy: TinyWorld, refused: Refusal, tmp_path: Path
) -> None:
    line = refused("evaluate", copy.segmenter, copy.truth, tmp_path / "e", "--fold", "2")

    assert f"{copy.segmenter} has learned from folds [1, 2, 3, 4] of {copy.tiles}" in line


def test_an_unseen_fold_is_tested(copy: TinyWorld, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", str(copy.segmenter), str(copy.truth), str(copy.folder / "e"), "--fold", "0"])

    assert "evaluation in" in capsys.readouterr().out


def test_annotated_tiles_without_a_fold(copy: TinyWorld, refused: Refusal, tmp_path: Path) -> None:
    line = refused("evaluate", copy.segmenter, copy.truth, tmp_path / "e")

    assert "Say with --fold" in line


def test_a_pattern_that_finds_no_patient(refused: Refusal, tmp_path: Path) -> None:
    draw_tiles(tmp_path, count=5)

    line = refused(
        "tile", tmp_path / "images", tmp_path / "tiles", "--patient-pattern", "^(case[0-9]+)"
    )

    assert "finds no patient in 'patient0_000'" in line


def test_too_few_patients(refused: Refusal, tmp_path: Path) -> None:
    draw_tiles(tmp_path, count=3)

    line = refused("tile", tmp_path / "images", tmp_path / "tiles")

    assert "3 patients cannot be dealt to 5 folds" in line


def test_the_result_of_another_command_is_not_overwritten(
    copy: TinyWorld, refused: Refusal
) -> None:
    line = refused("sample", copy.generator, copy.samples, "--seed", "9")

    assert f"{copy.samples} already holds the result of another command" in line
    assert "seed was 0, now 9" in line


@pytest.mark.parametrize(
    ("verb", "inputs", "options", "message"),
    [
        ("sample", ["generator"], ["--select", "600"], "--select is 600"),
        (
            "synthesize",
            ["classifier"],
            ["--drop-fraction", "1"],
            "it must be from 0 to 0.999",
        ),
        ("synthesize", ["classifier"], ["--num-pairs", "0"], "--num-pairs is 0"),
        ("train-segmenter", ["pairs"], ["--crop-px", "20"], "--crop-px is 20"),
        ("train-segmenter", ["pairs"], ["--crop-px", "64"], "smaller than a crop of 64"),
        ("train-segmenter", ["pairs"], ["--num-images", "500"], "has 9 labelled images"),
        ("train-generator", ["tiles"], ["--resolution", "12"], "12 px cannot be built"),
        (
            "train-generator",
            ["tiles"],
            ["--resolution", "16", "--batch", "6", "--preset", "small"],
            "batch of 6 cannot be cut",
        ),
        ("train-generator", ["tiles"], ["--kimg", "0"], "--kimg is 0.0; it must be above 0"),
        ("train-generator", ["tiles"], ["--threads", "0"], "--threads is 0; it must be 1 or more"),
        ("train-classifier", ["annotations"], ["--steps", "0"], "--steps is 0"),
        (
            "train-classifier",
            ["annotations"],
            ["--class-weights", "1", "2", "3", "4", "5", "6"],
            "--class-weights has 6 numbers",
        ),
        (
            "train-classifier",
            ["annotations"],
            ["--class-weights", "0", "0"],
            "--class-weights is 0 0; it must be a number of 0 or more",
        ),
        (
            "train-classifier",
            ["annotations"],
            ["--class-weights", "1", "1", "--class-mix", "natural"],
            "both say how often each class is drawn",
        ),
        ("sample", ["generator"], ["--truncation", "nan"], "--truncation is nan"),
        ("sample", ["generator"], ["--device", "abacus"], "--device is 'abacus'"),
        ("train-segmenter", ["pairs"], ["--crop-px", "8"], "--crop-px is 8; it must be 16 or more"),
    ],
)
def test_numbers_that_cannot_work(  # noqa: PLR0913
    copy: TinyWorld,
    refused: Refusal,
    tmp_path: Path,
    verb: str,
    inputs: list[str],
    options: list[str],
    message: str,
) -> None:
    line = refused(verb, *(copy.folder / name for name in inputs), tmp_path / "out", *options)

    assert message in line


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from hdgan.cli import main
main(sys.argv[2:])
"""


def run_limited(limit: int, *tokens: object) -> subprocess.CompletedProcess[str]:
    """A command in a process that may not write files above a size."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *map(str, tokens)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("verb", "inputs", "options"),
    [
        ("sample", "generator", ["--num-samples", "5", "--select", "2"]),
        ("synthesize", "classifier", ["--num-pairs", "5"]),
        ("train-classifier", "annotations", ["--steps", "5", "--batch", "16"]),
    ],
)
def test_a_full_disk_is_one_line_and_the_run_goes_on_when_there_is_room(
    copy: TinyWorld, verb: str, inputs: str, options: list[str]
) -> None:
    before = contents(copy.folder)
    output = copy.folder / "out"
    command = (verb, copy.folder / inputs, output, *options)

    full = run_limited(700, *command)

    lines = complaints(full.stderr)
    assert full.returncode == 2
    assert len(lines) == 1, full.stderr
    assert str(output) in lines[0]
    assert "could not be written" in lines[0]
    kept = contents(copy.folder)
    assert {name: kept[name] for name in before} == before
    assert run_limited(10**9, *command).returncode == 0


def test_a_small_disk_that_is_full(copy: TinyWorld, tmp_path: Path) -> None:
    """A real file system of 64 kB, where this account may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this account may not mount a file system")
    try:
        full = run_limited(10**9, "sample", copy.generator, disk / "samples")
    finally:
        subprocess.run(["umount", str(disk)], check=True)

    lines = complaints(full.stderr)
    assert full.returncode == 2
    assert len(lines) == 1, full.stderr
    assert "the disk is full" in lines[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(copy: TinyWorld, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)

    closed = run_limited(10**9, "sample", copy.generator, tmp_path / "closed" / "samples")

    assert closed.returncode == 2
    assert "may not write" in closed.stderr
