"""Phantom kidney: glass, tubulointerstitium, glomeruli, arteries and arterioles, drawn by rule.

Every class has a colour of its own in each stain, so the class of a pixel can be read off its
colour (`oracle`). Shapes are those of kidney in outline only: a glomerulus is a big round tuft,
an artery a thick ring about an open lumen, an arteriole a small dot.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from scipy import ndimage

Stain = Literal["rose", "silver"]

WHITESPACE, TUBULOINTERSTITIUM, GLOMERULUS, ARTERIOLE, ARTERY = range(5)

STAIN_COLOURS: dict[Stain, tuple[tuple[int, int, int], ...]] = {
    "rose": ((244, 241, 244), (232, 160, 190), (120, 84, 176), (222, 86, 60), (124, 18, 62)),
    "silver": ((242, 243, 240), (172, 186, 176), (62, 110, 150), (214, 152, 60), (86, 50, 30)),
}
"""The colour of each class (in the order of `class_map.KIDNEY`) in each stain.

Colours of one class between the two stains stay at least 97 grey levels from those of any other.
"""

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


def draw_phantom(side_px: int, stain: Stain, *, patient: int, seed: int) -> Phantom:
    """A tile of phantom kidney; the same arguments give the same tile.

    Args:
        side_px: side of the tile. Structures keep their part of the tile.
        stain: which colours.
        patient: whose tissue; a patient has a tint.
        seed: which of the patient's tiles.
    """
    random = np.random.default_rng([seed, patient, side_px])
    labels = np.full((side_px, side_px), TUBULOINTERSTITIUM, dtype=np.uint8)
    if random.random() < 0.5:
        labels[_glass(side_px, random)] = WHITESPACE
    for kind in _KINDS:
        if random.random() < kind.chance:
            _place(labels, random, kind)
    return Phantom(_coloured(labels, stain, patient, random), labels)


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


def _place(
    labels: UInt8[np.ndarray, "side side"], random: np.random.Generator, kind: _Kind
) -> None:
    """Lay a structure over what is there."""
    side = labels.shape[0]
    centre = (np.array(kind.centre) + random.uniform(-kind.spread, kind.spread, size=2)) * side
    radius = random.uniform(*kind.radii) * side
    distance = _warped_distance(side, centre, random)
    labels[distance < radius] = kind.tissue
    labels[distance < radius * kind.lumen] = WHITESPACE


def _warped_distance(
    side: int, centre: Float[np.ndarray, "2"], random: np.random.Generator
) -> Float[np.ndarray, "side side"]:
    """Distance from the centre, in pixels, as a slightly squeezed and lobed circle has it."""
    y, x = np.mgrid[:side, :side] + 0.5
    dy, dx = y - centre[0], x - centre[1]
    angle = np.arctan2(dy, dx)
    turn, squeeze, lobes = random.uniform(0, np.pi), random.uniform(0.85, 1.0), random.uniform(0, 7)
    along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    return np.hypot(along, across / squeeze) * (1 + 0.06 * np.sin(3 * angle + lobes))


def _glass(side: int, random: np.random.Generator) -> Bool[np.ndarray, "side side"]:
    """The empty side of a wavy tissue edge."""
    y, x = np.mgrid[:side, :side] / side - 0.5
    turn, offset = random.uniform(-0.4, 0.4), random.uniform(0.3, 0.4)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    wave = 0.03 * np.sin(across * random.uniform(6, 14) + random.uniform(0, 7))
    edge: Bool[np.ndarray, "side side"] = along > offset + wave
    return edge


def _coloured(
    labels: UInt8[np.ndarray, "side side"], stain: Stain, patient: int, random: np.random.Generator
) -> UInt8[np.ndarray, "side side 3"]:
    """The stain's colours with the patient's tint, slow shading and fine grain."""
    colours = np.array(STAIN_COLOURS[stain], dtype=np.float32)
    tint = np.random.default_rng(patient).uniform(-TINT, TINT, size=3).astype(np.float32)
    tint = np.where(np.arange(5)[:, None] == WHITESPACE, 0.0, tint)
    image: Float32[np.ndarray, "side side 3"] = (colours + tint).astype(np.float32)[labels]
    side = labels.shape[0]
    shading = ndimage.gaussian_filter(random.normal(size=(side, side)), side / 8)
    shading *= GRAIN / max(float(shading.std()), 1e-6)
    image = image + shading[..., None] + random.normal(scale=GRAIN, size=image.shape)
    return np.clip(image, 0, 255).round().astype(np.uint8)
