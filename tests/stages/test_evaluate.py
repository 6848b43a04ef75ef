"""What an evaluation refuses, and that nothing but the drawing decides what noise changes."""

from pathlib import Path

import pytest

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.sample_set import SampleSet
from hdgan.errors import LeakError, SettingsError
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.sources import AnnotationSources
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.sample import sample
from tests.tiny_world import IMPORT, SAMPLE, TinyWorld, paint_samples


def annotated_seeds(world: TinyWorld, folder: Path, seeds: tuple[int, ...]) -> AnnotationSources:
    """Samples of these seeds of the world's generator, annotated in `folder / "annotations"`."""
    settings = SampleSettings(seeds=seeds, truncation=SAMPLE.truncation)
    sample(world.generator, folder / "samples", settings)
    names = [record.sample for record in SampleSet.open(folder / "samples").records()]
    paint_samples(folder / "samples", folder / "painted", names)
    import_annotations(
        folder / "samples", folder / "painted", folder / "annotations", IMPORT, world.classes
    )
    return AnnotationSources(samples=folder / "samples", generator=world.generator)


def seeds_learned_from(world: TinyWorld) -> list[int]:
    learned = set(ClassifierFolder.open(world.classifier).learned_from())
    records = SampleSet.open(world.samples).records()
    return [record.seed for record in records if record.sample in learned]


def test_drawings_that_a_classifier_was_fitted_to_do_not_test_it_when_drawn_again(
    world: TinyWorld, tmp_path: Path
) -> None:
    shown = seeds_learned_from(world)
    sources = annotated_seeds(world, tmp_path, tuple(shown))
    digests = [SampleSet.open(place).digest for place in (world.samples, tmp_path / "samples")]
    assert digests[0] != digests[1]

    with pytest.raises(LeakError, match=r"was fitted to s.* of the split test of"):
        evaluate(
            world.classifier,
            tmp_path / "annotations",
            tmp_path / "evaluation",
            EvaluateSettings(),
            sources,
        )


def test_drawings_of_other_seeds_test_a_classifier(world: TinyWorld, tmp_path: Path) -> None:
    fresh = tuple(range(100, 106))
    assert not set(fresh) & set(seeds_learned_from(world))
    sources = annotated_seeds(world, tmp_path, fresh)

    evaluate(
        world.classifier,
        tmp_path / "annotations",
        tmp_path / "evaluation",
        EvaluateSettings(),
        sources,
    )

    tested = [r.image for r in AnnotationSet.open(tmp_path / "annotations").records("test")]
    assert Evaluation.open(tmp_path / "evaluation").images() == tested


def noise_flips(world: TinyWorld, folder: Path, seeds: tuple[int, ...]) -> tuple[float, list[int]]:
    """What noise changes in drawings of the training split, at most two, and their seeds."""
    sources = annotated_seeds(world, folder, seeds)
    settings = EvaluateSettings(split="training", noise_images=2)
    evaluate(world.classifier, folder / "annotations", folder / "evaluation", settings, sources)
    trust = Evaluation.open(folder / "evaluation").trust()
    assert trust is not None
    assert trust.noise is not None
    assert trust.noise.share is not None
    records = AnnotationSet.open(folder / "annotations").records("training")
    return trust.noise.share, [int(record.image[1:]) for record in records][:2]


def test_what_noise_changes_in_a_drawing_does_not_depend_on_those_before_it(
    world: TinyWorld, tmp_path: Path
) -> None:
    both, drawn = noise_flips(world, tmp_path / "both", (201, 202, 203, 204, 205))
    assert len(drawn) == 2

    alone = [noise_flips(world, tmp_path / str(seed), (seed,))[0] for seed in drawn]

    assert alone[0] != alone[1]
    assert both == pytest.approx(sum(alone) / 2)


def test_a_split_of_tiles_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    settings = EvaluateSettings(split="training", fold=0)

    with pytest.raises(SettingsError, match=r"--split is for annotated samples, .* with --fold"):
        evaluate(
            world.segmenter,
            world.truth,
            tmp_path / "evaluation",
            settings,
            AnnotationSources(tiles=world.tiles),
        )

    assert not (tmp_path / "evaluation").exists()
