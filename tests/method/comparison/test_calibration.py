"""Whether intervals hold what they promise, in comparisons whose truth is known.

Scores as they are met: patients differ by .1, runs by .02, and by .03 within a patient; where an
arm does something, it does more for some patients than for others (.06).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from scipy import stats

from hdgan.method.comparison.difference import (
    PairedDifference,
    difference_without_draws,
    holm_verdicts,
    paired_difference,
    verdict_of,
)

SIZES = [(patients, runs) for patients in (5, 8, 12, 20) for runs in (3, 4, 6, 9)]

REPEATS = 200


def arm(
    random: np.random.Generator, of_patient: np.ndarray, draws: Sequence[int], luck: float
) -> np.ndarray:
    """The scores of one arm: its patients, its luck with each label draw and run, the rest."""
    patients, runs = len(of_patient), len(draws)
    of_draw = random.normal(scale=luck, size=runs)[list(draws)] if luck else 0.0
    of_run = random.normal(scale=0.02, size=runs) + of_draw
    return of_patient[:, None] + of_run + random.normal(scale=0.03, size=(patients, runs))


def comparisons(
    sizes: list[tuple[int, int]], *, gain: float = 0.0, unlike: float = 0.0, luck: float = 0.0
) -> Iterator[PairedDifference]:
    """200 comparisons of an arm with one that is better by so much, for some more than others."""
    for seed in range(REPEATS):
        random = np.random.default_rng(seed)
        patients, runs = sizes[seed % len(sizes)]
        of_patient = 0.6 + random.normal(scale=0.1, size=patients)
        better = of_patient + gain + random.normal(scale=unlike, size=patients)
        draws = [run * 3 // runs for run in range(runs)]
        reference = arm(random, of_patient, draws, luck)
        candidate = arm(random, better, draws, luck)
        told = draws if luck else None
        yield paired_difference(candidate, reference, seed=seed, draws=told)


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def test_an_arm_against_itself_helps_in_at_most_5_of_100_comparisons() -> None:
    verdicts = [verdict_of(one) for one in comparisons(SIZES)]

    assert share([verdict == "helps" for verdict in verdicts]) <= 0.05
    assert share([verdict == "hurts" for verdict in verdicts]) <= 0.05


def test_intervals_over_patients_alone_would_call_luck_a_discovery() -> None:
    """So the test above can fail."""
    helps = []
    for seed in range(REPEATS):
        random = np.random.default_rng(seed)
        of_patient = random.normal(scale=0.1, size=12)
        draws = list(range(3))
        difference = arm(random, of_patient, draws, 0.0) - arm(random, of_patient, draws, 0.0)
        interval = stats.ttest_1samp(difference.mean(axis=1), 0).confidence_interval(0.95)
        helps.append(float(interval.low) > 0)

    assert share(helps) > 0.1


def test_an_arm_against_itself_does_not_help_by_luck_with_the_labels_either() -> None:
    """Draws that differ more than seeds do."""
    found = comparisons([(5, 9), (12, 9), (20, 6)], luck=0.03)

    assert share([verdict_of(one) == "helps" for one in found]) <= 0.05


@pytest.mark.parametrize("draws", [[0, 0, 0], [0, 1, 2], [0, 1]])
def test_few_draws_and_one_draw_do_not_make_luck_with_the_labels_a_discovery(
    draws: list[int],
) -> None:
    """One draw x 3 seeds, and the designs to which a budget reduces: 3 or 2 draws x 1 seed."""
    verdicts = []
    for seed in range(REPEATS):
        random = np.random.default_rng(seed)
        of_patient = random.normal(scale=0.1, size=(5, 12, 20)[seed % 3])
        one, other = (arm(random, of_patient, draws, 0.03) for _ in range(2))
        verdicts.append(verdict_of(paired_difference(one, other, seed=seed, draws=draws)))

    assert share([verdict == "helps" for verdict in verdicts]) <= 0.05
    assert share([verdict == "hurts" for verdict in verdicts]) <= 0.05


def test_all_labels_do_not_help_by_luck_with_few_labels_or_with_their_own_training() -> None:
    """Either kind of luck alone, and both; a plain interval over seeds fails here."""
    told, plain = [], []
    for repeat in range(REPEATS):
        random = np.random.default_rng(repeat)
        of_patient = random.normal(scale=0.1, size=12)
        draws, seeds = [0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 1, 2] * 3
        every = arm(random, of_patient, [0, 1, 2], 0.0)
        few = arm(random, of_patient, draws, (0.0, 0.02, 0.04)[repeat % 3])
        found = difference_without_draws(every, few, draws=draws, seeds=seeds, seed=repeat)
        told.append(verdict_of(found))
        means = few.reshape(12, 3, 3).mean(axis=1)
        plain.append(verdict_of(paired_difference(every, means, seed=repeat)))

    assert share([verdict == "helps" for verdict in told]) <= 0.05
    assert share([verdict == "hurts" for verdict in told]) <= 0.05
    assert share([verdict == "helps" for verdict in plain]) > 0.05


def test_an_arm_that_does_good_and_harm_by_patient_does_not_help() -> None:
    found = comparisons(SIZES, unlike=0.06)

    assert share([verdict_of(one) == "helps" for one in found]) <= 0.05


@pytest.mark.parametrize("unlike", [0.0, 0.06])
def test_intervals_hold_the_truth_in_about_95_of_100_comparisons(unlike: float) -> None:
    found = comparisons(SIZES, gain=0.04, unlike=unlike)

    assert 0.92 <= share([one.low <= 0.04 <= one.high for one in found]) <= 0.995


def test_eight_points_are_found_often_with_5_patients_and_nearly_always_with_20() -> None:
    few = [verdict_of(one) for one in comparisons([(5, 9)], gain=0.08, unlike=0.06)]
    some = [verdict_of(one) for one in comparisons([(12, 9)], gain=0.08, unlike=0.06)]
    many = [verdict_of(one) for one in comparisons([(20, 9)], gain=0.08, unlike=0.06)]

    assert share([verdict == "helps" for verdict in few]) > 0.4
    assert share([verdict == "helps" for verdict in some]) > 0.9
    assert share([verdict == "helps" for verdict in many]) > 0.98


def test_eight_points_for_every_patient_alike_are_found_with_5() -> None:
    found = comparisons([(5, 9)], gain=0.08)

    assert share([verdict_of(one) == "helps" for one in found]) > 0.98


def test_of_ten_idle_arms_one_or_more_is_given_a_verdict_in_at_most_5_of_100_tables() -> None:
    alone, corrected = [], []
    for seed in range(60):
        random = np.random.default_rng(1000 + seed)
        of_patient, draws = random.normal(scale=0.1, size=12), list(range(6))
        table = {
            str(i): paired_difference(
                arm(random, of_patient, draws, 0.0),
                arm(random, of_patient, draws, 0.0),
                seed=seed,
            )
            for i in range(10)
        }
        alone.append(any(verdict_of(one) != "no evidence" for one in table.values()))
        corrected.append(any(one != "no evidence" for one in holm_verdicts(table).values()))

    assert share(alone) > 0.15
    assert share(corrected) <= 0.07
