"""Agreement of two readings, against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from hdgan.class_map import AMBIGUOUS, UNLABELLED
from hdgan.method.agreement import agreement, compared


def readings(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    first = random.integers(0, 4, size=(20, 30)).astype(np.uint8)
    second = np.where(random.random(first.shape) < 0.7, first, random.integers(0, 4, first.shape))
    return first, second.astype(np.uint8)


@given(seed=st.integers(0, 2**32 - 1))
def test_kappa_is_scikit_learns(seed: int) -> None:
    first, second = readings(seed)

    found = agreement(compared(first, second, 4))

    assert found.kappa_all == pytest.approx(cohen_kappa_score(first.ravel(), second.ravel()))
    for i in range(4):
        of_class = cohen_kappa_score((first == i).ravel(), (second == i).ravel())
        assert found.kappa[i] == pytest.approx(of_class)


def test_a_reading_agrees_with_itself() -> None:
    first, _ = readings(0)

    found = agreement(compared(first, first, 4))

    assert found.kappa_all == 1.0
    assert np.array_equal(found.dice, np.ones(4))


def test_pixels_that_one_has_left_open_take_no_part() -> None:
    first, second = readings(1)
    open_first, open_second = first.copy(), second.copy()
    open_first[:5] = UNLABELLED
    open_second[:, :7] = AMBIGUOUS

    found = compared(open_first, open_second, 4)

    assert np.array_equal(found, compared(first[5:, 7:], second[5:, 7:], 4))


def test_without_a_pixel_in_common_nothing_is_known() -> None:
    nothing = np.full((3, 3), UNLABELLED, dtype=np.uint8)

    found = agreement(compared(nothing, nothing, 2))

    assert found.pixels == 0
    assert np.isnan([found.kappa_all, *found.kappa, *found.dice]).all()


def test_counts_of_a_very_large_set_do_not_overflow() -> None:
    large = np.array([[4_000_000_000, 0], [0, 4_000_000_000]], dtype=np.int64)

    assert agreement(large).kappa_all == pytest.approx(1.0)
