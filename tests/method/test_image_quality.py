"""Scores of drawings, against closed forms and slow definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float
from scipy import linalg

from hdgan.method.frechet import frechet_distance
from hdgan.method.image_quality import (
    density_and_coverage,
    image_quality,
    kernel_distance,
    nearest_distances,
    precision_and_recall,
    relative_nearness,
    squared_discrepancy,
)


def normal(count: int, dim: int = 8, *, seed: int = 0, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dim)) + shift


def test_the_discrepancy_is_the_mean_over_pairs() -> None:
    first, second = normal(7, 3), normal(5, 3, seed=1)

    def kernel(x: Float[np.ndarray, " dim"], y: Float[np.ndarray, " dim"]) -> float:
        return float((x @ y / 3 + 1) ** 3)

    def within(rows: np.ndarray) -> float:
        pairs = [(i, j) for i in range(len(rows)) for j in range(len(rows)) if i != j]
        return float(np.mean([kernel(rows[i], rows[j]) for i, j in pairs]))

    across = np.mean([kernel(x, y) for x in first for y in second])
    wanted = within(first) + within(second) - 2 * float(across)
    assert squared_discrepancy(first, second) == pytest.approx(wanted)


def test_the_kernel_distance_of_equal_distributions_is_nothing() -> None:
    same = kernel_distance(normal(600), normal(600, seed=1))
    apart = kernel_distance(normal(600), normal(600, seed=1, shift=1.0))

    assert abs(same.mean) < 2 * same.deviation
    assert apart.mean > 10 * apart.deviation


def test_the_frechet_distance_of_normal_distributions_is_the_closed_form() -> None:
    first, second = normal(400), normal(400, seed=1, shift=0.5) * 1.5
    means = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
    covariances = [np.cov(rows, rowvar=False) for rows in (first, second)]
    root = np.real(linalg.sqrtm(covariances[0] @ covariances[1]))

    wanted = means + np.trace(covariances[0] + covariances[1] - 2 * root)

    assert frechet_distance(first, second) == pytest.approx(float(wanted), rel=1e-6)


@given(seed=st.integers(0, 50))
def test_a_frechet_distance_is_symmetric_and_nothing_to_itself(seed: int) -> None:
    first, second = normal(30, 4, seed=seed), normal(25, 4, seed=seed + 99, shift=0.3)

    assert frechet_distance(first, first) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first))


def test_fewer_images_than_features_have_a_distance_too() -> None:
    assert math.isfinite(frechet_distance(normal(5, 20), normal(6, 20, seed=1)))


def test_drawings_that_repeat_one_real_image_are_precise_and_recall_little() -> None:
    real = normal(200)
    drawn = real[:1] + normal(200, seed=2) * 1e-3

    precision, recall = precision_and_recall(real, drawn)
    _, coverage = density_and_coverage(real, drawn)

    assert precision == 1.0
    assert recall < 0.05
    assert coverage < 0.1


def test_drawings_far_away_have_neither() -> None:
    scores = image_quality(normal(100), normal(100, seed=1, shift=50.0))

    assert (scores.precision, scores.recall, scores.density, scores.coverage) == (0, 0, 0, 0)


def test_drawings_of_the_same_distribution_are_about_one() -> None:
    scores = image_quality(normal(500, 2), normal(500, 2, seed=1))

    assert min(scores.precision, scores.recall, scores.coverage) > 0.9
    assert scores.density == pytest.approx(1.0, abs=0.1)


def test_surroundings_are_those_of_the_definition() -> None:
    real = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]])
    drawn = np.array([[5.0], [5.5], [6.0], [6.5], [30.0]])

    precision, recall = precision_and_recall(real, drawn)

    # Reach of the real images: 3, 2, 2, 3, 8; of the drawings: 1.5, 1, 1, 1.5, 24.5.
    assert precision == pytest.approx(4 / 5)
    assert recall == pytest.approx(1 / 5)


def test_each_image_has_a_distance_to_the_nearest_real_one() -> None:
    real = np.array([[0.0, 0.0], [10.0, 0.0]])
    others = np.array([[1.0, 0.0], [10.0, 3.0], [40.0, 0.0]])

    assert nearest_distances(real, others).tolist() == [1.0, 3.0, 30.0]
    assert nearest_distances(real, real).tolist() == [0.0, 0.0]


def test_a_copy_is_nearer_than_real_images_are_to_each_other() -> None:
    crowded = np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]])
    lonely = np.array([[50.0, 0.0]])
    real = np.concatenate([crowded, lonely])
    drawn = np.array([[0.0, -0.1], [55.0, 0.0]])

    nearness = relative_nearness(real, drawn)

    # One is as near as its neighbours are to each other; the other is far nearer than that.
    assert nearness == pytest.approx([1.0, 5 / 49.9])
    twice = np.concatenate([real, lonely])
    assert relative_nearness(twice, drawn) == pytest.approx([1.0, 5 / 49.9])
