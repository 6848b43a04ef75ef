"""Whether probabilities mean what they say: of what is said with .8, .8 should be so."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

NUM_BINS = 15
"""Equal steps of probability from 0 to 1 (Guo et al. 2017, On calibration of modern neural
networks)."""


@dataclass(frozen=True)
class Reliability:
    """What was said with how much probability, and what was so, in bins; no pixel is kept."""

    pixels: Int64[np.ndarray, " bins"]
    """How many probabilities lie in each bin."""

    said: Float[np.ndarray, " bins"]
    """Their sum."""

    true: Int64[np.ndarray, " bins"]
    """Of how many pixels it was so."""

    def plus(self, other: "Reliability") -> "Reliability":
        """Both together."""
        return Reliability(
            self.pixels + other.pixels, self.said + other.said, self.true + other.true
        )

    @property
    def mean_said(self) -> Float[np.ndarray, " bins"]:
        """The mean probability in each bin; NaN in an empty one."""
        return _means(self.said, self.pixels)

    @property
    def share_true(self) -> Float[np.ndarray, " bins"]:
        """The part of the pixels of each bin of which it was so; NaN in an empty one."""
        return _means(self.true, self.pixels)

    @property
    def expected_error(self) -> float:
        """The mean of |said - true| over the bins, each weighted by its pixels; NaN without any.

        0 is perfect. For the probability of the class that is predicted it is the expected
        calibration error of Guo et al. 2017, for the probability of one class the class-wise one of
        Nixon et al. 2019 (Measuring calibration in deep learning).
        """
        total = int(self.pixels.sum())
        return float(np.abs(self.said - self.true).sum() / total) if total else float("nan")


def no_reliability() -> Reliability:
    """That of no pixel."""
    zeros = np.zeros(NUM_BINS, dtype=np.int64)
    return Reliability(zeros, np.zeros(NUM_BINS), zeros)


def reliability_of(
    probabilities: Float32[np.ndarray, " pixels"], is_so: Bool[np.ndarray, " pixels"]
) -> Reliability:
    """How probabilities compare with what was so.

    Args:
        probabilities: of something, at each pixel, 0 to 1.
        is_so: whether it was so there.
    """
    bins = np.clip((probabilities * NUM_BINS).astype(np.int64), 0, NUM_BINS - 1)
    return Reliability(
        np.bincount(bins, minlength=NUM_BINS),
        np.bincount(bins, weights=probabilities, minlength=NUM_BINS),
        np.bincount(bins[is_so], minlength=NUM_BINS),
    )


def _means(sums: np.ndarray, counts: Int64[np.ndarray, " bins"]) -> Float[np.ndarray, " bins"]:
    return np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
