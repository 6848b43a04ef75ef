"""Whether the exact rule reads drawn tissue well enough to stand in for an expert."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.method.metrics import confusion_matrix
from hdgan.method.phantom.centre import Centre
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.phantom.oracle import read_labels
from hdgan.method.phantom.tissue import Coding, Stain

NEEDED_DICE: dict[Coding, float] = {"colour": 0.99, "context": 0.97}
"""Least macro Dice of a rule that may stand in for an expert."""

MOST_ABSTAINED = 0.15
"""Part of the pixels of generated tissue on which the rule may abstain."""

FIRST_SEED = 900_000
"""Tiles from here on are drawn to qualify the rule, and seen by nobody else."""


@dataclass(frozen=True)
class Qualification:
    """How well the rule reads some drawn tissue."""

    dice: float
    """Macro Dice of all tiles pooled; a pixel on which the rule abstains counts as wrong."""

    abstained: float
    """Part of the pixels on which it abstains."""

    num_tiles: int
    """Tiles that were drawn and read, each of a patient of its own."""

    needed: float
    """Least macro Dice."""

    @property
    def qualifies(self) -> bool:
        """Whether the rule may stand in for an expert."""
        return self.dice >= self.needed


def qualification(
    side_px: int,
    stain: Stain,
    coding: Coding,
    *,
    centre: Centre = "home",
    num_tiles: int = 20,
    stains: Sequence[Stain] = (),
) -> Qualification:
    """How well the rule reads tissue whose truth is known.

    Args:
        side_px: side of the tiles.
        stain: of the tiles.
        coding: what tells the class of a pixel.
        centre: whose look the tiles have.
        num_tiles: tiles to draw; memory holds one.
        stains: those that the rule expects; empty: all.
    """
    num_classes = len(KIDNEY)
    pooled = np.zeros((num_classes + 1, num_classes + 1), dtype=np.int64)
    for i in range(num_tiles):
        phantom = draw_phantom(
            side_px, stain, patient=i, seed=FIRST_SEED + i, coding=coding, centre=centre
        )
        read = read_labels(phantom.image, coding, stains)
        # Abstaining is a class of its own, that is never right.
        read[read == UNLABELLED] = num_classes
        pooled += confusion_matrix(phantom.labels, read, num_classes + 1)
    return Qualification(
        dice=_macro_dice(pooled),
        abstained=float(pooled[:, -1].sum() / pooled.sum()),
        num_tiles=num_tiles,
        needed=NEEDED_DICE[coding],
    )


def _macro_dice(pooled: Int64[np.ndarray, "truth read"]) -> float:
    """Mean over the classes that were drawn."""
    drawn = pooled.sum(axis=1) > 0
    sizes = pooled.sum(axis=1) + pooled.sum(axis=0)
    return float((2 * np.diag(pooled)[drawn] / sizes[drawn]).mean())
