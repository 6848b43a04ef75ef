"""What each stage writes, read back from disk."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import CONTEXT, CURVES, WEIGHTS, ClassifierFolder, EnsembleText
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.feature_store import FeatureStore
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of, rgb_of
from hdgan.artifacts.order import Order
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.seen import Seen
from hdgan.artifacts.segmentation import Segmentation
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import made_once
from hdgan.class_map import UNLABELLED
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.method import labelled_pixels
from hdgan.method.context_head import with_context
from hdgan.method.features import FeaturePyramid, image_and_features
from hdgan.method.fitting import LabelledFeatures
from hdgan.method.label_image import label_image
from hdgan.method.labelled_pixels import one_ahead
from hdgan.method.latent import image_of, pixels_of, w_of
from hdgan.method.metrics import confusion_matrix, overall_scores
from hdgan.method.pixel_classifier import ClassifierShape
from hdgan.method.stylegan.resample import doubled
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.uncertainty import image_score
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.sources import AnnotationSources
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.settings.tile import TileSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.settings.train_segmenter import SegmenterSources, TrainSegmenterSettings
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.sample import sample
from hdgan.stages.show.run import show
from hdgan.stages.synthesize.run import synthesize
from hdgan.stages.tile.run import tile
from hdgan.stages.train_classifier.run import train_classifier
from hdgan.stages.train_generator import train_generator
from hdgan.stages.train_segmenter.run import train_segmenter
from hdgan.stages.train_segmenter.training import fitting_crop
from tests.tiny_world import (
    NUM_PATIENTS,
    SAMPLE,
    SIDE,
    SYNTHESIZE,
    TRAIN_CLASSIFIER,
    TRAIN_GENERATOR,
    TinyWorld,
)

ONE_PATIENT = TileSettings(side_px=16, num_folds=1, patient_pattern="^(p)")


def test_every_artifact_is_whole_and_leaves_nothing_unfinished(world: TinyWorld) -> None:
    folders = [path.parent for path in world.folder.glob("*/manifest.json")]

    assert len(folders) == 10
    for folder in folders:
        Artifact.open(folder).check_files()
        assert not (folder / ".unfinished").exists()


def test_a_tile_is_a_part_of_its_image(world: TinyWorld, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 200, (40, 50, 3), dtype=np.uint8)
    for name in ("p_a", "p_b"):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / f"{name}.png").write_bytes(png_of(image))

    tile(tmp_path / "images", tmp_path / "tiles", ONE_PATIENT)

    tiles = TileSet.open(tmp_path / "tiles")
    records = tiles.records()
    assert len(records) == 2 * 2 * 3
    for record in records:
        cut = image[record.y : record.y + 16, record.x : record.x + 16]
        assert np.array_equal(tiles.image(record), cut)


def test_tiles_of_glass_are_left_out(tmp_path: Path) -> None:
    image = np.full((16, 64, 3), 250, dtype=np.uint8)
    image[:, :16] = 100
    for name in ("p_a", "p_b"):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / f"{name}.png").write_bytes(png_of(image))

    tile(tmp_path / "images", tmp_path / "tiles", ONE_PATIENT)

    assert [record.x for record in TileSet.open(tmp_path / "tiles").records()] == [0, 0]


def test_a_patients_tiles_are_in_one_fold(world: TinyWorld) -> None:
    records = TileSet.open(world.tiles).records()

    assert len({record.patient for record in records}) == NUM_PATIENTS
    assert len({(record.patient, record.fold) for record in records}) == NUM_PATIENTS


def test_a_generator_draws_what_its_grid_shows(world: TinyWorld) -> None:
    folder = GeneratorFolder.open(world.generator)
    network = folder.generator()

    first = rgb_of(folder.read("grids/final.png"), "x")[:SIDE, :SIDE]

    assert np.array_equal(first, image_of(network, w_of(network, 0, 0.7)))


def test_snapshots_are_kept_at_their_images(world: TinyWorld) -> None:
    folder = GeneratorFolder.open(world.generator)

    kept = sorted(name for name in folder.manifest.files if name.startswith("snapshots/"))

    assert kept == ["snapshots/kimg-000000.safetensors"]
    assert folder.progress()[-1].images == 256


def test_a_generator_says_which_folds_it_has_seen(world: TinyWorld) -> None:
    tiles = TileSet.open(world.tiles)

    for folder in (world.generator, world.samples, world.classifier, world.pairs, world.segmenter):
        assert Artifact.open(folder).manifest.seen == {tiles.digest: [1, 2, 3, 4]}


def test_a_generator_can_begin_from_another(world: TinyWorld, tmp_path: Path) -> None:
    few = replace(TRAIN_GENERATOR, kimg=0.004, learning_rate=1e-9, channel_base=None, noise=None)

    train_generator(world.tiles, tmp_path / "next", few, world.generator)

    start, after = GeneratorFolder.open(world.generator), GeneratorFolder.open(tmp_path / "next")
    assert after.manifest.parents["generator"] == start.digest
    assert after.shape == start.shape
    drawn = [image_of(one.generator(), torch.ones(1, 8)) for one in (start, after)]
    assert np.abs(drawn[0].astype(int) - drawn[1].astype(int)).max() <= 1


def test_a_training_without_noise_drops_what_its_start_had_of_it(
    world: TinyWorld, tmp_path: Path
) -> None:
    few = replace(TRAIN_GENERATOR, kimg=0.016, noise=False)

    train_generator(world.tiles, tmp_path / "next", few, world.generator)

    start, after = (GeneratorFolder.open(folder) for folder in (world.generator, tmp_path / "next"))
    strengths = [
        [float(layer.noise_strength) for layer in one.generator().synthesis.convolutions]
        for one in (start, after)
    ]
    assert any(strengths[0])
    assert not any(strengths[1])


def test_noise_of_the_fine_blocks_is_kept_by_what_begins_from_it(
    world: TinyWorld, tmp_path: Path
) -> None:
    few = replace(TRAIN_GENERATOR, kimg=0.016, noise=None, noise_from=SIDE)
    train_generator(world.tiles, tmp_path / "one", few, world.generator)
    train_generator(world.tiles, tmp_path / "two", replace(few, noise_from=None), tmp_path / "one")

    for name in ("one", "two"):
        layers = GeneratorFolder.open(tmp_path / name).generator().synthesis.convolutions
        with_noise = {layer.resolution for layer in layers if float(layer.noise_strength) != 0.0}
        assert with_noise == {SIDE}


def test_a_generator_of_twice_the_side_begins_with_the_blocks_that_fit(
    world: TinyWorld, tmp_path: Path
) -> None:
    few = replace(TRAIN_GENERATOR, resolution=8, kimg=0.004, learning_rate=1e-9)
    train_generator(world.tiles, tmp_path / "small", few)

    twice = replace(few, resolution=16, channel_base=None)
    train_generator(world.tiles, tmp_path / "large", twice, tmp_path / "small")

    small, large = (
        GeneratorFolder.open(tmp_path / name).generator().state_dict()
        for name in ("small", "large")
    )
    for name in ("mapping.fc0.weight", "synthesis.b8.conv0.weight"):
        assert torch.allclose(small[name], large[name], atol=1e-6)
    networks = [GeneratorFolder.open(tmp_path / name).generator() for name in ("small", "large")]
    images = [network(torch.ones(1, 8), network.synthesis.no_noise()) for network in networks]
    assert torch.allclose(doubled(images[0]), images[1], atol=1e-5)


def test_a_training_says_before_it_starts_what_it_will_need(
    world: TinyWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_generator(world.tiles, tmp_path / "next", replace(TRAIN_GENERATOR, kimg=0.016))

    lines = capsys.readouterr().err.splitlines()
    pattern = r"train-generator: needs about [\d.]+ [MG]B of memory, [\d.]+ MB of disk, \d+ s"
    assert re.fullmatch(pattern, lines[0])


def test_what_a_start_has_seen_is_passed_on(world: TinyWorld, tmp_path: Path) -> None:
    few = replace(TRAIN_GENERATOR, kimg=0.004, folds=(0,))

    train_generator(world.tiles, tmp_path / "next", few, world.generator)

    digest = TileSet.open(world.tiles).digest
    assert Artifact.open(tmp_path / "next").manifest.seen == {digest: [0, 1, 2, 3, 4]}


def test_noise_above_the_resolution_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--noise-from is 32, above --resolution 16"):
        train_generator(
            world.tiles, tmp_path / "next", replace(TRAIN_GENERATOR, noise=None, noise_from=32)
        )


def test_a_rate_for_a_start_needs_a_start(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no --start-from"):
        train_generator(world.tiles, tmp_path / "next", replace(TRAIN_GENERATOR, start_rate=0.5))


def test_a_start_that_does_not_fit_is_named(world: TinyWorld, tmp_path: Path) -> None:
    other = replace(TRAIN_GENERATOR, channel_max=4)

    with pytest.raises(SettingsError, match=r"No convolution of .* fits"):
        train_generator(world.tiles, tmp_path / "next", other, world.generator)


def test_a_sample_can_be_drawn_again_from_its_seed_and_from_its_latent(world: TinyWorld) -> None:
    samples = SampleSet.open(world.samples)
    network = GeneratorFolder.open(world.generator).generator()
    record = samples.records()[5]

    kept = samples.image(record)

    w = torch.from_numpy(samples.latents()[record.row : record.row + 1])
    assert np.array_equal(kept, image_of(network, w))
    assert np.array_equal(kept, image_of(network, w_of(network, record.seed, SAMPLE.truncation)))


def test_sample_i_does_not_depend_on_how_many_are_drawn(world: TinyWorld, tmp_path: Path) -> None:
    sample(world.generator, tmp_path / "few", SampleSettings(num_samples=3, select=0))

    few, many = SampleSet.open(tmp_path / "few"), SampleSet.open(world.samples)
    for record, same in zip(few.records(), many.records()[:3], strict=True):
        assert np.array_equal(few.image(record), many.image(same))
    assert np.array_equal(few.latents(), many.latents()[:3])


def test_seeds_follow_one_another(world: TinyWorld, tmp_path: Path) -> None:
    sample(world.generator, tmp_path / "later", SampleSettings(num_samples=2, select=0, seed=4))

    later, first = SampleSet.open(tmp_path / "later"), SampleSet.open(world.samples)
    assert np.array_equal(later.image(later.records()[1]), first.image(first.records()[5]))


def test_chosen_seeds_are_drawn_again(world: TinyWorld, tmp_path: Path) -> None:
    sample(world.generator, tmp_path / "chosen", SampleSettings(seeds=(7, 2)))

    chosen, many = SampleSet.open(tmp_path / "chosen"), SampleSet.open(world.samples)
    assert [(record.sample, record.seed) for record in chosen.records()] == [
        ("s000002", 2),
        ("s000007", 7),
    ]
    for record in chosen.records():
        same = many.records()[record.seed]
        assert np.array_equal(chosen.image(record), many.image(same))
        assert np.array_equal(chosen.latents()[record.row], many.latents()[same.row])


@pytest.mark.parametrize(
    ("choices", "what"),
    [
        ({"num_samples": 3}, "so do --num-samples and --seed"),
        ({"seed": 1}, "so do --num-samples and --seed"),
        ({"seeds": ()}, "names no seed"),
        ({"seeds": (4, 5, 4)}, "--seeds has 4"),
        ({"seeds": (-1,)}, "--seeds has -1"),
    ],
)
def test_seeds_that_cannot_be_drawn_are_refused(choices: dict[str, Any], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        SampleSettings(**{"seeds": (4, 5)} | choices)


def test_as_many_samples_are_suggested_as_wanted(world: TinyWorld) -> None:
    suggested = [record.suggested for record in SampleSet.open(world.samples).records()]

    assert sorted(place for place in suggested if place is not None) == list(range(9))


def test_only_suggested_samples_are_taken_in(world: TinyWorld) -> None:
    annotated = AnnotationSet.open(world.annotations)
    suggested = {
        record.sample
        for record in SampleSet.open(world.samples).records()
        if record.suggested is not None
    }

    assert {record.image for record in annotated.records()} == suggested
    splits = [record.split for record in annotated.records()]
    assert [splits.count(split) for split in ("training", "validation", "test")] == [4, 1, 4]


def test_label_maps_of_slides_are_cut_as_the_tiles_were(world: TinyWorld, tmp_path: Path) -> None:
    labels = (np.arange(32 * 48).reshape(32, 48) % 5).astype(np.uint8)
    for kind, pixels in (("images", np.repeat(labels[..., None] * 20, 3, 2)), ("labels", labels)):
        for name in ("p_a", "p_b"):
            (tmp_path / kind).mkdir(exist_ok=True)
            (tmp_path / kind / f"{name}.png").write_bytes(png_of(pixels))
    tile(tmp_path / "images", tmp_path / "tiles", ONE_PATIENT)

    import_annotations(
        tmp_path / "tiles",
        tmp_path / "labels",
        tmp_path / "truth",
        ImportAnnotationsSettings(),
        world.classes,
    )

    tiles, truth = TileSet.open(tmp_path / "tiles"), AnnotationSet.open(tmp_path / "truth")
    by_name = {record.tile: record for record in tiles.records()}
    assert len(truth.records()) == 12
    for annotated in truth.records():
        image = tiles.image(by_name[annotated.image])
        assert np.array_equal(truth.labels(annotated) * 20, image[..., 0])


def test_a_segmentation_can_be_taken_in_as_annotations(world: TinyWorld, tmp_path: Path) -> None:
    import_annotations(
        world.tiles, world.segmentation, tmp_path / "annotations", ImportAnnotationsSettings()
    )

    annotated = AnnotationSet.open(tmp_path / "annotations")
    segmentation = Segmentation.open(world.segmentation)
    assert annotated.class_map == segmentation.class_map
    assert annotated.manifest.parents["segmentation"] == segmentation.digest


def test_features_are_scaled_by_the_training_images_alone(world: TinyWorld, tmp_path: Path) -> None:
    """Mean and deviation over all annotated images would leak what the test images look like."""
    annotated = AnnotationSet.open(world.annotations)
    samples = SampleSet.open(world.samples)
    network = GeneratorFolder.open(world.generator).generator()
    names = {record.image for record in annotated.records("training")}
    folder = ClassifierFolder.open(world.classifier)
    latents = torch.from_numpy(samples.latents())
    maps = [
        image_and_features(network, latents[r.row : r.row + 1], folder.text.num_blocks)[1]
        for r in samples.records()
        if r.sample in names
    ]

    classifier = folder.classifier()

    first_map = np.stack([pyramid.maps[1] for pyramid in maps]).astype(np.float64)
    channels = maps[0].maps[0].shape[-1]
    kept = classifier.mean[channels : channels + first_map.shape[-1]].numpy()
    assert np.allclose(kept, first_map.mean(axis=(0, 1, 2)), atol=1e-5)


def test_features_that_are_drawn_again_make_the_same_classifier(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Seven steps at a time, so that several rounds are drawn and the last is short.
    channels = ClassifierFolder.open(world.classifier).text.num_channels
    pixels = 3 * 64
    assert (TRAIN_CLASSIFIER.num_members, TRAIN_CLASSIFIER.batch) == (3, 64)
    monkeypatch.setattr(labelled_pixels, "REGENERATED_BYTES", 7 * 4 * pixels * channels)
    written: list[str] = []
    monkeypatch.setattr(FeatureStore, "write", lambda _self, name, _: written.append(name))
    settings = replace(TRAIN_CLASSIFIER, features="regenerate")

    train_classifier(world.annotations, tmp_path / "classifier", settings, _beside(world))

    kept, again = (
        ClassifierFolder.open(folder) for folder in (world.classifier, tmp_path / "classifier")
    )
    assert not written
    assert again.read(WEIGHTS) == kept.read(WEIGHTS)
    assert again.read(CURVES) == kept.read(CURVES)


def test_a_classifier_with_context_is_used_wherever_it_is_read(
    world: TinyWorld, tmp_path: Path
) -> None:
    settings = replace(TRAIN_CLASSIFIER, context=True)
    train_classifier(world.annotations, tmp_path / "classifier", settings, _beside(world))
    synthesize(tmp_path / "classifier", tmp_path / "pairs", SYNTHESIZE, _with_generator(world))

    folder, pairs = ClassifierFolder.open(tmp_path / "classifier"), PairSet.open(tmp_path / "pairs")
    network, context = GeneratorFolder.open(world.generator).generator(), folder.context()
    record = pairs.records()[0]
    w = torch.from_numpy(pairs.latents()[record.row : record.row + 1])
    _, pyramid = read_by(folder, network, w)
    labelled = label_image(pyramid, folder.classifier())
    assert context is not None
    assert pyramid.maps[-1].shape == (SIDE, SIDE, context.shape.widths[1])
    assert folder.text.num_channels == pyramid.num_channels
    assert np.array_equal(pairs.labels(record), labelled.labels)
    sample(world.generator, tmp_path / "second", SAMPLE, tmp_path / "classifier")
    evaluate(
        tmp_path / "classifier",
        world.annotations,
        tmp_path / "evaluation",
        EvaluateSettings(),
        AnnotationSources(samples=world.samples, generator=world.generator),
    )
    assert Evaluation.open(tmp_path / "evaluation").overall()[0].value > 0.3


def test_context_without_kept_features_is_the_same_and_is_fitted_once(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hdgan.stages.train_classifier import fitting as stage

    settings = replace(TRAIN_CLASSIFIER, context=True, steps=5)
    train_classifier(world.annotations, tmp_path / "kept", settings, _beside(world))
    again = replace(settings, features="regenerate")
    with monkeypatch.context() as patched:
        patched.setattr(stage.Fitting, "_fitted", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_classifier(world.annotations, tmp_path / "again", again, _beside(world))
    monkeypatch.setattr(stage, "fit_context", _interrupted)

    train_classifier(world.annotations, tmp_path / "again", again, _beside(world))

    kept, made = (ClassifierFolder.open(tmp_path / name) for name in ("kept", "again"))
    for name in (CONTEXT, WEIGHTS, CURVES):
        assert made.read(name) == kept.read(name)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_context_needs_a_map_that_is_drawn_whole(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large generator's last blocks none may be; the preset then goes without."""
    monkeypatch.setattr("hdgan.method.context_head.WHOLE_PX", 4)
    settings = replace(TRAIN_CLASSIFIER, context=True, steps=5, num_blocks=2)

    with pytest.raises(SettingsError, match="--context needs feature maps up to"):
        train_classifier(world.annotations, tmp_path / "asked", settings, _beside(world))
    train_classifier(
        world.annotations, tmp_path / "preset", replace(settings, context=None), _beside(world)
    )

    assert ClassifierFolder.open(tmp_path / "preset").context() is None


