"""Where artifacts are that are not in folders beside those that were made from them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SampleSources:
    """What annotations of samples were made from."""

    samples: Path | None = None
    """The sample set, if it is not in a folder beside the annotations."""

    generator: Path | None = None
    """The generator, if it is not in a folder beside the samples."""


@dataclass(frozen=True)
class AnnotationSources(SampleSources):
    """What annotations of samples or of tiles were made from."""

    tiles: Path | None = None
    """The tile set, if it is not in a folder beside the annotations."""


@dataclass(frozen=True)
class ClassifierSources(AnnotationSources):
    """Where the artifacts are that a classifier is fitted to."""

    encoder: Path | None = None
    """For --real-labels projection: a network that says how alike a real crop and its drawing are,
    as for `score-generator`. Without it, pixels and edges at several scales say so."""
