"""Phantom kidney: glass, tubulointerstitium, glomeruli, arteries and arterioles, drawn by rule.

Colour-coded, every class has a colour of its own in each stain, so the class of a pixel can be
read off its colour (`oracle`). Context-coded, glomeruli and vessels share a colour (`context`).
At the centre `home` patients differ in their tint alone; at the others in more (`patient`).
Shapes are those of kidney in outline only: a glomerulus is a big round tuft, an artery a thick
ring about an open lumen, an arteriole a small dot.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy import ndimage

from hdgan.method.phantom.centre import LOOKS, Centre, Look, scanned
from hdgan.method.phantom.context import context_layout
from hdgan.method.phantom.patient import ALIKE, Habits, habits_of, tint_of
from hdgan.method.phantom.shapes import glass, warped_distance
from hdgan.method.phantom.tissue import (
    ARTERIOLE,
    ARTERY,
    GLOMERULUS,
    PALETTES,
    SHOWN_AS,
    TUBULOINTERSTITIUM,
    WHITESPACE,
    Coding,
    Stain,
)

SHADING = 2.0
"""Standard deviation of slow shading, in grey levels, of a patient without habits."""


@dataclass(frozen=True)
class Phantom:
    """A drawn tile and the truth about it."""

    image: UInt8[np.ndarray, "side side 3"]
    """RGB."""

    labels: UInt8[np.ndarray, "side side"]
    """The class of each pixel."""


def draw_phantom(
    side_px: int,
    stain: Stain,
    *,
    patient: int,
    seed: int,
    coding: Coding = "colour",
    centre: Centre = "home",
) -> Phantom:
    """A tile of phantom kidney; the same arguments give the same tile.

    Args:
        side_px: side of the tile. Structures keep their part of the tile.
        stain: which colours.
        patient: whose tissue; a patient has a tint and, away from `home`, habits.
        seed: which of the patient's tiles.
        coding: what tells the class of a pixel.
        centre: where it was scanned.
    """
    random = np.random.default_rng([seed, patient, side_px])
    layout = {"colour": _colour_layout, "context": context_layout}[coding]
    habits = ALIKE if centre == "home" else habits_of(patient)
    labels = layout(side_px, random, habits)
    shown = np.array(SHOWN_AS[coding], dtype=np.uint8)[labels]
    colours = np.array(PALETTES[stain], dtype=np.float32)
    tint = np.where(np.arange(5)[:, None] == WHITESPACE, 0.0, tint_of(patient))
    tissue = (colours + tint).astype(np.float32)[shown]
    shaded = tissue + _shading(side_px, habits.shading, random)
    return Phantom(_seen(shaded, LOOKS[centre], random), labels)


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


def _colour_layout(
    side: int, random: np.random.Generator, habits: Habits
) -> UInt8[np.ndarray, "side side"]:
    """The classes of a tile; each structure has its corner."""
    labels = np.full((side, side), TUBULOINTERSTITIUM, dtype=np.uint8)
    if random.random() < 0.5:
        labels[glass(side, random, offsets=(0.3, 0.4))] = WHITESPACE
    for kind in _KINDS:
        often = habits.glomeruli if kind.tissue == GLOMERULUS else habits.vessels
        if random.random() < kind.chance * often:
            _place(labels, random, kind, habits)
    return labels


def _place(
    labels: UInt8[np.ndarray, "side side"],
    random: np.random.Generator,
    kind: _Kind,
    habits: Habits,
) -> None:
    """Lay a structure over what is there."""
    side = labels.shape[0]
    centre = (np.array(kind.centre) + random.uniform(-kind.spread, kind.spread, size=2)) * side
    radius = random.uniform(*habits.radii(kind.radii)) * side
    distance = warped_distance(side, centre, random)
    labels[distance < radius] = kind.tissue
    labels[distance < radius * kind.lumen] = WHITESPACE


def _shading(
    side: int, strength: float, random: np.random.Generator
) -> Float[np.ndarray, "side side 1"]:
    """Slow changes of brightness, in grey levels."""
    shading = ndimage.gaussian_filter(random.normal(size=(side, side)), side / 8)
    shading *= SHADING * strength / max(float(shading.std()), 1e-6)
    return shading[..., None]


def _seen(
    tissue: Float[np.ndarray, "side side 3"], look: Look, random: np.random.Generator
) -> UInt8[np.ndarray, "side side 3"]:
    """What a scanner of a look makes of it, with its grain."""
    image = scanned(tissue, look) + random.normal(scale=look.grain, size=tissue.shape)
    return np.clip(image, 0, 255).round().astype(np.uint8)
