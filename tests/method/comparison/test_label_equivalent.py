"""Learning curves against scipy's least squares and the truth; what labels are worth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from hdgan.method.comparison.label_equivalent import label_equivalent, minutes_saved
from hdgan.method.comparison.learning_curve import fitted_curves

COUNTS = [4, 8, 16, 32, 64]


def true_dice(count: float) -> float:
    return 0.85 - 0.6 * count**-0.5


def scored(dice: float, seed: int, patients: int = 12, runs: int = 6) -> np.ndarray:
    """An arm's scores: patients differ by .1 whatever the arm, cells by .02."""
    of_patient = np.random.default_rng(7).normal(scale=0.1, size=(patients, 1))
    rest = np.random.default_rng(seed).normal(scale=0.02, size=(patients, runs))
    return dice + of_patient - of_patient.mean() + rest


def supervised(counts: list[int]) -> np.ndarray:
    return np.stack([scored(true_dice(count), seed=count) for count in counts])


@settings(max_examples=30, deadline=None)
@given(
    ceiling=st.floats(0.5, 0.95),
    gain=st.floats(0.1, 0.6),
    exponent=st.floats(0.2, 1.5),
    seed=st.integers(0, 99),
)
def test_a_curve_is_as_close_as_that_of_scipy(
    ceiling: float, gain: float, exponent: float, seed: int
) -> None:
    counts = np.array(COUNTS, dtype=np.float64)
    noise = np.random.default_rng(seed).normal(scale=0.01, size=5)
    dice = ceiling - gain * counts**-exponent + noise

    curve = fitted_curves(counts, dice[None])

    def misses(point: np.ndarray) -> np.ndarray:
        return np.asarray(point[0] - point[1] * counts ** -point[2] - dice)

    theirs = least_squares(
        misses,
        (ceiling, gain, exponent),
        bounds=([0, 0, 0.05], [1, 10, 3]),
    )
    ours = np.array([curve.at(float(count))[0] for count in COUNTS]) - dice
    assert (ours**2).sum() <= 2 * theirs.cost * 1.02 + 1e-6
    assert 0 <= curve.ceiling[0] <= 1
    assert curve.gain[0] >= 0


def test_a_curve_through_three_exact_points_is_the_true_one() -> None:
    counts = np.array([4.0, 16.0, 64.0])

    curve = fitted_curves(counts, np.array([[true_dice(count) for count in counts]]))

    assert curve.at(256.0)[0] == pytest.approx(true_dice(256.0), abs=0.005)
    assert curve.labels_for(np.array([true_dice(40)]))[0] == pytest.approx(40, rel=0.03)


def test_scores_that_fall_with_the_labels_give_a_flat_curve() -> None:
    curve = fitted_curves(np.array([4.0, 8.0, 16.0]), np.array([[0.7, 0.6, 0.5]]))

    assert curve.gain[0] == 0
    assert curve.at(4.0)[0] == pytest.approx(0.6)


def test_a_ceiling_never_exceeds_1() -> None:
    curve = fitted_curves(np.array([4.0, 8.0, 16.0]), np.array([[0.1, 0.5, 0.95]]))

    assert curve.ceiling[0] <= 1


def test_many_curves_at_once_are_those_one_by_one() -> None:
    counts = np.array([4.0, 8.0, 16.0, 32.0])
    dice = np.sort(np.random.default_rng(0).uniform(0.3, 0.9, size=(20, 4)), axis=1)

    together = fitted_curves(counts, dice)

    alone = [fitted_curves(counts, row[None]) for row in dice]
    assert together.at(20.0).tolist() == pytest.approx([one.at(20.0)[0] for one in alone])


def test_one_number_of_labels_makes_no_curve() -> None:
    with pytest.raises(ValueError, match="two different numbers"):
        fitted_curves(np.array([4.0, 4.0]), np.array([[0.1, 0.2]]))


def test_an_arm_as_good_as_40_labels_is_worth_about_40() -> None:
    found = label_equivalent(COUNTS, supervised(COUNTS), scored(true_dice(40), 1), 16, seed=0)

    assert found.labels == pytest.approx(40, rel=0.15)
    assert found.multiplier == pytest.approx(found.labels / 16)
    assert found.low < 2.5 < found.high
    assert (found.bound, found.open_above, found.open_below) == ("exactly", False, False)
    assert found.why_not == ""


