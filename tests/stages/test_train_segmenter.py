"""`hdgan train-segmenter`: what it learns from, and by which rule."""

import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from hdgan.artifacts.annotation_set import class_map_bytes
from hdgan.artifacts.images import png_of
from hdgan.artifacts.order import Order
from hdgan.artifacts.segmenter import WEIGHTS, SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import KIDNEY
from hdgan.errors import ImageError, LeakError, MissingArtifactError, SettingsError
from hdgan.method.segmenter.crops import StepCrops
from hdgan.method.segmenter.plan import SegmenterPlan
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sources import AnnotationSources
from hdgan.settings.tile import TileSettings
from hdgan.settings.train_segmenter import (
    PIXEL_METHODS,
    UNLABELLED_METHODS,
    SegmenterMethod,
    SegmenterSources,
    TrainSegmenterSettings,
    unread_by,
)
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.tile.run import tile
from hdgan.stages.train_segmenter import training
from hdgan.stages.train_segmenter.crops import Crops, Labelled, Unlabelled
from hdgan.stages.train_segmenter.run import train_segmenter
from hdgan.stages.train_segmenter.sources import ReadImage, chosen, opened
from tests.tiny_world import TinyWorld

METHODS = ("supervised", *UNLABELLED_METHODS, *PIXEL_METHODS)


def few(**choices: object) -> TrainSegmenterSettings:
    """Two steps of a small network, with these choices, as far as the method has them."""
    ours = {"steps": 2, "batch": 2, "crop_px": 16, "width": 4, "folds": (1, 2)} | choices
    unread = unread_by(choices.get("method", "supervised"))  # type: ignore[arg-type]
    return TrainSegmenterSettings(
        **{name: choice for name, choice in ours.items() if name not in unread}  # type: ignore[arg-type]
    )


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return SegmenterFolder.open(folder).network().state_dict()


@pytest.mark.parametrize("method", UNLABELLED_METHODS)
def test_every_rule_learns_from_pairs_and_unlabelled_tiles(
    world: TinyWorld, tmp_path: Path, method: SegmenterMethod
) -> None:
    settings = few(method=method, steps=12, threshold=0.0)

    made = train_segmenter(
        world.pairs, tmp_path / "out", settings, sources=SegmenterSources(unlabelled=world.tiles)
    )

    segmenter = SegmenterFolder.open(tmp_path / "out")
    assert made.facts["unlabelled tiles"] == len(TileSet.open(world.tiles).records((1, 2)))
    assert segmenter.manifest.parents["tile-set"] == TileSet.open(world.tiles).digest
    assert segmenter.curves()[-1].unlabelled_loss > 0
    assert segmenter.network()(torch.zeros(1, 3, 16, 16)).shape == (1, 5, 16, 16)


def test_who_is_in_unlabelled_tiles_cannot_be_tested_on(world: TinyWorld, tmp_path: Path) -> None:
    train_segmenter(
        world.truth,
        tmp_path / "out",
        few(method="fixmatch"),
        sources=SegmenterSources(tiles=world.tiles, unlabelled=world.tiles),
    )
    digest = TileSet.open(world.tiles).digest
    assert SegmenterFolder.open(tmp_path / "out").manifest.seen == {digest: [1, 2]}

    places = (tmp_path / "out", world.truth)
    evaluate(*places, tmp_path / "unseen", EvaluateSettings(fold=0), beside(world))
    with pytest.raises(LeakError):
        evaluate(*places, tmp_path / "seen", EvaluateSettings(fold=2), beside(world))


def test_the_folds_of_another_unlabelled_tile_set_are_seen_too(
    world: TinyWorld, tmp_path: Path
) -> None:
    """Pairs come from folds 1 to 4 of one tile set, unlabelled tiles from fold 0 of another."""
    settings = TileSettings(patient_pattern="^(patient[0-9]+)_", seed=7)
    tile(world.folder / "drawn" / "images", tmp_path / "tiles", settings)

    train_segmenter(
        world.pairs,
        tmp_path / "out",
        few(method="mean-teacher", folds=(0,)),
        sources=SegmenterSources(unlabelled=tmp_path / "tiles"),
    )

    assert SegmenterFolder.open(tmp_path / "out").manifest.seen == {
        TileSet.open(world.tiles).digest: [1, 2, 3, 4],
        TileSet.open(tmp_path / "tiles").digest: [0],
    }


