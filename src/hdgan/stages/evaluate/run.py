"""`hdgan evaluate`: predicted label maps against annotated ones."""

from pathlib import Path

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.pipeline import Fact, Made
from hdgan.report.trust import trust_facts
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.sources import AnnotationSources
from hdgan.stages.evaluate.classifier import task_of_classifier
from hdgan.stages.evaluate.scoring import write_scored
from hdgan.stages.evaluate.segmenter import task_of_segmenter
from hdgan.stages.evaluate.task import Task


def evaluate(
    predictor: Path,
    annotations: Path,
    output: Path,
    settings: EvaluateSettings,
    sources: AnnotationSources | None = None,
) -> Made:
    """Score a classifier on annotated samples, or a segmenter on annotated tiles or samples.

    Memory holds one image at a time.

    Raises:
        WrongArtifactError: the two do not belong together.
        LeakError: the predictor has learned from what it would be scored on.
    """
    annotated = AnnotationSet.open(annotations)
    task = _task(predictor, annotated, settings, sources or AnnotationSources())
    order = Order(
        "evaluation",
        plain(settings),
        task.predictor.parents | annotated.parents,
        seen_by(task.predictor, annotated),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        write_scored(unfinished, task, annotated, settings)

    made_once(output, order, make)
    return Made("evaluation", output, _facts(Evaluation.open(output)))


def _task(
    predictor: Path,
    annotated: AnnotationSet,
    settings: EvaluateSettings,
    sources: AnnotationSources,
) -> Task:
    kind = Artifact.open(predictor).manifest.kind
    _check_part(annotated, settings)
    if kind == ClassifierFolder.kind:
        task = task_of_classifier(predictor, annotated, settings, sources)
    elif kind == SegmenterFolder.kind:
        task = task_of_segmenter(predictor, annotated, settings, sources)
    else:
        raise WrongArtifactError(
            f"{predictor} is of kind {kind}; only a classifier or a segmenter can be evaluated."
        )
    if task.class_map.names != annotated.class_map.names:
        raise WrongArtifactError(
            f"{predictor} knows the classes {', '.join(task.class_map.names)}, but "
            f"{annotated.folder} has {', '.join(annotated.class_map.names)}. Use annotations of "
            "the same class map."
        )
    return task


def _check_part(annotated: AnnotationSet, settings: EvaluateSettings) -> None:
    """Refuse to name a part of tiles as one names a part of samples, and the other way round."""
    of_tiles = TileSet.kind in annotated.manifest.parents
    if of_tiles and settings.split != EvaluateSettings.split:
        raise SettingsError(
            f"--split is for annotated samples, but {annotated.folder} holds annotated tiles, "
            "whose parts are named with --fold."
        )
    if settings.fold is not None and not of_tiles:
        raise SettingsError(
            f"--fold is for annotated tiles, but {annotated.folder} holds annotated samples, whose "
            "parts are named with --split."
        )


def _facts(evaluation: Evaluation) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"images": len(evaluation.images())}
    for score in evaluation.overall():
        facts[score.name] = f"{score.value:.4f}  {score.definition}"
    for scores in evaluation.classes():
        facts[scores.name] = (
            f"Dice {scores.dice:.4f}, recall {scores.recall:.4f}, "
            f"precision {scores.precision:.4f}, {scores.pixels:,} true pixels"
        )
    trust = evaluation.trust()
    if trust is not None:
        facts |= trust_facts(trust)
    return facts
