"""Where tiles lie, what glass is, and what training sees of a tile."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.errors import SettingsError
from hdgan.geometry import Region
from hdgan.method.splitting import dealt_to_splits
from hdgan.method.tile_crop import all_ways, drawn_way, laid, random_crop, shrunk_crop, undone
from hdgan.method.tile_grid import covered_fractions, tile_grid
from hdgan.method.tissue import whitespace_fraction


@given(width=st.integers(1, 70), height=st.integers(1, 70), side=st.integers(5, 40))
def test_tiles_lie_inside_the_slide_and_apart(width: int, height: int, side: int) -> None:
    regions = tile_grid(width, height, side)

    assert len(regions) == (width // side) * (height // side)
    for region in regions:
        assert 0 <= region.x <= region.x + side <= width
        assert 0 <= region.y <= region.y + side <= height
    assert not any(a.overlaps(b) for a, b in combinations(regions, 2))


def test_without_a_side_the_whole_image_is_one_tile() -> None:
    assert tile_grid(320, 256, None) == [Region(0, 0, 320, 256)]


@given(
    width=st.integers(1, 300),
    height=st.integers(1, 300),
    side=st.integers(5, 40),
    scale=st.floats(0.9, 7.0),
)
def test_scaled_tiles_lie_inside_the_slide_and_about_apart(
    width: int, height: int, side: int, scale: float
) -> None:
    regions = tile_grid(width, height, side, scale=scale)

    covered = round(side * scale)
    for region in regions:
        assert (region.width, region.height) == (covered, covered)
        assert 0 <= region.x <= region.x + covered <= width
        assert 0 <= region.y <= region.y + covered <= height
    columns = sorted({region.x for region in regions})
    assert all(abs(b - a - side * scale) <= 1 for a, b in pairwise(columns))
    if width >= covered and height >= covered:
        assert len(columns) == int(width / (side * scale) + 1e-9)


@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    times=st.integers(1, 6),
    seed=st.integers(0, 99),
    corner=st.tuples(st.integers(0, 30), st.integers(0, 30)),
)
def test_the_covered_part_is_that_of_the_enlarged_mask(
    shape: tuple[int, int], times: int, seed: int, corner: tuple[int, int]
) -> None:
    mask = np.random.default_rng(seed).random(shape) < 0.5
    large = np.kron(mask, np.ones((times, times)))
    height, width = large.shape
    x, y = corner[0] % width, corner[1] % height
    region = Region(x, y, max(1, (width - x) // 2), max(1, (height - y) // 2))

    (found,) = covered_fractions(mask, [region], width, height)

    cut = large[region.y : region.y + region.height, region.x : region.x + region.width]
    assert found == pytest.approx(cut.mean(), abs=1e-9)


def test_no_region_is_covered_in_no_part() -> None:
    assert covered_fractions(np.ones((3, 3), dtype=np.bool_), [], 30, 30).shape == (0,)


def test_regions_that_share_an_edge_do_not_overlap() -> None:
    left, right = Region(0, 0, 4, 4), Region(4, 0, 4, 4)

    assert not left.overlaps(right)
    assert left.overlaps(Region(3, 3, 4, 4))


def test_a_tile_of_bare_glass_is_all_whitespace() -> None:
    glass = np.full((8, 8, 3), 245, dtype=np.uint8)

    assert whitespace_fraction(glass) == 1.0


def test_a_pixel_is_glass_only_if_all_three_channels_are_bright() -> None:
    tile = np.full((2, 2, 3), 245, dtype=np.uint8)
    tile[0, 0, 1] = 100

    assert whitespace_fraction(tile) == 0.75


@given(side=st.integers(1, 10), seed=st.integers(0, 99))
def test_a_crop_is_a_square_of_its_tile(side: int, seed: int) -> None:
    tile = np.arange(12 * 10).reshape(12, 10)

    crop = random_crop(tile, side, np.random.default_rng(seed))

    y, x = divmod(int(crop[0, 0]), 10)
    assert np.array_equal(crop, tile[y : y + side, x : x + side])
    assert crop.shape == (side, side)


def test_a_crop_that_is_not_shrunk_holds_the_tiles_own_pixels() -> None:
    tile = np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)

    crop = shrunk_crop(tile, 5, (1.0, 1.0), np.random.default_rng(3))

    assert np.array_equal(crop, random_crop(tile, 5, np.random.default_rng(3)))


def test_a_shrunk_crop_shows_its_tile_smaller() -> None:
    rows, columns = np.mgrid[0:64, 0:64]
    tile = np.stack([2 * rows, 2 * columns, 0 * rows], axis=2).astype(np.uint8)

    crop = shrunk_crop(tile, 16, (4.0, 4.0), np.random.default_rng(0)).astype(int)

    # All 64 pixels: four of the tile to one of the crop, whose middles are 8 levels apart.
    wanted = 8 * np.arange(16) + 3
    assert np.abs(crop[2:-2, :, 0] - wanted[2:-2, None]).max() <= 1
    assert np.abs(crop[:, 2:-2, 1] - wanted[None, 2:-2]).max() <= 1


def test_every_ratio_between_the_two_is_drawn() -> None:
    slope = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    random = np.random.default_rng(0)

    crops = [shrunk_crop(slope, 16, (1.0, 4.0), random).astype(float) for _ in range(200)]
    ratios = [(crop[0, 12, 0] - crop[0, 3, 0]) / 9 for crop in crops]

    assert 0.9 < min(ratios) < 1.2
    assert 3.5 < max(ratios) < 4.2
    assert np.median(ratios) == pytest.approx(2.0, abs=0.3)  # as many doublings either way


def test_the_eight_ways_are_different_and_hold_the_same_pixels() -> None:
    tile = np.arange(9).reshape(3, 3)

    ways = [laid(tile, way) for way in range(8)]

    assert len({way.tobytes() for way in ways}) == 8
    assert all(sorted(way.ravel()) == list(range(9)) for way in ways)


def test_each_of_the_eight_ways_can_be_undone() -> None:
    tile = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)

    back = [laid(turned, undone(way)) for way, turned in enumerate(all_ways(tile))]

    assert all(np.array_equal(each, tile) for each in back)


@pytest.mark.parametrize(("orientation", "ways"), [("as-is", 1), ("mirrored", 2), ("any", 8)])
def test_an_orientation_allows_its_ways(orientation: str, ways: int) -> None:
    random = np.random.default_rng(0)

    drawn = {drawn_way(orientation, random) for _ in range(200)}  # type: ignore[arg-type]

    assert drawn == set(range(ways))


def test_thirty_six_images_are_dealt_as_in_the_paper() -> None:
    dealt = dealt_to_splits(36, (16, 4, 16), seed=0)

    assert [dealt.count(part) for part in range(3)] == [16, 4, 16]


@given(count=st.integers(0, 60), parts=st.lists(st.integers(0, 9), min_size=3, max_size=3))
def test_every_image_is_dealt_within_one_of_its_share(count: int, parts: list[int]) -> None:
    if sum(parts) == 0:
        with pytest.raises(SettingsError, match="not all 0"):
            dealt_to_splits(count, parts, seed=0)
        return

    dealt = dealt_to_splits(count, parts, seed=0)

    assert len(dealt) == count
    for part, share in enumerate(parts):
        assert abs(dealt.count(part) - count * share / sum(parts)) < 1
