"""Which module tells of which kind of artifact."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.image_quality import ImageQualityFolder
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmentation import Segmentation
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.stages.show import (
    annotations,
    classifier,
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
from hdgan.stages.show.account import Account, Look

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
}


def account_of(folder: Path, look: Look) -> Account:
    """What the artifact in a folder has to say, whatever its kind.

    Raises:
        ArtifactError: it is not finished, or a file is not what was written.
    """
    artifact = Artifact.open(folder)
    for kind, tells in _TELLS.items():
        if kind.kind == artifact.manifest.kind:
            return tells(kind.open(folder), look)
    return files.account_of(artifact, look)
