"""Intervals against Student's t where it is exact, and verdicts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from scipy import stats

from hdgan.method.comparison.difference import (
    PairedDifference,
    difference_without_draws,
    holm_verdicts,
    interval_of_mean,
    paired_difference,
    verdict_of,
)


def scores(seed: int, patients: int = 12, runs: int = 6, *, gain: float = 0.0) -> np.ndarray:
    """Patients differ by .1, runs by .02, the rest by .03."""
    random = np.random.default_rng(seed)
    of_patient = np.random.default_rng(patients).normal(scale=0.1, size=(patients, 1))
    of_run = random.normal(scale=0.02, size=(1, runs))
    rest = random.normal(scale=0.03, size=(patients, runs))
    return 0.6 + gain + of_patient + of_run + rest


def students_interval(values: np.ndarray) -> tuple[float, float]:
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    return float(interval.low), float(interval.high)


def found(candidate: np.ndarray, reference: np.ndarray) -> PairedDifference:
    return paired_difference(candidate, reference, seed=0)


def test_with_one_run_the_interval_is_students_over_patients() -> None:
    differences = np.random.default_rng(0).normal(0.02, 0.05, size=(40, 1))

    difference = found(differences, np.zeros_like(differences))

    low, high = students_interval(differences[:, 0])
    assert difference.mean == pytest.approx(differences.mean())
    assert difference.low == pytest.approx(low, abs=0.04 * (high - low))
    assert difference.high == pytest.approx(high, abs=0.04 * (high - low))


def test_where_only_runs_differ_the_interval_is_students_over_runs() -> None:
    of_run = np.random.default_rng(2).normal(0.02, 0.05, size=10)
    candidate = np.tile(of_run, (30, 1))

    difference = found(candidate, np.zeros_like(candidate))

    low, high = students_interval(of_run)
    assert difference.low == pytest.approx(low, abs=0.04 * (high - low))
    assert difference.high == pytest.approx(high, abs=0.04 * (high - low))


def test_five_patients_have_the_wide_tails_of_students_t() -> None:
    """A plain percentile bootstrap of five is 37 % too narrow."""
    differences = np.array([[-0.06], [-0.03], [0.0], [0.03], [0.06]])

    difference = found(differences, np.zeros_like(differences))

    low, high = students_interval(differences[:, 0])
    assert difference.high - difference.low == pytest.approx(high - low, rel=0.1)


def test_an_interval_of_skewed_differences_is_skewed() -> None:
    differences = np.random.default_rng(2).exponential(0.05, size=(15, 1))

    difference = found(differences, np.zeros_like(differences))

    assert difference.high - difference.mean > difference.mean - difference.low


def test_lucky_runs_widen_the_interval() -> None:
    candidate, reference = scores(1, runs=4), scores(2, runs=4)
    unlucky = candidate + np.array([0.08, -0.08, 0.08, -0.08])

    alike, unlike = found(candidate, reference), found(unlucky, reference)

    assert unlike.mean == pytest.approx(alike.mean)
    assert unlike.high - unlike.low > 1.5 * (alike.high - alike.low)


def test_lucky_draws_widen_the_interval_if_it_is_said_which_run_has_which() -> None:
    luck = np.repeat([0.06, -0.06, 0.0], 3)
    candidate, reference = scores(1, runs=9) + luck, scores(2, runs=9)

    blind = found(candidate, reference)
    told = paired_difference(candidate, reference, seed=0, draws=[0, 0, 0, 1, 1, 1, 2, 2, 2])

    assert told.high - told.low > 1.3 * (blind.high - blind.low)
    assert told.num_draws == 3


def test_where_only_draws_differ_the_interval_is_students_over_draws() -> None:
    of_draw = np.array([0.04, 0.01, 0.09, 0.06, 0.02])
    candidate = np.tile(np.repeat(of_draw, 3), (30, 1))

    difference = paired_difference(
        candidate, np.zeros_like(candidate), seed=0, draws=np.repeat(range(5), 3).tolist()
    )

    low, high = students_interval(of_draw)
    assert difference.high - difference.low == pytest.approx(high - low, rel=0.06)


def test_what_all_patients_share_with_their_pair_does_not_widen_the_interval() -> None:
    candidate, reference = scores(1, gain=0.05), scores(2)
    unlike = np.linspace(-0.3, 0.3, 12)[:, None]

    plain, spread = found(candidate, reference), found(candidate + unlike, reference + unlike)

    assert spread.low == pytest.approx(plain.low)
    assert spread.high == pytest.approx(plain.high)
    one_arm = interval_of_mean(candidate + unlike, seed=0)
    assert one_arm.high - one_arm.low > 5 * (spread.high - spread.low)


@settings(max_examples=20)
@given(gain=st.floats(-0.2, 0.2))
def test_turning_the_comparison_round_turns_the_numbers_round(gain: float) -> None:
    candidate, reference = scores(1, gain=gain), scores(2)

    there, back = found(candidate, reference), found(reference, candidate)

    assert back.mean == pytest.approx(-there.mean)
    width = there.high - there.low
    assert back.low == pytest.approx(-there.high, abs=0.06 * width)
    assert back.high == pytest.approx(-there.low, abs=0.06 * width)


def test_the_same_seed_gives_the_same_interval() -> None:
    assert found(scores(1), scores(2)) == found(scores(1), scores(2))


def test_an_arm_against_its_own_numbers_differs_by_nothing() -> None:
    difference = found(scores(1), scores(1))

    assert (difference.mean, difference.low, difference.high) == (0.0, 0.0, 0.0)
    assert difference.chance_above_zero == 0.5
    assert verdict_of(difference) == "no evidence"


def test_the_verdict_is_that_of_the_whole_interval() -> None:
    helps = found(scores(1, gain=0.1), scores(2))
    hurts = found(scores(1, gain=-0.1), scores(2))
    neither = found(scores(1, gain=0.005), scores(2))

    assert [verdict_of(one) for one in (helps, hurts, neither)] == ["helps", "hurts", "no evidence"]
    assert neither.low < 0 < neither.high


def test_one_run_never_gives_a_verdict() -> None:
    """Over patients alone, a lucky training would be called a discovery."""
    difference = found(scores(1, runs=1, gain=0.3), scores(2, runs=1))

    assert difference.low > 0
    assert verdict_of(difference) == "no evidence"
    assert "One run" in difference.caveat


def test_one_patient_has_no_interval() -> None:
    difference = found(scores(1, patients=1, gain=0.3), scores(2, patients=1))

    assert difference.mean == pytest.approx(0.3, abs=0.1)
    assert np.isnan([difference.low, difference.high, difference.chance_above_zero]).all()
    assert verdict_of(difference) == "no evidence"
    assert "Too few patients" in difference.caveat


def test_one_label_draw_never_gives_a_verdict() -> None:
    """However many seeds: each arm may have had luck with these labels."""
    candidate, reference = scores(1, gain=0.3), scores(2)

    one = paired_difference(candidate, reference, seed=0, draws=[4] * 6)
    two = paired_difference(candidate, reference, seed=0, draws=[4] * 3 + [5] * 3)

    assert one.low > 0
    assert verdict_of(one) == "no evidence"
    assert holm_verdicts({"one": one}) == {"one": "no evidence"}
    assert "One label draw: no verdict" in one.caveat
    assert verdict_of(two) == "helps"


def test_all_labels_are_paired_with_the_runs_of_their_seed() -> None:
    every, few = scores(1, runs=2, gain=0.3), scores(2, runs=4)

    difference = difference_without_draws(
        every, few, draws=[0, 0, 1, 1], seeds=[0, 1, 0, 1], seed=0
    )

    by_draw = paired_difference(every[:, [0, 1, 0, 1]], few, seed=0, draws=[0, 0, 1, 1])
    assert difference.mean == pytest.approx(every.mean() - few.mean())
    assert difference.low <= by_draw.low
    assert difference.high >= by_draw.high
    assert verdict_of(difference) == "helps"


@pytest.mark.parametrize(("draws", "seeds"), [([0, 1], [0, 0]), ([0, 0], [0, 1])])
def test_all_labels_with_one_seed_or_against_one_draw_have_no_verdict(
    draws: list[int], seeds: list[int]
) -> None:
    every, few = scores(1, runs=2, gain=0.3), scores(2, runs=2)

    difference = difference_without_draws(every, few, draws=draws, seeds=seeds, seed=0)

    assert difference.mean > 0.2
    assert np.isnan([difference.low, difference.high]).all()
    assert verdict_of(difference) == "no evidence"


def test_two_patients_have_an_interval_and_no_verdict() -> None:
    difference = found(scores(1, patients=2, gain=0.9), scores(2, patients=2))

    assert difference.low > 0
    assert verdict_of(difference) == "no evidence"
    assert "Too few patients for a verdict: 2" in difference.caveat


def test_a_patient_without_a_score_is_left_out_and_counted() -> None:
    candidate, reference = scores(1), scores(2)
    holed = candidate.copy()
    holed[3, 2] = np.nan

    difference = found(holed, reference)

    without = found(np.delete(candidate, 3, axis=0), np.delete(reference, 3, axis=0))
    assert (difference.num_patients, difference.num_left_out) == (11, 1)
    assert difference.mean == without.mean
    assert difference.low == without.low


def test_without_any_score_there_is_no_mean() -> None:
    nothing = np.full((3, 2), np.nan)

    difference = found(nothing, nothing)

    assert np.isnan(difference.mean)
    assert verdict_of(difference) == "no evidence"


def test_scores_of_other_shape_cannot_be_paired() -> None:
    with pytest.raises((ValueError, TypeCheckError), match=r"cannot be paired|patients runs"):
        found(scores(1, runs=3), scores(2, runs=4))


def test_every_run_needs_its_draw() -> None:
    with pytest.raises(ValueError, match="need as many draws"):
        paired_difference(scores(1), scores(2), seed=0, draws=[0, 1])


def test_verdicts_that_allow_for_several_arms_are_fewer() -> None:
    clear = found(scores(1, gain=0.1), scores(2))
    random = np.random.default_rng(3)
    rest = random.normal(size=(12, 6))
    rest -= rest.mean()
    zeros = np.zeros((12, 6))
    close = next(
        one
        for gain in np.linspace(0.1, 1, 200)
        if verdict_of(one := found(rest + float(gain), zeros)) == "helps"
    )

    verdicts = holm_verdicts({"close": close, "clear": clear, "third": found(rest, zeros)})

    assert verdicts == {"close": "no evidence", "clear": "helps", "third": "no evidence"}
    assert holm_verdicts({"close": close}) == {"close": "helps"}
