"""What the painter's tools do to a label map, computed from their geometry alone.

Points are (x, y) in image coordinates: the pixel in column i and row j has its centre at
(i + .5, j + .5). Written from the definitions, pixel by pixel, and with nothing of the page's code.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, UInt8, UInt16
from scipy import ndimage

Point = tuple[float, float]
Pixels = Bool[np.ndarray, "height width"]
Grid = Float[np.ndarray, "height width"]


class ExpectedMap:
    """A label map that is painted beside the page's, with its undo and redo."""

    def __init__(self, height: int, width: int) -> None:
        """Begin with nothing painted."""
        self._done = [np.full((height, width), 255, dtype=np.uint8)]
        self._undone: list[UInt8[np.ndarray, "height width"]] = []

    @property
    def labels(self) -> UInt8[np.ndarray, "height width"]:
        """As it is now."""
        return self._done[-1]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.labels.shape
        return height, width

    def paint(self, pixels: Pixels, value: int) -> None:
        """A stroke; what was undone is gone."""
        self._done.append(np.where(pixels, np.uint8(value), self.labels))
        self._undone.clear()

    def undo(self) -> None:
        """Take the last stroke back."""
        self._undone.append(self._done.pop())

    def redo(self) -> None:
        """Take the last undo back."""
        self._done.append(self._undone.pop())


def brushed(size: tuple[int, int], points: Sequence[Point], diameter: float) -> Pixels:
    """Pixels whose centre is within half the diameter of the way through the points."""
    ways = list(pairwise(points)) or [(points[0], points[0])]
    distance = np.min([_distance(size, *way) for way in ways], axis=0)
    found: Pixels = distance <= diameter / 2
    return found


def enclosed(size: tuple[int, int], corners: Sequence[Point]) -> Pixels:
    """Pixels whose centre is inside the polygon by the even-odd rule."""
    x, y = _centres(size)
    inside = np.zeros(size, dtype=np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y0 != y1:
            crosses = (y0 <= y) != (y1 <= y)
            inside ^= crosses & (x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x)
    return inside


def alike(image: UInt8[np.ndarray, "height width 3"], point: Point, tolerance: int) -> Pixels:
    """Pixels joined by sides to that under the point, of which no channel differs by more."""
    column, row = int(point[0]), int(point[1])
    difference = np.abs(image.astype(int) - image[row, column].astype(int)).max(axis=-1)
    regions, _ = ndimage.label(difference <= tolerance)
    found: Pixels = regions == regions[row, column]
    return found


def segment(segments: UInt16[np.ndarray, "height width"], point: Point) -> Pixels:
    """Pixels of the superpixel under the point, in an image of one block."""
    found: Pixels = segments == segments[int(point[1]), int(point[0])]
    return found


def _centres(size: tuple[int, int]) -> tuple[Grid, Grid]:
    """X and y of every pixel's centre."""
    rows, columns = np.indices(size)
    return columns + 0.5, rows + 0.5


def _distance(size: tuple[int, int], start: Point, end: Point) -> Grid:
    """How far each pixel's centre is from a straight way."""
    x, y = _centres(size)
    (x0, y0), (x1, y1) = start, end
    length = (x1 - x0) ** 2 + (y1 - y0) ** 2
    along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length if length else 0 * x
    along = along.clip(0, 1)
    distance: Grid = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
    return distance
