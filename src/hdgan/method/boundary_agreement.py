"""How well predicted boundaries lie on true ones, to a tolerance of some pixels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.method.label_quality import on_border

TOLERANCE_PX = 2
"""Boundaries that are no further apart agree: about what two experts differ by."""


@dataclass(frozen=True)
class BoundaryCounts:
    """Pixels on the boundary of each class, and how many lie near one of the other map."""

    predicted: Int64[np.ndarray, " classes"]
    """On a predicted boundary."""

    predicted_near: Int64[np.ndarray, " classes"]
    """Of those, within the tolerance of a true one."""

    true: Int64[np.ndarray, " classes"]
    """On a true boundary."""

    true_near: Int64[np.ndarray, " classes"]
    """Of those, within the tolerance of a predicted one."""

    def plus(self, other: "BoundaryCounts") -> "BoundaryCounts":
        """Both together."""
        mine, its = vars(self).values(), vars(other).values()
        return BoundaryCounts(*(one + two for one, two in zip(mine, its, strict=True)))


def no_boundaries(num_classes: int) -> BoundaryCounts:
    """The counts of no pixel."""
    return BoundaryCounts(*(np.zeros((4, num_classes), dtype=np.int64)))


def boundary_counts(
    truth: LabelMap, predicted: LabelMap, num_classes: int, tolerance_px: int = TOLERANCE_PX
) -> BoundaryCounts:
    """Pixels on boundaries, and how many lie near one of the other map.

    A pixel is on the boundary of its class if a side of it is one of another class. Where the truth
    is unlabelled is no boundary of either map. Memory: about six bytes a pixel.
    """
    known = np.where(truth == UNLABELLED, np.uint8(UNLABELLED), predicted)
    borders = on_border(known), on_border(truth)
    counts = np.zeros((4, num_classes), dtype=np.int64)
    for tissue in range(num_classes):
        found, true = borders[0] & (known == tissue), borders[1] & (truth == tissue)
        near_true, near_found = (grown(mask, tolerance_px) for mask in (true, found))
        masks = (found, found & near_true, true, true & near_found)
        counts[:, tissue] = [int(mask.sum()) for mask in masks]
    return BoundaryCounts(*counts)


def boundary_f1(counts: BoundaryCounts) -> Float[np.ndarray, " classes"]:
    """The harmonic mean of both parts that lie near; NaN of a class without any boundary."""
    precision = counts.predicted_near / np.maximum(counts.predicted, 1)
    recall = counts.true_near / np.maximum(counts.true, 1)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros(both.shape), where=both > 0)
    return np.where(counts.predicted + counts.true > 0, f1, np.nan)


def grown(
    region: Bool[np.ndarray, "height width"], margin_px: int
) -> Bool[np.ndarray, "height width"]:
    """The pixels whose distance to one of the region is at most `margin_px`."""
    result = region.copy()
    if not region.any():
        return result
    for y in range(-margin_px, margin_px + 1):
        for x in range(-margin_px, margin_px + 1):
            if 0 < y * y + x * x <= margin_px**2:
                _place(result, y, x)[...] |= _place(region, -y, -x)
    return result


def _place(
    pixels: Bool[np.ndarray, "height width"], y: int, x: int
) -> Bool[np.ndarray, "rows columns"]:
    """What remains without the first `y` rows and `x` columns; without the last, if below 0."""
    rows = slice(max(0, y), max(0, pixels.shape[0] + min(0, y)))
    columns = slice(max(0, x), max(0, pixels.shape[1] + min(0, x)))
    return pixels[rows, columns]
