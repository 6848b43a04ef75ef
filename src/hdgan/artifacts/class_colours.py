"""Colours for classes that come without: those that colour-blind readers can tell, then others."""

import numpy as np
from jaxtyping import Float64

from hdgan.class_map import ClassMap, TissueClass

OKABE_ITO = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""The colours of Okabe and Ito without black, which is what unlabelled pixels are shown in."""

_TAKEN = ("#000000", "#808080")
"""Shown for what is unlabelled or ambiguous."""

_LEVELS = (0, 42, 85, 128, 170, 213, 255)
_EYE = np.array([0.55, 1.0, 0.45])
"""How much a difference of red, green or blue counts; about what eyes see."""


def colours(count: int) -> list[str]:
    """So many colours: Okabe and Ito's, then each as far from all before it as can be."""
    chosen = list(OKABE_ITO[:count])
    if len(chosen) == count:
        return chosen
    grid = np.stack(np.meshgrid(*[_LEVELS] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    seen = grid * _EYE
    distance = np.full(len(grid), np.inf)
    for colour in (*chosen, *_TAKEN):
        distance = np.minimum(distance, _distance(seen, _rgb(colour)))
    while len(chosen) < count:
        place = int(distance.argmax())
        red, green, blue = grid[place].tolist()
        chosen.append(f"#{red:02x}{green:02x}{blue:02x}")
        distance = np.minimum(distance, _distance(seen, grid[place]))
    return chosen


def coloured(names: list[str]) -> ClassMap:
    """A class map of these classes.

    Raises:
        ClassMapError: no class, too many, or one twice.
    """
    classes = zip(names, colours(len(names)), strict=True)
    return ClassMap(tuple(TissueClass(name, colour) for name, colour in classes))


def _rgb(colour: str) -> np.ndarray:
    return np.array(TissueClass("", colour).rgb)


def _distance(seen: Float64[np.ndarray, "colours 3"], rgb: np.ndarray) -> np.ndarray:
    distance: np.ndarray = ((seen - rgb * _EYE) ** 2).sum(axis=1)
    return distance
