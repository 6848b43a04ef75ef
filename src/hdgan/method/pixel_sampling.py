"""Drawing labelled pixels from all annotated images at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int, Int64, UInt8

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.errors import LabelError

ClassMix = Literal["natural", "balanced"] | tuple[float, ...]
"""As often as a class is labelled, every class equally often, or in these proportions, one number
a class."""


@dataclass(frozen=True)
class DrawnPixels:
    """Pixels by image and place, with their classes."""

    images: Int64[np.ndarray, " pixels"]
    """Which of the images."""

    rows: Int64[np.ndarray, " pixels"]
    """Row in the image."""

    columns: Int64[np.ndarray, " pixels"]
    """Column in the image."""

    classes: UInt8[np.ndarray, " pixels"]
    """What the pixel was labelled."""


class PixelSampler:
    """Draws labelled pixels with replacement, every image in every draw.

    Unlabelled pixels are never drawn. Memory: four bytes for each labelled pixel.
    """

    def __init__(self, label_maps: Sequence[LabelMap], mix: ClassMix) -> None:
        """Index the labelled pixels.

        Raises:
            LabelError: no pixel is labelled that is to be drawn.
        """
        self.width = label_maps[0].shape[1]
        self.pixels = label_maps[0].size
        flat = np.concatenate([labels.ravel() for labels in label_maps])
        classes = [int(i) for i in np.flatnonzero(np.bincount(flat, minlength=256)[:UNLABELLED])]
        if not classes:
            raise LabelError(
                "None of the training label maps has a labelled pixel. Paint at least one class."
            )
        kind = np.uint32 if flat.size < 2**32 else np.uint64
        self.labels = flat
        self.places = [np.flatnonzero(flat == index).astype(kind) for index in classes]
        sizes = np.array([places.size for places in self.places], dtype=np.float64)
        wanted = {"natural": sizes, "balanced": np.ones_like(sizes)}
        weights = wanted[mix] if isinstance(mix, str) else _weights_of(classes, mix)
        self.chances = weights / weights.sum()

    def draw(self, count: int, random: np.random.Generator) -> DrawnPixels:
        """`count` pixels; the same state of `random` gives the same ones."""
        counts = random.multinomial(count, self.chances)
        flat: Int[np.ndarray, " pixels"] = np.concatenate(
            [
                places[random.integers(0, places.size, size=wanted)]
                for places, wanted in zip(self.places, counts, strict=True)
            ]
        ).astype(np.int64)
        flat = random.permutation(flat)
        images, place = np.divmod(flat, self.pixels)
        rows, columns = np.divmod(place, self.width)
        return DrawnPixels(images, rows, columns, self.labels[flat])


def _weights_of(classes: Sequence[int], mix: tuple[float, ...]) -> Float64[np.ndarray, " classes"]:
    """The proportions of the classes that are labelled.

    Raises:
        LabelError: all of those are zero.
    """
    weights = np.array([mix[index] for index in classes], dtype=np.float64)
    if not weights.any():
        raise LabelError(
            f"Only classes {classes} are labelled, and all of them have the weight 0. Give one of "
            "them more with --class-weights, or label others."
        )
    return weights
