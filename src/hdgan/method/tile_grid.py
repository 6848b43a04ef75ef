"""Where tiles lie on a slide, and how much of something each covers (section III)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from hdgan.geometry import Region


def tile_grid(width: int, height: int, side_px: int | None, *, scale: float = 1.0) -> list[Region]:
    """Regions side by side from the upper left corner, row by row; none overlaps another.

    What is left over at the right and lower edges is left out.

    Args:
        width: of the slide or image, level-0 px.
        height: the same.
        side_px: side of a tile's image; None takes the whole image as one.
        scale: level-0 px per px of the tile's image. A tile covers `side_px * scale` level-0 px,
            rounded; its corner is the rounded multiple of that, so neighbours may share a row.
    """
    if side_px is None:
        return [Region(0, 0, width, height)]
    step = side_px * scale
    side = round(step)
    columns, rows = (_starts(length, side, step) for length in (width, height))
    return [Region(x, y, side, side) for y in rows for x in columns]


def _starts(length: int, side: int, step: float) -> list[int]:
    """Where tiles begin along one axis."""
    count = int(length / step + 1e-9) if length >= side else 0
    return [min(round(place * step), length - side) for place in range(count)]


def covered_fractions(
    mask: Bool[np.ndarray, "height width"],
    regions: Sequence[Region],
    width: int,
    height: int,
) -> Float64[np.ndarray, " regions"]:
    """The part of each region that the mask covers; exact, pixels of the mask cut where need be.

    Args:
        mask: of the whole slide, at any size.
        regions: level-0 px, inside the slide.
        width: of the slide, level-0 px.
        height: the same.
    """
    corners = np.array([(r.y, r.x, r.y + r.height, r.x + r.width) for r in regions], np.float64)
    corners = corners.reshape(-1, 4) * np.array(
        [mask.shape[0] / height, mask.shape[1] / width] * 2, np.float64
    )
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1))
    sums[1:, 1:] = mask.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    top, left, bottom, right = corners.T
    area = (bottom - top) * (right - left)
    covered = (
        _at(sums, bottom, right)
        - _at(sums, top, right)
        - _at(sums, bottom, left)
        + _at(sums, top, left)
    )
    return np.clip(covered / area, 0.0, 1.0)


def _at(
    sums: Float64[np.ndarray, "rows columns"],
    y: Float64[np.ndarray, " places"],
    x: Float64[np.ndarray, " places"],
) -> Float64[np.ndarray, " places"]:
    """The sum over everything above and left of places between pixels: bilinear, so exact."""
    row = np.clip(y.astype(np.int64), 0, sums.shape[0] - 2)
    column = np.clip(x.astype(np.int64), 0, sums.shape[1] - 2)
    down, along = y - row, x - column
    upper = sums[row, column] * (1 - along) + sums[row, column + 1] * along
    lower = sums[row + 1, column] * (1 - along) + sums[row + 1, column + 1] * along
    return upper * (1 - down) + lower * down
