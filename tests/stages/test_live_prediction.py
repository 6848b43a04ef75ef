"""Live predictions of the annotation page."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import KIDNEY, ClassMap, LabelMap
from hdgan.errors import WrongArtifactError
from hdgan.method.features import image_and_features
from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.stages.annotate import drawn_tiles
from hdgan.stages.annotate.drawn_tiles import DrawnTiles
from hdgan.stages.annotate.live import LivePredictor, live_predictor
from hdgan.stages.annotate.turns import Turns
from hdgan.web.predictor import PaintedTile, Prediction, Predictor
from tests.peak_memory import megabytes
from tests.tiny_world import TinyWorld

MEMORY = """
import sys
import numpy as np
import torch
from pathlib import Path
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.stages.annotate.drawn_tiles import DrawnTiles
from hdgan.stages.annotate.live import LivePredictor
torch.set_num_threads(1)
side = int(sys.argv[1])
shape = NetworkShape(side, 8192, z_dim=16, w_dim=16, mapping_layers=1)
generator = Generator(shape).eval().requires_grad_(False)
latents = {str(i): np.full(16, i, np.float32) for i in range(3)}
blocks = (len(shape.resolutions) + 1) // 2
tiles = DrawnTiles(generator, latents, blocks, None, Path(sys.argv[2]))
predictor = LivePredictor(tiles, 5, torch.device("cpu"))
class Painted:
    revision = 1
    def labels(self):
        return np.tile(np.arange(side, dtype=np.uint8) % 5, (side, 1))
for name in latents:
    predictor.predict(name, {own: Painted() for own in latents})
