"""What training sees of a tile: a random crop, in one of the eight ways to lay it."""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Shaped, UInt8
from torch.nn.functional import interpolate

Orientation = Literal["as-is", "mirrored", "any"]
"""Whether tiles are shown as they are, also mirrored, or in all eight ways.

Tissue on a slide has no up and no left; the eight ways cost nothing and teach nothing false.
"""


def random_crop(
    tile: Shaped[np.ndarray, "height width *channels"], side_px: int, random: np.random.Generator
) -> Shaped[np.ndarray, "side side *channels"]:
    """A square of the tile, every position equally likely. The tile is at least that large."""
    y = int(random.integers(0, tile.shape[0] - side_px + 1))
    x = int(random.integers(0, tile.shape[1] - side_px + 1))
    return tile[y : y + side_px, x : x + side_px]


def shrunk_crop(
    tile: UInt8[np.ndarray, "height width 3"],
    side_px: int,
    shrink: tuple[float, float],
    random: np.random.Generator,
) -> UInt8[np.ndarray, "side side 3"]:
    """A random crop of which several pixels make one.

    Args:
        tile: at least `side_px * shrink[1]` pixels on each side.
        side_px: side of what comes out.
        shrink: least and largest number of the tile's pixels to one of the crop's; each crop takes
            one between them, every ratio equally likely. (1, 1) resamples nothing.
        random: where the numbers come from.
    """
    low, high = shrink
    drawn = low if low == high else float(np.exp(random.uniform(np.log(low), np.log(high))))
    return shrunk(random_crop(tile, round(side_px * drawn), random), side_px)


def shrunk(
    crop: UInt8[np.ndarray, "needed needed 3"], side_px: int
) -> UInt8[np.ndarray, "side side 3"]:
    """A square at another side, at most its own; at its own it is not resampled."""
    if crop.shape[0] == side_px:
        return crop
    pixels = torch.from_numpy(crop.copy()).permute(2, 0, 1)[None]
    small = interpolate(pixels.float(), (side_px, side_px), mode="bilinear", antialias=True)
    return small[0].permute(1, 2, 0).round().byte().numpy()


def drawn_way(orientation: Orientation, random: np.random.Generator) -> int:
    """A number for `laid`, every allowed way equally likely."""
    ways = {"as-is": 1, "mirrored": 2, "any": 8}[orientation]
    return int(random.integers(0, ways))


def laid(
    tile: Shaped[np.ndarray, "height width *channels"], way: int
) -> Shaped[np.ndarray, "new_height new_width *channels"]:
    """The tile in one of eight ways: 0 as it is, 1 mirrored, then turned by right angles."""
    tile = tile[:, ::-1] if way % 2 else tile
    return np.rot90(tile, way // 2)


def all_ways(tile: UInt8[np.ndarray, "side side 3"]) -> list[UInt8[np.ndarray, "side side 3"]]:
    """The tile in each of the eight ways, in the order of their numbers."""
    return [np.ascontiguousarray(laid(tile, way)) for way in range(8)]


def undone(way: int) -> int:
    """The way that takes a tile back to how it was."""
    # A mirrored way is a mirroring about some axis, which undoes itself.
    return way if way % 2 else -way % 8
