"""Outlines in a bare JSON list of polygons, as in HuBMAP + HPA 2022; they have no class."""

from collections.abc import Iterator

from hdgan.artifacts.outlines.areas import filled, ring_of
from hdgan.artifacts.outlines.outline import Drawn, drawn


def shapes_in(polygons: list[object], name: str) -> Iterator[Drawn]:
    """The polygons, each a list of points `[x, y]`.

    Raises:
        LabelError: one is something else.
    """
    for number, points in enumerate(polygons, start=1):
        yield drawn("", filled([ring_of(points, f"Polygon {number} of {name}")]))
