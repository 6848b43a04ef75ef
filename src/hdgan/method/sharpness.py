"""How sharp a tile is, whatever its stain."""

import math

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy import ndimage

WINDOW_PX = 192
MOST_WINDOWS = 6  # each way, whatever the size of the tile
GRAIN_PX = 1.0  # what is finer is noise and JPEG as well
BLUR_PX = 2.0
COARSE_PX = 19  # tissue is told from glass without its structure, which a blur changes
DARKER = 12  # grey levels below the brightest of the tile
DARK, COLOURED = 205, 20  # no glass is as dark, or its channels as far apart
LEAST_TISSUE = 0.005


def sharpness(tile: UInt8[np.ndarray, "height width 3"]) -> float:
    """The part of the fine structure of a tile's tissue that a blur of 2 pixels takes away.

    What is blurred already loses little by blurring (Crete et al. 2007, The blur effect). The
    squared gradients of grey are compared before and after, so the strength of the stain cancels
    out; a blur of 1 pixel beforehand keeps noise and JPEG out. It falls with every further blur.
    It depends on the spacing: compare tiles of one resolution. Of a large tile it looks at 36
    windows spread evenly.

    Returns:
        From 0, blurred, to 1. Real sections in focus have 0.6 to 0.85, after a blur of 2 pixels
        0.3 to 0.5, after one of 4 less than 0.3. NaN if nearly all is glass.
    """
    windows = _windows(tile)
    bright = np.percentile(np.concatenate([part[::2, ::2].mean(axis=-1) for part in windows]), 99)
    before = after = 0.0
    num_pixels = num_tissue = 0
    for window in windows:
        is_tissue = _is_tissue(window, float(bright))[1:-1, 1:-1]
        fine = ndimage.gaussian_filter(window.mean(axis=-1), GRAIN_PX, mode="nearest")
        blurred = ndimage.gaussian_filter(fine, BLUR_PX, mode="nearest")
        before += float(_squared_gradient(fine)[is_tissue].sum())
        after += float(_squared_gradient(blurred)[is_tissue].sum())
        num_pixels += is_tissue.size
        num_tissue += int(is_tissue.sum())
    if before == 0 or num_tissue < LEAST_TISSUE * num_pixels:
        return math.nan
    return 1 - after / before


def _windows(
    tile: UInt8[np.ndarray, "height width 3"],
) -> list[Float32[np.ndarray, "rows columns 3"]]:
    """The whole of a small tile, or windows of it that do not touch."""
    return [
        tile[y : y + WINDOW_PX, x : x + WINDOW_PX].astype(np.float32)
        for y in _starts(tile.shape[0])
        for x in _starts(tile.shape[1])
    ]


def _starts(length_px: int) -> list[int]:
    count = min(MOST_WINDOWS, max(1, length_px // WINDOW_PX))
    return [int(start) for start in np.linspace(0, max(0, length_px - WINDOW_PX), count)]


def _is_tissue(
    window: Float32[np.ndarray, "rows columns 3"], bright: float
) -> Bool[np.ndarray, "rows columns"]:
    """Where a window is darker than the glass, too dark for glass or too colourful for it."""
    coarse = window
    for _ in range(2):  # about a Gaussian, in a fraction of its time
        coarse = ndimage.uniform_filter(coarse, (COARSE_PX, COARSE_PX, 1), mode="nearest")
    grey = coarse.mean(axis=-1)
    is_coloured = coarse.max(axis=-1) - coarse.min(axis=-1) > COLOURED
    return (grey < max(bright - DARKER, DARK)) | is_coloured


def _squared_gradient(
    grey: Float32[np.ndarray, "rows columns"],
) -> Float32[np.ndarray, "inner_rows inner_columns"]:
    across = grey[1:-1, 2:] - grey[1:-1, :-2]
    down = grey[2:, 1:-1] - grey[:-2, 1:-1]
    return np.square(across) + np.square(down)