def test_the_interval_holds_the_true_multiplier_in_about_95_of_100_comparisons() -> None:
    held = 0
    for seed in range(100):
        curve = np.stack([scored(true_dice(n), 1000 * seed + n) for n in COUNTS])
        value = scored(true_dice(40), 1000 * seed + 999)
        found = label_equivalent(COUNTS, curve, value, 16, seed=seed)
        held += found.low <= 2.5 <= found.high

    assert 89 <= held <= 100


def test_the_supervised_arm_itself_is_worth_its_labels() -> None:
    found = label_equivalent(COUNTS, supervised(COUNTS), scored(true_dice(16), 16), 16, seed=0)

    assert found.multiplier == pytest.approx(1, rel=0.1)
    assert found.low < 1 < found.high


def test_the_order_of_the_counts_does_not_matter() -> None:
    value = scored(true_dice(40), 1)

    there = label_equivalent(COUNTS, supervised(COUNTS), value, 16, seed=0)
    back = label_equivalent(COUNTS[::-1], supervised(COUNTS)[::-1], value, 16, seed=0)

    assert back.labels == pytest.approx(there.labels)
    assert back.low == pytest.approx(there.low)


def test_beyond_the_ceiling_an_arm_is_worth_more_than_the_curve_can_say() -> None:
    found = label_equivalent(COUNTS, supervised(COUNTS), scored(0.95, 1), 16, seed=0)

    assert (found.bound, found.labels, found.multiplier) == ("more than", 256, 16)
    assert found.open_above


def test_an_arm_worse_than_one_label_is_worth_less_than_one() -> None:
    found = label_equivalent(COUNTS, supervised(COUNTS), scored(0.1, 1), 16, seed=0)

    assert (found.bound, found.labels) == ("less than", 1)
    assert found.open_below


def test_two_counts_are_read_between_them_only() -> None:
    between = (true_dice(8) + true_dice(32)) / 2
    curve = supervised([8, 32])

    inside = label_equivalent([8, 32], curve, scored(between, 1), 16, seed=0)
    outside = label_equivalent([8, 32], curve, scored(true_dice(64), 1), 16, seed=0)

    assert inside.labels == pytest.approx(16, rel=0.15)
    assert (outside.bound, outside.labels) == ("more than", 32)


def test_one_count_says_why_there_is_no_answer() -> None:
    found = label_equivalent([16], supervised([16]), scored(0.9, 1), 16, seed=0)

    assert np.isnan([found.labels, found.multiplier, found.low, found.high]).all()
    assert "two numbers of labels" in found.why_not


def test_a_curve_that_does_not_rise_says_why_there_is_no_answer() -> None:
    falling = np.stack([scored(0.7 - 0.02 * i, i) for i in range(5)])

    found = label_equivalent(COUNTS, falling, scored(0.7, 9), 16, seed=0)

    assert "does not rise" in found.why_not


def test_one_patient_says_why_there_is_no_answer() -> None:
    curve = supervised(COUNTS)[:, :1]

    found = label_equivalent(COUNTS, curve, scored(0.7, 1)[:1], 16, seed=0)

    assert "two patients" in found.why_not


def test_a_patient_without_a_score_somewhere_is_left_out() -> None:
    curve, value = supervised(COUNTS), scored(true_dice(40), 1)
    holed = curve.copy()
    holed[2, 5, 1] = np.nan

    found = label_equivalent(COUNTS, holed, value, 16, seed=0)

    without = [np.delete(curve, 5, axis=1), np.delete(value, 5, axis=0)]
    assert found == label_equivalent(COUNTS, without[0], without[1], 16, seed=0)


def test_minutes_are_saved_for_the_labels_that_need_no_drawing() -> None:
    found = label_equivalent(COUNTS, supervised(COUNTS), scored(true_dice(40), 1), 16, seed=0)

    assert minutes_saved(found, 16, 10.0) == pytest.approx((found.labels - 16) * 10)
    assert minutes_saved(found, 64, 10.0) < 0
