"""What every slide can do, whoever reads its file."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from hdgan.geometry import Region

GLASS = 255
"""What lies outside a slide, or was not scanned, is white."""

OVERVIEW_PX = 3072
"""Longer side of an overview, at most."""

_BAND_PIXELS = 64_000_000
"""Overviews of slides without small levels are made from bands of so many pixels."""

Pixels = UInt8[np.ndarray, "height width 3"]
"""RGB, 0 to 255."""


@dataclass(frozen=True)
class Level:
    """A slide's image at one size."""

    width: int
    height: int

    across: float = 1.0
    """Level-0 px per pixel along x."""

    down: float = 1.0
    """Level-0 px per pixel along y."""

    @property
    def downsample(self) -> float:
        """Level-0 px per pixel."""
        return (self.across + self.down) / 2


def levels_of(sizes: Sequence[tuple[int, int]]) -> tuple[Level, ...]:
    """Levels from their widths and heights, the largest first.

    A size that is a whole fraction of the largest, rounded up or down, is taken for that fraction:
    what is left over at the edge was dropped or filled up, and moved nothing.
    """
    (full_width, full_height), *_ = sizes
    return tuple(
        Level(width, height, _factor(full_width, width), _factor(full_height, height))
        for width, height in sizes
    )


def _factor(full: int, side: int) -> float:
    whole = max(1, round(full / side))
    if side in (full // whole, -(-full // whole)):
        return float(whole)
    # On a short side many fractions round to the same; a power of two is what pyramids are made of.
    power = 2 ** max(0, round(math.log2(full / side)))
    return float(power) if side in (full // power, -(-full // power)) else full / side


@runtime_checkable
class Slide(Protocol):
    """An open slide. One belongs to one thread of one process."""

    name: str
    """What errors call it."""

    kind: str
    """Who wrote it, or how it is stored: `aperio`, `hamamatsu`, `ome-tiff`, `plain image` ..."""

    levels: tuple[Level, ...]
    """From the largest, which has downsample 1, to the smallest."""

    spacing_um: float | None
    """Tissue per level-0 pixel, um/px; None if the file does not say."""

    def read(self, level: int, region: Region) -> Pixels:
        """The pixels of a region, given in pixels of the level; white outside the slide.

        Memory is the region and the tiles of the file that it touches.

        Raises:
            ImageError: the file is damaged there.
        """
        ...

    def close(self) -> None:
        """Let go of the file."""
        return

    def __enter__(self) -> "Slide":
        """The slide itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def read_scaled(slide: Slide, region: Region, width: int, height: int) -> Pixels:
    """A region of a slide as an image of `width` x `height` pixels.

    Read from the smallest level that is at least as fine, and made smaller by a bicubic filter as
    wide as the step; at the level's own size the file's pixels come back as they are.

    Args:
        slide: where to read.
        region: level-0 px.
        width: of the image, px; at most the region's.
        height: the same.
    """
    scale = min(region.width / width, region.height / height)
    level = _level_for(slide, scale)
    across, down = slide.levels[level].across, slide.levels[level].down
    left, top = region.x / across, region.y / down
    right, bottom = (region.x + region.width) / across, (region.y + region.height) / down
    if _are_whole(left, top) and (round(right - left, 6), round(bottom - top, 6)) == (
        width,
        height,
    ):
        return slide.read(level, Region(round(left), round(top), width, height))
    # As far around as the filter reaches, but not beyond the slide, which would let white in.
    margin = math.ceil(2 * max((right - left) / width, (bottom - top) / height)) + 1
    full = slide.levels[level]
    first_x, first_y = max(int(left) - margin, 0), max(int(top) - margin, 0)
    last_x = max(min(math.ceil(right) + margin, full.width), math.ceil(right))
    last_y = max(min(math.ceil(bottom) + margin, full.height), math.ceil(bottom))
    pixels = slide.read(level, Region(first_x, first_y, last_x - first_x, last_y - first_y))
    box = (left - first_x, top - first_y, right - first_x, bottom - first_y)
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(resized)


def _are_whole(*places: float) -> bool:
    return all(abs(place - round(place)) <= 1e-6 for place in places)


def _level_for(slide: Slide, scale: float) -> int:
    """The smallest level with at least a pixel for each pixel of the image."""
    fine = [i for i, level in enumerate(slide.levels) if level.downsample <= scale * (1 + 1e-6)]
    return max(fine, key=lambda i: slide.levels[i].downsample, default=0)


def overview(slide: Slide, longest_px: int = OVERVIEW_PX) -> Pixels:
    """The whole slide as a small image, its longer side `longest_px` at most.

    Memory is that image and a band of the smallest level that is fine enough, 200 MB at most.
    """
    full = slide.levels[0]
    scale = max(1.0, max(full.width, full.height) / longest_px)
    width, height = (max(1, int(side / scale)) for side in (full.width, full.height))
    level = slide.levels[_level_for(slide, scale)]
    rows = max(1, int(height * _BAND_PIXELS / (level.width * level.height)))
    bands = []
    for first in range(0, height, rows):
        last = min(first + rows, height)
        top, bottom = (round(row * full.height / height) for row in (first, last))
        band = Region(0, top, full.width, bottom - top)
        bands.append(read_scaled(slide, band, width, last - first))
    return np.concatenate(bands)
