"""Which annotated images a classifier is fitted to, and how it learns from labels of real tiles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.checkpoint import Learning
from hdgan.artifacts.classifier import (
    CURVES,
    PROJECTIONS_PICTURE,
    SPLIT,
    WEIGHTS,
    ClassifierFolder,
)
from hdgan.artifacts.feature_store import FeatureStore
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.errors import ImageError, LeakError, SettingsError, WrongArtifactError
from hdgan.method import context_head, projection
from hdgan.method.features import FeaturePyramid
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.sources import AnnotationSources, ClassifierSources
from hdgan.settings.synthesize import SynthesizeSources
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.settings.train_generator import TrainGeneratorSettings
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.synthesize.run import synthesize
from hdgan.stages.train_classifier import matching, projecting
from hdgan.stages.train_classifier.run import train_classifier
from hdgan.stages.train_generator import train_generator
from tests.tiny_world import SYNTHESIZE, TRAIN_CLASSIFIER, TRAIN_GENERATOR, TinyWorld, write_encoder

_Captured = pytest.CaptureFixture[str]

QUICK = replace(TRAIN_CLASSIFIER, steps=5)
PROJECT = replace(QUICK, projection_steps=20)
MATCH = TrainClassifierSettings(
    steps=5, num_members=3, real_labels="gradient-matching", num_images=4
)


def _of_samples(world: TinyWorld) -> ClassifierSources:
    return ClassifierSources(samples=world.samples, generator=world.generator)


def _of_tiles(world: TinyWorld) -> ClassifierSources:
    return ClassifierSources(tiles=world.tiles, generator=world.generator)


@pytest.fixture
def anything_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny generator draws little that looks like tissue."""
    monkeypatch.setattr(projecting, "largest_distance", lambda *_: 1e9)


def test_as_many_drawings_as_are_wanted_are_learned_from(world: TinyWorld, tmp_path: Path) -> None:
    offered = {r.image for r in AnnotationSet.open(world.annotations).records("training")}
    taken: list[list[str]] = []
    for draw in (0, 1, 2, 3, 0):
        settings = replace(QUICK, num_images=2, draw=draw)
        output = tmp_path / f"{draw}-{len(taken)}"
        train_classifier(world.annotations, output, settings, _of_samples(world))
        taken.append(ClassifierFolder.open(output).learned_from())

    assert all(len(names) == 2 and set(names) <= offered for names in taken)
    assert taken[0] == taken[-1]
    assert len({tuple(names) for names in taken}) > 1


def test_the_draw_of_images_is_apart_from_the_seed(world: TinyWorld, tmp_path: Path) -> None:
    for seed, draw in ((0, None), (0, 0), (1, 0)):
        settings = replace(QUICK, num_images=2, seed=seed, draw=draw)
        train_classifier(
            world.annotations, tmp_path / f"{seed}{draw}", settings, _of_samples(world)
        )

    first, same, other = (ClassifierFolder.open(tmp_path / name) for name in ("0None", "00", "10"))
    assert first.learned_from() == same.learned_from() == other.learned_from()
    assert first.read(WEIGHTS) == same.read(WEIGHTS) != other.read(WEIGHTS)


