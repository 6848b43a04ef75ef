"""Outlines that cross themselves so often that to untangle them would take for ever."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import shapely
from jaxtyping import Float64

from hdgan.errors import LabelError

MOST_CROSSINGS = 20_000
"""Of an outline with itself. Each takes about 40 us and 2 kB (`shapely.make_valid`, measured on
random corners); a person who draws with a shaking hand makes a few."""

MOST_IN_A_FILE = 100_000
"""Of all its outlines."""

_left: ContextVar[list[float]] = ContextVar("crossings that a file may still have")

_PAIRS = 20_000_000
"""Pairs of edges that are looked at."""

_FEW_EDGES = 64
"""Edges that are compared with all others at first."""

_FEW_AT_ONCE = 16
"""Edges that are compared with all others in one step, which takes their memory."""

_MOST_EDGES = 256
"""Edges that are compared with all others, and stand for the rest."""

Points = Float64[np.ndarray, "_ 2"]


class TangledError(LabelError):
    """The sentence's end: what the outline is like."""


@contextmanager
def tangles_counted() -> Iterator[None]:
    """Inside, all outlines are of one file."""
    token = _left.set([MOST_IN_A_FILE])
    try:
        yield
    finally:
        _left.reset(token)


def refuse_tangle(areas: Sequence[shapely.Geometry]) -> None:
    """Do nothing if the edges of areas cross each other so seldom that they can be put right.

    How often they do is estimated from some of the edges, half of them drawn by their lengths,
    since long ones cross most. Which ones follows from the corners, so they are the same each time.

    Raises:
        TangledError: they cross too often.
    """
    rings = shapely.get_rings(list(areas))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    starts, ends = points[:-1][same], points[1:][same]
    # Most outlines have few corners, or a few edges tell that almost nothing crosses.
    if len(starts) ** 2 / 2 < MOST_CROSSINGS:
        return
    estimated = _estimated(starts, ends, _FEW_EDGES)
    if estimated > MOST_CROSSINGS / 10:
        count = int(np.clip(_PAIRS // len(starts), _FEW_EDGES, _MOST_EDGES))
        estimated = _estimated(starts, ends, count)
    if estimated > MOST_CROSSINGS:
        raise TangledError(
            f"an outline of {len(starts):,} corners that crosses itself about {estimated:,.0f} "
            f"times, more than the {MOST_CROSSINGS:,} that are untangled. Draw it again, or leave "
            "it out."
        )
    left = _left.get([MOST_IN_A_FILE])
    left[0] -= estimated
    if left[0] < 0:
        raise TangledError(
            f"outlines that cross themselves or each other more than {MOST_IN_A_FILE:,} times, "
            "which would take minutes to untangle. Draw them again, or export fewer."
        )


def _estimated(starts: Points, ends: Points, count: int) -> float:
    """How often edges cross each other, if all do so as often as some of them."""
    lengths = np.hypot(*(ends - starts).T)
    chances = np.full(len(starts), 1 / len(starts))
    if 0 < (total := lengths.sum()) < np.inf:
        chances = (chances + lengths / total) / 2
    random = np.random.default_rng(zlib.crc32(starts.tobytes()))
    chosen = random.choice(len(starts), size=count, p=chances / chances.sum())
    crossed = [
        _num_crossed(starts, ends, starts[some, None], ends[some, None]) / chances[some]
        for some in np.array_split(chosen, -(-count // _FEW_AT_ONCE))
    ]
    return float(np.concatenate(crossed).sum()) / count / 2


def _num_crossed(
    starts: Points,
    ends: Points,
    some_starts: Float64[np.ndarray, "some 1 2"],
    some_ends: Float64[np.ndarray, "some 1 2"],
) -> Float64[np.ndarray, " some"]:
    """How many of all each of some edges crosses; those that it only touches do not count."""
    ways, some_ways = ends - starts, some_ends - some_starts
    apart = _turn(some_ways, starts - some_starts) * _turn(some_ways, ends - some_starts) < 0
    apart &= _turn(ways, some_starts - starts) * _turn(ways, some_ends - starts) < 0
    return apart.sum(axis=1).astype(np.float64)


def _turn(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether it is to the left or to the right from one way to the other: 1, -1, or 0."""
    return np.sign(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0])
