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
