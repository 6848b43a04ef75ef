"""Reliability against hand-made bins and a published formula in plain Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.calibration import NUM_BINS, no_reliability, reliability_of


def plain_error(probabilities: np.ndarray, is_so: np.ndarray) -> float:
    """The definition, pixel by pixel."""
    error = 0.0
    for i in range(NUM_BINS):
        inside = [
            (p, y)
            for p, y in zip(probabilities.tolist(), is_so.tolist(), strict=True)
            if min(int(np.float32(p) * NUM_BINS), NUM_BINS - 1) == i
        ]
        if inside:
            said = sum(p for p, _ in inside) / len(inside)
            true = sum(y for _, y in inside) / len(inside)
            error += len(inside) / len(probabilities) * abs(said - true)
    return error


def test_what_comes_true_as_often_as_said_has_no_error() -> None:
    said = np.full(10, 0.7, dtype=np.float32)
    is_so = np.arange(10) < 7

    assert reliability_of(said, is_so).expected_error == pytest.approx(0.0, abs=1e-6)


def test_what_is_said_surely_and_is_half_wrong_is_wrong_by_half() -> None:
    said = np.ones(8, dtype=np.float32)
    is_so = np.arange(8) < 4

    counted = reliability_of(said, is_so)

    assert counted.expected_error == pytest.approx(0.5)
    assert counted.pixels.tolist() == [0] * (NUM_BINS - 1) + [8]
    assert counted.share_true[-1] == 0.5
    assert np.isnan(counted.mean_said[0])


@given(seed=st.integers(0, 999), count=st.integers(1, 60))
def test_the_error_is_that_of_the_definition(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    said = random.random(count, dtype=np.float32)
    is_so = random.random(count) < said**2

    ours = reliability_of(said, is_so).expected_error

    assert ours == pytest.approx(plain_error(said, is_so), abs=1e-6)


def test_two_parts_are_the_whole() -> None:
    random = np.random.default_rng(0)
    said, is_so = random.random(50, dtype=np.float32), random.random(50) < 0.3

    parts = reliability_of(said[:20], is_so[:20]).plus(reliability_of(said[20:], is_so[20:]))

    assert parts.expected_error == pytest.approx(reliability_of(said, is_so).expected_error)


def test_without_a_pixel_there_is_no_error() -> None:
    assert np.isnan(no_reliability().expected_error)
