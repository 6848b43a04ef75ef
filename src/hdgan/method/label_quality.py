"""How well a label map lies on its image, and how speckled it is."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy import ndimage

from hdgan.class_map import UNLABELLED, LabelMap

SPECKLE_PX = 30
"""A component of less is a speckle: no structure that an expert would outline."""

WINDOW_PX = 1024
"""Of a larger image the middle says enough about its edges."""

GRAIN_PX = 1.0
"""Standard deviation of the blur that keeps noise out of the gradient."""

_BINS = 2**16


@dataclass(frozen=True)
class EdgeAlignment:
    """How far the image's edges tell where the labels' borders are."""

    auc: float
    """The part of all pairs of a pixel on a border and one on none in which the image changes more
    on the border; of equals, half. 0.5 is chance. NaN of a label map without borders."""

    shifted: float
    """The same with the labels shifted by `shift_px`, the mean of the four directions: what
    labels have that know what kind of tissue is where, but not where it ends."""

    shift_px: int
    """A sixteenth of the shorter side."""


def edge_alignment(image: UInt8[np.ndarray, "height width 3"], labels: LabelMap) -> EdgeAlignment:
    """How much more an image changes on the borders of its labels than elsewhere.

    Memory: about 50 bytes a pixel of the middle `WINDOW_PX` of the image.

    Args:
        image: RGB.
        labels: its label map; borders with unlabelled pixels are none, and unlabelled pixels are
            left out.
    """
    rows, columns = (_middle(length) for length in labels.shape)
    strength = edge_strength(image[rows, columns])
    cut = labels[rows, columns]
    shift = max(1, min(cut.shape) // 16)
    shifted = [
        _auc_of(_moved(strength, -y, -x), _moved(cut, y, x))
        for y, x in ((shift, 0), (-shift, 0), (0, shift), (0, -shift))
    ]
    numbers = [value for value in shifted if not math.isnan(value)]
    floor = sum(numbers) / len(numbers) if numbers else math.nan
    return EdgeAlignment(_auc_of(strength, cut), floor, shift)


def edge_strength(
    image: UInt8[np.ndarray, "height width 3"],
) -> Float32[np.ndarray, "height width"]:
    """The length of the gradient of the optical density, over the three channels together."""
    density = -np.log10((np.arange(256, dtype=np.float32) + 1) / 256)
    squared = np.zeros(image.shape[:2], dtype=np.float32)
    for channel in range(3):
        fine = ndimage.gaussian_filter(density[image[..., channel]], GRAIN_PX, mode="nearest")
        for axis in (0, 1):
            if fine.shape[axis] > 1:
                squared += np.square(np.gradient(fine, axis=axis))
    return np.sqrt(squared)


def on_border(labels: LabelMap) -> Bool[np.ndarray, "height width"]:
    """The pixels of which a side is one of another class; both sides of a border are on it."""
    border = np.zeros(labels.shape, dtype=bool)
    down = _differ(labels[:-1], labels[1:])
    across = _differ(labels[:, :-1], labels[:, 1:])
    border[:-1] |= down
    border[1:] |= down
    border[:, :-1] |= across
    border[:, 1:] |= across
    return border


def rank_auc(
    strength: Float32[np.ndarray, "height width"],
    yes: Bool[np.ndarray, "height width"],
    no: Bool[np.ndarray, "height width"],
) -> float:
    """The chance that a pixel of `yes` is stronger than one of `no`, ties half; NaN without both.

    Values are compared in 65,536 even steps up to the largest.
    """
    largest = max(float(strength.max(initial=0.0)), 1e-9)
    steps = (strength * ((_BINS - 1) / largest)).astype(np.uint16)
    of_yes, of_no = (np.bincount(steps[mask], minlength=_BINS) for mask in (yes, no))
    if not of_yes.any() or not of_no.any():
        return math.nan
    weaker = np.cumsum(of_no) - 0.5 * of_no
    return float(of_yes @ weaker / (of_yes.sum() * of_no.sum()))


def _auc_of(strength: Float32[np.ndarray, "height width"], labels: LabelMap) -> float:
    border = on_border(labels)
    return rank_auc(strength, border, ~border & (labels != UNLABELLED))


def _differ(
    one: UInt8[np.ndarray, "rows columns"], other: UInt8[np.ndarray, "rows columns"]
) -> Bool[np.ndarray, "rows columns"]:
    return (one != other) & (one != UNLABELLED) & (other != UNLABELLED)


def _middle(length_px: int) -> slice:
    start = max(0, (length_px - WINDOW_PX) // 2)
    return slice(start, start + WINDOW_PX)


def _moved(pixels: np.ndarray, y: int, x: int) -> np.ndarray:
    """What remains of the pixels when the first so many rows and columns go; the last, if below 0.

    Pixels moved by (-y, -x) lie on others moved by (y, x) as if these were shifted.
    """
    rows = slice(max(0, y), pixels.shape[0] + min(0, y))
    columns = slice(max(0, x), pixels.shape[1] + min(0, x))
    return pixels[rows, columns]
