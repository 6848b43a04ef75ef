"""One piece of a comparison: pairs, or a segmenter that is trained and tested."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

from hdgan.artifacts.evaluation import CONFUSION, Evaluation
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import UNFINISHED
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.weights import device_named
from hdgan.artifacts.writing import write_atomically
from hdgan.method.segmenter.network import predicted_labels
from hdgan.pipeline import Made
from hdgan.settings.compare import CompareSettings
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.sources import AnnotationSources, ClassifierSources
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.settings.train_segmenter import (
    SegmenterSources,
    TrainSegmenterSettings,
    unread_by,
)
from hdgan.stages.compare.arms import RECIPES
from hdgan.stages.compare.cost import Cost, both, cost_of, cost_of_making, write_cost
from hdgan.stages.compare.plan import PairsJob, RunJob

LATENTS_A_DRAW = 10_000
"""Seeds of pairs from one label draw to the next, if that many are enough."""

MOST_SEEDS = 4000
"""So many seeds of comparisons have latents of their own: 32 bits of a latent's seed count."""

Verbs = Mapping[str, Callable[..., Made]]
"""The other stages by verb; they are handed in, since no stage imports another."""


@dataclass(frozen=True)
class DrawingsPlaces:
    """Where annotated drawings and their origin lie."""

    annotations: Path
    samples: Path
    generator: Path


@dataclass(frozen=True)
class Bench:
    """Where everything lies and how it is done; travels to other processes."""

    output: Path
    settings: CompareSettings
    verbs: Verbs
    real: Path
    tiles: Path
    encoder: Path | None
    drawings: tuple[DrawingsPlaces, ...]

    all_folds: tuple[int, ...]
    """Of the tile set."""

    @property
    def scratch(self) -> Path:
        """Where things lie that go when the comparison is finished."""
        return self.output / UNFINISHED

    def training_folds(self, test: int) -> tuple[int, ...]:
        """What is learned from, if this fold is tested on."""
        return tuple(fold for fold in self.all_folds if fold != test)

    def cost_file(self, run: RunJob) -> Path:
        """Written last of all that belongs to a run."""
        return self.scratch / "runs" / f"{run.name}.json"

    def pairs_folder(self, pairs: PairsJob) -> Path:
        """Where pairs lie while they are needed."""
        return self.scratch / pairs.name

    def prediction(self, run: RunJob, image: str) -> Path:
        """A label map for the pictures."""
        return self.scratch / "predictions" / run.arm / f"{image}.png"


@dataclass(frozen=True)
class Piece:
    """Work for one process."""

    bench: Bench
    job: PairsJob | RunJob


def do_piece(piece: Piece) -> PairsJob | RunJob:
    """Make the pairs, or train and test; the job comes back. What is there already is kept.

    Raises:
        LeakError: the segmenter has learned from what it would be tested on.
    """
    with one_thread(), quiet():
        if isinstance(piece.job, PairsJob):
            pairs_cost(piece.bench, piece.job)
        else:
            _run(piece.bench, piece.job)
    return piece.job


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing on standard error: the bars of many verbs would fill the screen."""
    with redirect_stderr(StringIO()):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """A single thread of the CPU, and then as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def pairs_cost(bench: Bench, pairs: PairsJob) -> Cost | None:
    """Make a classifier and its pairs, unless another process has; their cost comes back."""
    folder = bench.pairs_folder(pairs)
    path = folder / "cost.json"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not path.is_file():
            number = bench.settings.num_pairs
            fitting = cost_of_making(
                folder / "classifier", lambda output: fit_classifier(bench, pairs, output)
            )
            drawing = cost_of_making(
                folder / "pairs", lambda output: draw_pairs(bench, pairs, output, number)
            )
            write_cost(path, both(fitting, drawing))
    return cost_of(path)


def fit_classifier(bench: Bench, pairs: PairsJob, output: Path, steps: int | None = None) -> None:
    """Fit a classifier to some of the annotated drawings."""
    places = bench.drawings[pairs.drawings]
    settings = bench.settings
    bench.verbs["train-classifier"](
        places.annotations,
        output,
        TrainClassifierSettings(
            preset=pairs.preset,
            steps=steps or settings.classifier_steps,
            num_members=settings.classifier_members,
            num_images=pairs.count,
            draw=settings.seed + pairs.draw,
            all_splits=True,
            seed=settings.seed + pairs.draw,
            device=settings.device,
        ),
        ClassifierSources(samples=places.samples, generator=places.generator),
    )


