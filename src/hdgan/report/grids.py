"""Pictures of one size side by side."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

Picture = UInt8[np.ndarray, "height width 3"]
"""RGB."""

Grid = UInt8[np.ndarray, "grid_height grid_width 3"]
"""RGB, made of several pictures."""

GAP = 2
"""Pixels of white between two tiles of a grid."""


def grid(tiles: Sequence[Picture], *, columns: int | None = None) -> Grid:
    """Tiles of one size side by side, row by row; about square unless `columns` says otherwise."""
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    height, width, _ = tiles[0].shape
    picture = np.full(
        (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, dtype=np.uint8
    )
    for i, tile in enumerate(tiles):
        y, x = i // columns * (height + GAP), i % columns * (width + GAP)
        picture[y : y + height, x : x + width] = tile
    return picture
