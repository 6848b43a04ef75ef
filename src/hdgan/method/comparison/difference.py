"""Whether one arm is better than another on the same patients: interval and verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from hdgan.method.comparison.resampling import mean_spread

LEVEL = 0.95
"""Of an interval: in so many of 100 comparisons it holds the truth."""

LEAST_PATIENTS = 3
"""For a verdict; with two, an arm is called better than itself in up to 6 of 100 comparisons."""

Verdict = Literal["helps", "no evidence", "hurts"]

RunScores = Float[np.ndarray, "patients runs"]


@dataclass(frozen=True)
class ArmMean:
    """The mean score of an arm; all are NaN where no patient has a score."""

    mean: float
    """Over patients and runs."""

    low: float
    """Lower bound of the interval; NaN with fewer than two patients."""

    high: float
    """Upper bound of the interval; NaN with fewer than two patients."""

    level: float
    """How often such an interval holds the truth."""

    num_patients: int
    """That the mean is over."""

    num_runs: int
    """Label draws x seeds."""

    num_draws: int | None
    """Label draws among the runs; None if unknown."""

    num_left_out: int
    """Patients without a score in some run."""

    patient_deviation: float
    """Standard deviation of the patients, each over its runs; NaN with fewer than two."""

    run_error: float
    """Standard error of the mean from the runs alone; 0 with one run, where it is unknown."""

    @property
    def is_decidable(self) -> bool:
        """Whether there is enough for a verdict: three patients, two runs, two label draws.

        With one draw x 3 seeds an arm is called better than itself in 8 to 28 of 100 comparisons,
        however many seeds there are: each arm has luck of its own with the labels.
        """
        enough = self.num_patients >= LEAST_PATIENTS and self.num_runs > 1
        return enough and self.num_draws != 1

    @property
    def caveat(self) -> str:
        """What the interval does not know, as a sentence; empty if nothing."""
        if self.num_patients < 2:
            return f"Too few patients for an interval: {self.num_patients}, it needs 2 at least."
        if self.num_patients < LEAST_PATIENTS:
            return f"Too few patients for a verdict: {self.num_patients}, it needs 3 at least."
        if self.num_runs < 2:
            return (
                "One run: the interval knows how patients differ, not what other labels or another "
                "seed would have given, so it is too narrow for a verdict."
            )
        if self.num_draws == 1:
            return (
                "One label draw: no verdict, since the interval does not know what other labels "
                "would have given."
            )
        return ""


@dataclass(frozen=True)
class PairedDifference(ArmMean):
    """An arm's score less another's, patient by patient and run by run."""

    chance_above_zero: float
    """The part of the replicates that are above 0 (half of those at 0); NaN without interval."""


def paired_difference(
    candidate: RunScores,
    reference: RunScores,
    *,
    seed: int,
    level: float = LEVEL,
    draws: Sequence[int] | None = None,
) -> PairedDifference:
    """How much better the candidate is than the reference, with an interval.

    Other patients and other runs are both allowed for (`resampling`). A patient without a score in
    any run of either arm is left out and counted.

    Args:
        candidate: macro Dice of each patient (row) in each run (column).
        reference: the same patients; run for run the same labels.
        seed: of the resampling.
        level: of the interval.
        draws: which label draw each run has learned from: runs of one draw share their luck.
            None: every run counts as independent.
    """
    if candidate.shape != reference.shape:
        raise ValueError(f"scores of {candidate.shape} and {reference.shape} cannot be paired")
    found, replicates = _interval(candidate - reference, seed, level, draws)
    above = float("nan")
    if len(replicates):
        above = float((replicates > 0).mean() + (replicates == 0).mean() / 2)
    return PairedDifference(**vars(found), chance_above_zero=above)


def difference_without_draws(
    candidate: Float[np.ndarray, "patients seeds"],
    reference: RunScores,
    *,
    draws: Sequence[int],
    seeds: Sequence[int],
    seed: int,
) -> PairedDifference:
    """How much better a candidate that has all labels is than a reference that has draws of them.

    Runs of one draw share the reference's luck with the labels, runs of one seed the candidate's
    with its training. The interval is the wider one of these two. Measured (12 and 20 patients, 2
    to 6 draws x 2 or 3 seeds): either verdict on equal arms in 1 to 6 of 100 comparisons; in up to
    14 if only seeds are told apart. With one draw or one seed there is no interval.

    Args:
        candidate: macro Dice of each patient (row) with each seed (column).
        reference: the same patients; a column a run.
        draws: which label draw each run of the reference has learned from.
        seeds: which seed each of them had, as a column of the candidate.
        seed: of the resampling.
    """
    paired = candidate[:, list(seeds)]
    by_draw, by_seed = (
        paired_difference(paired, reference, seed=seed, draws=shared) for shared in (draws, seeds)
    )
    num_alike = min(len(set(draws)), len(set(seeds)))
    if num_alike < 2:
        nothing = float("nan")
        return replace(by_draw, low=nothing, high=nothing, num_draws=num_alike)
    return replace(
        by_draw if by_draw.high - by_draw.low > by_seed.high - by_seed.low else by_seed,
        low=min(by_draw.low, by_seed.low),
        high=max(by_draw.high, by_seed.high),
        num_draws=num_alike,
    )


def interval_of_mean(
    scores: RunScores, *, seed: int, level: float = LEVEL, draws: Sequence[int] | None = None
) -> ArmMean:
    """The mean of one arm's scores, with the same kind of interval as a difference has."""
    return _interval(scores, seed, level, draws)[0]


