"""How many patients it takes, against the numbers of the design and Student's t."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.comparison.difference import paired_difference
from hdgan.method.comparison.power import (
    MOST_PATIENTS,
    detectable,
    half_width,
    patients_needed,
)


def with_deviation(deviation: float) -> np.ndarray:
    """Differences of ten patients in two runs, of this standard deviation."""
    steps = np.linspace(-1, 1, 10)
    return np.tile((steps / steps.std(ddof=1) * deviation)[:, None], (1, 2))


@pytest.mark.parametrize(("num_patients", "points"), [(5, 7.4), (10, 4.3), (20, 2.8)])
def test_five_ten_and_twenty_patients_see_what_the_design_says(
    num_patients: int, points: float
) -> None:
    assert 100 * detectable(num_patients) == pytest.approx(points, abs=0.06)


def test_one_patient_sees_nothing() -> None:
    assert detectable(1) == math.inf


@given(deviation=st.floats(0.001, 0.3), least=st.floats(0.01, 0.2))
def test_the_patients_needed_see_the_difference_and_one_fewer_do_not(
    deviation: float, least: float
) -> None:
    differences = with_deviation(deviation)
    difference = paired_difference(differences, np.zeros_like(differences), seed=0)

    needed = patients_needed(difference, least)

    assert detectable(needed, difference.patient_deviation) <= least
    assert detectable(needed - 1, difference.patient_deviation) > least


def test_a_difference_of_nearly_nothing_takes_more_patients_than_anybody_has() -> None:
    differences = with_deviation(0.06)
    difference = paired_difference(differences, np.zeros_like(differences), seed=0)

    assert patients_needed(difference, 1e-6) >= MOST_PATIENTS


def test_no_difference_at_all_cannot_be_asked_for() -> None:
    differences = with_deviation(0.06)
    difference = paired_difference(differences, np.zeros_like(differences), seed=0)

    with pytest.raises(ValueError, match="above 0"):
        patients_needed(difference, 0.0)


def test_one_patient_does_not_tell_how_many_are_needed() -> None:
    one = np.zeros((1, 2))

    with pytest.raises(ValueError, match="fewer than two"):
        patients_needed(paired_difference(one, one, seed=0), 0.03)


def test_many_runs_leave_what_patients_alone_see() -> None:
    assert half_width(10, 100_000) == pytest.approx(detectable(10), rel=1e-3)


def test_few_runs_see_less() -> None:
    assert half_width(20, 2) > half_width(20, 3) > half_width(20, 9) > detectable(20)
    assert half_width(20, 1) == math.inf


def test_the_width_to_be_expected_is_about_the_width_that_is_found() -> None:
    random = np.random.default_rng(0)
    squares = []
    for seed in range(60):
        of_patient = random.normal(scale=0.06, size=(20, 1))
        differences = of_patient + random.normal(scale=0.02, size=(1, 9))
        found = paired_difference(differences, np.zeros((20, 9)), seed=seed)
        squares.append(((found.high - found.low) / 2) ** 2)

    assert np.sqrt(np.mean(squares)) == pytest.approx(half_width(20, 9), rel=0.07)
