"""Letting the generator's features predict while somebody paints; this needs torch."""

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.errors import SettingsError
from hdgan.settings.annotate import AnnotateSources
from hdgan.stages.annotate.live import live_predictor
from hdgan.stages.annotate.work import Work


def add_predictor(work: Work, sources: AnnotateSources) -> None:
    """Give the page somebody who predicts.

    Raises:
        SettingsError: the tiles are real, so that no generator knows their features.
        WrongArtifactError: the classifier was fitted to another generator, or has other classes.
        MissingArtifactError: the generator is not to be found.
    """
    samples = work.source.artifact
    if not isinstance(samples, SampleSet):
        raise SettingsError(
            f"{samples.folder} holds real tiles, of which no generator knows the features: leave "
            "out --classifier and --predict, or annotate samples."
        )
    classifier = None if sources.classifier is None else ClassifierFolder.open(sources.classifier)
    generator = parent_of(samples, GeneratorFolder, sources.generator)
    predictor = live_predictor(
        samples,
        generator,
        classifier,
        work.class_map,
        work.unfinished.scratch / "features",
        work.settings.device,
    )
    work.helped_by(predictor, classifier)
