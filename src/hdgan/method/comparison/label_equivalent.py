"""How many labels an arm is worth: where its score lies on the supervised learning curve."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from hdgan.method.comparison.difference import LEVEL, RunScores
from hdgan.method.comparison.learning_curve import MIN_COUNTS, fitted_curves
from hdgan.method.comparison.resampling import mean_spread

NUM_REPLICATES = 1000
"""Curves that are fitted anew for the interval."""

FARTHEST = 4
"""A curve is followed to so many times the most labels that were tried; beyond, nobody knows."""

Bound = Literal["exactly", "more than", "less than"]


@dataclass(frozen=True)
class Multiplier:
    """What the labels of an arm are worth; all numbers are NaN if `why_not` says why."""

    at: int
    """Labels that the arm has learned from."""

    labels: float
    """Labels with which the supervised arm does as well."""

    multiplier: float
    """`labels / at`."""

    low: float
    """Lower bound of the multiplier."""

    high: float
    """Upper bound of the multiplier."""

    bound: Bound
    """Whether `labels` is where the curve was left, beyond its ceiling or before its start."""

    open_above: bool
    """Whether `high` is where the curve was left: the truth may be anything above."""

    open_below: bool
    """Whether `low` is where the curve starts: the truth may be anything below."""

    level: float
    """Of the interval."""

    why_not: str
    """Why there is no number, as a sentence; empty if there is one."""


def label_equivalent(
    counts: Sequence[int],
    supervised: Float[np.ndarray, "counts patients runs"],
    value: RunScores,
    at: int,
    seed: int,
    *,
    draws: Sequence[int] | None = None,
) -> Multiplier:
    """How many labels the arm's are worth, read off the supervised learning curve.

    The curve is fitted to the means; for the interval patients and runs are resampled for all
    counts and the arm together (`resampling`) and the curve is fitted anew each time. With three
    counts or more the curve is followed from 1 label to four times the most that were tried. With
    two it is a line in log n and is not followed beyond them. With one there is no answer, nor
    for a curve that does not rise.

    Measured (12 patients, five counts, 3 draws x 2 or 3 seeds, draws that differ by .02 or .03
    anew for each count and arm): the interval holds the truth in 84 to 89 of 100 comparisons; in
    64 to 73 if it is not said which run has which draw.

    Args:
        counts: numbers of labels, in any order.
        supervised: macro Dice of the supervised arm; the same patients and runs for each count.
        value: macro Dice of the arm in question.
        at: labels that the arm has learned from.
        seed: of the resampling.
        draws: which label draw each run has learned from, as for `paired_difference`.
    """
    scores = np.concatenate([np.moveaxis(supervised, 0, -1), value[:, :, None]], axis=-1)
    scores = scores[~np.isnan(scores).any(axis=(1, 2))]
    why_not = _why_not(counts, len(scores))
    if why_not:
        return _unknown(at, why_not)
    spread = mean_spread(scores, seed=seed, num_replicates=NUM_REPLICATES, draws=draws)
    numbers = np.array(counts, dtype=np.float64)
    curve = fitted_curves(numbers, spread.mean[None, :-1])
    if not curve.gain[0] > 0:
        return _unknown(
            at, "The supervised score does not rise with the labels, so they have no worth."
        )
    labels = float(curve.labels_for(spread.mean[None, -1])[0])
    curves = fitted_curves(numbers, spread.replicates[:, :-1])
    worth = curves.labels_for(spread.replicates[:, -1])
    low, high = np.quantile(worth, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), method="nearest")
    return _within_span(at, labels, (float(low), float(high)), _span(counts))


@dataclass(frozen=True)
class MinutesSaved:
    """The work of annotators that the arm's labels spare; below 0 they cost more."""

    minutes_a_tile: float
    """Of a label of the supervised arm."""

    spent: float
    """On all labels that the arm has learned from."""

    minutes: float
    """That the labels of equal worth would have cost, less what was spent."""

    low: float
    """Lower end of the interval."""

    high: float
    """Upper end of the interval."""

    bound: Bound
    """Whether `minutes` is exact, or the truth is more, or less."""

    open_above: bool
    """Whether the truth may be anything above `high`."""

    open_below: bool
    """Whether the truth may be anything below `low`."""

    @property
    def is_exact(self) -> bool:
        """Whether `minutes` is no mere bound."""
        return self.bound == "exactly"


def minutes_saved(
    equivalent: Multiplier, minutes_a_tile: float | None, spent: float | None
) -> MinutesSaved | None:
    """The work that the arm's labels spare; None if the equivalent or either time is unknown.

    The supervised arm learns from tiles, the other one perhaps from drawings, which take other
    time: so each is counted with its own.

    Args:
        equivalent: what the arm's labels are worth.
        minutes_a_tile: mean work at a label of the supervised arm.
        spent: work at all labels that the arm has learned from.
    """
    if minutes_a_tile is None or spent is None or equivalent.why_not:
        return None
    middle, low, high = (
        worth * equivalent.at * minutes_a_tile - spent
        for worth in (equivalent.multiplier, equivalent.low, equivalent.high)
    )
    return MinutesSaved(
        minutes_a_tile=minutes_a_tile,
        spent=spent,
        minutes=middle,
        low=low,
        high=high,
        bound=equivalent.bound,
        open_above=equivalent.open_above,
        open_below=equivalent.open_below,
    )


def _why_not(counts: Sequence[int], num_patients: int) -> str:
    """What keeps labels from being given a worth; empty if nothing."""
    if len(set(counts)) < 2:
        return (
            "What a label is worth takes the supervised arm with two numbers of labels at least; "
            f"found {len(set(counts))}."
        )
    if num_patients < 2:
        return f"What a label is worth takes two patients at least; found {num_patients}."
    return ""


def _span(counts: Sequence[int]) -> tuple[float, float]:
    """Where a curve through these counts is read: the fewest labels and the most."""
    if len(counts) < MIN_COUNTS:
        return float(min(counts)), float(max(counts))
    return 1.0, float(FARTHEST * max(counts))


def _within_span(
    at: int, labels: float, interval: tuple[float, float], span: tuple[float, float]
) -> Multiplier:
    """The multiplier, with what lies beyond the curve cut off and said."""
    start, end = span
    low, high = interval
    return Multiplier(
        at=at,
        labels=min(max(labels, start), end),
        multiplier=min(max(labels, start), end) / at,
        low=min(max(low, start), end) / at,
        high=min(max(high, start), end) / at,
        bound="more than" if labels > end else "less than" if labels < start else "exactly",
        open_above=high > end,
        open_below=low < start,
        level=LEVEL,
        why_not="",
    )


def _unknown(at: int, why_not: str) -> Multiplier:
    nothing = math.nan
    return Multiplier(
        at=at,
        labels=nothing,
        multiplier=nothing,
        low=nothing,
        high=nothing,
        bound="exactly",
        open_above=False,
        open_below=False,
        level=LEVEL,
        why_not=why_not,
    )
