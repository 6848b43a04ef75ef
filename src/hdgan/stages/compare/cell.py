"""One piece of a comparison: pairs, or a segmenter that is trained and tested."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path

import torch
from filelock import FileLock

from hdgan.artifacts.evaluation import CONFUSION, Evaluation
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import UNFINISHED, json_bytes
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
from hdgan.settings.train_segmenter import SegmenterSources, TrainSegmenterSettings
from hdgan.stages.compare.arms import RECIPES
from hdgan.stages.compare.plan import PairsJob, RunJob

Verbs = Mapping[str, Callable[..., Made]]
"""The other stages by verb; they are handed in, since no stage imports another."""


@dataclass(frozen=True)
class Cost:
    """What something took."""

    cpu_seconds: float
    """Time of the processor; a GPU's is not in it."""

    seconds: float
    """Time by the clock."""

    def __add__(self, other: "Cost") -> "Cost":
        """Both."""
        return Cost(self.cpu_seconds + other.cpu_seconds, self.seconds + other.seconds)


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


def cost_of(path: Path) -> Cost:
    """What was written of a cost."""
    return Cost(**json.loads(path.read_bytes()))


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


def timed(do: Callable[[], object]) -> Cost:
    """What something takes."""
    began, began_cpu = time.monotonic(), time.process_time()
    do()
    return Cost(time.process_time() - began_cpu, time.monotonic() - began)


def pairs_cost(bench: Bench, pairs: PairsJob) -> Cost:
    """Make a classifier and its pairs, unless another process has; their cost comes back."""
    folder = bench.pairs_folder(pairs)
    path = folder / "cost.json"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not path.is_file():
            cost = timed(lambda: fit_classifier(bench, pairs, folder / "classifier"))
            number = bench.settings.num_pairs
            cost += timed(lambda: draw_pairs(bench, pairs, folder, number))
            write_atomically(path, json_bytes(asdict(cost)))
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


def draw_pairs(bench: Bench, pairs: PairsJob, folder: Path, number: int) -> None:
    """Draw pairs with the classifier in a folder."""
    places = bench.drawings[pairs.drawings]
    settings = bench.settings
    bench.verbs["synthesize"](
        folder / "classifier",
        folder / "pairs",
        SynthesizeSettings(
            num_pairs=number,
            truncation=settings.truncation,
            seed=SynthesizeSettings.seed + settings.seed,
            workers=1,
            device=settings.device,
        ),
        SynthesizeSources(
            generator=places.generator, annotations=places.annotations, samples=places.samples
        ),
    )


def train(bench: Bench, run: RunJob, output: Path, steps: int) -> None:
    """Train the segmenter of a run."""
    settings, recipe = bench.settings, RECIPES[run.arm]
    on_tiles = recipe.num_tiles(run.count) if run.count is not None else None
    places = [bench.real] if recipe.labels != "drawings" else []
    if run.pairs is not None:
        places.append(bench.pairs_folder(run.pairs) / "pairs")
    bench.verbs["train-segmenter"](
        places[0],
        output,
        TrainSegmenterSettings(
            method=recipe.method,
            steps=steps,
            batch=settings.batch,
            crop_px=settings.crop_px,
            width=settings.width,
            learning_rate=settings.learning_rate,
            stain_jitter=settings.stain_jitter,
            num_images=on_tiles or None,
            draw=None if run.draw is None else settings.seed + run.draw,
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
    cost = before + timed(lambda: train(bench, run, segmenter, bench.settings.steps))
    score(bench, run, segmenter, evaluation)
    matrices = Evaluation.open(evaluation).read(CONFUSION)
    write_atomically(bench.output / "confusion" / f"{run.name}.npy", matrices)
    if run.keeps_predictions:
        _keep_predictions(bench, run, segmenter, Evaluation.open(evaluation).images())
    write_atomically(bench.cost_file(run), json_bytes(asdict(cost)))
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
