"""A slide at a glance: its tissue outlined, its tiles framed."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8
from scipy.ndimage import binary_dilation, binary_erosion

from hdgan.geometry import Region

TISSUE_COLOUR = (0, 158, 115)
TILE_COLOUR = (0, 0, 0)


def overview_picture(
    small: UInt8[np.ndarray, "height width 3"],
    tissue: Bool[np.ndarray, "height width"],
    tiles: Sequence[Region],
) -> UInt8[np.ndarray, "height width 3"]:
    """The overview with its tissue edged in green and its tiles framed; the rest is paler.

    Args:
        small: the slide's overview.
        tissue: where it shows tissue.
        tiles: regions of the overview.
    """
    kept = np.zeros(tissue.shape, dtype=np.bool_)
    frames = np.zeros(tissue.shape, dtype=np.bool_)
    thick = max(1, max(small.shape) // 1000)
    for tile in tiles:
        rows, columns = slice(tile.y, tile.y + tile.height), slice(tile.x, tile.x + tile.width)
        kept[rows, columns] = True
        frames[rows, columns] = True
        frames[
            tile.y + thick : tile.y + tile.height - thick,
            tile.x + thick : tile.x + tile.width - thick,
        ] = False
    picture = small.copy()
    picture[~kept] = small[~kept] // 2 + 127
    edge = binary_dilation(tissue, iterations=thick) & ~binary_erosion(tissue, iterations=thick)
    picture[edge] = TISSUE_COLOUR
    picture[frames] = TILE_COLOUR
    return picture