def test_a_classifier_from_before_there_was_context_still_opens() -> None:
    text = EnsembleText.model_validate(
        {
            "num_channels": 6,
            "num_classes": 3,
            "num_members": 2,
            "widths": [8, 6],
            "num_normalised": 2,
            "dropout": 0.3,
            "num_blocks": 3,
            "decision": "mean",
        }
    )

    assert text.context is None
    assert text.shape == ClassifierShape(6, 3, 2, (8, 6))


def test_objects_are_of_one_class_if_it_is_wanted(world: TinyWorld, tmp_path: Path) -> None:
    classes = ("glomerulus", "arteriole", "artery")
    settings = replace(TRAIN_CLASSIFIER, steps=5, object_vote=classes)
    train_classifier(world.annotations, tmp_path / "classifier", settings, _beside(world))
    synthesize(tmp_path / "classifier", tmp_path / "pairs", SYNTHESIZE, _with_generator(world))

    pairs = PairSet.open(tmp_path / "pairs")
    for record in pairs.records():
        labels = pairs.labels(record)
        regions, count = ndimage.label(labels >= 2)
        assert all(np.unique(labels[regions == i]).size == 1 for i in range(1, count + 1))
    with pytest.raises(SettingsError, match="needs the whole label map"):
        synthesize(
            tmp_path / "classifier",
            tmp_path / "tiled",
            replace(SYNTHESIZE, files="tiff"),
            _with_generator(world),
        )
    with pytest.raises(SettingsError, match="names vein, which is no class of"):
        train_classifier(
            world.annotations,
            tmp_path / "other",
            replace(settings, object_vote=("artery", "vein")),
            _beside(world),
        )


