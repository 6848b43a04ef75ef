"""Valid areas from rings as people draw them: open, self-crossing or with repeated points."""

from collections.abc import Sequence
from itertools import chain
from typing import TypeAlias

import numpy as np
import shapely
from jaxtyping import Float64

from hdgan.artifacts.outlines.tangles import refuse_tangle
from hdgan.errors import LabelError

MAX_COORDINATE_PX = 1e9
"""Largest distance from the slide's corner; no slide is a thousandth as wide."""

NUM_DECIMALS = 6
"""Decimals of a pixel that count, as many as ImageScope writes; others write fewer. Far smaller
distances between corners overwhelm the arithmetic that repairs rings."""

Area: TypeAlias = shapely.Polygon | shapely.MultiPolygon
"""Valid; empty if nothing is inside."""

Ring: TypeAlias = Float64[np.ndarray, "_ 2"]
"""Corners as x, y in level-0 px; the last is joined to the first. Each ring has its own number."""


def ring_of(points: object, where: str) -> Ring:
    """The corners of a ring.

    Args:
        points: a list of `[x, y]`; further numbers of a point, such as z, are ignored.
        where: what errors call it.

    Raises:
        LabelError: it is no such list, or a number cannot be a place on a slide.
    """
    if points == []:
        return np.empty((0, 2))
    corners = _array(points)
    if corners.ndim != 2 or corners.shape[1] < 2 or corners.dtype.kind not in "iuf":
        raise LabelError(
            f"{where} has a ring that is not a list of points [x, y], all of them numbers. "
            "Export it again."
        )
    ring: Ring = corners[:, :2].astype(np.float64)
    on_slide = np.abs(ring) <= MAX_COORDINATE_PX
    if not on_slide.all():
        raise LabelError(
            f"{where} has a corner at {ring[~on_slide][0]:g}; needed are finite numbers up to "
            f"{MAX_COORDINATE_PX:,.0f} level-0 px. Draw or export it again."
        )
    return ring.round(NUM_DECIMALS)


def filled(rings: Sequence[Ring]) -> Area:
    """What is inside the first ring and outside the others.

    Where a ring crosses itself, all that it winds around is inside.

    Returns:
        Empty if the first ring encloses nothing.
    """
    if not rings or not _has_corners(rings[0]):
        return shapely.Polygon()
    area = shapely.Polygon(rings[0], [ring for ring in rings[1:] if _has_corners(ring)])
    if area.is_valid:
        return area
    refuse_tangle([area])
    return joined([shapely.make_valid(area, method="structure", keep_collapsed=False)])


def joined(areas: Sequence[shapely.Geometry]) -> Area:
    """All that is inside at least one of the areas."""
    parts = [part for area in areas for part in _parts_of(area)]
    if len(parts) == 1:
        return parts[0]
    together = shapely.MultiPolygon(parts)
    if together.is_valid:
        return together
    refuse_tangle(parts)
    return only_area(shapely.union_all(parts))


def only_area(geometry: shapely.Geometry) -> Area:
    """The polygons of a geometry, without its lines and points."""
    if isinstance(geometry, shapely.Polygon | shapely.MultiPolygon):
        return geometry
    return shapely.MultiPolygon(_parts_of(geometry))


def _parts_of(geometry: shapely.Geometry) -> list[shapely.Polygon]:
    """The pieces of an area."""
    pieces = shapely.get_parts(shapely.get_parts(geometry))
    return [piece for piece in pieces if isinstance(piece, shapely.Polygon) and not piece.is_empty]


def _array(points: object) -> np.ndarray:
    # Texts would all take as much memory as the longest.
    if not isinstance(points, list | tuple) or not set(map(type, points)) <= {list, tuple}:
        return np.empty(0)
    if not set(map(type, chain.from_iterable(points))) <= {int, float}:
        return np.empty(0)
    try:
        return np.asarray(points)
    except (ValueError, OverflowError):  # points of different lengths
        return np.empty(0)


def _has_corners(ring: Ring) -> bool:
    """Whether at least three places are different."""
    others = ring[(ring != ring[:1]).any(axis=1)]
    return bool((others != others[:1]).any())
