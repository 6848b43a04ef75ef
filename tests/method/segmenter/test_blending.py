"""Overlapping windows, blended strip by strip."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Bool, UInt8
from torch import Tensor, nn

from hdgan.class_map import UNLABELLED
from hdgan.method.segmenter.blending import (
    WindowGrid,
    WindowNetwork,
    blended_labels,
    blended_rows,
    windows_on,
)

Pixels = UInt8[np.ndarray, "height width 3"]


class Place(nn.Module):
    """What it says of a pixel depends on its colour, its neighbours and its place in the window."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.mix = nn.Conv2d(3, num_classes, 3, padding=1, padding_mode="zeros")

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.mix(x)
        ramp = torch.linspace(-1, 1, x.shape[3]) * torch.linspace(1, 2, x.shape[2])[:, None]
        signs = torch.tensor([-1.0, 1.0]).repeat(mixed.shape[1])[: mixed.shape[1]]
        return 3 * mixed + ramp * signs[:, None, None]


class Brightness(nn.Module):
    """Class 0 is darker than the middle, class 1 brighter, whatever is around."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(9.0))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([-x.mean(dim=1), x.mean(dim=1)], dim=1) * self.scale


class Picture:
    """A picture that tells which windows were read of it."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self.reads: list[tuple[int, int, int, int]] = []

    def read(self, y: int, x: int, height: int, width: int) -> Pixels:
        self.reads.append((y, x, height, width))
        assert y >= 0
        assert x >= 0
        cut = self.pixels[y : y + height, x : x + width]
        assert cut.shape == (height, width, 3)
        return cut


def noise(height: int, width: int, seed: int = 0) -> Picture:
    random = np.random.default_rng(seed)
    return Picture(random.integers(0, 256, (height, width, 3), dtype=np.uint8))


def in_one_piece(
    grid: WindowGrid,
    picture: Picture,
    network: WindowNetwork,
    wanted: Bool[np.ndarray, "rows columns"] | None = None,
) -> UInt8[np.ndarray, "height width"]:
    return np.concatenate(list(blended_rows(grid, picture.read, network, wanted)))


grids = st.builds(
    WindowGrid,
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    window_px=st.sampled_from([8, 16, 24, 32]),
    overlap=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.6, 0.75]),
    side_multiple=st.sampled_from([1, 4, 8]),
)


@given(grid=grids, num_classes=st.integers(2, 5), seed=st.integers(0, 9))
def test_strip_by_strip_is_bit_by_bit_what_comes_out_at_once(
    grid: WindowGrid, num_classes: int, seed: int
) -> None:
    picture = noise(grid.height, grid.width, seed)
    network = WindowNetwork(Place(num_classes), num_classes)
    wanted = np.random.default_rng(seed).random((len(grid.rows), len(grid.columns))) < 0.7

    for choice in (None, wanted):
        strips = in_one_piece(grid, picture, network, choice)
        assert np.array_equal(strips, blended_labels(grid, picture.read, network, choice))


@given(grid=grids)
def test_windows_cover_the_picture_and_overlap_as_much_as_was_asked(grid: WindowGrid) -> None:
    for starts, seen, length in (
        (grid.rows, grid.seen[0], grid.height),
        (grid.columns, grid.seen[1], grid.width),
    ):
        steps = np.diff(starts)
        assert starts[0] == 0
        assert starts[-1] + seen == length
        assert (steps > 0).all()
        assert (steps <= max(1, int(seen * (1 - grid.overlap)))).all()


@given(grid=grids)
def test_each_window_is_read_once(grid: WindowGrid) -> None:
    picture = noise(grid.height, grid.width)

    in_one_piece(grid, picture, WindowNetwork(Brightness(), 2))

    places = [(y, x, *grid.seen) for y in grid.rows for x in grid.columns]
    assert picture.reads == places


@pytest.mark.parametrize("size", [(5, 5), (100, 30), (64, 65)])
def test_what_windows_agree_on_is_what_comes_out(size: tuple[int, int]) -> None:
    picture = noise(*size)
    network = WindowNetwork(Brightness(), 2)

    labels = in_one_piece(WindowGrid(*size, window_px=32), picture, network)

    bright = picture.pixels.astype(np.float64).mean(axis=2) > 127.5
    assert np.array_equal(labels, bright.astype(np.uint8))


def test_near_a_windows_edge_its_neighbour_decides() -> None:
    """Of two windows that disagree everywhere, each has the pixels that are nearer its middle."""

    class Alternating(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            one = torch.ones_like(x[:, :1])
            return torch.cat([one, -one] if self.calls % 2 else [-one, one], dim=1)

    grid = WindowGrid(32, 56, window_px=32)
    labels = in_one_piece(grid, noise(32, 56), WindowNetwork(Alternating(), 2))

    assert grid.columns == [0, 24]
    assert (labels[:, :28] == 0).all()
    assert (labels[:, 28:] == 1).all()


def test_what_no_window_covers_is_unlabelled() -> None:
    grid = WindowGrid(64, 64, window_px=32, overlap=0.0)
    wanted = np.array([[True, False], [False, False]])

    labels = in_one_piece(grid, noise(64, 64), WindowNetwork(Brightness(), 2), wanted)

    assert (labels[:32, :32] != UNLABELLED).all()
    assert (labels[32:] == UNLABELLED).all()
    assert (labels[:, 32:] == UNLABELLED).all()


def test_windows_that_touch_a_mask_are_found_whatever_its_size() -> None:
    grid = WindowGrid(640, 1280, window_px=320, overlap=0.0)
    mask = np.zeros((10, 20), dtype=np.bool_)
    mask[9, 4] = mask[0, 19] = True

    assert windows_on(mask, grid).tolist() == [[False, False, False, True], [True] + [False] * 3]


@given(grid=grids, place=st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)))
def test_every_window_with_a_pixel_of_tissue_is_wanted(
    grid: WindowGrid, place: tuple[float, float]
) -> None:
    y, x = int(place[0] * grid.height), int(place[1] * grid.width)
    mask = np.zeros((max(1, grid.height // 3), max(1, grid.width // 3)), dtype=np.bool_)
    mask[y * mask.shape[0] // grid.height, x * mask.shape[1] // grid.width] = True

    wanted = windows_on(mask, grid)

    rows = [i for i, start in enumerate(grid.rows) if start <= y < start + grid.seen[0]]
    columns = [i for i, start in enumerate(grid.columns) if start <= x < start + grid.seen[1]]
    assert all(wanted[row, column] for row in rows for column in columns)
