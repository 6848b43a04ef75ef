"""Uncertainty and errors against scikit-learn and the definition of risk and coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from hdgan.method.error_detection import (
    UncertaintyCounts,
    error_auroc,
    no_uncertainty,
    risk_curve,
    steps_of,
    uncertainty_counts,
)


def pixels(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Uncertainties, most of them tiny, and errors that go with them; both kinds occur."""
    random = np.random.default_rng(seed)
    uncertainty = (random.random(count) ** 6).astype(np.float32)
    is_wrong = random.random(count) < 0.1 + 0.8 * uncertainty
    is_wrong[:2] = [True, False]
    return uncertainty, is_wrong


@given(seed=st.integers(0, 999), count=st.integers(2, 400))
def test_the_auroc_is_that_of_scikit_learn_on_the_same_steps(seed: int, count: int) -> None:
    uncertainty, is_wrong = pixels(seed, count)

    ours = error_auroc(uncertainty_counts(uncertainty, is_wrong))

    assert ours == pytest.approx(roc_auc_score(is_wrong, steps_of(uncertainty)))


def test_steps_are_fine_enough_for_uncertainties_near_zero() -> None:
    uncertainty, is_wrong = pixels(1, 200_000)

    ours = error_auroc(uncertainty_counts(uncertainty, is_wrong))

    assert ours == pytest.approx(roc_auc_score(is_wrong, uncertainty), abs=2e-5)


@given(values=st.lists(st.floats(0, 8, width=32), min_size=2, max_size=30))
def test_a_larger_uncertainty_never_has_a_lower_step(values: list[float]) -> None:
    ordered = np.sort(np.array(values, dtype=np.float32))

    steps = steps_of(ordered)

    assert (np.diff(steps) >= 0).all()
    assert ((np.diff(steps) > 0) | (np.diff(ordered) <= ordered[1:] / 128 + 1e-37)).all()


def test_uncertainty_that_is_never_wrong_has_no_auroc() -> None:
    counts = uncertainty_counts(np.zeros(3, dtype=np.float32), np.zeros(3, dtype=bool))

    assert np.isnan(error_auroc(counts))


def distinct(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Uncertainties no two of which share a step."""
    random = np.random.default_rng(seed)
    uncertainty = random.permutation(1.02 ** np.arange(count)).astype(np.float32) / 1e6
    return uncertainty, random.random(count) < 0.3


@given(seed=st.integers(0, 999), count=st.integers(2, 300))
def test_risk_and_area_are_those_of_the_definition(seed: int, count: int) -> None:
    uncertainty, is_wrong = distinct(seed, count)

    curve = risk_curve(uncertainty_counts(uncertainty, is_wrong))

    assert curve is not None
    kept = is_wrong[np.argsort(uncertainty)]
    risks = np.cumsum(kept) / np.arange(1, count + 1)
    best = np.cumsum(np.sort(kept)) / np.arange(1, count + 1)
    assert curve.area == pytest.approx(risks.mean())
    assert curve.least_area == pytest.approx(best.mean())
    assert curve.risk[-1] == pytest.approx(is_wrong.mean())
    assert curve.optimal[-1] == pytest.approx(is_wrong.mean())
    if count % 50 == 0:
        whole = (curve.coverage * count).round().astype(int) - 1
        assert np.allclose(curve.risk, risks[whole])


def test_the_area_of_ties_is_the_mean_over_their_orders() -> None:
    tied = np.full(6, 0.5, dtype=np.float32)
    is_wrong = np.array([True, True, False, False, False, False])

    curve = risk_curve(uncertainty_counts(tied, is_wrong))

    random = np.random.default_rng(0)
    areas = [
        (np.cumsum(random.permutation(is_wrong)) / np.arange(1, 7)).mean() for _ in range(20_000)
    ]
    assert curve is not None
    assert curve.area == pytest.approx(np.mean(areas), abs=0.005)


def test_two_parts_are_the_whole() -> None:
    uncertainty, is_wrong = pixels(3, 100)

    parts = uncertainty_counts(uncertainty[:40], is_wrong[:40]).plus(
        uncertainty_counts(uncertainty[40:], is_wrong[40:])
    )

    assert error_auroc(parts) == error_auroc(uncertainty_counts(uncertainty, is_wrong))


def test_counts_beyond_two_to_the_24_are_exact() -> None:
    many = np.zeros(2**16, dtype=np.int64)
    right, wrong = many.copy(), many.copy()
    right[3], wrong[5] = 124_000_000, 1

    assert error_auroc(UncertaintyCounts(right, wrong)) == 1.0


def test_without_a_pixel_there_is_no_curve() -> None:
    assert risk_curve(no_uncertainty()) is None
