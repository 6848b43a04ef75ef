"""By how much a predicted region must grow to be trusted to cover the true one.

Split conformal prediction with a margin of dilation (Mossina and Friedrich 2025, Conformal
prediction for image segmentation using morphological prediction sets). The units that are
exchangeable are images or patients, never pixels: pixels of an image know of each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Int64
from scipy.spatial import cKDTree

CHUNK = 2**18
"""Pixels whose distances are held at once; or one row of an image that is wider."""


@dataclass(frozen=True)
class Reach:
    """True pixels of a class by the margin that reaches them: eight bytes a px of the largest."""

    by_margin: Int64[np.ndarray, " margins"]
    """How many a margin of i px reaches and one of i - 1 px does not; the first need none."""

    beyond: int
    """How many no margin reaches, since the class is not predicted there."""

    @property
    def pixels(self) -> int:
        """All true pixels."""
        return int(self.by_margin.sum()) + self.beyond

    def plus(self, other: "Reach") -> "Reach":
        """Both together."""
        length = max(len(self.by_margin), len(other.by_margin))
        both = [np.pad(one.by_margin, (0, length - len(one.by_margin))) for one in (self, other)]
        return Reach(both[0] + both[1], self.beyond + other.beyond)


def no_reach() -> Reach:
    """That of no pixel."""
    return Reach(np.zeros(0, dtype=np.int64), 0)


def reach_of(
    predicted: Bool[np.ndarray, "height width"], true: Bool[np.ndarray, "height width"]
) -> Reach:
    """How far the true pixels lie from the predicted region, in whole px, rounded up.

    Memory: about 40 bytes a pixel of the region's edge, a few bytes a pixel of the images, and
    some 50 for each of `CHUNK` pixels, however many lie outside.
    """
    inside = int((true & predicted).sum())
    missed = true & ~predicted
    edge = _edge(predicted)
    if not len(edge):
        return Reach(np.zeros(0, dtype=np.int64), int(missed.sum()))
    reach = Reach(np.array([inside], dtype=np.int64), 0)
    tree = cKDTree(edge) if missed.any() else None
    rows = max(1, CHUNK // max(1, missed.shape[1]))
    for first in range(0, len(missed), rows):
        places = np.argwhere(missed[first : first + rows])
        places[:, 0] += first
        if tree is not None and len(places):
            distances = np.ceil(tree.query(places)[0]).astype(np.int64)
            reach = reach.plus(Reach(np.bincount(distances), 0))
    return reach


def margin_px(reach: Reach, part: float) -> float:
    """The least margin, in px, that covers this part of the true pixels; infinite if none does.

    Args:
        reach: of an image, or of all images of a patient; it has a pixel.
        part: to be covered, above 0, at most 1.
    """
    wanted = math.ceil(Fraction(str(part)) * reach.pixels)
    covered = np.cumsum(reach.by_margin)
    if not len(covered) or covered[-1] < wanted:
        return math.inf
    return float(np.searchsorted(covered, wanted))


def units_needed(alpha: float) -> int:
    """Calibration units below which nothing can be promised with error `alpha`: nine for .1."""
    return math.ceil(1 / Fraction(str(alpha))) - 1


def conformal_quantile(values: Sequence[float], alpha: float) -> float:
    """What the value of one more, exchangeable unit exceeds with a chance of at most `alpha`.

    The ceil((n + 1)(1 - alpha))-th smallest of n values.

    Raises:
        ValueError: there are fewer units than `units_needed`.
    """
    needed = units_needed(alpha)
    if len(values) < needed:
        raise ValueError(f"too few calibration units: {len(values)}, needed {needed}")
    rank = math.ceil((len(values) + 1) * (1 - Fraction(str(alpha))))
    return sorted(values)[rank - 1]


def _edge(region: Bool[np.ndarray, "height width"]) -> Int64[np.ndarray, "pixels 2"]:
    """The pixels of a region that touch another one: the nearest to what lies outside."""
    inner = np.pad(region, 1, constant_values=False)
    whole = inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
    return np.argwhere(region & ~whole)
