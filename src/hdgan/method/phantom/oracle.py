"""The exact rule that reads the class of a phantom's pixel off its colour, and its surroundings.

It labels drawn phantoms and generated ones alike, and so stands in for the expert. Where a colour
is of no class, or a shape of no structure, it abstains.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float32, UInt8

from hdgan.class_map import UNLABELLED
from hdgan.method.phantom.context import told_by_context
from hdgan.method.phantom.tissue import ARTERY, PALETTES, SHOWN_AS, WHITESPACE, Coding, Stain

REACH = 48.0
"""Farthest that a pixel may lie from the colours of its class, in grey levels (Euclidean): half
of the least distance between two classes."""


def read_labels(
    image: UInt8[np.ndarray, "height width 3"],
    coding: Coding = "colour",
    stains: Sequence[Stain] = (),
) -> UInt8[np.ndarray, "height width"]:
    """The class of each pixel, or `UNLABELLED` where it is of no class.

    A generator may draw a stain between two that it has seen, so a class has all colours on
    the straight line between its colours in any two stains.

    Args:
        image: RGB; square if it is context-coded.
        coding: what tells the class.
        stains: those that the image may have; empty: all. The fewer, the sharper the rule: what
            is between two classes of one stain may be a class of another.
    """
    labels = _by_colour(image, sorted(set(SHOWN_AS[coding])), stains or tuple(PALETTES))
    if coding == "context":
        stained = labels == ARTERY
        told = told_by_context(stained, labels == WHITESPACE)
        labels[stained] = told[stained]
    return labels


def _by_colour(
    image: UInt8[np.ndarray, "height width 3"], classes: list[int], stains: Sequence[Stain]
) -> UInt8[np.ndarray, "height width"]:
    """The nearest of some classes by colour."""
    pixels = image.astype(np.float32)
    colours = np.array([PALETTES[stain] for stain in stains], dtype=np.float32)
    distance = np.stack([_distance(pixels, colours[:, tissue]) for tissue in classes], axis=-1)
    labels = np.array(classes, dtype=np.uint8)[distance.argmin(axis=-1)]
    labels[distance.min(axis=-1) > REACH] = UNLABELLED
    return labels


def _distance(
    pixels: Float32[np.ndarray, "height width 3"], colours: Float32[np.ndarray, "stains 3"]
) -> Float32[np.ndarray, "height width"]:
    """From each pixel to the nearest of the lines between any two colours."""
    pairs = combinations(colours, 2) if len(colours) > 1 else [(colours[0], colours[0])]
    lines = [_distance_to_line(pixels, first, last) for first, last in pairs]
    nearest: Float32[np.ndarray, "height width"] = np.minimum.reduce(lines)
    return nearest


def _distance_to_line(
    pixels: Float32[np.ndarray, "height width 3"],
    first: Float32[np.ndarray, "3"],
    last: Float32[np.ndarray, "3"],
) -> Float32[np.ndarray, "height width"]:
    along = last - first
    # A single stain's line is a point.
    part = np.clip((pixels - first) @ along / max(float(along @ along), 1e-6), 0.0, 1.0)
    return np.linalg.norm(pixels - first - part[..., None] * along, axis=-1)
