"""Which module tells of which kind of artifact."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.comparison import Comparison
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.image_quality import ImageQualityFolder
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmentation import Segmentation
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import ArtifactError, InputError
from hdgan.stages.show import (
    annotations,
    classifier,
    comparison,
    dataset,
    evaluation,
    files,
    generator,
    pairs,
    quality,
    samples,
    segmentation,
    segmenter,
    tiles,
)
from hdgan.stages.show.account import UNREADABLE, Account, Look

_TELLS: Mapping[type[Artifact], Callable[[Any, Look], Account]] = {
    TileSet: tiles.account_of,
    GeneratorFolder: generator.account_of,
    ImageQualityFolder: quality.account_of,
    SampleSet: samples.account_of,
    AnnotationSet: annotations.account_of,
    ClassifierFolder: classifier.account_of,
    Evaluation: evaluation.account_of,
    PairSet: pairs.account_of,
    SegmenterFolder: segmenter.account_of,
    Segmentation: segmentation.account_of,
    Comparison: comparison.account_of,
}


def account_of(folder: Path, look: Look) -> Account:
    """What the artifact in a folder has to say, whatever its kind.

    Its files were checked before. Of one that is whole but cannot be understood, such as one of
    another version, only the files are told of, and why.

    Raises:
        ArtifactError: it is not finished.
    """
    artifact = Artifact.open(folder)
    if artifact.manifest.kind == dataset.KIND:
        return dataset.account_of(artifact, look)
    told = files.account_of(artifact, look)
    for kind, tells in _TELLS.items():
        if kind.kind == artifact.manifest.kind:
            try:
                return tells(kind.open(folder), look)
            except (ArtifactError, InputError) as error:
                return _not_understood(told, str(error))
            except UNREADABLE as error:
                return _not_understood(told, f"its files are not those of this version ({error})")
    return told


def _not_understood(told: Account, reason: str) -> Account:
    return replace(told, facts=told.facts | {"not understood": reason})
