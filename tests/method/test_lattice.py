"""Lattices against the plain enlargement of every map."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from hdgan.method.lattice import (
    Span,
    at_pixels,
    cells_of_points,
    finer,
    on_lattice,
    points_of_pixels,
)


def part(values: Tensor, rows: Span, columns: Span) -> Tensor:
    return values[rows.first : rows.last + 1, columns.first : columns.last + 1]


def enlarged(feature_map: Tensor, side: int) -> Tensor:
    """The definition."""
    image = feature_map.permute(2, 0, 1)[None]
    return functional.interpolate(image, (side, side), mode="bilinear", align_corners=False)[
        0
    ].permute(1, 2, 0)


@st.composite
def spans(draw: st.DrawFn, side: int, step: int) -> Span:
    """Pixels from one multiple of `step` to another."""
    first = draw(st.integers(0, side // step - 1))
    last = draw(st.integers(first + 1, side // step))
    return Span(first * step, last * step - 1)


@given(data=st.data(), finest=st.sampled_from([4, 8, 16, 32]), per_step=st.sampled_from([1, 2, 4]))
def test_maps_summed_on_lattices_are_maps_enlarged_and_summed(
    data: st.DataObject, finest: int, per_step: int
) -> None:
    side = 2 * per_step * finest
    random = torch.Generator().manual_seed(finest)
    resolutions = [4 * 2**i for i in range(4) if 4 * 2**i <= finest]
    maps = {
        resolution: torch.randn(resolution, resolution, 3, dtype=torch.float64, generator=random)
        for resolution in resolutions
    }
    rows, columns = (data.draw(spans(side, per_step)) for _ in range(2))
    points = {
        finest: (points_of_pixels(rows, side, finest), points_of_pixels(columns, side, finest))
    }
    for resolution in reversed(resolutions[:-1]):
        down, along = points[2 * resolution]
        points[resolution] = (down.coarser, along.coarser)

    total: Tensor | None = None
    for resolution in resolutions:
        here = points[resolution]
        cells = [cells_of_points(span, resolution) for span in here]
        values = on_lattice(part(maps[resolution], *cells), resolution, *here)
        if total is not None:
            values = values + finer(total, points[resolution // 2], *here)
        total = values
    assert total is not None
    out = total.new_empty(rows.count, columns.count, 3)
    at_pixels(total, per_step, out)

    whole = sum(enlarged(feature_map, side) for feature_map in maps.values())
    assert isinstance(whole, Tensor)
    assert torch.allclose(out, part(whole, rows, columns), rtol=0, atol=1e-12)


def test_enlarging_by_two_again_and_again_is_something_else() -> None:
    feature_map = torch.randn(4, 4, 1, generator=torch.Generator().manual_seed(0))

    chained = enlarged(enlarged(feature_map, 8), 16)

    assert not torch.allclose(chained, enlarged(feature_map, 16), atol=0.05)


def test_the_edges_of_a_lattice_are_the_outermost_cells() -> None:
    cells = torch.arange(16.0).reshape(4, 4, 1)

    points = on_lattice(cells, 4, Span(0, 8), Span(0, 8))[..., 0]

    assert points.shape == (9, 9)
    assert float(points[0, 0]) == float(points[1, 1]) == 0.0
    assert float(points[8, 8]) == float(points[7, 7]) == 15.0
    assert float(points[2, 1]) == 2.0  # half way between the cells 0 and 4
