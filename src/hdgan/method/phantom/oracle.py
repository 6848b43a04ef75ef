"""The exact rule that reads the class of a phantom's pixel off its colour.

It labels drawn phantoms and generated ones alike, and so stands in for the expert. Where a colour
is of no class, it abstains.
"""

import numpy as np
from jaxtyping import UInt8

from hdgan.class_map import UNLABELLED
from hdgan.method.phantom.drawing import STAIN_COLOURS

REACH = 36.0
"""Farthest that a pixel may lie from the colour of its class, in grey levels (Euclidean)."""


def read_labels(
    image: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "height width"]:
    """The class of each pixel, or `UNLABELLED` where the colour is of no class.

    The stain is the one that explains more of the image's pixels.
    """
    readings = [_nearest(image, np.array(colours)) for colours in STAIN_COLOURS.values()]
    abstained = [int((labels == UNLABELLED).sum()) for labels in readings]
    return readings[int(np.argmin(abstained))]


def _nearest(
    image: UInt8[np.ndarray, "height width 3"], colours: np.ndarray
) -> UInt8[np.ndarray, "height width"]:
    """The class of the nearest colour, where it is near enough."""
    difference = image[:, :, None, :].astype(np.float32) - colours.astype(np.float32)
    distance = np.sqrt(np.square(difference).sum(axis=-1))
    labels = distance.argmin(axis=-1).astype(np.uint8)
    labels[distance.min(axis=-1) > REACH] = UNLABELLED
    return labels
