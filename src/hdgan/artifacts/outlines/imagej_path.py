"""Paths of ImageJ's composite regions: lines and curves as rings."""

from math import comb

import numpy as np
from jaxtyping import Float64

POINTS_A_CURVE = 64
"""Points that stand for a curve; ImageJ draws an oval with four."""

MOVE, LINE, QUADRATIC, CUBIC, CLOSE = range(5)
_NUM_POINTS = {MOVE: 1, LINE: 1, QUADRATIC: 2, CUBIC: 3, CLOSE: 0}


def rings_of_path(path: np.ndarray) -> list[Float64[np.ndarray, "_ 2"]]:
    """The rings of a path: each is a list of places that begins with a move.

    Args:
        path: numbers: what to do, then where.

    Raises:
        ValueError: it is cut short, or has something else to do.
    """
    rings: list[list[list[float]]] = []
    numbers = path.astype(np.float64).tolist()
    place = 0
    while place < len(numbers):
        what = numbers[place]
        count = 2 * _NUM_POINTS.get(what, 0)
        values = numbers[place + 1 : place + 1 + count]
        if what not in _NUM_POINTS or len(values) < count:
            raise ValueError("its path is cut short or of another kind")
        points = [values[i : i + 2] for i in range(0, count, 2)]
        if what == MOVE:
            rings.append(points)
        elif not rings:
            raise ValueError("its path does not begin with a move")
        else:
            rings[-1].extend(_curve(rings[-1][-1], points) if len(points) > 1 else points)
        place += 1 + count
    return [np.array(ring) for ring in rings]


def _curve(start: list[float], points: list[list[float]]) -> list[list[float]]:
    """Points on a Bézier curve, without its start."""
    controls = np.array([start, *points])
    degree = len(points)
    along = np.linspace(0, 1, POINTS_A_CURVE + 1)[1:, None]
    weights = [comb(degree, k) * along**k * (1 - along) ** (degree - k) for k in range(degree + 1)]
    curve: list[list[float]] = (np.concatenate(weights, axis=1) @ controls).tolist()
    return curve
