"""Realism of single images, against a plain double loop."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.errors import SettingsError
from hdgan.method import image_quality
from hdgan.method.realism import RealSupport, closest


def normal(count: int, dim: int = 4, *, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dim)) * scale


def radius(reals: np.ndarray, i: int, k: int) -> float:
    others = [np.linalg.norm(reals[i] - reals[j]) for j in range(len(reals)) if j != i]
    return float(sorted(others)[k - 1])


def slow_realism(reals: np.ndarray, image: np.ndarray, k: int) -> float:
    """The formula of the paper, tile by tile."""
    radii = [radius(reals, i, k) for i in range(len(reals))]
    # Two tiles that are each other's neighbours have one radius, and are kept together.
    limit = sorted(radii)[(len(reals) - 1) // 2] * (1 + 1e-12)
    kept = [i for i in range(len(reals)) if radii[i] <= limit]
    return max(radii[i] / float(np.linalg.norm(reals[i] - image)) for i in kept)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("count", [8, 9])
def test_realism_is_the_largest_radius_over_distance_of_the_denser_half(k: int, count: int) -> None:
    reals = normal(count)
    images = np.concatenate([reals + 0.1, normal(10, seed=1, scale=3.0)])

    realism = RealSupport.fit(reals, k).realism(images)

    wanted = [slow_realism(reals, image, k) for image in images]
    assert realism == pytest.approx(wanted, rel=1e-12)
    assert realism.min() < 1 < realism.max()


def test_the_nearest_is_sought_among_all_real_tiles() -> None:
    # The last tile lies apart, so that its radius is the largest of all.
    reals = np.concatenate([normal(7), np.full((1, 4), 50.0)])
    images = np.concatenate([normal(5, seed=1), np.full((1, 4), 49.0)])

    index, distance = RealSupport.fit(reals).nearest(images)

    for image, i, near in zip(images, index, distance, strict=True):
        distances = [float(np.linalg.norm(image - real)) for real in reals]
        assert i == int(np.argmin(distances))
        assert near == pytest.approx(min(distances))
    assert index[-1] == 7


def test_a_tile_that_lies_apart_takes_nothing_in() -> None:
    reals = np.concatenate([normal(7), np.full((1, 4), 50.0)])
    beside = np.full((1, 4), 45.0)

    support = RealSupport.fit(reals)

    assert support.radii[7] > np.linalg.norm(beside - reals[7])
    assert support.realism(beside)[0] < 1


@given(
    seed=st.integers(0, 1000),
    scale=st.floats(0.01, 100.0),
    shift=st.floats(-100.0, 100.0),
    count=st.integers(4, 30),
)
def test_realism_does_not_depend_on_order_unit_or_origin(
    seed: int, scale: float, shift: float, count: int
) -> None:
    reals, images = normal(count, seed=seed), normal(6, seed=seed + 5000)
    order = np.random.default_rng(seed).permutation(count)

    plain = RealSupport.fit(reals).realism(images)
    other = RealSupport.fit(reals[order] * scale + shift).realism(images * scale + shift)

    assert other == pytest.approx(plain, rel=1e-6)


@given(seed=st.integers(0, 1000), count=st.integers(4, 30))
def test_an_image_is_inside_if_it_lies_in_a_kept_surrounding(seed: int, count: int) -> None:
    reals, images = normal(count, 2, seed=seed), normal(30, 2, seed=seed + 5000)
    support = RealSupport.fit(reals)
    kept = np.sort(support.radii)[(count - 1) // 2]

    realism = support.realism(images)

    for image, score in zip(images, realism, strict=True):
        pairs = zip(reals, support.radii, strict=True)
        inside = [np.linalg.norm(image - real) <= reach for real, reach in pairs if reach <= kept]
        assert (score >= 1) == any(inside)


def test_an_image_that_equals_a_real_tile_has_no_bound() -> None:
    reals = normal(10)
    support = RealSupport.fit(reals)
    densest = int(support.radii.argmin())

    realism = support.realism(reals[densest : densest + 1])

    assert np.isinf(realism[0])


def test_tiles_that_are_all_the_same_hold_themselves_alone() -> None:
    support = RealSupport.fit(np.ones((6, 3)))

    realism = support.realism(np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.5]]))

    assert realism.tolist() == [1.0, 0.0]


def test_scores_do_not_depend_on_how_many_rows_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reals, images = normal(23), normal(11, seed=1)

    def scores() -> list[np.ndarray]:
        support = RealSupport.fit(reals)
        return [support.radii, support.realism(images), *support.nearest(images)]

    at_once = scores()
    monkeypatch.setattr(image_quality, "CHUNK_BYTES", 8 * 23 * 3)
    in_chunks = scores()

    for once, chunks in zip(at_once, in_chunks, strict=True):
        assert np.array_equal(once, chunks)


def test_memory_does_not_grow_with_the_number_of_tiles_squared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reals = normal(1000)
    monkeypatch.setattr(image_quality, "CHUNK_BYTES", 8 * 1000 * 10)

    tracemalloc.start()
    RealSupport.fit(reals).realism(reals)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # All distances would take 8 MB.
    assert most < 1e6


@pytest.mark.parametrize("answer", [RealSupport.realism, lambda s, x: s.nearest(x)[1]])
def test_no_image_has_no_score(answer: Callable[[RealSupport, np.ndarray], np.ndarray]) -> None:
    assert answer(RealSupport.fit(normal(5)), np.empty((0, 4))).shape == (0,)


def test_k_neighbours_need_one_tile_more() -> None:
    RealSupport.fit(normal(4), 3)

    with pytest.raises(SettingsError, match=r"needs 4 real tiles at least.*found are 3"):
        RealSupport.fit(normal(3), 3)


def test_the_closest_come_first_and_of_equals_the_first() -> None:
    distances = np.array([3.0, 1.0, 2.0, 1.0])

    assert closest(distances, 3).tolist() == [1, 3, 2]
    assert closest(distances, 9).tolist() == [1, 3, 2, 0]
