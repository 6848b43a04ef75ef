"""`hdgan demo` with a generator that comes with the package: from annotated drawings to pairs."""

from itertools import count, islice
from pathlib import Path

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shipped_generator import ABOUT, ANNOTATED_CLASSES, ShippedGenerator
from hdgan.artifacts.writing import write_atomically
from hdgan.errors import WrongArtifactError
from hdgan.pipeline import Made
from hdgan.report.page import html_of
from hdgan.report.shipped_report import ShippedDemo, shipped_page
from hdgan.settings.demo import DemoNumbers
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.demo.steps import Steps

NUM_MEMBERS = 5
"""Half the usual ensemble, which halves the time."""


def demo_from_shipped(place: Path, numbers: DemoNumbers, seed: int, steps: Steps) -> Made:
    """Draw, take in the annotations that come along, fit, label, and write a report.

    Goes on where it was interrupted.

    Returns:
        Where the report is, with its headline numbers.

    Raises:
        WrongArtifactError: the generator comes without annotated drawings.
    """
    generator = ShippedGenerator.open(place)
    if ABOUT not in generator.manifest.files:
        raise WrongArtifactError(
            f"{generator.folder} is a generator without annotated drawings; the demonstration "
            "needs one that comes with hdgan. Leave out --generator, or annotate its drawings "
            "(docs/how-to.md)."
        )
    made = _made(generator, numbers, seed, steps)
    path = steps.output / "report.html"
    write_atomically(path, html_of(shipped_page(made, steps.times)))
    dice = made.evaluation.overall()[0]
    return Made(
        "report",
        path,
        {
            "generator": generator.folder.name,
            "labels of drawings": f"{dice.name} {dice.value:.3f}",
            "labelled pairs": made.pairs.about["num_kept"],
            "seconds": round(steps.seconds),
        },
    )


def _made(
    generator: ShippedGenerator, numbers: DemoNumbers, seed: int, steps: Steps
) -> ShippedDemo:
    """Run every step."""
    output = steps.output
    samples, annotations = output / "samples", output / "annotations"
    classifier, pairs = output / "classifier", output / "pairs"
    drawn_with = generator.about.drawn_with
    seeds = _seeds(generator, numbers.num_samples, seed)
    steps.do(
        "sample", generator.folder, samples, SampleSettings(**drawn_with, seeds=seeds, select=0)
    )
    steps.do(
        "import-annotations",
        samples,
        generator.labels_folder(),
        annotations,
        ImportAnnotationsSettings(seed=seed),
        generator.checked_path(ANNOTATED_CLASSES),
    )
    steps.do(
        "train-classifier",
        annotations,
        classifier,
        TrainClassifierSettings(steps=numbers.classifier_steps, num_members=NUM_MEMBERS, seed=seed),
    )
    steps.do("evaluate", classifier, annotations, output / "evaluation", EvaluateSettings())
    steps.do(
        "synthesize",
        classifier,
        pairs,
        SynthesizeSettings(
            num_pairs=numbers.num_pairs,
            truncation=drawn_with["truncation"],
            seed=SynthesizeSettings.seed + seed,
        ),
    )
    return ShippedDemo(
        generator=generator,
        samples=SampleSet.open(samples),
        annotations=AnnotationSet.open(annotations),
        classifier=ClassifierFolder.open(classifier),
        evaluation=Evaluation.open(output / "evaluation"),
        pairs=PairSet.open(pairs),
    )


def _seeds(generator: ShippedGenerator, num_samples: int, first: int) -> tuple[int, ...]:
    """The annotated drawings' seeds, and as many others as make `num_samples` together."""
    annotated = {drawing.seed for drawing in generator.annotated()}
    others = (seed for seed in count(first) if seed not in annotated)
    return (*sorted(annotated), *islice(others, max(0, num_samples - len(annotated))))
