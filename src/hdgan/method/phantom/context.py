"""Layouts in which glomeruli, arteries and arterioles share a colour, and the rule that tells them.

What a stained pixel belongs to is told by what lies around it: an artery has an open lumen, a
glomerulus is a big tuft without one, an arteriole is small and lies alone or hangs on a glomerulus
as a stalk. Everything lies anywhere. Lengths are parts of the tile's side.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from hdgan.class_map import UNLABELLED
from hdgan.method.phantom.patient import ALIKE, Habits
from hdgan.method.phantom.shapes import glass, warped_distance
from hdgan.method.phantom.tissue import (
    ARTERIOLE,
    ARTERY,
    GLOMERULUS,
    TUBULOINTERSTITIUM,
    WHITESPACE,
)

GLOMERULUS_RADII = (0.17, 0.23)
ARTERY_RADII = (0.11, 0.15)
LUMEN = 0.5
"""Radius of an artery's lumen as a part of its own."""
ARTERIOLE_RADII = (0.045, 0.06)
STALK_WIDTHS = (0.035, 0.045)
"""Half the width of an arteriole that hangs on a glomerulus."""
STALK_LENGTHS = (0.12, 0.18)
GAP = 0.05
"""Tissue between two structures, at least."""
TRIES = 60
"""Places that are tried for a structure before it is left out."""

TUFT = 0.11
"""Radius of a disc that fits into a glomerulus and into nothing else."""
LEAST_LUMEN = 0.003
"""Area of a lumen, at least; an artery's is .009 or more."""
MOST_ARTERIOLE = 0.025
"""Area of an arteriole that lies alone, at most; those drawn have .011 or less."""
LEAST = 0.0008
"""Area below which a stained spot is nothing that was ever drawn."""
LEAST_STALK = 0.003
"""Area below which what sticks out of a glomerulus belongs to it; a stalk has .008 or more."""


@dataclass
class _Layout:
    """A tile under construction."""

    labels: UInt8[np.ndarray, "side side"]
    random: np.random.Generator
    habits: Habits
    taken: list[tuple[float, float, float]] = field(default_factory=list)
    """Centre (y and x) and reach of what lies there."""

    def place(self, reach: float, margin: float) -> Float[np.ndarray, "2"] | None:
        """Somewhere free for something so large, away from the tile's edge; None if all is full."""
        for _ in range(TRIES):
            y, x = self.random.uniform(margin, 1 - margin, size=2)
            if self.is_free(y, x, reach):
                self.taken.append((float(y), float(x), reach))
                return np.array([y, x])
        return None

    def is_free(self, y: float, x: float, reach: float) -> bool:
        """Whether a circle keeps its distance from all that lies there."""
        return all(
            np.hypot(y - other_y, x - other_x) > reach + other + GAP
            for other_y, other_x, other in self.taken
        )

    def lay(self, distance: Float[np.ndarray, "side side"], radius: float, tissue: int) -> None:
        """Fill what lies within a radius."""
        self.labels[distance < radius] = tissue


def context_layout(
    side: int, random: np.random.Generator, habits: Habits = ALIKE
) -> UInt8[np.ndarray, "side side"]:
    """The classes of a tile."""
    layout = _Layout(np.full((side, side), TUBULOINTERSTITIUM, dtype=np.uint8), random, habits)
    if random.random() < 0.3:
        layout.labels[glass(side, random, offsets=(0.42, 0.46))] = WHITESPACE
    if random.random() < 0.9 * habits.glomeruli:
        _glomerulus(layout, side)
    for _ in range(random.integers(1, 1 + habits.most(2))):
        _artery(layout, side)
    for _ in range(random.integers(1, 1 + habits.most(3))):
        radius = random.uniform(*habits.radii(ARTERIOLE_RADII))
        centre = layout.place(radius, margin=radius + 0.1)
        if centre is not None:
            layout.lay(warped_distance(side, centre * side, random), radius * side, ARTERIOLE)
    return layout.labels