def verdict_of(difference: PairedDifference) -> Verdict:
    """*helps* if the whole interval is above 0, *hurts* if it is below, else *no evidence*.

    Where there is not enough for a verdict (`ArmMean.is_decidable`) there is never evidence.
    """
    if not difference.is_decidable:
        return "no evidence"
    if difference.low > 0:
        return "helps"
    return "hurts" if difference.high < 0 else "no evidence"


def holm_verdicts(
    differences: Mapping[str, PairedDifference], *, level: float = LEVEL
) -> dict[str, Verdict]:
    """Verdicts that allow for there being several comparisons (Holm 1979).

    Of arms that all equal the reference, one or more get a verdict in at most 1 - `level` of
    comparisons. `verdict_of` makes no such allowance.
    """
    doubts = {name: _two_sided(difference) for name, difference in differences.items()}
    verdicts: dict[str, Verdict] = dict.fromkeys(differences, "no evidence")
    for rank, name in enumerate(sorted(doubts, key=lambda name: doubts[name])):
        if doubts[name] * (len(doubts) - rank) > 1 - level:
            break
        verdicts[name] = verdict_of(differences[name])
    return verdicts


def _two_sided(difference: PairedDifference) -> float:
    """The chance of a difference this far from 0 on either side if there is none."""
    if not difference.is_decidable:
        return 1.0
    return 2 * min(difference.chance_above_zero, 1 - difference.chance_above_zero)


def _interval(
    scores: RunScores, seed: int, level: float, draws: Sequence[int] | None
) -> tuple[ArmMean, Float[np.ndarray, " replicates"]]:
    """The mean with its interval, and the replicates; none with fewer than two patients."""
    whole = scores[~np.isnan(scores).any(axis=1)]
    low = high = deviation = error = float("nan")
    replicates = np.empty(0)
    if len(whole) > 1:
        spread = mean_spread(whole[:, :, None], seed=seed, draws=draws)
        replicates = spread.replicates[:, 0]
        low, high = (float(bound) for bound in np.quantile(replicates, _tails(level)))
        deviation = float(whole.mean(axis=1).std(ddof=1))
        error = float(spread.run_error[0])
    found = ArmMean(
        mean=float(whole.mean()) if whole.size else float("nan"),
        low=low,
        high=high,
        level=level,
        num_patients=len(whole),
        num_runs=scores.shape[1],
        num_draws=None if draws is None else len(set(draws)),
        num_left_out=len(scores) - len(whole),
        patient_deviation=deviation,
        run_error=error,
    )
    return found, replicates


def _tails(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2
