"""What a patient's drawn tissue has of its own: tint, sizes, densities, shading."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

TINT = 5.0
"""How far a patient's colours lie from the stain's, at most, in grey levels."""

_HABITS_STREAM = 7
"""Keeps habits apart from the tint, which the number of the patient alone decides."""


@dataclass(frozen=True)
class Habits:
    """How a patient's tissue differs from another's, within what the rule can read.

    As they stand here, patients differ in their tint alone.
    """

    sizes: tuple[float, float] = (0.0, 1.0)
    """Which part of the range of its radii a structure has, least and most."""

    glomeruli: float = 1.0
    """How often a tile has a glomerulus, as a part of the usual."""

    vessels: float = 1.0
    """How often a tile has vessels, as a part of the usual."""

    shading: float = 1.0
    """How strong slow shading is, as a multiple of the usual."""

    def radii(self, usual: tuple[float, float]) -> tuple[float, float]:
        """Least and most radius of this patient's structures."""
        low, high = usual
        least, most = (low * (1 - part) + high * part for part in self.sizes)
        return least, most

    def most(self, usual: int) -> int:
        """How many vessels of a kind a tile has at most, where it usually has so many; never 0."""
        return 1 + round((usual - 1) * self.vessels)


ALIKE = Habits()
"""Of patients who differ in their tint alone."""


def habits_of(patient: int) -> Habits:
    """A patient's own habits."""
    random = np.random.default_rng([patient, _HABITS_STREAM])
    least = random.uniform(0.0, 0.6)
    return Habits(
        sizes=(least, least + 0.4),
        glomeruli=random.uniform(0.6, 1.0),
        vessels=random.uniform(0.4, 1.0),
        shading=random.uniform(0.5, 2.0),
    )


def tint_of(patient: int) -> Float32[np.ndarray, "3"]:
    """What is added to a patient's red, green and blue, in grey levels."""
    return np.random.default_rng(patient).uniform(-TINT, TINT, size=3).astype(np.float32)