def draw_pairs(bench: Bench, pairs: PairsJob, output: Path, number: int) -> None:
    """Draw pairs with the classifier that lies beside them; other latents for each label draw."""
    places = bench.drawings[pairs.drawings]
    settings = bench.settings
    bench.verbs["synthesize"](
        output.with_name("classifier"),
        output,
        SynthesizeSettings(
            num_pairs=number,
            truncation=settings.truncation,
            seed=first_latent(settings, pairs.draw),
            workers=1,
            device=settings.device,
        ),
        SynthesizeSources(
            generator=places.generator, annotations=places.annotations, samples=places.samples
        ),
    )


def first_latent(settings: CompareSettings, draw: int) -> int:
    """Seed of a label draw's first pair, far from those of drawings and of other label draws."""
    latents = max(LATENTS_A_DRAW, settings.num_pairs)
    return SynthesizeSettings.seed * (1 + settings.seed % MOST_SEEDS) + latents * draw


def train(bench: Bench, run: RunJob, output: Path, steps: int) -> None:
    """Train the segmenter of a run."""
    settings, recipe = bench.settings, RECIPES[run.arm]
    on_tiles = recipe.num_tiles(run.count) if run.count is not None else None
    places = [bench.real] if recipe.labels != "drawings" else []
    if run.pairs is not None:
        places.append(bench.pairs_folder(run.pairs) / "pairs")
    choices: dict[str, Any] = {
        "steps": steps,
        "batch": settings.batch,
        "crop_px": settings.crop_px,
        "width": settings.width,
        "learning_rate": settings.learning_rate,
        "stain_jitter": settings.stain_jitter,
    }
    unread = unread_by(recipe.method)
    bench.verbs["train-segmenter"](
        places[0],
        output,
        TrainSegmenterSettings(
            method=recipe.method,
            **{name: choice for name, choice in choices.items() if name not in unread},
            num_images=on_tiles or None,
            draw=settings.seed + run.draw if on_tiles and run.draw is not None else None,
            equal_sources=len(places) > 1,
            folds=bench.training_folds(run.fold),
            seed=settings.seed + run.seed,
            device=settings.device,
        ),
        tuple(places[1:]),
        SegmenterSources(
            tiles=bench.tiles if recipe.labels != "drawings" else None,
            unlabelled=bench.tiles if recipe.uses_unlabelled else None,
            encoder=bench.encoder if recipe.method == "frozen-features" else None,
        ),
    )


def score(bench: Bench, run: RunJob, segmenter: Path, output: Path) -> None:
    """Compare what a segmenter predicts with the annotation of the run's fold."""
    bench.verbs["evaluate"](
        segmenter,
        bench.real,
        output,
        EvaluateSettings(fold=run.fold, num_pictures=0, trust=False, device=bench.settings.device),
        AnnotationSources(tiles=bench.tiles),
    )


def _run(bench: Bench, run: RunJob) -> None:
    """Train, test, and keep the confusion matrices; the network goes."""
    if bench.cost_file(run).is_file():
        return
    folder = bench.scratch / "work" / run.name
    segmenter, evaluation = folder / "segmenter", folder / "evaluation"
    before = Cost(0.0, 0.0) if run.pairs is None else pairs_cost(bench, run.pairs)
    steps = bench.settings.steps
    cost = both(before, cost_of_making(segmenter, lambda output: train(bench, run, output, steps)))
    score(bench, run, segmenter, evaluation)
    matrices = Evaluation.open(evaluation).read(CONFUSION)
    write_atomically(bench.output / "confusion" / f"{run.name}.npy", matrices)
    if run.keeps_predictions:
        _keep_predictions(bench, run, segmenter, Evaluation.open(evaluation).images())
    write_cost(bench.cost_file(run), cost)
    shutil.rmtree(folder, ignore_errors=True)


def _keep_predictions(bench: Bench, run: RunJob, segmenter: Path, images: list[str]) -> None:
    """Keep what a segmenter predicts; memory holds one image."""
    device = device_named(bench.settings.device)
    network = SegmenterFolder.open(segmenter).network().to(device)
    tiles = TileSet.open(bench.tiles)
    record_of = {record.tile: record for record in tiles.records()}
    for image in images:
        labels = predicted_labels(network, tiles.image(record_of[image]))
        write_atomically(bench.prediction(run, image), png_of(labels))
