"""A classifier that is tested: on annotated drawings of its own generator."""

from pathlib import Path

import torch
from torch import Tensor

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.weights import device_named
from hdgan.class_map import LabelMap
from hdgan.errors import LeakError, WrongArtifactError
from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.latent import has_noise, noise_of
from hdgan.method.regeneration import regenerates
from hdgan.method.trust import Judged
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.sources import AnnotationSources
from hdgan.stages.evaluate.task import Prediction, Task


def task_of_classifier(
    predictor: Path,
    annotated: AnnotationSet,
    settings: EvaluateSettings,
    sources: AnnotationSources,
) -> Task:
    """What is done to score a classifier.

    Raises:
        WrongArtifactError: it was fitted to another generator than the one that drew the samples.
        LeakError: it was fitted to drawings that it would be scored on.
    """
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

    return Task(
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
