"""What each choice of the pixel classifier is worth, on annotated samples.

usage: classifier.py ANNOTATIONS [--seeds 3] [--only NAME ...] [--split validation]
                     [--object-vote CLASS ...]

Fits every variant to the training samples and scores it on other samples of the annotation set;
its sample set and generator lie in folders beside it. Prints macro Dice (classes pooled over the
images, mean of the classes) as median and range over the seeds, the median of the classes' mean
recall, and CPU seconds of the fit. `--object-vote` adds a variant that decides among these classes
by object.
"""

import argparse
import math
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from hdgan.artifacts.annotation_set import Split
from hdgan.artifacts.evaluation import Evaluation
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.sources import AnnotationSources, SampleSources
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.train_classifier.run import train_classifier

DEFAULT = TrainClassifierSettings()
PLAIN = replace(DEFAULT, context=False)
"""What the variants change one thing of: without the context head, which would hide their worth."""

VARIANTS = {
    "default": DEFAULT,
    "no context": PLAIN,
    "all blocks": replace(PLAIN, num_blocks=0),
    "last five blocks": replace(PLAIN, num_blocks=5),
    "last four blocks": replace(PLAIN, num_blocks=4),
    "last three blocks": replace(PLAIN, num_blocks=3),
    "last two blocks": replace(PLAIN, num_blocks=2),
    "no dropout": replace(PLAIN, dropout=0.0),
    "batch norm and dropout after the first layer only": replace(PLAIN, num_normalised=1),
    "classes drawn equally often": replace(PLAIN, class_mix="balanced"),
    "label smoothing 0.1": replace(PLAIN, label_smoothing=0.1),
    "Adam 1e-3": replace(PLAIN, learning_rate=1e-3),
    "Adam 1e-2": replace(PLAIN, learning_rate=1e-2),
    "no dropout, Adam 1e-3": replace(PLAIN, dropout=0.0, learning_rate=1e-3),
    "2,000 steps of 128 pixels": replace(PLAIN, steps=2000, batch=128),
    "2,000 steps of 128 pixels, no dropout, Adam 1e-3": replace(
        DEFAULT, steps=2000, batch=128, dropout=0.0, learning_rate=1e-3
    ),
    "one member": replace(PLAIN, num_members=1),
    "preset linear": TrainClassifierSettings(preset="linear"),
    "preset datasetgan": TrainClassifierSettings(preset="datasetgan"),
    "preset authors-code": TrainClassifierSettings(preset="authors-code"),
    "preset paper": TrainClassifierSettings(preset="paper"),
}


def scored(
    annotations: Path, settings: TrainClassifierSettings, split: Split
) -> tuple[float, float, float]:
    """Macro Dice and mean recall on samples of a split, and CPU seconds of the fit."""
    beside = annotations.resolve().parent
    sources = AnnotationSources(samples=beside / "samples", generator=beside / "generator")
    folder = Path(tempfile.mkdtemp())
    try:
        began = time.process_time()
        train_classifier(
            annotations,
            folder / "classifier",
            settings,
            SampleSources(sources.samples, sources.generator),
        )
        seconds = time.process_time() - began
        evaluated = EvaluateSettings(split=split)
        evaluate(folder / "classifier", annotations, folder / "score", evaluated, sources)
        evaluation = Evaluation.open(folder / "score")
        recalls = [scores.recall for scores in evaluation.classes()]
        recall = statistics.mean(value for value in recalls if not math.isnan(value))
        return evaluation.overall()[0].value, recall, seconds
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Print a row a variant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS, metavar="NAME")
    parser.add_argument("--split", choices=["validation", "test"], default="test")
    parser.add_argument("--object-vote", nargs="+", metavar="CLASS")
    chosen = parser.parse_args()
    variants = {name: VARIANTS[name] for name in chosen.only}
    if chosen.object_vote:
        vote = tuple(chosen.object_vote)
        variants[f"object vote ({', '.join(vote)})"] = replace(PLAIN, object_vote=vote)
    print("| variant | macro Dice, median (range), per cent | mean recall | CPU s |")
    print("| --- | --- | --- | --- |")
    for name, settings in variants.items():
        results = [
            scored(chosen.annotations, replace(settings, seed=seed), chosen.split)
            for seed in range(chosen.seeds)
        ]
        dice = [100 * value for value, _, _ in results]
        recall = 100 * statistics.median(value for _, value, _ in results)
        seconds = statistics.median(value for _, _, value in results)
        print(
            f"| {name} | {statistics.median(dice):.2f} ({min(dice):.2f} to {max(dice):.2f}) "
            f"| {recall:.1f} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
