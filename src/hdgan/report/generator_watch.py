"""Watching a generator while it learns: measures of its drawings, and warnings."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from hdgan.artifacts.real_images import RealImages
from hdgan.method.generator_watch import Watched, thumbnail, warnings_of, watched
from hdgan.method.image_quality import Features
from hdgan.method.latent import image_of, w_of
from hdgan.method.stylegan.synthesis import Generator

NUM_IMAGES = 128
"""Drawings, and as many crops of each kind, that are compared."""

FIRST_CROP = 10**9
"""Number of the first crop that is compared, beyond those that are learned from."""


@dataclass
class GeneratorWatch:
    """Compares a generator's drawings with crops of its training tiles and of unseen ones.

    Memory: one image at a time, and a thumbnail of each.
    """

    training: RealImages
    unseen: RealImages | None
    history: list[Watched] = field(default_factory=list)
    _real: tuple[Features, Features | None] | None = None

    def look(self, generator: Generator, images: int, strength: float) -> list[str]:
        """Compare now; what is wrong comes back, one sentence each."""
        if self._real is None:
            unseen = None if self.unseen is None else _of_crops(self.unseen)
            self._real = _of_crops(self.training), unseen
        drawn = _thumbnails(image_of(generator, w_of(generator, i, 1.0)) for i in range(NUM_IMAGES))
        self.history.append(watched(images, strength, drawn, *self._real))
        return warnings_of(self.history)


def _of_crops(reals: RealImages) -> Features:
    return _thumbnails(reals[FIRST_CROP + number] for number in range(NUM_IMAGES))


def _thumbnails(images: Iterable[np.ndarray]) -> Features:
    return np.stack([thumbnail(image) for image in images])
