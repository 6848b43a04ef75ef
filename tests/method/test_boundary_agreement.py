"""Boundary F1 against distance transforms, and regions grown against dilation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from hdgan.class_map import UNLABELLED
from hdgan.method.boundary_agreement import boundary_counts, boundary_f1, grown


def blobs(seed: int, side: int = 20) -> np.ndarray:
    """Three classes in patches."""
    noise = np.random.default_rng(seed).normal(size=(3, side, side))
    labels: np.ndarray = ndimage.gaussian_filter(noise, (0, 2, 2)).argmax(axis=0).astype(np.uint8)
    return labels


def square(left: int) -> np.ndarray:
    labels = np.zeros((20, 20), dtype=np.uint8)
    labels[6:14, left : left + 8] = 1
    return labels


@given(seed=st.integers(0, 999), margin=st.integers(0, 4))
def test_a_grown_region_is_all_that_is_no_further_away(seed: int, margin: int) -> None:
    region = blobs(seed) == 0

    ours = grown(region, margin)

    if region.any():
        assert np.array_equal(ours, ndimage.distance_transform_edt(~region) <= margin)


def test_a_region_of_a_thin_image_grows_too() -> None:
    region = np.array([[False, True, False, False, False]])

    assert grown(region, 2).tolist() == [[True, True, True, True, False]]


@given(a=st.integers(0, 99), b=st.integers(0, 99))
def test_boundary_f1_is_that_of_distance_transforms(a: int, b: int) -> None:
    truth, predicted = blobs(a), blobs(b)

    ours = boundary_f1(boundary_counts(truth, predicted, 3))

    for tissue in range(3):
        edges = []
        for labels in (predicted, truth):
            mask = labels == tissue
            inner = ndimage.binary_erosion(mask, border_value=True)
            edges.append(mask & ~inner)
        if not (edges[0].any() and edges[1].any()):
            continue
        near = [(ndimage.distance_transform_edt(~edge) <= 2) for edge in edges]
        p, r = near[1][edges[0]].mean(), near[0][edges[1]].mean()
        assert ours[tissue] == pytest.approx(2 * p * r / (p + r) if p + r else 0.0)


@pytest.mark.parametrize(("shift", "agrees"), [(0, True), (2, True), (6, False)])
def test_a_boundary_may_be_two_pixels_off(shift: int, *, agrees: bool) -> None:
    f1 = boundary_f1(boundary_counts(square(6), square(6 + shift), 2))

    assert bool(f1[1] == 1.0) is agrees


def test_where_the_truth_is_unlabelled_is_no_boundary() -> None:
    truth = np.full((8, 8), UNLABELLED, dtype=np.uint8)
    truth[:, :4] = 0
    predicted = np.zeros((8, 8), dtype=np.uint8)
    predicted[:, 6:] = 1

    counts = boundary_counts(truth, predicted, 2)

    assert counts.predicted.tolist() == counts.true.tolist() == [0, 0]
    assert np.isnan(boundary_f1(counts)).all()
