"""Phantom kidney: glass, tubulointerstitium, glomeruli, arteries and arterioles, drawn by rule.

Colour-coded, every class has a colour of its own in each stain, so the class of a pixel can be
read off its colour (`oracle`). Context-coded, glomeruli and vessels share a colour (`context`).
Shapes are those of kidney in outline only: a glomerulus is a big round tuft, an artery a thick
ring about an open lumen, an arteriole a small dot.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import ndimage

from hdgan.method.phantom.context import context_layout
from hdgan.method.phantom.shapes import glass, warped_distance
from hdgan.method.phantom.tissue import (
    ARTERIOLE,
    ARTERY,
    GLOMERULUS,
    SHOWN_AS,
    STAIN_COLOURS,
    TUBULOINTERSTITIUM,
    WHITESPACE,
    Coding,
    Stain,
)

GRAIN = 2.0
"""Standard deviation of the grain of the drawing, in grey levels."""

TINT = 5.0
"""How far a patient's colours lie from the stain's, at most, in grey levels."""


@dataclass(frozen=True)
class Phantom:
    """A drawn tile and the truth about it."""

    image: UInt8[np.ndarray, "side side 3"]
    """RGB."""

    labels: UInt8[np.ndarray, "side side"]
    """The class of each pixel."""


def draw_phantom(
    side_px: int, stain: Stain, *, patient: int, seed: int, coding: Coding = "colour"
) -> Phantom:
    """A tile of phantom kidney; the same arguments give the same tile.

    Args:
        side_px: side of the tile. Structures keep their part of the tile.
        stain: which colours.
        patient: whose tissue; a patient has a tint.
        seed: which of the patient's tiles.
        coding: what tells the class of a pixel.
    """
    random = np.random.default_rng([seed, patient, side_px])
    layout = {"colour": _colour_layout, "context": context_layout}[coding]
    labels = layout(side_px, random)
    shown = np.array(SHOWN_AS[coding], dtype=np.uint8)[labels]
    return Phantom(_coloured(shown, stain, patient, random), labels)


@dataclass(frozen=True)
class _Kind:
    """A round structure; lengths are parts of the tile's side."""

    tissue: int
    chance: float
    """How often a tile has it."""
    centre: tuple[float, float]
    """Where it lies, y and x."""
    spread: float
    """How far from there, at most."""
    radii: tuple[float, float]
    lumen: float
    """Radius of the lumen as a part of its own."""


_KINDS = (
    _Kind(GLOMERULUS, 1.0, centre=(0.42, 0.42), spread=0.1, radii=(0.18, 0.25), lumen=0.0),
    _Kind(ARTERY, 0.9, centre=(0.78, 0.74), spread=0.06, radii=(0.12, 0.16), lumen=0.5),
    _Kind(ARTERIOLE, 0.9, centre=(0.78, 0.26), spread=0.06, radii=(0.07, 0.09), lumen=0.0),
    _Kind(ARTERIOLE, 0.6, centre=(0.2, 0.8), spread=0.06, radii=(0.07, 0.09), lumen=0.0),
)


def _colour_layout(side: int, random: np.random.Generator) -> UInt8[np.ndarray, "side side"]:
    """The classes of a tile; each structure has its corner."""
    labels = np.full((side, side), TUBULOINTERSTITIUM, dtype=np.uint8)
    if random.random() < 0.5:
        labels[glass(side, random, offsets=(0.3, 0.4))] = WHITESPACE
    for kind in _KINDS:
        if random.random() < kind.chance:
            _place(labels, random, kind)
    return labels


def _place(
    labels: UInt8[np.ndarray, "side side"], random: np.random.Generator, kind: _Kind
) -> None:
    """Lay a structure over what is there."""
    side = labels.shape[0]
    centre = (np.array(kind.centre) + random.uniform(-kind.spread, kind.spread, size=2)) * side
    radius = random.uniform(*kind.radii) * side
    distance = warped_distance(side, centre, random)
    labels[distance < radius] = kind.tissue
    labels[distance < radius * kind.lumen] = WHITESPACE


def _coloured(
    shown: UInt8[np.ndarray, "side side"], stain: Stain, patient: int, random: np.random.Generator
) -> UInt8[np.ndarray, "side side 3"]:
    """The stain's colours with the patient's tint, slow shading and fine grain."""
    colours = np.array(STAIN_COLOURS[stain], dtype=np.float32)
    tint = np.random.default_rng(patient).uniform(-TINT, TINT, size=3).astype(np.float32)
    tint = np.where(np.arange(5)[:, None] == WHITESPACE, 0.0, tint)
    image: Float32[np.ndarray, "side side 3"] = (colours + tint).astype(np.float32)[shown]
    side = shown.shape[0]
    shading = ndimage.gaussian_filter(random.normal(size=(side, side)), side / 8)
    shading *= GRAIN / max(float(shading.std()), 1e-6)
    image = image + shading[..., None] + random.normal(scale=GRAIN, size=image.shape)
    return np.clip(image, 0, 255).round().astype(np.uint8)