def test_steps_that_are_made_ahead_are_the_steps_in_order() -> None:
    def made(step: int) -> LabelledFeatures:
        if step == 4:
            raise WrongArtifactError("the fifth step")
        return LabelledFeatures(torch.full((1, 2, 3), step), torch.full((1, 2), step))

    coming = one_ahead(made, range(1, 6))

    assert [int(next(coming).classes[0, 0]) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(WrongArtifactError, match="the fifth step"):
        next(coming)
    assert len(list(one_ahead(made, range(4)))) == 4
    assert list(one_ahead(made, [])) == []


def test_a_second_round_suggests_what_the_classifier_is_unsure_of(
    world: TinyWorld, tmp_path: Path
) -> None:
    settings = replace(SAMPLE, seed=100, select=4)

    sample(world.generator, tmp_path / "second", settings, world.classifier)

    drawn = SampleSet.open(tmp_path / "second")
    records = drawn.records()
    scores = {record.sample: record.uncertainty or 0.0 for record in records}
    suggested = [record for record in records if record.suggested is not None]
    assert len(suggested) == 4
    assert all(score > 0 for score in scores.values())
    middle = np.median(list(scores.values()))
    assert all(scores[record.sample] >= middle for record in suggested)
    ordered = sorted(suggested, key=lambda record: record.suggested or 0)
    assert [record.sample for record in ordered] == sorted(
        (record.sample for record in suggested), key=lambda name: -scores[name]
    )
    assert drawn.manifest.parents["classifier"] == Artifact.open(world.classifier).digest


def test_a_second_round_needs_the_classifiers_own_generator(
    world: TinyWorld, tmp_path: Path
) -> None:
    few = replace(TRAIN_GENERATOR, kimg=0.008, seed=5)
    train_generator(world.tiles, tmp_path / "other", few)

    with pytest.raises(WrongArtifactError, match="was fitted to another generator"):
        sample(tmp_path / "other", tmp_path / "second", SAMPLE, world.classifier)


def test_the_linear_preset_fits_at_once_and_is_never_unsure(
    world: TinyWorld, tmp_path: Path
) -> None:
    settings = TrainClassifierSettings(preset="linear", batch=2000)

    train_classifier(world.annotations, tmp_path / "linear", settings, _beside(world))

    few = SynthesizeSettings(num_pairs=4, memory="4GB")
    synthesize(tmp_path / "linear", tmp_path / "pairs", few, _with_generator(world))
    pairs = PairSet.open(tmp_path / "pairs")
    assert len(pairs.records()) == 4
    assert not any(pairs.uncertainty(record).any() for record in pairs.records())
    with pytest.raises(SettingsError, match="has one member"):
        sample(world.generator, tmp_path / "second", SAMPLE, tmp_path / "linear")
    with pytest.raises(SettingsError, match="--steps changes nothing for --preset linear"):
        TrainClassifierSettings(preset="linear", steps=5)
    folder = ClassifierFolder.open(tmp_path / "linear")
    (curve,) = folder.curves()
    assert curve.steps == folder.text.num_members == 1
    assert curve.loss < np.log(folder.text.num_classes)
    assert folder.text.widths == (folder.text.num_classes,) * 2


def test_a_classifier_learns_what_it_is_shown(world: TinyWorld) -> None:
    curves = ClassifierFolder.open(world.classifier).curves()

    assert curves[-1].steps == TRAIN_CLASSIFIER.steps
    # Five classes of equal size: guessing finds a fifth.
    assert curves[-1].validation_accuracy > 0.4


def test_a_preset_of_another_kind_runs_too(world: TinyWorld, tmp_path: Path) -> None:
    for preset in ("paper", "authors-code", "datasetgan"):
        settings = TrainClassifierSettings(preset=preset, steps=3, batch=32, num_members=2)
        train_classifier(world.annotations, tmp_path / preset, settings, _beside(world))

    code = ClassifierFolder.open(tmp_path / "authors-code")
    assert code.text.num_blocks == 3
    assert ClassifierFolder.open(tmp_path / "datasetgan").decision == "vote"


def read_by(
    folder: ClassifierFolder, network: Generator, w: Tensor
) -> tuple[Tensor, FeaturePyramid]:
    """A latent's image, and what the classifier reads of it."""
    image, pyramid = image_and_features(network, w, folder.text.num_blocks)
    context = folder.context()
    return image, pyramid if context is None else with_context(pyramid, context)


def _with_generator(world: TinyWorld) -> SynthesizeSources:
    return SynthesizeSources(generator=world.generator)


def _beside(world: TinyWorld):  # type: ignore[no-untyped-def]
    from hdgan.settings.sources import SampleSources

    return SampleSources(samples=world.samples, generator=world.generator)


def test_scores_can_be_recomputed_from_what_is_on_disk(world: TinyWorld) -> None:
    evaluation = Evaluation.open(world.evaluation)

    matrices = evaluation.confusion()

    assert all(matrix.dtype == np.int64 for matrix in matrices)
    assert len(matrices) == len(evaluation.images()) == 4
    again = overall_scores(matrices)
    for kept, computed in zip(evaluation.overall(), again, strict=True):
        assert kept.definition == computed.definition
        assert kept.value == pytest.approx(computed.value, nan_ok=True)


def test_only_test_images_are_evaluated(world: TinyWorld) -> None:
    test = {record.image for record in AnnotationSet.open(world.annotations).records("test")}

    assert set(Evaluation.open(world.evaluation).images()) == test


def test_an_evaluation_counts_what_the_classifier_says(world: TinyWorld) -> None:
    evaluation = Evaluation.open(world.evaluation)
    annotated = AnnotationSet.open(world.annotations)
    samples = SampleSet.open(world.samples)
    folder = ClassifierFolder.open(world.classifier)
    network = GeneratorFolder.open(world.generator).generator()
    name = evaluation.images()[0]
    row = next(r.row for r in samples.records() if r.sample == name)
    annotation = next(r for r in annotated.records("test") if r.image == name)

    _, pyramid = read_by(folder, network, torch.from_numpy(samples.latents()[row : row + 1]))
    labels = label_image(pyramid, folder.classifier()).labels

    matrix = confusion_matrix(annotated.labels(annotation), labels, 5)
    assert np.array_equal(evaluation.confusion()[0], matrix)


def test_pairs_as_tiles_are_those_as_wholes(world: TinyWorld, tmp_path: Path) -> None:
    settings = replace(SYNTHESIZE, files="tiff")
    synthesize(world.classifier, tmp_path / "pairs", settings, _with_generator(world))
    tiled, whole = PairSet.open(tmp_path / "pairs"), PairSet.open(world.pairs)

    assert {path.suffix for path in (tiled.folder / "images").iterdir()} == {".tif"}
    assert "| `labels/*.tif` | class of each pixel" in tiled.read("README.md").decode()
    assert [record.pair for record in tiled.records()] == [
        record.pair for record in whole.records()
    ]
    for record, other in zip(tiled.records(), whole.records(), strict=True):
        assert np.array_equal(tiled.image(record), whole.image(other))
        assert np.array_equal(tiled.labels(record), whole.labels(other))
        assert np.array_equal(tiled.uncertainty(record), whole.uncertainty(other))
        assert record.uncertainty == pytest.approx(other.uncertainty, abs=1e-4)
    assert tiled.about["share_of_pixels"] == whole.about["share_of_pixels"]


def test_a_pair_belongs_together(world: TinyWorld) -> None:
    """Image, latent, label map and uncertainty are of one drawing with one noise."""
    pairs = PairSet.open(world.pairs)
    network = GeneratorFolder.open(world.generator).generator()
    folder = ClassifierFolder.open(world.classifier)

    for record in pairs.records():
        w = torch.from_numpy(pairs.latents()[record.row : record.row + 1])
        image, pyramid = read_by(folder, network, w)
        labelled = label_image(pyramid, folder.classifier(), decision=folder.decision)
        assert np.array_equal(pairs.image(record), pixels_of(image))
        assert np.array_equal(pairs.labels(record), labelled.labels)
        assert record.uncertainty == pytest.approx(image_score(labelled.uncertainty))
        step = float(pairs.about["largest_uncertainty_nats"]) / 255
        assert np.allclose(pairs.uncertainty(record), labelled.uncertainty, atol=step)
        assert record.seed == SynthesizeSettings().seed + record.row


def test_the_most_uncertain_pairs_are_dropped_with_their_files(world: TinyWorld) -> None:
    pairs = PairSet.open(world.pairs)
    kept = pairs.records()
    dropped = [record for record in pairs.all_records() if not record.kept]

    assert (len(kept), len(dropped)) == (9, 1)
    assert max(r.uncertainty for r in kept) <= min(r.uncertainty for r in dropped)
    for record in dropped:
        for name in (record.image, record.labels, record.uncertainty_map):
            assert not (world.pairs / name).exists()
            assert name not in pairs.manifest.files


def test_pair_i_does_not_depend_on_how_many_are_made(world: TinyWorld, tmp_path: Path) -> None:
    synthesize(
        world.classifier,
        tmp_path / "few",
        SynthesizeSettings(num_pairs=3, drop_fraction=0.0),
        _with_generator(world),
    )

    few, many = PairSet.open(tmp_path / "few"), PairSet.open(world.pairs)
    for record in few.records():
        same = many.all_records()[record.row]
        assert record.uncertainty == same.uncertainty
        if same.kept:
            assert np.array_equal(few.labels(record), many.labels(same))


def test_the_card_says_what_is_in_the_dataset(world: TinyWorld) -> None:
    card = PairSet.open(world.pairs).read("README.md").decode()

    assert "9 images of 16 x 16 pixels" in card
    assert "glomerulus |" in card
    assert Artifact.open(world.generator).digest in card
    assert "They are drawings, not photographs of tissue" in card


def test_a_segmenter_can_be_trained_on_pairs_and_real_labels_together(
    world: TinyWorld, tmp_path: Path
) -> None:
    made = train_segmenter(
        world.truth,
        tmp_path / "both",
        TrainSegmenterSettings(steps=2, batch=2, crop_px=16, width=4, folds=(1, 2)),
        also=(world.pairs,),
        sources=SegmenterSources(tiles=world.tiles),
    )

    segmenter = SegmenterFolder.open(tmp_path / "both")
    assert made.facts["labelled images"] == 9 + len(TileSet.open(world.tiles).records((1, 2)))
    assert list(segmenter.manifest.seen.values()) == [[1, 2, 3, 4]]


def test_crops_are_as_large_as_the_images_allow(world: TinyWorld, tmp_path: Path) -> None:
    few = TrainSegmenterSettings(steps=1, batch=2, width=4)

    made = train_segmenter(world.pairs, tmp_path / "segmenter", few)

    assert made.facts["steps"] == 1
    assert [
        fitting_crop(sizes) for sizes in ([(16, 16)], [(999, 999), (500, 77)], [(999, 999)])
    ] == [16, 72, 128]


def test_a_segmenter_trained_on_some_folds_has_seen_those_only(
    world: TinyWorld, tmp_path: Path
) -> None:
    train_segmenter(
        world.truth,
        tmp_path / "real",
        TrainSegmenterSettings(steps=2, batch=2, crop_px=16, width=4, folds=(3,), num_images=2),
        sources=SegmenterSources(tiles=world.tiles),
    )

    segmenter = SegmenterFolder.open(tmp_path / "real")
    assert segmenter.manifest.seen == {TileSet.open(world.tiles).digest: [3]}


def test_a_segmentation_has_a_label_map_for_each_tile_of_its_folds(world: TinyWorld) -> None:
    segmentation = Segmentation.open(world.segmentation)
    names = {record.tile for record in TileSet.open(world.tiles).records((0,))}

    found = {
        name.removeprefix("labels/").removesuffix(".png")
        for name in segmentation.manifest.files
        if name.startswith("labels/")
    }

    assert found == names


def test_truth_is_never_unlabelled_on_drawn_tissue(world: TinyWorld) -> None:
    truth = AnnotationSet.open(world.truth)

    assert not any((truth.labels(record) == UNLABELLED).any() for record in truth.records())


def test_show_names_the_folds_of_every_tile_set(tmp_path: Path) -> None:
    seen = {"a" * 64: [1, 2], "b" * 64: [0]}
    order = Order("generator", {}, {}, Seen(seen))
    made_once(tmp_path / "made", order, lambda unfinished: unfinished.write("file", b"something"))

    facts = show(tmp_path / "made").facts

    assert (
        facts["has learned from folds"] == f"1, 2 of tile-set {'a' * 12}; 0 of tile-set {'b' * 12}"
    )


def test_show_says_what_an_artifact_was_made_from(world: TinyWorld) -> None:
    facts = show(world.classifier).facts

    assert str(world.generator.resolve()) in str(facts["made from generator"])
    assert "1, 2, 3, 4" in str(facts["has learned from folds"])
    assert facts["whole"].startswith("yes")  # type: ignore[union-attr]
