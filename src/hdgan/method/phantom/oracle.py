"""The exact rule that reads the class of a phantom's pixel off its colour, and its surroundings.

It labels drawn phantoms and generated ones alike, and so stands in for the expert. Where a colour
is of no class, or a shape of no structure, it abstains.
"""

import numpy as np
from jaxtyping import Float32, UInt8

from hdgan.class_map import UNLABELLED
from hdgan.method.phantom.context import told_by_context
from hdgan.method.phantom.tissue import ARTERY, SHOWN_AS, STAIN_COLOURS, WHITESPACE, Coding

REACH = 48.0
"""Farthest that a pixel may lie from the colours of its class, in grey levels (Euclidean): half
of the least distance between two classes."""


def read_labels(
    image: UInt8[np.ndarray, "height width 3"], coding: Coding = "colour"
) -> UInt8[np.ndarray, "height width"]:
    """The class of each pixel, or `UNLABELLED` where it is of no class.

    A generator may draw a stain between the two that it has seen, so a class has all colours on
    the straight line between its colours in the stains.

    Args:
        image: RGB; square if it is context-coded.
        coding: what tells the class.
    """
    labels = _by_colour(image, sorted(set(SHOWN_AS[coding])))
    if coding == "context":
        stained = labels == ARTERY
        told = told_by_context(stained, labels == WHITESPACE)
        labels[stained] = told[stained]
    return labels


def _by_colour(
    image: UInt8[np.ndarray, "height width 3"], classes: list[int]
) -> UInt8[np.ndarray, "height width"]:
    """The nearest of some classes by colour."""
    first, last = (
        np.array(colours, dtype=np.float32)[classes] for colours in STAIN_COLOURS.values()
    )
    pixels = image.astype(np.float32)
    distance = np.stack(
        [_distance(pixels, a, b) for a, b in zip(first, last, strict=True)], axis=-1
    )
    labels = np.array(classes, dtype=np.uint8)[distance.argmin(axis=-1)]
    labels[distance.min(axis=-1) > REACH] = UNLABELLED
    return labels


def _distance(
    pixels: Float32[np.ndarray, "height width 3"],
    first: Float32[np.ndarray, "3"],
    last: Float32[np.ndarray, "3"],
) -> Float32[np.ndarray, "height width"]:
    """From each pixel to the line between two colours."""
    along = last - first
    part = np.clip((pixels - first) @ along / (along @ along), 0.0, 1.0)
    return np.linalg.norm(pixels - first - part[..., None] * along, axis=-1)
