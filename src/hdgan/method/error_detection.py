"""Whether uncertainty tells wrong pixels from right ones.

Pixels are counted by their uncertainty in steps of 0.4 % of its value, so that what is held does
not grow with the images.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64
from scipy.special import digamma

NUM_STEPS = 2**16
"""Of uncertainty: the sign, exponent and the first eight binary digits of a single-precision
number, whose order is that of the numbers."""

NUM_COVERAGES = 50
"""Points of a curve of risk against coverage."""


@dataclass(frozen=True)
class UncertaintyCounts:
    """Right and wrong pixels by uncertainty: a megabyte."""

    right: Int64[np.ndarray, " steps"]
    """Pixels whose class is right, the surest first."""

    wrong: Int64[np.ndarray, " steps"]
    """Pixels whose class is wrong, the surest first."""

    def plus(self, other: "UncertaintyCounts") -> "UncertaintyCounts":
        """Both together."""
        return UncertaintyCounts(self.right + other.right, self.wrong + other.wrong)


@dataclass(frozen=True)
class RiskCurve:
    """What part is wrong of the pixels that are left when the most uncertain are left out."""

    coverage: Float[np.ndarray, " points"]
    """The part of the pixels that is left, up to 1."""

    risk: Float[np.ndarray, " points"]
    """The part of those that is wrong."""

    optimal: Float[np.ndarray, " points"]
    """The same, had every wrong pixel been more uncertain than every right one."""

    area: float
    """The mean risk over all coverages, pixel by pixel (AURC; Geifman and El-Yaniv 2017)."""

    least_area: float
    """The same of the optimal curve."""


def no_uncertainty() -> UncertaintyCounts:
    """The counts of no pixel."""
    zeros = np.zeros(NUM_STEPS, dtype=np.int64)
    return UncertaintyCounts(zeros, zeros)


def uncertainty_counts(
    uncertainty: Float32[np.ndarray, " pixels"], is_wrong: Bool[np.ndarray, " pixels"]
) -> UncertaintyCounts:
    """Right and wrong pixels by uncertainty.

    Args:
        uncertainty: of each pixel, 0 or more.
        is_wrong: whether its class is wrong.
    """
    steps = steps_of(uncertainty)
    return UncertaintyCounts(
        np.bincount(steps[~is_wrong], minlength=NUM_STEPS),
        np.bincount(steps[is_wrong], minlength=NUM_STEPS),
    )


def steps_of(uncertainty: Float32[np.ndarray, " pixels"]) -> Int64[np.ndarray, " pixels"]:
    """The step of each value; a larger value never has a lower step."""
    whole = np.ascontiguousarray(np.maximum(uncertainty, np.float32(0)))
    return (whole.view(np.uint32) >> 15).astype(np.int64)


def error_auroc(counts: UncertaintyCounts) -> float:
    """The chance that a wrong pixel is more uncertain than a right one, ties half.

    0.5 is chance, 1 is perfect; NaN if all pixels are right or all are wrong.
    """
    right, wrong = float(counts.right.sum()), float(counts.wrong.sum())
    if not right or not wrong:
        return float("nan")
    surer = np.cumsum(counts.right) - 0.5 * counts.right
    return float((counts.wrong / wrong) @ (surer / right))


def risk_curve(counts: UncertaintyCounts) -> RiskCurve | None:
    """Risk against coverage; None without a pixel.

    Pixels of one step are left out in any order: the expectation over all orders is meant.
    """
    is_used = (counts.right + counts.wrong) > 0
    if not is_used.any():
        return None
    right, wrong = counts.right[is_used], counts.wrong[is_used]
    best = np.array([right.sum(), 0]), np.array([0, wrong.sum()])
    coverage = np.arange(1, NUM_COVERAGES + 1) / NUM_COVERAGES
    return RiskCurve(
        coverage,
        _risk_at(coverage, right, wrong),
        _risk_at(coverage, *best),
        _area(right, wrong),
        _area(*best),
    )


def _risk_at(
    coverage: Float[np.ndarray, " points"],
    right: Int64[np.ndarray, " used"],
    wrong: Int64[np.ndarray, " used"],
) -> Float[np.ndarray, " points"]:
    reached = np.concatenate([[0], np.cumsum(right + wrong)]).astype(float)
    errors = np.concatenate([[0], np.cumsum(wrong)]).astype(float)
    kept = coverage * reached[-1]
    return np.interp(kept, reached, errors) / kept


def _area(right: Int64[np.ndarray, " used"], wrong: Int64[np.ndarray, " used"]) -> float:
    """The mean over k of (errors among the k surest) / k.

    Within a step of n pixels, a part r of them wrong, after K pixels with W errors, the terms are
    (W + r j) / (K + j), j from 1 to n: r and (W - r K) / (K + j), a difference of digammas.
    """
    pixels = (right + wrong).astype(float)
    before, errors = np.cumsum(pixels) - pixels, (np.cumsum(wrong) - wrong).astype(float)
    rate = np.divide(wrong, pixels, out=np.zeros(pixels.shape), where=pixels > 0)
    sums = digamma(before + pixels + 1) - digamma(before + 1)
    return float((rate * pixels + (errors - rate * before) * sums).sum() / pixels.sum())
