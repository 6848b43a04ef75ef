"""How far a mean over patients and runs may lie from the truth.

Both are drawn at random: other patients, and other labels or seeds, would have given other scores.
A bootstrap over patients alone takes a lucky set of runs for a discovery: it calls an arm better
than itself in 14 to 28 of 100 comparisons where 2.5 are meant to (5 to 20 patients, 3 to 9 runs
that differ by .02 and by .03 within a patient). So

- patients and runs are resampled, each on its own, and their two deviations added: the pigeonhole
  bootstrap (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1), less its term
  for patient and run together. That one counts the residual a third time; here it counts twice,
  once with the patients and once with the runs, which errs on the safe side;
- each deviation is widened by sqrt(k / (k - 1)) for its k patients or runs, and the sum by a
  draw of sqrt(df / chi-square), which turns its tails from normal into those of Student's t
  (after Hesterberg 2015, "What teachers should know about the bootstrap");
- the degrees of freedom are Satterthwaite's (1946): k - 1 of whichever of the two dominates;
- runs with the same labels share their luck. If label draws differ by more than their runs
  explain, the runs are spread until they do, and their degrees of freedom fall as the variance
  grows: from runs - 1, where draws do not matter, to draws - 1, where nothing else does. To
  resample whole draws, the textbook's way, would make intervals that show nothing of two or three
  draws. Measured (normal scores, 5 to 20 patients, 2 or 3 draws x 2 or 3 seeds, draws that differ
  by as much as seeds do): an arm is called better than itself in 2 to 4 of 100 comparisons with 3
  draws and in up to 5 with 2; in up to 9 if draws are ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

NUM_REPLICATES = 4000
"""The bounds of a 95 % interval then move by some 1 % of its width with the seed."""

CHUNK = 500
"""Replicates drawn at once; bounds memory."""

Scores = Float[np.ndarray, "patients runs values"]


@dataclass(frozen=True)
class MeanSpread:
    """The mean over patients and runs, and what it would be with others of both."""

    mean: Float[np.ndarray, " values"]
    """Over patients and runs."""

    replicates: Float[np.ndarray, "replicates values"]
    """Other means that might have been found."""

    run_error: Float[np.ndarray, " values"]
    """Standard error of the mean from the runs alone; 0 with one run, where it is unknown."""


def mean_spread(
    scores: Scores,
    *,
    seed: int,
    num_replicates: int = NUM_REPLICATES,
    draws: Sequence[int] | None = None,
) -> MeanSpread:
    """The mean of each value and its replicates; values of one patient and run stay together.

    Memory: `num_replicates` x (values + 1) numbers, and 500 x (patients + runs) more.

    Args:
        scores: without NaN. With one run, only patients are resampled; with one patient, only runs.
        seed: the same one gives the same replicates.
        num_replicates: how many.
        draws: which label draw each run has learned from. None: runs share nothing.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is not a number; leave its patient out")
    random = np.random.default_rng(seed)
    mean = scores.mean(axis=(0, 1))
    of_patient = scores.mean(axis=1) - mean
    of_run = scores.mean(axis=0) - mean
    growth = _growth_by_draws(of_run, draws)
    of_run = of_run * np.sqrt(growth)
    deviations = _resampled(of_patient, num_replicates, random)
    deviations += _resampled(of_run, num_replicates, random)
    degrees = degrees_of_freedom(of_patient, of_run, growth)
    widening = np.sqrt(degrees / random.chisquare(degrees, size=(num_replicates, 1)))
    return MeanSpread(mean, mean + deviations * widening, np.sqrt(variance_of_mean(of_run)))


def degrees_of_freedom(
    of_patient: Float[np.ndarray, "patients values"],
    of_run: Float[np.ndarray, "runs values"],
    growth: Float[np.ndarray, " values"],
) -> float:
    """Satterthwaite's for the sum of the two variances; the fewest of the values.

    Args:
        of_patient: deviation of each patient's mean from the mean.
        of_run: that of each run's.
        growth: by how much label draws have made the variance of runs larger, 1 or more.
    """
    variances = np.stack([variance_of_mean(part) for part in (of_patient, of_run)])
    free = np.stack([np.full(len(growth), len(of_patient) - 1.0), (len(of_run) - 1) / growth])
    free = np.maximum(free, 1.0)
    spread = (variances**2 / free).sum(axis=0)
    unknown = np.full(len(spread), free.min())
    return float(np.divide(variances.sum(axis=0) ** 2, spread, out=unknown, where=spread > 0).min())


def variance_of_mean(
    deviations: Float[np.ndarray, "drawn values"],
) -> Float[np.ndarray, " values"]:
    """That of the mean of independent draws; 0 of a single one, whose spread is unknown."""
    count = len(deviations)
    return (deviations**2).sum(axis=0) / (max(1, count - 1) * count)


def _growth_by_draws(
    of_run: Float[np.ndarray, "runs values"], draws: Sequence[int] | None
) -> Float[np.ndarray, " values"]:
    """Variance of the mean by label draws / by runs; 1 where it is less, or draws are unknown."""
    alone = variance_of_mean(of_run)
    if draws is None or len(set(draws)) < 2:
        return np.ones_like(alone)
    if len(draws) != len(of_run):
        raise ValueError(f"{len(of_run)} runs need as many draws, not {len(draws)}")
    drawn = np.array(draws)
    means = np.stack([of_run[drawn == draw].mean(axis=0) for draw in sorted(set(draws))])
    of_draw = variance_of_mean(means - means.mean(axis=0))
    ratio = np.divide(of_draw, alone, out=np.ones_like(alone), where=alone > 0)
    return np.maximum(ratio, 1.0)


def _resampled(
    deviations: Float[np.ndarray, "drawn values"], num_replicates: int, random: np.random.Generator
) -> Float[np.ndarray, "replicates values"]:
    """Means of as many draws with replacement, widened by sqrt(k / (k - 1))."""
    count = len(deviations)
    if count == 1:
        return np.zeros((num_replicates, deviations.shape[1]))
    chances = np.full(count, 1 / count)
    chunks = [
        random.multinomial(count, chances, size=min(CHUNK, num_replicates - done)) @ deviations
        for done in range(0, num_replicates, CHUNK)
    ]
    return np.concatenate(chunks) / np.sqrt(count * (count - 1))