def _glomerulus(layout: _Layout, side: int) -> None:
    random = layout.random
    radius = random.uniform(*layout.habits.radii(GLOMERULUS_RADII))
    reach = radius * 1.06
    centre = layout.place(reach, margin=reach + 0.03)
    if centre is None:
        return
    if random.random() < 0.6:
        # Towards the middle of the tile, so that it stays inside.
        towards = np.arctan2(*(0.5 - centre)) + random.uniform(-1, 1)
        direction = np.array([np.sin(towards), np.cos(towards)])
        length = random.uniform(*STALK_LENGTHS)
        end = centre + (reach + length) * direction
        distance = _distance_to_line(side, centre * side, end * side)
        layout.lay(distance, random.uniform(*STALK_WIDTHS) * side, ARTERIOLE)
        layout.taken.append((*(end - direction * length / 2), length / 2 + STALK_WIDTHS[1]))
    layout.lay(warped_distance(side, centre * side, random), radius * side, GLOMERULUS)


def _artery(layout: _Layout, side: int) -> None:
    radius = layout.random.uniform(*layout.habits.radii(ARTERY_RADII))
    centre = layout.place(radius * 1.06, margin=radius + 0.1)
    if centre is None:
        return
    distance = warped_distance(side, centre * side, layout.random)
    layout.lay(distance, radius * side, ARTERY)
    layout.lay(distance, radius * LUMEN * side, WHITESPACE)


def _distance_to_line(
    side: int, start: Float[np.ndarray, "2"], end: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "side side"]:
    """From each pixel to the line between two points, in pixels."""
    y, x = np.mgrid[:side, :side] + 0.5
    pixels = np.stack([y, x], axis=-1)
    along = end - start
    part = np.clip((pixels - start) @ along / (along @ along), 0.0, 1.0)
    return np.linalg.norm(pixels - start - part[..., None] * along, axis=-1)


def told_by_context(
    stained: Bool[np.ndarray, "side side"], white: Bool[np.ndarray, "side side"]
) -> UInt8[np.ndarray, "side side"]:
    """The classes of stained pixels: glomerulus, arteriole or artery by the shape they lie in.

    Args:
        stained: what has the colour of the three.
        white: what has the colour of glass and lumen.

    Returns:
        `UNLABELLED` where nothing is stained, and for shapes that are none of the three.
    """
    area = stained.size
    labels = np.full(stained.shape, UNLABELLED, dtype=np.uint8)
    parts, count = ndimage.label(stained, structure=np.ones((3, 3)))
    for place, number in zip(ndimage.find_objects(parts), range(1, count + 1), strict=True):
        # With a border, so that what is cut by the edge of the box is not taken for cut off.
        part = np.pad(parts[place] == number, 1)
        lumen = ndimage.binary_fill_holes(part) & ~part & np.pad(white[place], 1)
        told = _of_one(part, int(lumen.sum()) / area, stained.shape[0])
        inside = part[1:-1, 1:-1]
        labels[place][inside] = told[1:-1, 1:-1][inside]
    return labels


def _of_one(
    part: Bool[np.ndarray, "height width"], lumen: float, side: int
) -> UInt8[np.ndarray, "height width"]:
    """The classes of one connected shape with a lumen of an area."""
    area = part.sum() / side**2
    if area < LEAST:
        return np.full(part.shape, UNLABELLED, dtype=np.uint8)
    tuft = _opened(part, TUFT * side)
    if lumen >= LEAST_LUMEN:
        # A glomerulus that has grown together with an artery is neither.
        kind = UNLABELLED if tuft.any() else ARTERY
        return np.full(part.shape, kind, dtype=np.uint8)
    if tuft.any():
        return _tuft_and_stalks(part, tuft, side)
    is_arteriole = area <= MOST_ARTERIOLE
    return np.full(part.shape, ARTERIOLE if is_arteriole else UNLABELLED, dtype=np.uint8)


def _tuft_and_stalks(
    part: Bool[np.ndarray, "height width"], tuft: Bool[np.ndarray, "height width"], side: int
) -> UInt8[np.ndarray, "height width"]:
    labels = np.full(part.shape, GLOMERULUS, dtype=np.uint8)
    rest, count = ndimage.label(part & ~tuft)
    areas = ndimage.sum_labels(part, rest, range(1, count + 1)) / side**2
    stalks = [number + 1 for number, area in enumerate(areas) if area >= LEAST_STALK]
    labels[np.isin(rest, stalks)] = ARTERIOLE
    return labels


def _opened(
    mask: Bool[np.ndarray, "height width"], radius: float
) -> Bool[np.ndarray, "height width"]:
    """What a disc can reach inside a shape (morphological opening)."""
    core = ndimage.distance_transform_edt(mask) > radius
    if not core.any():
        return core
    opened: Bool[np.ndarray, "height width"] = ndimage.distance_transform_edt(~core) <= radius
    return opened & mask
