"""Filling rings with values: a pixel belongs to what its centre is in.

The columns of a row that lie inside are found from where the rings cross the row's centre line, for
all rows and many rings at once. GDAL, which does the same, looks at every corner for every row: it
needed 150 s for one label map of noise that this fills in one.
"""

from collections.abc import Iterator

import numpy as np
import shapely
from jaxtyping import Float64, Int64, UInt8

from hdgan.artifacts.outlines.areas import Area
from hdgan.class_map import LabelMap
from hdgan.errors import LabelError

CORNERS_AT_ONCE = 300_000
"""Corners whose crossings are worked on together, unless one area has more."""

MOST_CROSSINGS = 100_000_000
"""Of outlines with rows: about four seconds of work."""

CROSSINGS_AT_ONCE = 2_000_000
"""Crossings that are sorted together: about 100 MB."""

Edges = Float64[np.ndarray, "edges 4"]
"""From x, y to x, y; in px of the label map."""

Owners = Int64[np.ndarray, " edges"]
"""To which area each edge belongs."""


def fill_areas(labels: LabelMap, areas: list[Area], values: UInt8[np.ndarray, " areas"]) -> None:
    """Give the pixels whose centre is inside an area its value; later areas lie over earlier ones.

    A centre on an edge is inside if the area is at its right, or below it. Memory grows with the
    corners of the largest area, not with their number.

    Args:
        labels: changed in place.
        areas: in px of the label map; what lies outside of it does nothing.
        values: one an area.

    Raises:
        LabelError: they cross the rows absurdly often.
    """
    shapes = np.array(areas, dtype=object)
    near = _near(shapely.bounds(shapes).reshape(-1, 4), labels)
    shapes, values = shapes[near], values[near]
    corners, crossed = shapely.get_num_coordinates(shapes), 0
    for some in _batches(corners):
        parts, part_of = shapely.get_parts(shapes[some], return_index=True)
        rings, ring_of = shapely.get_rings(parts, return_index=True)
        points, ring = shapely.get_coordinates(rings, return_index=True)
        edges, owners = _edges(points, ring)
        crossed += _fill(labels, edges, part_of[ring_of[owners]], values[some])
        _refuse_many(crossed)


def fill_rings(
    labels: LabelMap,
    rings: list[Float64[np.ndarray, "_ 2"]],
    values: UInt8[np.ndarray, " rings"],
) -> None:
    """The same for rings that may cross themselves; the even-odd rule says what is inside.

    Args:
        labels: changed in place.
        rings: corners as x, y in px of the label map; the last is joined to the first.
        values: one a ring.
    """
    closed = [np.concatenate([ring, ring[:1]]) for ring in rings]
    corners, crossed = np.array([len(ring) for ring in closed], dtype=np.int64), 0
    for some in _batches(corners):
        points = np.concatenate(closed[some])
        edges, owners = _edges(points, np.repeat(np.arange(len(corners[some])), corners[some]))
        crossed += _fill(labels, edges, owners, values[some])
        _refuse_many(crossed)


def _near(bounds: Float64[np.ndarray, "areas 4"], labels: LabelMap) -> np.ndarray:
    """Which areas may touch the label map."""
    height, width = labels.shape
    left, top, right, bottom = bounds.T
    near: np.ndarray = (right > 0) & (bottom > 0) & (left < width) & (top < height)
    return near


def _batches(corners: np.ndarray) -> Iterator[slice]:
    """Neighbours that have few enough corners together."""
    ends = np.cumsum(corners)
    start = 0
    while start < len(corners):
        before = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, before + CORNERS_AT_ONCE, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _edges(points: Float64[np.ndarray, "points 2"], ring: np.ndarray) -> tuple[Edges, Owners]:
    """The edges of closed rings, and of which ring each is."""
    same = ring[1:] == ring[:-1]
    return np.concatenate([points[:-1], points[1:]], axis=1)[same], ring[:-1][same].astype(np.int64)


def _refuse_many(crossings: int) -> None:
    if crossings > MOST_CROSSINGS:
        raise LabelError(
            f"The outlines of an image cross its rows {crossings:,} times, more than the "
            f"{MOST_CROSSINGS:,} that are followed. Simplify them: they have far more corners than "
            "the image has pixels."
        )


def _fill(labels: LabelMap, edges: Edges, owners: Owners, values: UInt8[np.ndarray, " _"]) -> int:
    """Band by band, so that memory does not grow with the length of the edges.

    Returns:
        How often edges cross the centre lines of rows; too many are not followed.
    """
    height, _ = labels.shape
    first, last = (
        np.ceil(rows - 0.5).clip(0, height).astype(np.int64)
        for rows in (edges[:, 1::2].min(axis=1), edges[:, 1::2].max(axis=1))
    )
    per_row = np.bincount(first, minlength=height + 1) - np.bincount(last, minlength=height + 1)
    crossings = np.cumsum(np.cumsum(per_row[:height]))
    _refuse_many(int(crossings[-1]))
    top = 0
    while top < height:
        before = int(crossings[top - 1]) if top else 0
        bottom = int(np.searchsorted(crossings, before + CROSSINGS_AT_ONCE, side="right"))
        bottom = min(max(bottom, top + 1), height)
        rows_of = first.clip(top, bottom), last.clip(top, bottom)
        there = rows_of[0] < rows_of[1]
        if there.any():
            some = (edges[there], owners[there], rows_of[0][there], rows_of[1][there])
            _fill_spans(labels, _crossings(*some, labels.shape), values)
        top = bottom
    return int(crossings[-1])


def _crossings(
    edges: Edges,
    owners: Owners,
    first: Int64[np.ndarray, " edges"],
    last: Int64[np.ndarray, " edges"],
    shape: tuple[int, ...],
) -> Int64[np.ndarray, " crossings"]:
    """Area, row and first column at the right of each crossing, as one number; sorted."""
    height, width = shape
    count = last - first
    edge = np.repeat(np.arange(len(edges)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count - first, count)
    # From above to below: neighbours that share an edge then agree on where it lies.
    upwards = edges[:, 1] > edges[:, 3]
    x0, y0, x1, y1 = np.where(upwards[:, None], edges[:, [2, 3, 0, 1]], edges).T
    slope = (x1 - x0) / (y1 - y0)
    x = x0[edge] + (row + 0.5 - y0[edge]) * slope[edge]
    column = np.ceil(x - 0.5).clip(0, width).astype(np.int64)
    return np.sort((owners[edge] * height + row) * (width + 1) + column)


def _fill_spans(
    labels: LabelMap, crossings: Int64[np.ndarray, " crossings"], values: UInt8[np.ndarray, " _"]
) -> None:
    """Fill from each odd crossing of a row to the even one that follows."""
    height, width = labels.shape
    starts, ends = crossings[0::2], crossings[1::2]
    some = ends > starts
    starts, lengths = starts[some], (ends - starts)[some]
    row, column = np.divmod(starts, width + 1)
    begin = (row % height) * width + column
    flat = labels.reshape(-1)
    spans = (begin, begin + lengths, values[row // height])
    for start, end, value in zip(*(numbers.tolist() for numbers in spans), strict=True):
        flat[start:end] = value