def beside(world: TinyWorld) -> AnnotationSources:
    return AnnotationSources(tiles=world.tiles)


@pytest.mark.parametrize("method", UNLABELLED_METHODS)
def test_a_rule_that_needs_unlabelled_tiles_asks_for_them(
    world: TinyWorld, tmp_path: Path, method: SegmenterMethod
) -> None:
    with pytest.raises(SettingsError, match="--unlabelled"):
        train_segmenter(world.pairs, tmp_path / "out", few(method=method))

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("method", "option"),
    [
        ("supervised", "unlabelled"),
        ("random-forest", "unlabelled"),
        ("frozen-features", "unlabelled"),
        ("supervised", "encoder"),
        ("random-forest", "encoder"),
    ],
)
def test_what_a_rule_has_no_use_for_is_refused(
    world: TinyWorld, tmp_path: Path, method: SegmenterMethod, option: str
) -> None:
    sources = SegmenterSources(**{option: world.tiles})

    with pytest.raises(SettingsError, match=f"--method {method} has no use for --{option}"):
        train_segmenter(world.pairs, tmp_path / "out", few(method=method), sources=sources)


def test_unlabelled_tiles_smaller_than_a_crop_are_named(world: TinyWorld, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    for i in range(6):
        image = np.full((12, 12, 3), 40 * i, dtype=np.uint8)
        (tmp_path / "small" / f"p{i}_0.png").write_bytes(png_of(image))
    tile(tmp_path / "small", tmp_path / "tiles", TileSettings(patient_pattern="^(p[0-9]+)_"))

    with pytest.raises(
        ImageError, match=r"12 x 12 pixels, smaller than a crop of 16.*--unlabelled"
    ):
        train_segmenter(
            world.pairs,
            tmp_path / "out",
            few(method="fixmatch", folds=(0, 1, 2, 3, 4)),
            sources=SegmenterSources(unlabelled=tmp_path / "tiles"),
        )


OTHERWISE: dict[str, object] = {
    "steps": 3,
    "batch": 2,
    "crop_px": 16,
    "learning_rate": 0.01,
    "width": 4,
    "cut_mix": 0.5,
    "threshold": 0.5,
    "equal_sources": True,
    "precision": "bfloat16",
}
"""Another choice than the default, of all that a U-Net alone has."""


@pytest.mark.parametrize("method", PIXEL_METHODS)
@pytest.mark.parametrize("name", OTHERWISE)
def test_what_pixel_methods_do_not_have_is_refused(method: SegmenterMethod, name: str) -> None:
    option = name.replace("_", "-")

    with pytest.raises(SettingsError, match=f"--{option} changes nothing for --method {method}"):
        TrainSegmenterSettings(method=method, **{name: OTHERWISE[name]})  # type: ignore[arg-type]


def test_trees_see_no_jitter_of_the_stain_and_perceptrons_do() -> None:
    assert TrainSegmenterSettings(method="frozen-features", stain_jitter=0.2).stain_jitter == 0.2
    with pytest.raises(SettingsError, match="--stain-jitter changes nothing for --method random-"):
        TrainSegmenterSettings(method="random-forest", stain_jitter=0.2)


def test_every_choice_that_is_refused_is_one_that_there_is() -> None:
    names = {field.name for field in fields(TrainSegmenterSettings)}

    assert all(set(unread_by(method)) <= names for method in METHODS)
    assert unread_by("fixmatch") == ()


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fixmatch"])
def test_a_threshold_is_for_fixmatch_alone(method: SegmenterMethod) -> None:
    assert TrainSegmenterSettings(method="fixmatch", threshold=0.5).threshold == 0.5
    with pytest.raises(SettingsError, match=r"--threshold changes nothing .* it is for FixMatch"):
        TrainSegmenterSettings(method=method, threshold=0.5)


def test_a_draw_without_a_number_of_images_is_refused() -> None:
    assert TrainSegmenterSettings(draw=3, num_images=2).draw == 3
    with pytest.raises(SettingsError, match="--draw decides which images --num-images takes"):
        TrainSegmenterSettings(draw=3)


@pytest.fixture
def uneven(tmp_path: Path) -> Path:
    """Annotated tiles of 48 px, and one, the last of them, of 24 x 40."""
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    for i in range(6):
        height, width = (24, 40) if i == 5 else (48, 48)
        image = np.full((height, width, 3), 40 * i, dtype=np.uint8)
        (tmp_path / "images" / f"p{i}_0.png").write_bytes(png_of(image))
        (tmp_path / "labels" / f"p{i}_0.png").write_bytes(png_of(image[..., 0] // 40 % 5))
    (tmp_path / "classes.json").write_bytes(class_map_bytes(KIDNEY))
    tile(tmp_path / "images", tmp_path / "tiles", TileSettings(patient_pattern="^(p[0-9]+)_"))
    import_annotations(
        tmp_path / "tiles",
        tmp_path / "labels",
        tmp_path / "truth",
        ImportAnnotationsSettings(only="suggested"),
        tmp_path / "classes.json",
    )
    return tmp_path


EVERYWHERE = (0, 1, 2, 3, 4)


@pytest.mark.parametrize("seed", range(4))
def test_a_labelled_image_smaller_than_a_crop_is_named_whether_it_would_be_drawn_or_not(
    uneven: Path, seed: int
) -> None:
    settings = few(steps=1, batch=1, crop_px=32, seed=seed, folds=EVERYWHERE)

    with pytest.raises(ImageError, match=r"p5_0\S* is 40 x 24 pixels, smaller than a crop of 32"):
        train_segmenter(uneven / "truth", uneven / "out", settings)

    assert list((uneven / "out").iterdir()) == []


def test_a_crop_that_is_not_named_fits_into_the_smallest_image(uneven: Path) -> None:
    settings = few(crop_px=None, folds=EVERYWHERE)
    reads = opened(uneven / "truth", settings, SegmenterSources()).reads

    assert training.plan_of(settings, reads).crop_px == 24
    assert {read.size() for read in reads} == {(48, 48), (24, 40)}
    assert all(read().shape == (*read.size(), 4) for read in reads)


def test_drawings_say_their_size(world: TinyWorld) -> None:
    for path in (world.pairs, world.annotations):
        reads = opened(path, few(), SegmenterSources()).reads

        assert all(read().shape == (*read.size(), 4) for read in reads)
        assert all(Path(read.place).parent.parent.is_dir() for read in reads)


def test_a_sample_set_that_lies_elsewhere_can_be_named(world: TinyWorld, tmp_path: Path) -> None:
    shutil.copytree(world.annotations, tmp_path / "annotations")
    with pytest.raises(MissingArtifactError, match="--samples"):
        train_segmenter(tmp_path / "annotations", tmp_path / "out", few())

    train_segmenter(
        tmp_path / "annotations",
        tmp_path / "out",
        few(),
        sources=SegmenterSources(samples=world.samples),
    )

    assert SegmenterFolder.open(tmp_path / "out").curves()[-1].steps == 2


def test_the_draw_decides_which_images_are_used_and_the_seed_nothing_of_it(
    world: TinyWorld,
) -> None:
    source = opened(world.truth, few(), SegmenterSources(tiles=world.tiles))

    def names(**choices: object) -> list[bytes]:
        reads = chosen([source], few(num_images=3, **choices))[0]
        return [read().tobytes() for read in reads]

    assert names(seed=0, draw=4) == names(seed=9, draw=4)
    assert names(seed=3) == names(seed=9, draw=3)
    assert len({tuple(names(draw=draw)) for draw in range(6)}) > 3


def test_a_number_of_images_is_of_the_first_source(world: TinyWorld) -> None:
    places = SegmenterSources(tiles=world.tiles)
    sources = [opened(path, few(), places) for path in (world.truth, world.pairs)]

    assert [len(reads) for reads in chosen(sources, few(num_images=2))] == [2, 9]


def test_more_images_than_there_are_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--num-images is 99, but .* has 9 labelled images"):
        train_segmenter(world.pairs, tmp_path / "out", few(num_images=99))


def plain_images(count: int, colour: int) -> list[ReadImage]:
    """Images of one colour, which is their class, too."""
    image = np.full((16, 16, 4), colour, dtype=np.uint8)
    return [ReadImage("plain", lambda: (16, 16), lambda: image)] * count


@pytest.mark.parametrize(("equal", "share"), [(True, 0.5), (False, 0.1)])
def test_sources_are_shown_equally_often_if_that_is_asked(*, equal: bool, share: float) -> None:
    plan = SegmenterPlan(100, 10, 16, 1e-3, stain_jitter=0.0)
    labelled = Labelled([plain_images(1, 1), plain_images(9, 2)], plan, equal_sources=equal)

    drawn = torch.cat([labelled(step).labels[:, 0, 0] for step in range(100)])

    assert float((drawn == 1).float().mean()) == pytest.approx(share, abs=0.05)


def test_a_rectangle_of_another_crop_brings_its_labels() -> None:
    plan = SegmenterPlan(30, 4, 16, 1e-3, stain_jitter=0.0, cut_mix=1.0)
    labelled = Labelled([plain_images(1, 20), plain_images(1, 200)], plan, equal_sources=False)

    mixed = 0
    for step in range(30):
        images, labels = labelled(step)
        assert torch.equal(images[:, 0] > 0, labels == 200)
        mixed += sum(len(crop.unique()) > 1 for crop in labels)
    assert mixed > 30


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_weights_are_float32_whatever_is_computed_in(
    world: TinyWorld, tmp_path: Path, precision: str
) -> None:
    settings = few(precision=precision, method="mean-teacher", cut_mix=0.5)

    for name in ("first", "second"):
        train_segmenter(
            world.pairs,
            tmp_path / name,
            settings,
            sources=SegmenterSources(unlabelled=world.tiles),
        )

    first, second = weights_of(tmp_path / "first"), weights_of(tmp_path / "second")
    assert {value.dtype for value in first.values()} == {torch.float32, torch.int64}
    assert all(torch.equal(value, second[name]) for name, value in first.items())


class Stopped(Crops):
    """Crops that end the program at a step."""

    last = 29

    def __call__(self, step: int) -> StepCrops:
        """As ever, until then."""
        if step == self.last:
            raise KeyboardInterrupt
        return super().__call__(step)


@pytest.mark.parametrize("method", ["supervised", *UNLABELLED_METHODS])
def test_a_training_that_was_stopped_goes_on_to_the_same_weights(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: SegmenterMethod
) -> None:
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    settings = few(method=method, steps=40, threshold=0.5)
    pairs = opened(world.pairs, settings, SegmenterSources())
    free = None if method == "supervised" else Unlabelled(TileSet.open(world.tiles), (1, 2))

    def fitted(kind: type[Crops], name: str) -> list[str]:
        labelled = Labelled(
            [pairs.reads], training.plan_of(settings, pairs.reads), equal_sources=False
        )
        crops = kind(labelled, free, torch.device("cpu"))
        unfinished = UnfinishedArtifact(tmp_path / name, Order("segmenter", {}, {}))
        return training.fit_network(unfinished, settings, 5, crops)

    whole = fitted(Crops, "whole")
    with pytest.raises(KeyboardInterrupt):
        fitted(Stopped, "stopped")
    again = fitted(Crops, "stopped")

    assert again == whole
    stopped = (tmp_path / "stopped" / WEIGHTS).read_bytes()
    assert stopped == (tmp_path / "whole" / WEIGHTS).read_bytes()
