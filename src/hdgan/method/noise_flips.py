"""Labels that change with the noise alone, which no reader of the latent can know of."""

from collections.abc import Callable
from typing import Generic, TypeVar

from hdgan.class_map import LabelMap
from hdgan.method.trust_scores import NoiseFlips

Record = TypeVar("Record")


class NoiseFlipTally(Generic[Record]):
    """Counts the pixels whose label changes, on the first images."""

    def __init__(self, redraw: Callable[[Record], LabelMap] | None, num_images: int) -> None:
        """Begin.

        Args:
            redraw: the labels of an image that is drawn again with other noise; None of a
                generator that has no noise.
            num_images: how many are drawn again at most.
        """
        self.redraw, self.num_images = redraw, num_images
        self.images = self.changed = self.pixels = 0

    def add(self, record: Record, labels: LabelMap) -> None:
        """Draw an image again, if that is still wanted.

        Args:
            record: what says which image.
            labels: those of the image as it is.
        """
        if self.redraw is None or self.images >= self.num_images:
            return
        again = self.redraw(record)
        self.changed += int((again != labels).sum())
        self.pixels += labels.size
        self.images += 1

    def flips(self) -> NoiseFlips:
        """The part of the pixels that changed."""
        if self.redraw is None:
            return NoiseFlips(0, None, "no noise inputs: the latent alone decides what is drawn")
        if not self.images:
            return NoiseFlips(0, None, "not measured, as no image was to be drawn again")
        return NoiseFlips(self.images, self.changed / self.pixels, "")
