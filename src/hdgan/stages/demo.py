"""`hdgan demo`: the whole pipeline on drawn tissue, to a report; needs no data and no network."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hdgan.artifacts.annotation_set import AnnotationSet, class_map_bytes
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.writing import write_atomically
from hdgan.class_map import KIDNEY, UNLABELLED, ClassMap
from hdgan.method.metrics import ConfusionMatrix, confusion_matrix, overall_scores
from hdgan.method.phantom.drawing import STAIN_COLOURS, Phantom, draw_phantom
from hdgan.method.phantom.oracle import read_labels
from hdgan.pipeline import Made
from hdgan.report.demo_report import DemoArtifacts, OracleRecord, demo_page
from hdgan.report.page import html_of
from hdgan.report.progress import ProgressBar
from hdgan.settings.demo import DemoSettings
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.settings.tile import TileSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.settings.train_generator import TrainGeneratorSettings
from hdgan.settings.train_segmenter import TrainSegmenterSettings

SIDE_PX = 64
NUM_PATIENTS = 25
TEST_FOLD = 0
TIMES = "times.json"

Verbs = Mapping[str, Callable[..., Made]]
"""The other stages by verb; they are handed in, since no stage imports another."""


def demo(output: Path, settings: DemoSettings, verbs: Verbs) -> Made:
    """Draw tissue, run every verb on it, and write a report; goes on where it was interrupted.

    Returns:
        Where the report is, with its headline numbers.
    """
    run = _Run(output, settings, verbs)
    run.draw_tissue()
    run.make_generator()
    run.annotate()
    run.make_classifier()
    run.make_segmenter()
    return run.report()


@dataclass
class _Run:
    """One demonstration in its folder."""

    output: Path
    settings: DemoSettings
    verbs: Verbs
    times: list[tuple[str, float]] = field(default_factory=list)

    def draw_tissue(self) -> None:
        """Draw tiles with their label maps, and take both in."""
        with self._timed("draw tissue"):
            self._draw()
        self._do(
            "tile",
            self.output / "drawn" / "images",
            self.output / "tiles",
            TileSettings(patient_pattern="^(patient[0-9]+)_", seed=self.settings.seed),
        )
        self._do(
            "import-annotations",
            self.output / "tiles",
            self.output / "drawn" / "labels",
            self.output / "truth",
            ImportAnnotationsSettings(),
            self._classes(),
        )

    def make_generator(self) -> None:
        """Train a small generator and draw samples."""
        self._do(
            "train-generator",
            self.output / "tiles",
            self.output / "generator",
            TrainGeneratorSettings(
                resolution=SIDE_PX,
                kimg=self.settings.kimg,
                preset="small",
                channel_base=512,
                channel_max=32,
                latent_dim=16,
                learning_rate=0.005,
                gamma=2.0,
                augment="none",
                orientation="as-is",
                snapshot_kimg=0.0,
                seed=self.settings.seed,
                threads=1,
            ),
        )
        self._do(
            "sample",
            self.output / "generator",
            self.output / "samples",
            SampleSettings(num_samples=self.settings.num_samples, seed=self.settings.seed),
        )

    def annotate(self) -> None:
        """Let the oracle read the suggested samples."""
        samples = SampleSet.open(self.output / "samples")
        folder = self.output / "oracle"
        with self._timed("the oracle annotates"):
            for record in samples.records():
                if record.suggested is not None:
                    labels = png_of(read_labels(samples.image(record)))
                    write_atomically(folder / f"{record.sample}.png", labels)
        self._do(
            "import-annotations",
            self.output / "samples",
            folder,
            self.output / "annotations",
            ImportAnnotationsSettings(only="suggested", seed=self.settings.seed),
            self._classes(),
        )

    def make_classifier(self) -> None:
        """Fit the ensemble, score it, and make pairs."""
        annotations = self.output / "annotations"
        classifier = self.output / "classifier"
        self._do(
            "train-classifier",
            annotations,
            classifier,
            TrainClassifierSettings(steps=self.settings.classifier_steps, seed=self.settings.seed),
        )
        self._do(
            "evaluate", classifier, annotations, self.output / "evaluation", EvaluateSettings()
        )
        self._do(
            "synthesize",
            classifier,
            self.output / "pairs",
            SynthesizeSettings(num_pairs=self.settings.num_pairs),
        )

    def make_segmenter(self) -> None:
        """Train a segmenter on the pairs alone and test it on unseen tissue."""
        self._do(
            "train-segmenter",
            self.output / "pairs",
            self.output / "segmenter",
            TrainSegmenterSettings(
                steps=self.settings.segmenter_steps, crop_px=SIDE_PX, seed=self.settings.seed
            ),
        )
        self._do(
            "evaluate",
            self.output / "segmenter",
            self.output / "truth",
            self.output / "segmenter-evaluation",
            EvaluateSettings(fold=TEST_FOLD),
        )

    def report(self) -> Made:
        """Write the page."""
        made = DemoArtifacts(
            tiles=TileSet.open(self.output / "tiles"),
            generator=GeneratorFolder.open(self.output / "generator"),
            samples=SampleSet.open(self.output / "samples"),
            annotations=AnnotationSet.open(self.output / "annotations"),
            classifier=ClassifierFolder.open(self.output / "classifier"),
            evaluation=Evaluation.open(self.output / "evaluation"),
            pairs=PairSet.open(self.output / "pairs"),
            segmenter_evaluation=Evaluation.open(self.output / "segmenter-evaluation"),
            oracle=self._qualified(),
        )
        path = self.output / "report.html"
        write_atomically(path, html_of(demo_page(made, self.times)))
        on_samples, on_tissue = (
            evaluation.overall()[0] for evaluation in (made.evaluation, made.segmenter_evaluation)
        )
        return Made(
            "report",
            path,
            {
                "labels of drawings": f"{on_samples.name} {on_samples.value:.3f}",
                "segmenter on unseen tissue": f"{on_tissue.name} {on_tissue.value:.3f}",
                "seconds": round(sum(seconds for _, seconds in self.times)),
            },
        )

    def _draw(self) -> None:
        folder = self.output / "drawn"
        with ProgressBar("draw tissue", self.settings.num_tiles, "tiles") as progress:
            for i in range(self.settings.num_tiles):
                name = f"patient{i % NUM_PATIENTS:02d}_{i:05d}.png"
                phantom = _phantom(i, self.settings.seed)
                for kind, pixels in (("images", phantom.image), ("labels", phantom.labels)):
                    path = folder / kind / name
                    if not path.is_file():
                        write_atomically(path, png_of(pixels))
                progress.advance()

    def _classes(self) -> Path:
        path = self.output / "classes.json"
        write_atomically(path, class_map_bytes(KIDNEY))
        return path

    def _qualified(self) -> OracleRecord:
        """How well the rule reads drawn tissue, and how often it abstains on generated tissue."""
        matrices = []
        for i in range(self.settings.num_tiles, self.settings.num_tiles + 50):
            phantom = _phantom(i, self.settings.seed)
            matrices.append(_agreement(phantom, KIDNEY))
        samples = SampleSet.open(self.output / "samples")
        abstained = [
            float((read_labels(samples.image(record)) == UNLABELLED).mean())
            for record in samples.records()[:100]
        ]
        return OracleRecord(overall_scores(matrices)[0].value, float(np.mean(abstained)))

    def _do(self, verb: str, *parts: object) -> None:
        with self._timed(verb):
            self.verbs[verb](*parts)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        """Time a step; what an earlier run spent on it is kept, if that was more."""
        step = f"{len(self.times):02d} {name}"
        began = time.monotonic()
        yield
        seconds = max(time.monotonic() - began, self._spent().get(step, 0.0))
        self.times.append((name, seconds))
        spent = self._spent() | {step: seconds}
        write_atomically(self.output / TIMES, json_bytes(spent))

    def _spent(self) -> dict[str, float]:
        """Seconds of each step so far, from the runs before."""
        path = self.output / TIMES
        try:
            seconds: dict[str, float] = json.loads(path.read_bytes()) if path.is_file() else {}
        except ValueError:
            return {}
        return seconds


def _phantom(i: int, seed: int) -> Phantom:
    """Tile i of the demonstration; a patient's tissue has one stain."""
    patient = i % NUM_PATIENTS
    stains = list(STAIN_COLOURS)
    return draw_phantom(SIDE_PX, stains[patient % len(stains)], patient=patient, seed=seed + i)


def _agreement(phantom: Phantom, class_map: ClassMap) -> ConfusionMatrix:
    """The rule against the truth; where it abstains, it counts as whitespace."""
    read = read_labels(phantom.image)
    return confusion_matrix(
        phantom.labels, np.where(read == UNLABELLED, 0, read).astype(np.uint8), len(class_map)
    )