print(peak_kb())
"""


@dataclass
class Painted:
    """A reading of a tile that counts how often it is read."""

    map: LabelMap
    revision: int = 1
    reads: list[int] = field(default_factory=list)

    def labels(self) -> LabelMap:
        self.reads.append(self.revision)
        return self.map


def strokes(side: int = 16) -> LabelMap:
    labels = np.full((side, side), 255, np.uint8)
    labels[2:4], labels[9:11] = 0, 2
    return labels


def predictor(world: TinyWorld, scratch: Path, *, asks: bool = False) -> LivePredictor:
    classifier = ClassifierFolder.open(world.classifier) if asks else None
    samples = SampleSet.open(world.samples)
    return live_predictor(samples, None, classifier, KIDNEY, scratch, "cpu")


def predicted(made: LivePredictor, tile: str, painted: Mapping[str, PaintedTile]) -> Prediction:
    prediction = made.predict(tile, painted)
    assert prediction is not None
    return prediction


def test_nothing_is_predicted_before_there_is_anything_to_predict_from(
    world: TinyWorld, tmp_path: Path
) -> None:
    made = predictor(world, tmp_path)
    nothing = np.full((16, 16), 255, np.uint8)

    assert isinstance(made, Predictor)
    assert not made.predicts_before_strokes
    assert made.predict("s000000", {}) is None
    assert made.predict("s000000", {"s000000": Painted(nothing)}) is None


def test_a_few_strokes_predict_the_classes_that_were_painted(
    world: TinyWorld, tmp_path: Path
) -> None:
    prediction = predicted(predictor(world, tmp_path), "s000000", {"s000000": Painted(strokes())})

    assert prediction.num_learned == 64
    assert set(np.unique(prediction.labels)) <= {0, 2}
    painted = strokes()
    obeyed = prediction.labels[painted < 255] == painted[painted < 255]
    assert obeyed.mean() > 0.8


def test_the_same_strokes_give_the_same_prediction_whatever_was_asked_before(
    world: TinyWorld, tmp_path: Path
) -> None:
    painted = {"s000000": Painted(strokes(), 5), "s000001": Painted(strokes().T.copy(), 2)}
    fresh, used = (predictor(world, tmp_path / name, asks=True) for name in "ab")
    for revision in range(3):
        used.predict("s000002", {"s000002": Painted(strokes(), revision)})
        used.score("s000003", {"s000000": Painted(strokes()[::-1].copy(), revision)})

    once, again = (predicted(made, "s000001", painted) for made in (fresh, used))

    assert np.array_equal(once.labels, again.labels)
    assert np.array_equal(once.uncertainty, again.uncertainty)


def test_a_mark_is_no_class_and_is_not_learned_from(world: TinyWorld, tmp_path: Path) -> None:
    marked = strokes()
    marked[12:] = 254
    made = predictor(world, tmp_path)

    with_mark = predicted(made, "s000000", {"s000000": Painted(marked, 1)})
    without = predicted(made, "s000000", {"s000000": Painted(strokes(), 2)})

    assert with_mark.num_learned == without.num_learned
    assert np.array_equal(with_mark.labels, without.labels)


def test_without_strokes_the_prediction_is_the_classifier_s(
    world: TinyWorld, tmp_path: Path
) -> None:
    made, folder = predictor(world, tmp_path, asks=True), ClassifierFolder.open(world.classifier)

    prediction = predicted(made, "s000001", {})

    samples = SampleSet.open(world.samples)
    labelled = LabelledGenerator(
        made._tiles.network,
        folder.classifier(),
        folder.text.num_blocks,
        context=folder.context(),
    ).drawing(torch.from_numpy(samples.latents()[1:2]))
    assert made.predicts_before_strokes
    assert prediction.num_learned == 0
    assert (prediction.labels == labelled.labels).mean() > 0.99
    shown = prediction.uncertainty * (prediction.largest_uncertainty / 255)
    assert np.allclose(shown, labelled.uncertainty, atol=0.01)


def test_a_stroke_reads_its_own_tile_alone(world: TinyWorld, tmp_path: Path) -> None:
    made = predictor(world, tmp_path)
    tiles = {f"s{i:06d}": Painted(strokes()) for i in range(3)}
    made.predict("s000000", tiles)

    tiles["s000000"].revision = 2
    made.predict("s000000", tiles)

    assert [tile.reads for tile in tiles.values()] == [[1, 2], [1], [1]]


def test_a_tile_that_was_scored_is_among_those_that_teach(world: TinyWorld, tmp_path: Path) -> None:
    made, painted = predictor(world, tmp_path, asks=True), {"s000000": Painted(strokes())}

    score = made.score("s000001", painted)
    made.predict("s000000", painted)

    assert made.teaches()["s000001"] == score
    assert set(made.teaches()) == {"s000000", "s000001"}
    made.predict("s000001", painted)
    assert made.teaches()["s000001"] == pytest.approx(score, abs=2e-3)


def test_as_long_as_nothing_is_known_every_tile_is_as_uncertain_as_can_be(
    world: TinyWorld, tmp_path: Path
) -> None:
    made = predictor(world, tmp_path)

    assert made.score("s000001", {}) == pytest.approx(np.log(5))
    assert not made.teaches()


def test_a_classifier_of_other_classes_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    other = ClassMap(KIDNEY.classes[::-1])

    with pytest.raises(WrongArtifactError, match=r"knows the classes whitespace.*are painted"):
        live_predictor(
            SampleSet.open(world.samples),
            None,
            ClassifierFolder.open(world.classifier),
            other,
            tmp_path,
            "cpu",
        )


def test_a_classifier_of_another_generator_is_refused(world: TinyWorld, tmp_path: Path) -> None:
    classifier = ClassifierFolder.open(world.classifier)
    classifier.manifest.parents["generator"] = "0" * 64

    with pytest.raises(WrongArtifactError, match="was fitted to another generator than"):
        live_predictor(SampleSet.open(world.samples), None, classifier, KIDNEY, tmp_path, "cpu")


def test_samples_that_the_generator_no_longer_draws_are_refused(
    world: TinyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SampleSet, "image", lambda *_: np.zeros((16, 16, 3), np.uint8))

    with pytest.raises(WrongArtifactError, match="no longer belong together"):
        predictor(world, tmp_path)


def large_tiles(scratch: Path) -> DrawnTiles:
    torch.manual_seed(0)
    shape = NetworkShape(512, 512, 8, z_dim=8, w_dim=8, mapping_layers=1)
    generator = Generator(shape).eval().requires_grad_(requires_grad=False)
    latents = {str(i): np.full(8, i, np.float32) for i in range(4)}
    return DrawnTiles(generator, latents, 3, None, scratch)


@pytest.mark.parametrize("mapped_from_px", [512, 2048])
def test_features_in_files_are_those_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapped_from_px: int
) -> None:
    monkeypatch.setattr(drawn_tiles, "MAPPED_FROM_PX", mapped_from_px)
    tiles = large_tiles(tmp_path)

    maps = tiles.corrected(tiles.drawn("1", lambda: None)).maps

    _, whole = image_and_features(tiles.network, torch.ones(1, 8), 3)
    assert len(maps) == 6
    for ours, plain in zip(maps, whole.maps, strict=True):
        assert np.array_equal(ours, plain)


def test_files_of_tiles_that_are_no_longer_looked_at_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn_tiles, "MAPPED_FROM_PX", 512)
    (tmp_path / "tile-0").mkdir()
    tiles = large_tiles(tmp_path)

    assert not list(tmp_path.iterdir())
    for name in tiles.latents:
        tiles.drawn(name, lambda: None, beside="0")
    assert len(list(tmp_path.iterdir())) == drawn_tiles.KEPT_TILES
    assert tiles.drawn("0", lambda: None).folder == tmp_path / "tile-0"
    tiles.close()
    assert not list(tmp_path.iterdir())


def test_who_waits_for_a_prediction_goes_before_a_score_that_is_under_way() -> None:
    turns, order = Turns(), list[str]()

    def predict() -> None:
        with turns.first():
            order.append("prediction")

    with turns.last() as give_way:
        waiting = threading.Thread(target=predict)
        waiting.start()
        while not order:
            give_way()
            time.sleep(0.001)
        order.append("score")
    waiting.join()

    assert order == ["prediction", "score"]


def test_memory_is_that_of_two_tiles_features(tmp_path: Path) -> None:
    """The features of every pixel of one tile, stacked, would take 2 GB."""
    kept = 2 * 69

    grown = megabytes(MEMORY, 1024, tmp_path / "a") - megabytes(MEMORY, 64, tmp_path / "b")

    assert grown < kept + 200
