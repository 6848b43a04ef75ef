"""The annotation page: how much a few simulated strokes correct its prediction.

usage: page_correction.py [--painters 6] [--rows PRIOR:TILES:STROKES ...] [--carry-over]

On the shipped generator `kidney` with its 36 annotated drawings. PRIOR is what was known before:
`none`, or an `ensemble` that is fitted to 16 of the drawings first (four members, 300 steps). The
other 20 are painted and scored. A painter paints STROKES strokes on each of TILES drawings; the
same painter takes the same drawings in every row. A stroke is a brush line of 24 steps, three
pixels wide, that stays within its class of the drawing's label map. Without an ensemble the
drawing's classes take turns; with one, strokes begin where the ensemble is wrong, inside the wrong
area if it has an inside.

Macro Dice, per cent, before and after the strokes: of the painted drawings' other pixels
(`rest`, the same pixels before and after) and of eight drawings on which nothing is painted
(`others`); pixels pooled over a painter's drawings, mean of the classes that are in their truth,
mean over the painters, and in brackets for how many of them it is better after. `obeyed` is the
part of painted pixels that are predicted as painted.

With an ensemble the page corrects only the tile that a stroke is on; `--carry-over` shows what it
would cost to learn about all tiles from it.

The constants of a correction (`method/correction.py`, `method/painted_pixels.py`) were chosen on
these very drawings, with painters such as these: on others expect less.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shipped import shipped_or
from hdgan.artifacts.shipped_generator import ANNOTATED_CLASSES, ShippedGenerator
from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.method.metrics import confusion_matrix, dice
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.annotate.live import LivePredictor, live_predictor
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.sample import sample
from hdgan.stages.train_classifier.run import train_classifier

TASKS = ("1:3", "1:10", "3:4")
"""Tiles, and strokes on each."""

ROWS = tuple(f"{prior}:{task}" for prior in ("none", "ensemble") for task in TASKS)
"""What is measured unless the user says otherwise."""

NUM_OTHERS = 8
"""Tiles that are scored and not painted."""

BRUSH_STEPS = 24
"""Each a pixel long."""

BRUSH_RADIUS_PX = 1.5

TURNS = 8
"""How often a painter who comes to an edge looks for a way on."""

REVISIONS = count(1)
"""So that no two paintings are taken for one another."""


@dataclass(frozen=True)
class Painting:
    """A tile as a painter leaves it."""

    label_map: LabelMap
    revision: int = field(default_factory=lambda: next(REVISIONS))

    def labels(self) -> LabelMap:
        """Its strokes."""
        return self.label_map


@dataclass(frozen=True)
class World:
    """The page, and what it does not know."""

    predictor: LivePredictor
    truths: Mapping[str, LabelMap]
    """Label maps of the tiles that the ensemble was not fitted to."""
    num_classes: int
    befores: Mapping[str, LabelMap] | None
    """What is predicted before the first stroke; None without an ensemble."""


def annotated(folder: Path) -> None:
    """Draw the annotated drawings and take in their label maps, 16 of them for training."""
    generator = ShippedGenerator.open(shipped_or(Path("kidney")))
    seeds = tuple(sorted(drawing.seed for drawing in generator.annotated()))
    settings = SampleSettings(**generator.about.drawn_with, seeds=seeds, select=0, device="cpu")
    sample(generator.folder, folder / "samples", settings)
    import_annotations(
        folder / "samples",
        generator.labels_folder(),
        folder / "annotations",
        ImportAnnotationsSettings(),
        generator.checked_path(ANNOTATED_CLASSES),
    )


def world(folder: Path, prior: str) -> World:
    """The page on the drawings of a folder; an ensemble is fitted first if the prior is one."""
    annotations = AnnotationSet.open(folder / "annotations")
    fitted_to = annotations.records("training")
    truths = {
        record.image: annotations.labels(record)
        for record in annotations.records()
        if record not in fitted_to
    }
    classifier = None
    if prior == "ensemble":
        settings = TrainClassifierSettings(steps=300, num_members=4, device="cpu")
        train_classifier(folder / "annotations", folder / "classifier", settings)
        classifier = ClassifierFolder.open(folder / "classifier")
    samples, class_map = SampleSet.open(folder / "samples"), annotations.class_map
    predictor = live_predictor(samples, None, classifier, class_map, folder / "scratch", "cpu")
    befores = predicted(predictor, list(truths), {}) if classifier else None
    return World(predictor, truths, len(class_map), befores)


def predicted(
    predictor: LivePredictor, tiles: Sequence[str], painted: Mapping[str, Painting]
) -> dict[str, LabelMap]:
    """The label map of each tile."""
    predictions = {tile: predictor.predict(tile, painted) for tile in tiles}
    return {tile: found.labels for tile, found in predictions.items() if found is not None}


def scores_of(page: World, painter: int, num_tiles: int, num_strokes: int) -> list[float]:
    """What the strokes of a painter are worth: the columns of a row, from 0 to 1.

    The scores before the strokes are NaN without an ensemble.
    """
    random = np.random.default_rng(painter)
    order = [str(tile) for tile in random.permutation(sorted(page.truths))]
    tiles, others = order[:num_tiles], order[num_tiles : num_tiles + NUM_OTHERS]
    painted = {tile: Painting(painting(random, page, tile, num_strokes)) for tile in tiles}
    afters = predicted(page.predictor, [*tiles, *others], painted)
    rest = {tile: unpainted(page.truths[tile], painted[tile].label_map) for tile in tiles}
    elsewhere = {tile: page.truths[tile] for tile in others}
    return [
        macro_dice(truths, found, page.num_classes)
        for truths in (rest, elsewhere)
        for found in (page.befores, afters)
    ] + [obeyed(painted, afters)]


def painting(random: np.random.Generator, page: World, tile: str, num_strokes: int) -> LabelMap:
    """The strokes of a painter on a tile; fewer where nothing is left to correct."""
    truth = page.truths[tile]
    before = None if page.befores is None else page.befores[tile]
    present = np.unique(truth[truth != UNLABELLED])
    painted = np.full_like(truth, UNLABELLED)
    for i in range(num_strokes):
        wanted = truth == present[i % present.size] if before is None else truth != before
        wanted &= (painted == UNLABELLED) & (truth != UNLABELLED)
        inside = wanted if before is None else ndimage.binary_erosion(wanted)
        places = np.argwhere(inside if inside.any() else wanted)
        if places.size:
            y, x = places[random.integers(len(places))]
            painted[stroke(random, truth, y, x)] = truth[y, x]
    return painted


def stroke(
    random: np.random.Generator, truth: LabelMap, y: float, x: float
) -> Bool[np.ndarray, "height width"]:
    """The pixels of a brush line from a place on, all of the class of its first."""
    own = truth == truth[int(y), int(x)]
    rows, columns = np.indices(truth.shape)
    covered = np.zeros(truth.shape, dtype=bool)
    angle = random.uniform(0, 2 * np.pi)
    for _ in range(BRUSH_STEPS):
        covered |= (rows - y) ** 2 + (columns - x) ** 2 <= BRUSH_RADIUS_PX**2
        for _turn in range(TURNS):
            ahead = y + np.sin(angle), x + np.cos(angle)
            if is_in(own, *ahead):
                y, x = ahead
                angle += random.normal(scale=0.3)
                break
            angle = random.uniform(0, 2 * np.pi)
    return covered & own


def is_in(area: Bool[np.ndarray, "height width"], y: float, x: float) -> bool:
    """Whether a place lies in an area, and in the image at all."""
    height, width = area.shape
    return 0 <= y < height and 0 <= x < width and bool(area[int(y), int(x)])


def unpainted(truth: LabelMap, painted: LabelMap) -> LabelMap:
    """The truth where nothing was painted."""
    return np.where(painted == UNLABELLED, truth, np.uint8(UNLABELLED))


def macro_dice(
    truths: Mapping[str, LabelMap], found: Mapping[str, LabelMap] | None, num_classes: int
) -> float:
    """Mean Dice of the classes in the truth, pixels of all tiles pooled; NaN if nothing is found.

    A class that is found and in no truth costs those that it was taken for, not a third of all.
    """
    if found is None:
        return float("nan")
    matrices = [confusion_matrix(truths[tile], found[tile], num_classes) for tile in truths]
    pooled = np.sum(matrices, axis=0)
    return float(dice(pooled)[pooled.sum(axis=1) > 0].mean())


def obeyed(painted: Mapping[str, Painting], found: Mapping[str, LabelMap]) -> float:
    """The part of all painted pixels that are predicted as painted."""
    strokes = {tile: own.label_map for tile, own in painted.items()}
    agree = sum(int((own == found[tile]).sum()) for tile, own in strokes.items())
    return agree / max(1, sum(int((own != UNLABELLED).sum()) for own in strokes.values()))


def measured(page: World, row: str, num_painters: int) -> str:
    """The line of the table."""
    prior, num_tiles, num_strokes = row.split(":")
    painters = [
        scores_of(page, painter, int(num_tiles), int(num_strokes))
        for painter in range(num_painters)
    ]
    *dices, obeyed_parts = 100 * np.array(painters).T
    cells = [_change(dices[0], dices[1]), _change(dices[2], dices[3]), f"{obeyed_parts.mean():.1f}"]
    return f"| {prior} | {num_tiles} | {num_strokes} | {' | '.join(cells)} |"


def _change(before: Float[np.ndarray, " painters"], after: Float[np.ndarray, " painters"]) -> str:
    """Two cells: both means, and for how many painters it is better after."""
    if np.isnan(before).any():
        return f" | {after.mean():.1f}"
    return f"{before.mean():.1f} | {after.mean():.1f} ({(after > before).sum()})"


def main() -> None:
    """Print a row a prior and way to paint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--painters", type=int, default=6, help="of whose scores the mean counts")
    parser.add_argument("--rows", nargs="+", default=list(ROWS))
    parser.add_argument("--carry-over", action="store_true", help="let strokes teach everywhere")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hdgan-") as folder:
        annotated(Path(folder))
        print(
            "| prior | tiles | strokes on each | rest: before | after | others: before | after | "
            "obeyed |"
        )
        print("| --- " * 8 + "|", flush=True)
        pages: dict[str, World] = {}
        for row in chosen.rows:
            prior = row.partition(":")[0]
            if prior not in pages:
                pages[prior] = world(Path(folder), prior)
                pages[prior].predictor.carries_over |= chosen.carry_over
            print(measured(pages[prior], row, chosen.painters), flush=True)


if __name__ == "__main__":
    main()
