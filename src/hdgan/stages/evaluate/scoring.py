"""Every image is predicted and counted, and what came of it is written."""

from dataclasses import replace

import numpy as np

from hdgan.artifacts.annotation_set import CLASSES, AnnotationSet, class_map_bytes
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import write_scores, write_trust
from hdgan.artifacts.images import png_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.method.metrics import accuracy, confusion_matrix
from hdgan.method.noise_flips import NoiseFlipTally
from hdgan.method.trust import MarginChoice, TrustTally
from hdgan.method.trust_scores import definitions_of
from hdgan.report.pictures import comparison
from hdgan.report.progress import ProgressBar
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.stages.evaluate.task import Task


def write_scored(
    unfinished: UnfinishedArtifact,
    task: Task,
    annotated: AnnotationSet,
    settings: EvaluateSettings,
) -> None:
    """Predict every image, count, and keep pictures of the worst."""
    matrices = []
    choice = MarginChoice(settings.margin_coverage, settings.margin_alpha, task.unit)
    tally = TrustTally(annotated.class_map.names, choice)
    flips = NoiseFlipTally(task.redraw, settings.noise_images)
    with ProgressBar("evaluate", len(task.records), "images") as progress:
        for record in task.records:
            found = task.predict(record)
            matrices.append(
                confusion_matrix(found.truth, found.predicted, len(annotated.class_map))
            )
            if settings.num_pictures > 0:
                shown = comparison(found.image, found.truth, found.predicted, annotated.class_map)
                unfinished.write_scratch(f"pictures/{record.image}.png", png_of(shown))
            if settings.trust and found.judged is not None:
                tally.add(found.judged, task.unit_of(record))
                flips.add(record, found.predicted)
            progress.advance()
    worst = np.argsort([float(accuracy(matrix)) for matrix in matrices], kind="stable")
    for place, i in enumerate(worst[: settings.num_pictures]):
        name = task.records[i].image
        picture_bytes = (unfinished.scratch / "pictures" / f"{name}.png").read_bytes()
        unfinished.write(f"pictures/{place:02d}-{name}.png", picture_bytes)
    unfinished.write(CLASSES, class_map_bytes(annotated.class_map))
    write_scores(
        unfinished, matrices, [record.image for record in task.records], annotated.class_map
    )
    if settings.trust:
        drawn = SampleSet.kind in annotated.manifest.parents
        says = definitions_of(choice.covered, choice.alpha, choice.unit, drawn=drawn)
        noise = flips.flips() if task.predictor.manifest.kind == ClassifierFolder.kind else None
        write_trust(unfinished, replace(tally.trust(), noise=noise, definitions=says))