def test_all_splits_leave_nothing_to_validate_on(
    world: TinyWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = AnnotationSet.open(world.annotations).records()
    settings = replace(QUICK, all_splits=True)

    made = train_classifier(world.annotations, tmp_path / "all", settings, _of_samples(world))

    folder = ClassifierFolder.open(tmp_path / "all")
    assert folder.learned_from() == [record.image for record in everything]
    assert "accuracy on training pixels" in made.facts
    assert "no annotated image is left to validate on" in capsys.readouterr().err


def test_of_all_splits_what_is_not_taken_is_validated_on(world: TinyWorld, tmp_path: Path) -> None:
    records = AnnotationSet.open(world.annotations).records()
    held_out = {record.image for record in records if record.split == "validation"}
    for draw in range(20):
        settings = replace(QUICK, all_splits=True, num_images=2, draw=draw)
        output = tmp_path / str(draw)
        made = train_classifier(world.annotations, output, settings, _of_samples(world))
        folder = ClassifierFolder.open(output)
        if not held_out & set(folder.learned_from()):
            break

    assert folder.validated_on == "validation pixels"
    assert "accuracy on validation pixels" in made.facts
    assert b",training" in folder.read(SPLIT)


def test_more_drawings_than_are_annotated_are_refused(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--num-images is 99, but . images are annotated for"):
        train_classifier(
            world.annotations, tmp_path / "x", replace(QUICK, num_images=99), _of_samples(world)
        )


def test_a_classifier_is_not_tested_on_drawings_that_it_was_shown(
    world: TinyWorld, tmp_path: Path
) -> None:
    settings = replace(QUICK, all_splits=True)
    train_classifier(world.annotations, tmp_path / "all", settings, _of_samples(world))
    beside = AnnotationSources(samples=world.samples, generator=world.generator)

    with pytest.raises(LeakError, match=r"was fitted to s.* of the split test"):
        evaluate(tmp_path / "all", world.annotations, tmp_path / "e", EvaluateSettings(), beside)


@pytest.mark.usefixtures("anything_is_near")
def test_projected_tiles_are_learned_from_with_their_labels(
    world: TinyWorld, tmp_path: Path
) -> None:
    settings = replace(PROJECT, real_labels="projection", num_images=3, folds=(1, 2))

    made = train_classifier(world.truth, tmp_path / "classifier", settings, _of_tiles(world))

    folder = ClassifierFolder.open(tmp_path / "classifier")
    sought = folder.projections()
    assert made.facts["crops of real tiles that it draws"] == "3 of 3"
    assert sorted(row.tile for row in sought) == sorted(folder.learned_from())
    assert all(row.distance < row.start and row.accepted for row in sought)
    assert rgb_of(folder.read(PROJECTIONS_PICTURE), "x").shape[0] == 16
    tiles = Artifact.open(world.tiles)
    assert set(folder.manifest.seen[tiles.digest]) >= {1, 2}
    assert not (tmp_path / "classifier" / ".unfinished").exists()
    synthesize(
        tmp_path / "classifier",
        tmp_path / "pairs",
        SYNTHESIZE,
        SynthesizeSources(generator=world.generator, annotations=world.truth),
    )
    assert PairSet.open(tmp_path / "pairs").manifest.seen == folder.manifest.seen


@pytest.mark.usefixtures("anything_is_near")
def test_a_tile_that_was_projected_is_not_projected_again(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(PROJECT, num_images=3)
    train_classifier(world.truth, tmp_path / "whole", settings, _of_tiles(world))
    sought: list[int] = []

    def interrupted(*arguments: object, **keywords: object) -> object:
        if len(sought) == 2:
            raise KeyboardInterrupt
        sought.append(1)
        return projection.project(*arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(projecting, "project", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_classifier(world.truth, tmp_path / "parted", settings, _of_tiles(world))
    sought.clear()
    train_classifier(world.truth, tmp_path / "parted", settings, _of_tiles(world))

    assert len(sought) == 1
    whole, parted = (ClassifierFolder.open(tmp_path / name) for name in ("whole", "parted"))
    assert parted.manifest.files == whole.manifest.files


@pytest.mark.usefixtures("anything_is_near")
def test_an_encoder_may_say_how_alike_images_are(world: TinyWorld, tmp_path: Path) -> None:
    write_encoder(tmp_path / "squeezenet.npz")
    settings = replace(PROJECT, projection_steps=2, num_images=1)
    sources = replace(_of_tiles(world), encoder=tmp_path / "squeezenet.npz")

    train_classifier(world.truth, tmp_path / "classifier", settings, sources)

    assert "encoder" in Artifact.open(tmp_path / "classifier").manifest.parents


def test_a_generator_that_draws_nothing_like_the_tiles_is_refused(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "NEAR_PART", 0.0)
    settings = replace(PROJECT, projection_steps=1, num_images=2)

    with pytest.raises(WrongArtifactError, match="draws none of the 2 crops of real tiles"):
        train_classifier(world.truth, tmp_path / "classifier", settings, _of_tiles(world))


def test_projections_outlive_a_refusal(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projecting, "largest_distance", lambda *_: 0.0)
    settings = replace(PROJECT, projection_steps=1, num_images=2)

    with pytest.raises(WrongArtifactError, match="draws none of the 2 crops"):
        train_classifier(world.truth, tmp_path / "classifier", settings, _of_tiles(world))

    kept = (tmp_path / "classifier" / ".unfinished" / "projected").glob("*.safetensors")
    assert len(list(kept)) == 2


def test_a_context_head_without_a_map_is_refused_before_anything_is_projected(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        pytest.fail("latents were sought")

    monkeypatch.setattr(projecting, "project", never)
    monkeypatch.setattr(context_head, "WHOLE_PX", 8)
    settings = replace(PROJECT, context=True, num_blocks=1)

    with pytest.raises(SettingsError, match="--context needs feature maps up to"):
        train_classifier(world.truth, tmp_path / "classifier", settings, _of_tiles(world))

    assert not (tmp_path / "classifier").exists()


def test_large_drawings_are_matched_in_smaller_numbers() -> None:
    numbers = [matching.num_drawings_of(size) for size in (10**6, 2 * 10**8, 1_100_000_000)]

    assert numbers == [64, 40, 8]


def test_matching_keeps_no_more_drawings_than_fit(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: _Captured
) -> None:
    monkeypatch.setattr(matching, "KEPT_BYTES", 1)
    written: list[str] = []
    write = FeatureStore.write

    def counted(self: FeatureStore, name: str, pyramid: FeaturePyramid) -> None:
        written.append(name)
        write(self, name, pyramid)

    monkeypatch.setattr(FeatureStore, "write", counted)
    train_classifier(world.truth, tmp_path / "classifier", MATCH, _of_tiles(world))

    assert len(written) == 8
    assert "drawings are large: 8 rather than 64 are matched" in capsys.readouterr().err


def test_gradient_matching_makes_a_classifier_that_labels_pairs(
    world: TinyWorld, tmp_path: Path
) -> None:
    made = train_classifier(world.truth, tmp_path / "classifier", MATCH, _of_tiles(world))
    synthesize(
        tmp_path / "classifier",
        tmp_path / "pairs",
        SYNTHESIZE,
        SynthesizeSources(generator=world.generator),
    )

    folder = ClassifierFolder.open(tmp_path / "classifier")
    assert made.facts["steps"] == 5
    assert (
        "accuracy on training pixels of real tiles, of a small segmenter that it has taught"
        in made.facts
    )
    assert len(folder.learned_from()) == 4
    assert folder.text.num_members == TRAIN_CLASSIFIER.num_members
    assert folder.projections() == []
    assert np.isfinite(folder.curves()[-1].loss)
    assert not (tmp_path / "classifier" / ".unfinished").exists()
    assert len(PairSet.open(tmp_path / "pairs").records()) == 9


def test_interrupted_matching_goes_on_to_the_same_classifier(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(MATCH, steps=52, num_members=2)
    train_classifier(world.truth, tmp_path / "whole", settings, _of_tiles(world))
    monkeypatch.setattr(matching, "CHECKPOINT_SECONDS", 0.0)
    saved: list[int] = []
    save = Learning.save

    def saved_then_killed(
        self: Learning, unfinished: UnfinishedArtifact, steps: int, curves: list[str]
    ) -> None:
        save(self, unfinished, steps, curves)
        saved.append(1)
        if len(saved) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Learning, "save", saved_then_killed)
    with pytest.raises(KeyboardInterrupt):
        train_classifier(world.truth, tmp_path / "parted", settings, _of_tiles(world))
    train_classifier(world.truth, tmp_path / "parted", settings, _of_tiles(world))

    whole, parted = (ClassifierFolder.open(tmp_path / name) for name in ("whole", "parted"))
    assert parted.read(WEIGHTS) == whole.read(WEIGHTS)
    assert parted.read(CURVES) == whole.read(CURVES)


def test_a_generator_must_be_named_for_annotated_tiles(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Say with --generator which one"):
        train_classifier(world.truth, tmp_path / "x", PROJECT, ClassifierSources(tiles=world.tiles))


def test_a_generator_of_larger_drawings_than_the_tiles_is_refused(
    world: TinyWorld, tmp_path: Path
) -> None:
    drawn = {record.width for record in TileSet.open(world.tiles).records()}
    shrinking = TrainGeneratorSettings(**vars(replace(TRAIN_GENERATOR, kimg=0.008, resolution=8)))
    train_generator(world.tiles, tmp_path / "g", replace(shrinking, shrink=(2.0, 2.0)))
    manifest = (tmp_path / "g" / "manifest.json").read_text()
    (tmp_path / "g" / "manifest.json").write_text(
        manifest.replace('"shrink": [\n   2.0,\n   2.0', '"shrink": [\n   4.0,\n   4.0')
    )
    sources = replace(_of_tiles(world), generator=tmp_path / "g")

    assert drawn == {16}
    with pytest.raises(ImageError, match="is 16 x 16 pixels, but the generator draws what fills"):
        train_classifier(world.truth, tmp_path / "x", PROJECT, sources)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (replace(MATCH, context=True), "--context changes nothing for"),
        (replace(MATCH, batch=32), "--batch changes nothing for"),
        (replace(MATCH, features="regenerate"), "--features changes nothing for"),
        (replace(MATCH, preset="paper"), "--preset changes nothing for"),
        (replace(MATCH, preset="linear", num_members=None, steps=None), "--preset changes nothing"),
        (replace(MATCH, projection_steps=9), "--projection-steps changes nothing for"),
        (replace(PROJECT, all_splits=True), "--all-splits is for annotated drawings"),
        (replace(PROJECT, folds=(7,)), "has no tile in folds"),
        (replace(PROJECT, num_images=99), "--num-images is 99, but"),
    ],
)
def test_choices_that_do_not_suit_real_tiles_are_refused(
    world: TinyWorld, tmp_path: Path, settings: TrainClassifierSettings, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        train_classifier(world.truth, tmp_path / "x", settings, _of_tiles(world))


def test_ways_to_learn_from_tiles_are_refused_for_samples(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds annotated samples, whose latents are known"):
        train_classifier(
            world.annotations,
            tmp_path / "x",
            replace(QUICK, real_labels="projection"),
            _of_samples(world),
        )


@pytest.mark.parametrize(
    ("settings", "added", "flag"),
    [
        (QUICK, {"tiles": Path("t")}, "tiles"),
        (QUICK, {"encoder": Path("e.npz")}, "encoder"),
        (replace(QUICK, folds=(1,)), {}, "folds"),
        (replace(QUICK, crops_per_tile=2), {}, "crops-per-tile"),
        (replace(QUICK, projection_steps=9), {}, "projection-steps"),
    ],
)
def test_choices_for_tiles_are_refused_for_samples(
    world: TinyWorld,
    tmp_path: Path,
    settings: TrainClassifierSettings,
    added: dict[str, Path],
    flag: str,
) -> None:
    sources = replace(_of_samples(world), **added)

    with pytest.raises(SettingsError, match=f"--{flag} is for annotated tiles, but"):
        train_classifier(world.annotations, tmp_path / "x", settings, sources)

    assert not (tmp_path / "x").exists()
