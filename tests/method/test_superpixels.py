"""Superpixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import UInt8
from scipy import ndimage

from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.superpixels import superpixels


def random_image(height: int, width: int, seed: int) -> UInt8[np.ndarray, "height width 3"]:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, 3)).astype(np.uint8)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(16, 100), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_every_region_hangs_together_and_every_number_up_to_the_last_is_one(
    height: int, width: int, area_px: int, seed: int
) -> None:
    regions = superpixels(random_image(height, width, seed), area_px)

    last = int(regions.max())
    assert np.array_equal(np.unique(regions), np.arange(last + 1))
    assert [ndimage.label(regions == i)[1] for i in range(last + 1)] == [1] * (last + 1)


def test_the_same_image_gives_the_same_regions() -> None:
    image = draw_phantom(128, "rose", patient=0, seed=0).image

    assert np.array_equal(superpixels(image, 100), superpixels(image.copy(), 100))


def test_regions_have_about_the_area_that_is_wanted() -> None:
    image = draw_phantom(256, "rose", patient=0, seed=0).image

    for area_px in (100, 400):
        count = int(superpixels(image, area_px).max()) + 1
        assert 0.5 < count * area_px / image[..., 0].size < 2.0


def test_no_region_reaches_over_a_sharp_edge() -> None:
    image = np.full((64, 64, 3), 240, dtype=np.uint8)
    image[:, 27:] = (120, 40, 90)

    regions = superpixels(image, 64)

    assert not {*regions[:, :26].ravel()} & {*regions[:, 28:].ravel()}


@pytest.mark.parametrize(("side", "area_px"), [(513, 400), (64, 15)])
def test_too_large_an_image_and_too_small_regions_are_refused(side: int, area_px: int) -> None:
    with pytest.raises(ValueError, match=f"of {area_px} px in an image of {side} x {side} px"):
        superpixels(np.zeros((side, side, 3), dtype=np.uint8), area_px)
