"""Objects that are half of one class and half of another, and specks that are none."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64
from scipy import ndimage

from hdgan.class_map import LabelMap
from hdgan.method.label_quality import SPECKLE_PX

UNDECIDED = 0.2
"""An object's two best classes lie this near, in mean probability, where it is of both."""


@dataclass(frozen=True)
class ObjectCounts:
    """Connected regions of the predicted classes."""

    objects: Int64[np.ndarray, " classes"]
    """Of `SPECKLE_PX` or more."""

    undecided: Int64[np.ndarray, " classes"]
    """Of those, the ones whose two best classes lie within `UNDECIDED`."""

    speckles: Int64[np.ndarray, " classes"]
    """Of less than `SPECKLE_PX`."""

    pixels: int
    """Of the label maps."""

    def plus(self, other: "ObjectCounts") -> "ObjectCounts":
        """Both together."""
        mine, its = vars(self).values(), vars(other).values()
        return ObjectCounts(*(one + two for one, two in zip(mine, its, strict=True)))


def no_objects(num_classes: int) -> ObjectCounts:
    """The counts of no label map."""
    zeros = np.zeros(num_classes, dtype=np.int64)
    return ObjectCounts(zeros, zeros, zeros, 0)


def object_counts(
    predicted: LabelMap, probabilities: Float32[np.ndarray, "classes height width"]
) -> ObjectCounts:
    """The objects of a label map. They connect over sides.

    Memory: about five bytes a pixel, and twenty a pixel of one class.
    """
    num_classes = len(probabilities)
    counts = np.zeros((3, num_classes), dtype=np.int64)
    for tissue in range(num_classes):
        mask = predicted == tissue
        if not mask.any():
            continue
        regions, count = ndimage.label(mask)
        places = regions[mask] - 1
        sizes = np.bincount(places, minlength=count)
        is_object = sizes >= SPECKLE_PX
        sums = np.stack(
            [np.bincount(places, weights=plane[mask], minlength=count) for plane in probabilities]
        )
        gaps = _gap(sums[:, is_object] / sizes[is_object])
        counts[:, tissue] = [is_object.sum(), (gaps <= UNDECIDED).sum(), (~is_object).sum()]
    return ObjectCounts(counts[0], counts[1], counts[2], predicted.size)


def _gap(means: Float[np.ndarray, "classes objects"]) -> Float[np.ndarray, " objects"]:
    """By how much the most probable class of each object is ahead of the second."""
    if len(means) < 2:
        return np.full(means.shape[1], np.inf)
    best = np.partition(means, -2, axis=0)
    return best[-1] - best[-2]
