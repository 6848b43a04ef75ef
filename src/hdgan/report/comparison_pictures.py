"""Pictures of the report of `hdgan compare`, whose label maps keep every edge and colour."""

import base64

import numpy as np
from PIL import Image

from hdgan.artifacts.images import png_of
from hdgan.report.grids import GAP, Grid, Picture, grid

PICTURES_A_ROW = 4
"""Image, annotation, reference, candidate."""

WIDTH_PX = 1032
"""What a page has room for; a browser would drop pixels of wider pictures."""


def row_shown(pixels: Grid) -> tuple[str, int]:
    """A row of an image and its label maps as a data URI without loss, and its width in pixels.

    A row that is too wide is made smaller: the image smoothly, label maps by leaving pixels out,
    so that no colour appears that is none of a class. A small row is shown magnified, each pixel
    as a square of whole pixels; it is the page that does not smooth them.

    Args:
        pixels: four pictures of one size, the image first, as `grid` lays them.
    """
    if pixels.shape[1] > WIDTH_PX:
        pixels = _smaller(pixels)
    encoded = base64.b64encode(png_of(pixels)).decode()
    width = pixels.shape[1]
    return f"data:image/png;base64,{encoded}", width * max(1, WIDTH_PX // width)


def is_made_smaller(pixels: Grid) -> bool:
    """Whether a row is shown smaller than it is."""
    return pixels.shape[1] > WIDTH_PX


def _smaller(pixels: Grid) -> Picture:
    height, width, _ = pixels.shape
    side = (width - (PICTURES_A_ROW - 1) * GAP) // PICTURES_A_ROW
    shown = (WIDTH_PX - (PICTURES_A_ROW - 1) * GAP) // PICTURES_A_ROW
    size = (shown, max(1, round(height * shown / side)))
    parts = [pixels[:, i * (side + GAP) : i * (side + GAP) + side] for i in range(PICTURES_A_ROW)]
    image = _resized(parts[0], size, Image.Resampling.LANCZOS)
    labels = [_resized(part, size, Image.Resampling.NEAREST) for part in parts[1:]]
    return grid([image, *labels], columns=PICTURES_A_ROW)


def _resized(picture: Picture, size: tuple[int, int], resampling: Image.Resampling) -> Grid:
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize(size, resampling))
