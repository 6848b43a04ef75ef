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


def test_the_interval_allows_for_luck_with_label_draws_if_it_is_said_which_run_has_which() -> None:
    """Three draws that differ by .03, each arm and count with luck of its own."""
    draws = [0, 0, 1, 1, 2, 2]
    held = {"blind": 0, "told": 0}
    for seed in range(100):
        random = np.random.default_rng(seed)
        luck = random.normal(scale=0.03, size=(len(COUNTS) + 1, 3))[:, draws]
        dice = [true_dice(count) for count in (*COUNTS, 40)]
        arms = [scored(one, 1000 * seed + i) + luck[i] for i, one in enumerate(dice)]
        for name, told in (("blind", None), ("told", draws)):
            found = label_equivalent(COUNTS, np.stack(arms[:-1]), arms[-1], 16, seed, draws=told)
            held[name] += found.low <= 2.5 <= found.high

    assert held["told"] >= 85
    assert held["blind"] < 80


def test_minutes_are_those_of_tiles_that_need_no_label_less_those_that_were_spent() -> None:
    found = label_equivalent(COUNTS, supervised(COUNTS), scored(true_dice(40), 1), 16, seed=0)

    saved, dear = minutes_saved(found, 10.0, 32.0), minutes_saved(found, 10.0, 9000.0)

    assert saved is not None
    assert dear is not None
    assert saved.minutes == pytest.approx(found.labels * 10 - 32)
    assert saved.low == pytest.approx(found.low * 16 * 10 - 32)
    assert saved.high == pytest.approx(found.high * 16 * 10 - 32)
    assert saved.is_exact
    assert dear.high < 0


def test_without_the_minutes_of_both_kinds_of_labels_none_are_saved() -> None:
    known = label_equivalent(COUNTS, supervised(COUNTS), scored(true_dice(40), 1), 16, seed=0)
    unknown = label_equivalent([16], supervised([16]), scored(0.9, 1), 16, seed=0)

    assert minutes_saved(known, None, 32.0) is None
    assert minutes_saved(known, 10.0, None) is None
    assert minutes_saved(unknown, 10.0, 32.0) is None


def test_minutes_beyond_the_curve_are_a_bound() -> None:
    found = label_equivalent(COUNTS, supervised(COUNTS), scored(0.95, 1), 16, seed=0)

    saved = minutes_saved(found, 10.0, 32.0)

    assert saved is not None
    assert (saved.bound, saved.minutes, saved.open_above) == ("more than", 256 * 10 - 32, True)
    assert not saved.is_exact
