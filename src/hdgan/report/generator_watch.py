"""Watching a generator while it learns: measures, a file of them, warnings."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hdgan.artifacts.real_images import RealImages
from hdgan.method.generator_watch import Watched, thumbnails, warnings_of, watched
from hdgan.method.image_quality import Features
from hdgan.method.latent import image_of, w_of
from hdgan.method.stylegan.synthesis import Generator

Encode = Callable[[list[np.ndarray]], Features]
"""Images, RGB, to one row of features each."""

NUM_IMAGES = 128
"""Drawings, and as many crops of each kind, that are compared."""

FIRST_CROP = 10**9
"""Number of the first crop that is compared, beyond those that are learned from."""


@dataclass
class GeneratorWatch:
    """Compares a generator's drawings with crops of its training tiles and of unseen ones."""

    training: RealImages
    unseen: RealImages | None
    encode: Encode = thumbnails
    history: list[Watched] = field(default_factory=list)
    _real: tuple[Features, Features | None] | None = None

    def look(self, generator: Generator, images: int, strength: float) -> list[str]:
        """Compare now; what is wrong comes back, one sentence each."""
        if self._real is None:
            unseen = None if self.unseen is None else self._encoded(self.unseen)
            self._real = self._encoded(self.training), unseen
        drawn = self.encode(
            [image_of(generator, w_of(generator, i, 1.0)) for i in range(NUM_IMAGES)]
        )
        self.history.append(watched(images, strength, drawn, *self._real))
        return warnings_of(self.history)

    def _encoded(self, reals: RealImages) -> Features:
        return self.encode([reals[FIRST_CROP + number] for number in range(NUM_IMAGES)])
