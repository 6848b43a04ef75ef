"""`hdgan evaluate`: predicted label maps against annotated ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from hdgan.artifacts.annotation_set import (
    CLASSES,
    AnnotationRecord,
    AnnotationSet,
    class_map_bytes,
)
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation, write_scores, write_trust
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact, made_once, plain, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.class_map import ClassMap, LabelMap
from hdgan.errors import LeakError, SettingsError, WrongArtifactError
from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.latent import has_noise, noise_of
from hdgan.method.metrics import accuracy, confusion_matrix
from hdgan.method.noise_flips import NoiseFlipTally
from hdgan.method.regeneration import regenerates
from hdgan.method.segmenter.network import predicted_with_probabilities
from hdgan.method.trust import Judged, MarginChoice, TrustTally
from hdgan.method.trust_scores import definitions_of
from hdgan.pipeline import Fact, Made
from hdgan.report.pictures import comparison
from hdgan.report.progress import ProgressBar
from hdgan.report.trust import trust_facts
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.sources import AnnotationSources

Picture = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Prediction:
    """An image, what it was annotated, and what is predicted."""

    image: Picture
    truth: LabelMap
    predicted: LabelMap
    judged: Judged | None
    """How surely; None if that is not measured."""


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
        LeakError: the predictor has learned from the tiles that it would be scored on.
    """
    annotated = AnnotationSet.open(annotations)
    test = _test(predictor, annotated, settings, sources or AnnotationSources())
    order = Order(
        "evaluation",
        plain(settings),
        test.predictor.parents | annotated.parents,
        seen_by(test.predictor, annotated),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        _scored(unfinished, test, annotated, settings)

    made_once(output, order, make)
    return Made("evaluation", output, _facts(Evaluation.open(output)))


@dataclass(frozen=True)
class _Test:
    """What is tested, on what, and how a prediction is made."""

    predictor: Artifact
    class_map: ClassMap
    records: list[AnnotationRecord]
    predict: Callable[[AnnotationRecord], Prediction]
    unit: str
    """What is exchangeable: a tile of its own, or all tiles of a patient."""
    unit_of: Callable[[AnnotationRecord], str]
    redraw: Callable[[AnnotationRecord], LabelMap] | None = None
    """The labels of a sample drawn again with other noise; None of a generator that has none."""


def _test(
    predictor: Path,
    annotated: AnnotationSet,
    settings: EvaluateSettings,
    sources: AnnotationSources,
) -> _Test:
    kind = Artifact.open(predictor).manifest.kind
    _check_part(annotated, settings)
    if kind == ClassifierFolder.kind:
        test = _test_of_classifier(predictor, annotated, settings, sources)
    elif kind == SegmenterFolder.kind:
        test = _test_of_segmenter(predictor, annotated, settings, sources)
    else:
        raise WrongArtifactError(
            f"{predictor} is of kind {kind}; only a classifier or a segmenter can be evaluated."
        )
    if test.class_map.names != annotated.class_map.names:
        raise WrongArtifactError(
            f"{predictor} knows the classes {', '.join(test.class_map.names)}, but "
            f"{annotated.folder} has {', '.join(annotated.class_map.names)}. Use annotations of "
            "the same class map."
        )
    return test


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


def _test_of_classifier(
    predictor: Path,
    annotated: AnnotationSet,
    settings: EvaluateSettings,
    sources: AnnotationSources,
) -> _Test:
    ensemble = ClassifierFolder.open(predictor)
    samples = parent_of(annotated, SampleSet, sources.samples)
    generator = parent_of(samples, GeneratorFolder, sources.generator)
    if ensemble.manifest.parents[GeneratorFolder.kind] != generator.digest:
        raise WrongArtifactError(
            f"{predictor} was fitted to another generator than the one that drew {samples.folder}. "
            "Evaluate it on samples of its own generator."
        )
    _refuse_shown(ensemble, annotated, settings)
    device = device_named(settings.device)
    labelled = _labelled(ensemble, generator, settings)
    latents = samples.latents()
    by_name = {record.sample: record for record in samples.records()}
    num_members = ensemble.text.num_members

    def w_of(record: AnnotationRecord) -> Tensor:
        row = by_name[record.image].row
        return torch.from_numpy(latents[row : row + 1]).to(device)

    def predict(record: AnnotationRecord) -> Prediction:
        sample = by_name[record.image]
        drawing = labelled.drawing(w_of(record))
        if not regenerates(samples.image(sample), drawing.pixels):
            raise WrongArtifactError(
                f"{samples.folder / sample.image} is not what {generator.folder} draws from its "
                "latent. Draw the samples again with `hdgan sample` and annotate those."
            )
        truth, judged = annotated.labels(record), None
        if drawing.probabilities is not None:
            unsure = drawing.uncertainty if num_members > 1 else None
            judged = Judged(truth, drawing.labels, drawing.probabilities, unsure)
        return Prediction(drawing.pixels, truth, drawing.labels, judged)

    def redraw(record: AnnotationRecord) -> LabelMap:
        noise = noise_of(labelled.generator, by_name[record.image].seed, 1)
        return labelled.drawing(w_of(record), noise).labels

    return _Test(
        ensemble,
        ensemble.class_map,
        annotated.records(settings.split),
        predict,
        "tile",
        lambda record: record.image,
        redraw if has_noise(labelled.generator) else None,
    )


def _labelled(
    ensemble: ClassifierFolder, generator: GeneratorFolder, settings: EvaluateSettings
) -> LabelledGenerator:
    """The generator and the classifier together, on the device."""
    device = device_named(settings.device)
    context = ensemble.context()
    return LabelledGenerator(
        generator.generator().to(device),
        ensemble.classifier().to(device),
        ensemble.text.num_blocks,
        context=None if context is None else context.to(device),
        decision=ensemble.decision,
        by_object=ensemble.text.by_object,
        keeps_probabilities=settings.trust,
    )


def _refuse_shown(
    ensemble: ClassifierFolder, annotated: AnnotationSet, settings: EvaluateSettings
) -> None:
    """Refuse to test a classifier on drawings that it was fitted to, of another split than asked.

    A sample is called after its seed: in every sample set of the classifier's generator the same
    name is the same z, drawn again perhaps in other company, or nearer to the mean.

    Raises:
        LeakError: it was fitted to some of them.
    """
    if settings.split == "training" or SampleSet.kind not in ensemble.manifest.parents:
        return
    shown = set(ensemble.learned_from())
    known = [record.image for record in annotated.records(settings.split) if record.image in shown]
    if known:
        raise LeakError(
            f"{ensemble.folder} was fitted to {known[0]} and {len(known) - 1} more of the split "
            f"{settings.split} of {annotated.folder}, so they cannot test it. Annotate "
            "drawings of other seeds, or fit a classifier without these."
        )


def _test_of_segmenter(
    predictor: Path,
    annotated: AnnotationSet,
    settings: EvaluateSettings,
    sources: AnnotationSources,
) -> _Test:
    segmenter = SegmenterFolder.open(predictor)
    device = device_named(settings.device)
    network = segmenter.network().to(device)

    if SampleSet.kind in annotated.manifest.parents:
        samples = parent_of(annotated, SampleSet, sources.samples)
        by_name = {record.sample: record for record in samples.records()}
        records = annotated.records(settings.split)

        unit, patient_of = "tile", {record.image: record.image for record in records}

        def image_of(name: str) -> Picture:
            return samples.image(by_name[name])

    else:
        tiles = parent_of(annotated, TileSet, sources.tiles)
        records = _of_fold(tiles, annotated, segmenter, settings.fold)
        tile_of = {record.tile: record for record in tiles.records()}
        unit, patient_of = "patient", {name: tile.patient for name, tile in tile_of.items()}

        def image_of(name: str) -> Picture:
            return tiles.image(tile_of[name])

    def predict(record: AnnotationRecord) -> Prediction:
        image, truth = image_of(record.image), annotated.labels(record)
        labels, probabilities = predicted_with_probabilities(network, image)
        return Prediction(image, truth, labels, Judged(truth, labels, probabilities))

    return _Test(
        segmenter,
        segmenter.class_map,
        records,
        predict,
        unit,
        lambda record: patient_of[record.image],
    )


def _of_fold(
    tiles: TileSet, annotated: AnnotationSet, segmenter: SegmenterFolder, fold: int | None
) -> list[AnnotationRecord]:
    """The annotated tiles of a fold that the segmenter has not learned from.

    Raises:
        SettingsError: no fold is named, or it has no annotated tile.
        LeakError: the segmenter, or something that it was made from, has seen the fold.
    """
    seen = segmenter.manifest.seen.get(tiles.digest, [])
    if fold is None:
        unseen = sorted({record.fold for record in tiles.records()} - set(seen))
        raise SettingsError(
            "Say with --fold which fold of the annotated tiles to test on. "
            f"{segmenter.folder} has not learned from: {', '.join(map(str, unseen)) or 'none'}."
        )
    if fold in seen:
        raise LeakError(
            f"{segmenter.folder} has learned from folds {seen} of {tiles.folder}, directly or "
            f"through what it was made from, so fold {fold} cannot test it. Choose a fold that it "
            "has not seen."
        )
    names = {record.tile for record in tiles.records((fold,))}
    records = [record for record in annotated.records() if record.image in names]
    if not records:
        raise SettingsError(f"{annotated.folder} has no annotated tile in fold {fold}.")
    return records


def _scored(
    unfinished: UnfinishedArtifact,
    test: _Test,
    annotated: AnnotationSet,
    settings: EvaluateSettings,
) -> None:
    """Predict every image, count, and keep pictures of the worst."""
    matrices = []
    choice = MarginChoice(settings.margin_coverage, settings.margin_alpha, test.unit)
    tally = TrustTally(annotated.class_map.names, choice)
    flips = NoiseFlipTally(test.redraw, settings.noise_images)
    with ProgressBar("evaluate", len(test.records), "images") as progress:
        for record in test.records:
            found = test.predict(record)
            matrices.append(
                confusion_matrix(found.truth, found.predicted, len(annotated.class_map))
            )
            if settings.num_pictures > 0:
                shown = comparison(found.image, found.truth, found.predicted, annotated.class_map)
                unfinished.write_scratch(f"pictures/{record.image}.png", png_of(shown))
            if settings.trust and found.judged is not None:
                tally.add(found.judged, test.unit_of(record))
                flips.add(record, found.predicted)
            progress.advance()
    worst = np.argsort([float(accuracy(matrix)) for matrix in matrices], kind="stable")
    for place, i in enumerate(worst[: settings.num_pictures]):
        name = test.records[i].image
        picture_bytes = (unfinished.scratch / "pictures" / f"{name}.png").read_bytes()
        unfinished.write(f"pictures/{place:02d}-{name}.png", picture_bytes)
    unfinished.write(CLASSES, class_map_bytes(annotated.class_map))
    write_scores(
        unfinished, matrices, [record.image for record in test.records], annotated.class_map
    )
    if settings.trust:
        drawn = SampleSet.kind in annotated.manifest.parents
        says = definitions_of(choice.covered, choice.alpha, choice.unit, drawn=drawn)
        noise = flips.flips() if test.predictor.manifest.kind == ClassifierFolder.kind else None
        write_trust(unfinished, replace(tally.trust(), noise=noise, definitions=says))


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
