"""`hdgan demo --from-scratch`: the whole pipeline on drawn tissue, to a report."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdgan.artifacts.annotation_set import AnnotationSet, class_map_bytes
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.writing import write_atomically
from hdgan.class_map import KIDNEY, UNLABELLED, ClassMap
from hdgan.method.metrics import ConfusionMatrix, confusion_matrix, overall_scores
from hdgan.method.phantom.drawing import Phantom, draw_phantom
from hdgan.method.phantom.oracle import read_labels
from hdgan.method.phantom.tissue import STAIN_COLOURS
from hdgan.pipeline import Made
from hdgan.report.demo_report import DemoArtifacts, OracleRecord, demo_page
from hdgan.report.page import html_of
from hdgan.report.progress import ProgressBar
from hdgan.settings.demo import DemoNumbers
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.settings.tile import TileSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.settings.train_generator import TrainGeneratorSettings
from hdgan.settings.train_segmenter import TrainSegmenterSettings
from hdgan.stages.demo.steps import Steps

SIDE_PX = 64
NUM_PATIENTS = 25
TEST_FOLD = 0


def demo_from_scratch(numbers: DemoNumbers, seed: int, steps: Steps) -> Made:
    """Draw tissue, run every verb on it, and write a report; goes on where it was interrupted.

    Returns:
        Where the report is, with its headline numbers.
    """
    run = _Run(steps.output, numbers, seed, steps)
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
    numbers: DemoNumbers
    seed: int
    steps: Steps

    def draw_tissue(self) -> None:
        """Draw tiles with their label maps, and take both in."""
        with self.steps.timed("draw tissue"):
            self._draw()
        self.steps.do(
            "tile",
            self.output / "drawn" / "images",
            self.output / "tiles",
            TileSettings(patient_pattern="^(patient[0-9]+)_", seed=self.seed),
        )
        self.steps.do(
            "import-annotations",
            self.output / "tiles",
            self.output / "drawn" / "labels",
            self.output / "truth",
            ImportAnnotationsSettings(),
            self._classes(),
        )

    def make_generator(self) -> None:
        """Train a small generator and draw samples."""
        self.steps.do(
            "train-generator",
            self.output / "tiles",
            self.output / "generator",
            TrainGeneratorSettings(
                resolution=SIDE_PX,
                kimg=self.numbers.kimg,
                preset="small",
                channel_base=512,
                channel_max=32,
                latent_dim=16,
                learning_rate=0.005,
                gamma=2.0,
                augment="none",
                orientation="as-is",
                snapshot_kimg=0.0,
                seed=self.seed,
                threads=1,
            ),
        )
        self.steps.do(
            "sample",
            self.output / "generator",
            self.output / "samples",
            SampleSettings(num_samples=self.numbers.num_samples, seed=self.seed),
        )

    def annotate(self) -> None:
        """Let the oracle read the suggested samples."""
        samples = SampleSet.open(self.output / "samples")
        folder = self.output / "oracle"
        with self.steps.timed("the oracle annotates"):
            for record in samples.records():
                if record.suggested is not None:
                    labels = png_of(read_labels(samples.image(record)))
                    write_atomically(folder / f"{record.sample}.png", labels)
        self.steps.do(
            "import-annotations",
            self.output / "samples",
            folder,
            self.output / "annotations",
            ImportAnnotationsSettings(only="suggested", seed=self.seed),
            self._classes(),
        )

    def make_classifier(self) -> None:
        """Fit the ensemble, score it, and make pairs."""
        annotations = self.output / "annotations"
        classifier = self.output / "classifier"
        self.steps.do(
            "train-classifier",
            annotations,
            classifier,
            TrainClassifierSettings(steps=self.numbers.classifier_steps, seed=self.seed),
        )
        self.steps.do(
            "evaluate", classifier, annotations, self.output / "evaluation", EvaluateSettings()
        )
        self.steps.do(
            "synthesize",
            classifier,
            self.output / "pairs",
            SynthesizeSettings(num_pairs=self.numbers.num_pairs),
        )

    def make_segmenter(self) -> None:
        """Train a segmenter on the pairs alone and test it on unseen tissue."""
        self.steps.do(
            "train-segmenter",
            self.output / "pairs",
            self.output / "segmenter",
            TrainSegmenterSettings(
                steps=self.numbers.segmenter_steps, crop_px=SIDE_PX, seed=self.seed
            ),
        )
        self.steps.do(
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
        write_atomically(path, html_of(demo_page(made, self.steps.times)))
        on_samples, on_tissue = (
            evaluation.overall()[0] for evaluation in (made.evaluation, made.segmenter_evaluation)
        )
        return Made(
            "report",
            path,
            {
                "labels of drawings": f"{on_samples.name} {on_samples.value:.3f}",
                "segmenter on unseen tissue": f"{on_tissue.name} {on_tissue.value:.3f}",
                "seconds": round(self.steps.seconds),
            },
        )

    def _draw(self) -> None:
        folder = self.output / "drawn"
        with ProgressBar("draw tissue", self.numbers.num_tiles, "tiles") as progress:
            for i in range(self.numbers.num_tiles):
                name = f"patient{i % NUM_PATIENTS:02d}_{i:05d}.png"
                phantom = _phantom(i, self.seed)
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
        for i in range(self.numbers.num_tiles, self.numbers.num_tiles + 50):
            phantom = _phantom(i, self.seed)
            matrices.append(_agreement(phantom, KIDNEY))
        samples = SampleSet.open(self.output / "samples")
        abstained = [
            float((read_labels(samples.image(record)) == UNLABELLED).mean())
            for record in samples.records()[:100]
        ]
        return OracleRecord(overall_scores(matrices)[0].value, float(np.mean(abstained)))


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
