"""Sums of bilinearly enlarged maps of different sizes, exactly, without enlarging each.

The bilinear function of an r x r map (align_corners=False, constant beyond the outer centres) has
its kinks at the centres of the map's cells, so between the points of a lattice of (2r+1) x (2r+1)
points, the image's edges included, it is linear along each axis. Lattices of r, 2r, 4r ... are
nested: n points become 2n - 1 by midpoints. So maps are summed from coarse to fine, each on its own
lattice, and only the sum is ever enlarged. (Enlarging by two again and again is *not* the same.)

Point p of the lattice of r lies at p / 2r of the side; cell c of the map has its centre at point
2c + 1. Ranges of points and cells are given by their first and last, both inclusive. The plain
definition is `torch.nn.functional.interpolate`.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Values = Float[Tensor, "_ _ _"]
"""Rows, columns and channels of a part of a map, or of a lattice."""


@dataclass(frozen=True)
class Span:
    """Places along one axis, from the first to the last, both inclusive."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many places."""
        return self.last - self.first + 1

    @property
    def coarser(self) -> "Span":
        """The points of the lattice of half the side that these points lie between."""
        return Span(self.first // 2, -(-self.last // 2))


def points_of_pixels(pixels: Span, side: int, resolution: int) -> Span:
    """The points of a map's lattice between which pixels of an image lie.

    Args:
        pixels: along one axis of the image.
        side: of the image.
        resolution: side of the map, at most half of the image's.
    """
    per_step = side // (2 * resolution)
    return Span(pixels.first // per_step, pixels.last // per_step + 1)


def cells_of_points(points: Span, resolution: int) -> Span:
    """The cells of a map that decide these points of its lattice."""
    return Span(
        max(0, (points.first - 1) // 2),
        min(resolution - 1, points.last // 2),
    )


def on_lattice(cells: Values, resolution: int, rows: Span, columns: Span) -> Values:
    """The values of a map at points of its lattice.

    Args:
        cells: those of `cells_of_points`, of both axes.
        resolution: side of the whole map.
        rows: which points.
        columns: the same along the other axis.
    """
    for dim, points in ((1, columns), (0, rows)):
        cells = _line_on_lattice(cells, resolution, points, dim)
    return cells


def finer(points: Values, coarse: tuple[Span, Span], rows: Span, columns: Span) -> Values:
    """The values at points of the next finer lattice, by midpoints.

    Args:
        points: values at the points that `coarse` names.
        coarse: rows and columns of the given points, `rows.coarser` and `columns.coarser`.
        rows: which points of the finer lattice.
        columns: the same along the other axis.
    """
    for dim, given, wanted in ((1, coarse[1], columns), (0, coarse[0], rows)):
        start = wanted.first - 2 * given.first
        points = _with_midpoints(points, dim).narrow(dim, start, wanted.count)
    return points


def at_pixels(points: Values, per_step: int, out: Values) -> None:
    """The values at the pixels between lattice points, written to `out`.

    Args:
        points: n x m points; (n - 1) * per_step rows and (m - 1) * per_step columns of pixels lie
            between them.
        per_step: pixels from one point to the next.
        out: where the values go.
    """
    columns = points.new_empty(points.shape[0], out.shape[1], out.shape[2])
    for source, target, dim in ((points, columns, 1), (columns, out, 0)):
        before = source.narrow(dim, 0, source.shape[dim] - 1)
        after = source.narrow(dim, 1, source.shape[dim] - 1)
        for phase in range(per_step):
            places = (slice(None),) * dim + (slice(phase, None, per_step),)
            torch.lerp(before, after, (phase + 0.5) / per_step, out=target[places])


def _line_on_lattice(cells: Tensor, resolution: int, points: Span, dim: int) -> Tensor:
    """`on_lattice` along one axis: cells lie on the odd points, midpoints between them."""
    known = cells_of_points(points, resolution)
    size = cells.shape[dim]
    beyond = [cells]
    first = 2 * known.first + 1
    if points.first < first:
        beyond.insert(0, cells.narrow(dim, 0, 1))
        first -= 2
    if points.last > 2 * known.last + 1:
        beyond.append(cells.narrow(dim, size - 1, 1))
    line = torch.cat(beyond, dim=dim) if len(beyond) > 1 else cells
    return _with_midpoints(line, dim).narrow(dim, points.first - first, points.count)


def _with_midpoints(values: Tensor, dim: int) -> Tensor:
    """N values along an axis and the n - 1 midpoints between them, in order."""
    count = values.shape[dim]
    shape = list(values.shape)
    shape[dim] = 2 * count - 1
    result = values.new_empty(shape)
    even, odd = ((slice(None),) * dim + (slice(start, None, 2),) for start in (0, 1))
    result[even] = values
    torch.lerp(
        values.narrow(dim, 0, count - 1), values.narrow(dim, 1, count - 1), 0.5, out=result[odd]
    )
    return result
