"""How a drawing that was made again differs from the one that was kept.

On one computer, with the same versions, nothing differs. Another processor or GPU, and other
versions of what computes, round otherwise.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from hdgan.method.regeneration import TOLERANCE

MOST_PIXELS = 1e-3
"""Part of an image's pixels that rounding may change by more than `TOLERANCE` grey values, in any
channel: what `regenerates` allows."""

MOST_LABELS = 5e-3
"""Part of a label map that rounding may change: pixels where two classes are equally likely."""


@dataclass(frozen=True)
class Difference:
    """What differs between two images or maps, or parts of them that are counted together."""

    num_pixels: int = 0
    """That were compared."""

    num_differing: int = 0
    """That are not the same in every channel."""

    num_beyond: int = 0
    """That differ by more than `TOLERANCE` in a channel."""

    largest: int = 0
    """Largest difference of a channel, 0 to 255."""

    @classmethod
    def between(
        cls,
        kept: UInt8[np.ndarray, "height width *channels"],
        redrawn: UInt8[np.ndarray, "height width *channels"],
    ) -> "Difference":
        """What differs between two of one size."""
        pixel = np.abs(kept.astype(np.int16) - redrawn.astype(np.int16))
        if pixel.ndim == 3:
            pixel = pixel.max(axis=-1)
        return cls(
            num_pixels=pixel.size,
            num_differing=int((pixel > 0).sum()),
            num_beyond=int((pixel > TOLERANCE).sum()),
            largest=int(pixel.max(initial=0)),
        )

    def __add__(self, other: "Difference") -> "Difference":
        """Of both parts together."""
        return Difference(
            num_pixels=self.num_pixels + other.num_pixels,
            num_differing=self.num_differing + other.num_differing,
            num_beyond=self.num_beyond + other.num_beyond,
            largest=max(self.largest, other.largest),
        )

    @property
    def share_differing(self) -> float:
        """Of the pixels, from 0 to 1."""
        return self.num_differing / max(1, self.num_pixels)

    @property
    def share_beyond(self) -> float:
        """Of the pixels, from 0 to 1: those that differ by more than `TOLERANCE`."""
        return self.num_beyond / max(1, self.num_pixels)

    @property
    def is_rounding_of_image(self) -> bool:
        """Whether grey values, or uncertainties in 255 steps, are the same but for rounding."""
        return self.share_beyond <= MOST_PIXELS

    @property
    def is_rounding_of_labels(self) -> bool:
        """Whether label maps are the same but for rounding."""
        return self.share_differing <= MOST_LABELS
