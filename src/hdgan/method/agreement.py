"""How far two readings of the same tiles agree."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from hdgan.class_map import LabelMap
from hdgan.method.metrics import dice


@dataclass(frozen=True)
class Agreement:
    """Of two readings, over the pixels that both have given a class; NaN where nothing is known."""

    dice: Float[np.ndarray, " classes"]
    """Of each class: 2 x pixels where both have it / (pixels of one + pixels of the other)."""

    kappa: Float[np.ndarray, " classes"]
    """Of each class against all others: agreement beyond chance (Cohen)."""

    kappa_all: float
    """The same over all classes together."""

    pixels: int
    """That both have given a class."""


def compared(
    first: LabelMap, second: LabelMap, num_classes: int
) -> Int64[np.ndarray, "classes classes"]:
    """How many pixels have each class in the first reading (rows) and the second (columns).

    Pixels that either has left unlabelled or marked ambiguous take no part.
    """
    both = (first < num_classes) & (second < num_classes)
    joint = first[both].astype(np.int64) * num_classes + second[both]
    counts = np.bincount(joint, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def agreement(matrix: Int64[np.ndarray, "classes classes"]) -> Agreement:
    """The agreement that `compared` counts speak of, also if those of several tiles are added."""
    total = int(matrix.sum())
    # Products of two counts of a large set exceed 64 bits.
    ones = np.diagonal(matrix).astype(np.float64)
    rows, columns = (matrix.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    neither = total - rows - columns + ones
    observed = (ones + neither) / max(total, 1)
    chance = (rows * columns + (total - rows) * (total - columns)) / max(total, 1) ** 2
    return Agreement(
        dice(matrix),
        np.where(rows + columns > 0, _beyond(observed, chance), np.nan),
        float(_beyond(np.array(ones.sum() / max(total, 1)), _chance(rows, columns, total)))
        if total
        else float("nan"),
        total,
    )


def _chance(rows: np.ndarray, columns: np.ndarray, total: int) -> np.ndarray:
    """The part that would agree if both dealt their classes at random."""
    return np.array((rows * columns).sum() / max(total, 1) ** 2)


def _beyond(observed: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Cohen's kappa; NaN where chance alone agrees everywhere."""
    return np.divide(
        observed - chance, 1 - chance, out=np.full(chance.shape, np.nan), where=chance < 1
    )
