"""Arms against one another: which pairs are compared, with what result."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hdgan.artifacts.comparison import DifferenceText, IntervalText, MultiplierText
from hdgan.method.comparison.difference import (
    ArmMean,
    PairedDifference,
    difference_without_draws,
    holm_verdicts,
    interval_of_mean,
    paired_difference,
    verdict_of,
)
from hdgan.method.comparison.label_equivalent import Multiplier, label_equivalent, minutes_saved
from hdgan.method.comparison.sentences import verdict_sentence, worth_in_minutes, worth_of_labels
from hdgan.report.comparison_words import title_of
from hdgan.stages.compare.plan import Plan
from hdgan.stages.compare.scores import ArmScores

BASELINE = "supervised"
"""What every arm is compared with."""

SECOND = ("hdgan-fixmatch", "fixmatch")
"""Compared with one another whatever the headline is."""

ALL = "all-labels"

Key = tuple[str, int | None]
"""An arm and its number of labels."""


@dataclass(frozen=True)
class Differences:
    """All comparisons between arms."""

    plan: Plan
    scores: Mapping[Key, ArmScores]
    seed: int
    """Of the resampling."""

    @cached_property
    def found(self) -> dict[tuple[str, str, int], PairedDifference]:
        """Every arm against the baseline, the headline, and the second pair, by count."""
        pairs = [(self.plan.candidate, self.plan.reference), SECOND]
        pairs += [(arm, BASELINE) for arm in self.plan.counted_arms if arm != BASELINE]
        return {
            (arm, against, count): self._difference(arm, against, count)
            for arm, against in dict.fromkeys(pairs)
            for count in self.plan.design.counts
            if (arm, count) in self.scores and (against, count) in self.scores
        }

    @property
    def headline(self) -> PairedDifference:
        """What the verdict is about."""
        return self.found[self.plan.candidate, self.plan.reference, self.plan.at]

    @cached_property
    def multiplier(self) -> Multiplier | None:
        """What the candidate's labels are worth; None without a supervised arm to say so."""
        plan = self.plan
        value = self.scores[plan.candidate, plan.at]
        counts = [
            count
            for count in plan.design.counts
            if (BASELINE, count) in self.scores
            and self.scores[BASELINE, count].by_patient.shape == value.by_patient.shape
        ]
        if not counts or plan.candidate == BASELINE:
            return None
        supervised = np.stack([self.scores[BASELINE, count].by_patient for count in counts])
        return label_equivalent(
            counts, supervised, value.by_patient, plan.at, self.seed, draws=value.draws
        )

    def sentences(self) -> list[str]:
        """The verdict in words, and that of the second pair."""
        plan = self.plan
        first = verdict_sentence(
            title_of(plan.candidate),
            self.headline,
            plan.at,
            self.multiplier if plan.reference == BASELINE else None,
            reference=title_of(plan.reference),
        )
        second = self.found.get((*SECOND, plan.at))
        if second is None or (plan.candidate, plan.reference) == SECOND:
            return [first]
        words = verdict_sentence(
            title_of(SECOND[0]), second, plan.at, reference=title_of(SECOND[1])
        )
        return [first, words]

    def texts(self) -> list[DifferenceText]:
        """Every comparison, for the artifact."""
        rows = [
            DifferenceText(
                arm=arm,
                against=against,
                count=count,
                difference=interval_text(found),
                verdict=verdict_of(found),
                corrected=self._corrected.get((arm, against, count)),
            )
            for (arm, against, count), found in self.found.items()
        ]
        return rows + self._ceiling()

    def multiplier_text(
        self, minutes_a_tile: float | None, spent: float | None
    ) -> MultiplierText | None:
        """What the labels are worth, for the artifact.

        Args:
            minutes_a_tile: mean work at a labelled tile, if it is known.
            spent: work at all labels of a run of the candidate, if it is known.
        """
        found = self.multiplier
        if found is None:
            return None
        if found.why_not:
            return MultiplierText(sentence=found.why_not)
        saved = minutes_saved(found, minutes_a_tile, spent)
        sentences = [f"{worth_of_labels(found)}."]
        if self.headline.num_draws == 1:
            sentences.append("One label draw: other labels may have been worth more, or less.")
        if saved is not None:
            sentences.append(worth_in_minutes(saved))
        return MultiplierText(
            sentence=" ".join(sentences),
            labels=found.labels,
            multiplier=found.multiplier,
            low=found.low,
            high=found.high,
            minutes_saved=saved.minutes if saved is not None and saved.is_exact else None,
        )

    @cached_property
    def _corrected(self) -> dict[tuple[str, str, int], str]:
        """Verdicts against the baseline that allow for their number, at the verdict's labels."""
        at = self.plan.at
        secondary = {
            arm: found
            for (arm, against, count), found in self.found.items()
            if against == BASELINE and count == at
        }
        verdicts = holm_verdicts(secondary)
        return {(arm, BASELINE, at): verdict for arm, verdict in verdicts.items()}

    def _difference(self, arm: str, against: str, count: int) -> PairedDifference:
        one, other = self.scores[arm, count], self.scores[against, count]
        return paired_difference(one.by_patient, other.by_patient, seed=self.seed, draws=one.draws)

    def _ceiling(self) -> list[DifferenceText]:
        """All labels against the baseline with few; it has no label draw of its own."""
        at = self.plan.at
        if (ALL, None) not in self.scores or (BASELINE, at) not in self.scores:
            return []
        every, few = self.scores[ALL, None], self.scores[BASELINE, at]
        found = difference_without_draws(
            every.by_patient,
            few.by_patient,
            draws=few.draws,
            seeds=[every.seeds.index(seed) for seed in few.seeds],
            seed=self.seed,
        )
        text = interval_text(found)
        verdict = verdict_of(found)
        return [
            DifferenceText(arm=ALL, against=BASELINE, count=at, difference=text, verdict=verdict)
        ]


def interval_of(scores: ArmScores, seed: int) -> IntervalText:
    """An arm's own mean with its interval, for the artifact; no Dice lies outside of 0 to 1."""
    found = interval_of_mean(scores.by_patient, seed=seed, draws=scores.draws)
    low, high = (float(np.clip(end, 0.0, 1.0)) for end in (found.low, found.high))
    return interval_text(replace(found, low=low, high=high))


def interval_text(found: ArmMean) -> IntervalText:
    """A mean with its interval, for the artifact."""
    return IntervalText(
        mean=known(found.mean),
        low=known(found.low),
        high=known(found.high),
        num_patients=found.num_patients,
        num_runs=found.num_runs,
    )


def known(value: float) -> float | None:
    """A number that JSON can hold; None for what is none."""
    return value if math.isfinite(value) else None
