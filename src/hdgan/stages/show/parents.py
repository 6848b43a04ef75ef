"""The images that label maps belong to: those of a parent that lies beside."""

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import ArtifactError, ImageError
from hdgan.stages.show.account import Look

ReadImage = Callable[[str], UInt8[np.ndarray, "height width 3"] | None]
"""The image of this name, or None if it cannot be had."""


def images_of(child: Artifact, look: Look) -> ReadImage:
    """The images that a set of label maps was made from; none if they are not beside it."""
    samples, tiles = look.parent(child, SampleSet), look.parent(child, TileSet)
    if samples is not None:
        by_sample = {record.sample: record for record in samples.records()}
        read: ReadImage = lambda name: samples.image(by_sample[name])  # noqa: E731
    elif tiles is not None:
        by_tile = {record.tile: record for record in tiles.records()}
        read = lambda name: tiles.image(by_tile[name])  # noqa: E731
    else:
        return lambda _: None

    def image(name: str) -> UInt8[np.ndarray, "height width 3"] | None:
        try:
            return read(name)
        except (KeyError, ArtifactError, ImageError):
            # The parent is another artifact, and whether it is whole is not asked here.
            return None

    return image
