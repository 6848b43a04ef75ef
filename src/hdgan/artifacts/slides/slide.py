"""What every slide can do, whoever reads its file."""

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

_MARGIN_PX = 4
"""Pixels around a region that take part when it is made smaller, so that neighbours fit."""

_BAND_PIXELS = 64_000_000
"""Overviews of slides without small levels are made from bands of so many pixels."""

Pixels = UInt8[np.ndarray, "height width 3"]
"""RGB, 0 to 255."""


@dataclass(frozen=True)
class Level:
    """A slide's image at one size."""

    width: int
    height: int

    downsample: float
    """Level-0 px per pixel."""


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
    down = slide.levels[level].downsample
    left, top = region.x / down, region.y / down
    right, bottom = (region.x + region.width) / down, (region.y + region.height) / down
    if _are_whole(left, top) and (round(right - left, 6), round(bottom - top, 6)) == (
        width,
        height,
    ):
        return slide.read(level, Region(round(left), round(top), width, height))
    first_x, first_y = int(left) - _MARGIN_PX, int(top) - _MARGIN_PX
    first_x, first_y = max(first_x, 0), max(first_y, 0)
    last_x, last_y = int(np.ceil(right)) + _MARGIN_PX, int(np.ceil(bottom)) + _MARGIN_PX
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
