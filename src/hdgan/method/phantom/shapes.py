"""Outlines of drawn tissue."""

import numpy as np
from jaxtyping import Bool, Float


def warped_distance(
    side: int, centre: Float[np.ndarray, "2"], random: np.random.Generator
) -> Float[np.ndarray, "side side"]:
    """Distance from the centre, in pixels, as a slightly squeezed and lobed circle has it."""
    y, x = np.mgrid[:side, :side] + 0.5
    dy, dx = y - centre[0], x - centre[1]
    angle = np.arctan2(dy, dx)
    turn, squeeze, lobes = random.uniform(0, np.pi), random.uniform(0.85, 1.0), random.uniform(0, 7)
    along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    return np.hypot(along, across / squeeze) * (1 + 0.06 * np.sin(3 * angle + lobes))


def glass(
    side: int, random: np.random.Generator, offsets: tuple[float, float]
) -> Bool[np.ndarray, "side side"]:
    """The empty side of a wavy tissue edge, so far from the middle (least and most)."""
    y, x = np.mgrid[:side, :side] / side - 0.5
    turn, offset = random.uniform(-0.4, 0.4), random.uniform(*offsets)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    wave = 0.03 * np.sin(across * random.uniform(6, 14) + random.uniform(0, 7))
    edge: Bool[np.ndarray, "side side"] = along > offset + wave
    return edge
