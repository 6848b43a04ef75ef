"""Labels of a picture of any size: overlapping windows, blended, finished strip by strip.

Each window's class probabilities are weighted by a Gaussian around its middle, whose standard
deviation is an eighth of the window, and added up; a pixel's class is the one with the largest sum.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.method.latent import tensor_of

SIDE_MULTIPLE = 32
"""Sides of windows are multiples of this, so that the network can halve them five times."""

_SIGMA = 0.125
"""Of the Gaussian, in windows, as nnU-Net and MONAI have it: at an edge the weight is e^-8."""

Window = UInt8[np.ndarray, "rows columns 3"]
ReadWindow = Callable[[int, int, int, int], Window]
"""First row, first column, height, width, all within the picture; its pixels there."""


@dataclass(frozen=True)
class WindowGrid:
    """Where windows lie: evenly, the first and the last flush with the picture's edges."""

    height: int
    """Of the picture."""

    width: int
    """Of the picture."""

    window_px: int = 512
    """Side of a window; less where the picture is smaller."""

    overlap: float = 0.25
    """The part of a window that it shares with the next, at least. More is smoother and slower."""

    side_multiple: int = SIDE_MULTIPLE
    """Sides of windows are multiples of this."""

    @cached_property
    def window(self) -> tuple[int, int]:
        """Height and width of what the network sees; beyond a smaller picture, its reflection."""
        return self._side(self.height), self._side(self.width)

    @cached_property
    def seen(self) -> tuple[int, int]:
        """Height and width of the part of a window that lies within the picture."""
        return min(self.window[0], self.height), min(self.window[1], self.width)

    @cached_property
    def rows(self) -> list[int]:
        """The first row of each row of windows."""
        return self._starts(self.height, self.seen[0])

    @cached_property
    def columns(self) -> list[int]:
        """The first column of each column of windows."""
        return self._starts(self.width, self.seen[1])

    @cached_property
    def shared_rows(self) -> int:
        """Rows that a row of windows shares with the next, at most."""
        return max((y + self.seen[0] - below for y, below in pairwise(self.rows)), default=0)

    def carried_bytes(self, num_classes: int) -> int:
        """What grows with the picture's width while it is blended."""
        return 4 * num_classes * self.shared_rows * self.width

    def _side(self, length: int) -> int:
        return min(self.window_px, -(-length // self.side_multiple) * self.side_multiple)

    def _starts(self, length: int, window: int) -> list[int]:
        step = max(1, int(window * (1 - self.overlap)))
        last = max(1, -(-(length - window) // step))
        return [i * (length - window) // last for i in range(last + 1 if length > window else 1)]


@dataclass(frozen=True)
class WindowNetwork:
    """A segmenter as the blending asks it."""

    network: nn.Module
    """In evaluation mode; an image to a number for each class and pixel."""

    num_classes: int
    """How many there are."""

    @torch.no_grad()
    def probabilities(self, window: Window) -> Float[Tensor, "classes rows columns"]:
        """How likely each class is, on the network's device."""
        numbers: Tensor = self.network(tensor_of(window)[None].to(self.device))
        return numbers[0].softmax(dim=0)

    def nothing(self, height: int, width: int) -> Float[Tensor, "classes height width"]:
        """Sums to which no window has added yet."""
        return torch.zeros(self.num_classes, height, width, device=self.device)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters()).device


def blended_rows(
    grid: WindowGrid,
    read: ReadWindow,
    network: WindowNetwork,
    wanted: Bool[np.ndarray, "window_rows window_columns"] | None = None,
) -> Iterator[UInt8[np.ndarray, "rows width"]]:
    """The label map of a picture from the top, rows as they are finished.

    Equal to `blended_labels`, bit by bit. Memory: `grid.carried_bytes`, the rows of labels of one
    row of windows, and a few windows; nothing grows with the picture's height.

    Args:
        grid: the picture's size, and where windows lie.
        read: gives the pixels of a window; called once for each wanted one, row by row.
        network: what predicts.
        wanted: which windows to predict; None is all. What no window covers is unlabelled.
    """
    blend = _Blend(grid, read, network, wanted)
    carried = network.nothing(grid.shared_rows, grid.width)
    above = 0
    for index, (y, below) in enumerate(pairwise([*grid.rows, grid.height])):
        finished, shared = below - y, y + grid.seen[0] - below
        labels = np.empty((finished, grid.width), dtype=np.uint8)
        for x, sums in blend.strip(index, carried[:, :above]):
            columns = slice(x, x + sums.shape[2])
            labels[:, columns] = _likeliest(sums[:, :finished])
            # These columns have been read already: the strip is ahead by the rest of a window.
            carried[:, :shared, columns] = sums[:, finished:]
        above = shared
        yield labels


def blended_labels(
    grid: WindowGrid,
    read: ReadWindow,
    network: WindowNetwork,
    wanted: Bool[np.ndarray, "window_rows window_columns"] | None = None,
) -> LabelMap:
    """The same at once: the plain twin of `blended_rows`. Memory grows with area times classes."""
    blend = _Blend(grid, read, network, wanted)
    sums = network.nothing(grid.height, grid.width)
    height, width = grid.seen
    for row, y in enumerate(grid.rows):
        for column, x in enumerate(grid.columns):
            blend.add(sums[:, y : y + height, x : x + width], row, column)
    return _likeliest(sums)


def windows_on(
    mask: Bool[np.ndarray, "mask_height mask_width"], grid: WindowGrid
) -> Bool[np.ndarray, "window_rows window_columns"]:
    """Which windows touch a mask of the whole picture, which may be of any size."""
    height, width = grid.seen
    rows = [_part(y, height, grid.height, mask.shape[0]) for y in grid.rows]
    columns = [_part(x, width, grid.width, mask.shape[1]) for x in grid.columns]
    touched = [np.asarray(mask[part].any(axis=0)) for part in rows]
    return np.array([[bool(row[part].any()) for part in columns] for row in touched])


class _Blend:
    """Adds windows up."""

    def __init__(
        self,
        grid: WindowGrid,
        read: ReadWindow,
        network: WindowNetwork,
        wanted: Bool[np.ndarray, "window_rows window_columns"] | None,
    ) -> None:
        self.grid, self.read, self.network, self.wanted = grid, read, network, wanted
        down, along = (_gaussian(side) for side in grid.window)
        height, width = grid.seen
        self.weights = (down[:height, None] * along[:width]).to(network.device)

    def strip(
        self, row: int, carried: Float[Tensor, "classes shared width"]
    ) -> Iterator[tuple[int, Float[Tensor, "classes rows columns"]]]:
        """Sums over a row of windows and what was carried from above, finished columns by first.

        What is carried is read a window ahead of what is given.
        """
        height, width = self.grid.seen
        sums = self.network.nothing(height, 0)
        for column, (x, right) in enumerate(pairwise([*self.grid.columns, self.grid.width])):
            entering = carried[:, :, x + sums.shape[2] : x + width]
            below = (0, 0, 0, height - entering.shape[1])
            sums = torch.cat([sums, functional.pad(entering, below)], dim=2)
            self.add(sums, row, column)
            yield x, sums[:, :, : right - x]
            sums = sums[:, :, right - x :]

    def add(self, sums: Float[Tensor, "classes rows columns"], row: int, column: int) -> None:
        """Add a window to the sums where it lies, if it is wanted."""
        if self.wanted is not None and not self.wanted[row, column]:
            return
        (height, width), window = self.grid.seen, self.grid.window
        pixels = self.read(self.grid.rows[row], self.grid.columns[column], height, width)
        beyond = ((0, window[0] - height), (0, window[1] - width), (0, 0))
        probabilities = self.network.probabilities(np.pad(pixels, beyond, mode="symmetric"))
        sums += self.weights * probabilities[:, :height, :width]


def _gaussian(side: int) -> Float[Tensor, " side"]:
    away = torch.arange(side) - (side - 1) / 2
    return torch.exp(-0.5 * (away / (_SIGMA * side)) ** 2)


def _likeliest(
    sums: Float[Tensor, "classes rows columns"],
) -> UInt8[np.ndarray, "rows columns"]:
    """The class with the largest sum; unlabelled where all are zero."""
    largest, labels = sums.max(dim=0)
    classes: UInt8[np.ndarray, "rows columns"] = (
        labels.to(torch.uint8).masked_fill(largest == 0, UNLABELLED).cpu().numpy()
    )
    return classes


def _part(start: int, length: int, of: int, pixels: int) -> slice:
    """The pixels of a mask that a stretch of the picture touches."""
    return slice(start * pixels // of, -(-(start + length) * pixels // of))
