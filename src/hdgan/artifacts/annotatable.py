"""What can be annotated: the images of a sample set or of a tile set."""

from pathlib import Path

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import WrongArtifactError


def annotatable(folder: Path) -> SampleSet | TileSet:
    """The sample set or tile set in a folder.

    Raises:
        WrongArtifactError: it is neither.
    """
    kind = Artifact.open(folder).manifest.kind
    if kind == SampleSet.kind:
        return SampleSet.open(folder)
    if kind == TileSet.kind:
        return TileSet.open(folder)
    raise WrongArtifactError(
        f"{folder} is of kind {kind}; only images of a sample-set or tile-set can be annotated."
    )
