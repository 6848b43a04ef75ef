"""A plain image as a slide of one level."""

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.slides.slide import GLASS, Level, Pixels, Slide
from hdgan.geometry import Region


class PlainSlide(Slide):
    """An image that is wholly in memory."""

    kind = "plain image"

    def __init__(self, pixels: Pixels, name: str, spacing_um: float | None = None) -> None:
        self.name, self.spacing_um = name, spacing_um
        self._pixels = pixels
        self.levels = (Level(pixels.shape[1], pixels.shape[0]),)

    def read(self, level: int, region: Region) -> Pixels:
        """Cut a region out; white outside the image."""
        del level
        return cut(self._pixels, region)


def cut(pixels: UInt8[np.ndarray, "_ _ 3"], region: Region) -> Pixels:
    """A region of an image; white outside."""
    height, width, _ = pixels.shape
    left, top = max(region.x, 0), max(region.y, 0)
    inside = pixels[top : max(region.y + region.height, 0), left : max(region.x + region.width, 0)]
    if inside.shape == (region.height, region.width, 3):
        return inside
    out = np.full((region.height, region.width, 3), GLASS, dtype=np.uint8)
    y, x = top - region.y, left - region.x
    if inside.size and top < height and left < width:
        out[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return out
