"""Margins against distance transforms and dilation, and their promise against simulation."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from hdgan.method import conformal
from hdgan.method.boundary_agreement import grown
from hdgan.method.conformal import (
    conformal_quantile,
    margin_px,
    no_reach,
    reach_of,
    units_needed,
)


def regions(seed: int, side: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Two blobs that overlap in part."""
    random = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(random.normal(size=(2, side, side)), (0, 3, 3))
    return noise[0] > 0.0, noise[0] + 0.5 * noise[1] > 0.0


@given(seed=st.integers(0, 999))
def test_reach_is_that_of_the_distance_transform(seed: int) -> None:
    predicted, true = regions(seed)

    reach = reach_of(predicted, true)

    if predicted.any():
        distances = np.ceil(ndimage.distance_transform_edt(~predicted)[true]).astype(int)
        assert np.trim_zeros(reach.by_margin, "b").tolist() == np.bincount(distances).tolist()
    assert reach.pixels == true.sum()


def test_memory_does_not_grow_with_how_much_lies_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conformal, "CHUNK", 4096)
    predicted, true = np.zeros((2, 600, 300), dtype=bool)
    predicted[:10, :10] = True
    true[:] = True

    tracemalloc.start()
    reach = reach_of(predicted, true)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    distances = np.ceil(ndimage.distance_transform_edt(~predicted)).astype(int)
    assert reach.by_margin.tolist() == np.bincount(distances.ravel()).tolist()
    assert most < 8 * true.size


@given(seed=st.integers(0, 999), part=st.sampled_from([0.9, 0.99, 1.0]))
def test_a_margin_covers_its_part_and_one_pixel_less_does_not(seed: int, part: float) -> None:
    predicted, true = regions(seed)
    if not (predicted.any() and true.any()):
        return

    margin = int(margin_px(reach_of(predicted, true), part))

    covered = [(grown(predicted, px) & true).sum() / true.sum() for px in (margin, margin - 1)]
    assert covered[0] >= part
    assert margin == 0 or covered[1] < part


def test_a_class_that_is_not_predicted_is_reached_by_no_margin() -> None:
    nothing, true = np.zeros((5, 5), dtype=bool), np.ones((5, 5), dtype=bool)

    reach = reach_of(nothing, true)

    assert reach.beyond == 25
    assert math.isinf(margin_px(reach, 0.5))


def test_the_tiles_of_a_patient_are_pooled() -> None:
    predicted, true = regions(4)
    nothing = np.zeros_like(predicted)

    both = no_reach().plus(reach_of(predicted, true)).plus(reach_of(nothing, true))

    assert both.pixels == 2 * true.sum()
    assert math.isinf(margin_px(both, 0.9))
    assert margin_px(both, 0.5) == margin_px(reach_of(predicted, true), 1.0)


@pytest.mark.parametrize(("alpha", "needed"), [(0.1, 9), (0.05, 19), (0.2, 4), (0.3, 3)])
def test_the_units_needed_are_one_over_alpha_less_one(alpha: float, needed: int) -> None:
    values = [float(i) for i in range(needed)]

    assert units_needed(alpha) == needed
    assert conformal_quantile(values, alpha) == needed - 1
    with pytest.raises(ValueError, match=f"too few calibration units: {needed - 1}, needed"):
        conformal_quantile(values[1:], alpha)


def test_a_new_unit_exceeds_the_quantile_no_more_often_than_promised() -> None:
    random = np.random.default_rng(0)
    values = random.lognormal(size=(20_000, 13))

    failed = [row[-1] > conformal_quantile(row[:-1].tolist(), 0.2) for row in values]

    # Of 12 units the eleventh is taken: a thirteenth exceeds it in 2 of 13 cases.
    assert np.mean(failed) == pytest.approx(2 / 13, abs=0.008)
