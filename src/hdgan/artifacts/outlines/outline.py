"""What someone drew on a slide: outlines with a class, and shapes that have no area."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import shapely

from hdgan.artifacts.outlines.areas import Area


@dataclass(frozen=True)
class Outline:
    """An area that someone drew on a slide."""

    name: str
    """Its class as the file spells it, without the spaces around it; empty if it has none."""

    area: shapely.Polygon | shapely.MultiPolygon
    """Level-0 px, x to the right and y down. Valid, and never empty."""


@dataclass(frozen=True)
class LeftOut:
    """A shape that someone drew and that has no area."""

    kind: str
    """In the singular, such as `point`, `line` or `outline without area`."""


Drawn = Outline | LeftOut
"""A shape of a file of annotations."""


@dataclass(frozen=True)
class Drawing:
    """All shapes of a file of annotations."""

    outlines: list[Outline]
    """Those with an area, in the order of the file."""

    left_out: dict[str, int]
    """How many shapes of each kind have no area, such as `{"point": 3}`."""

    @classmethod
    def of(cls, shapes: Iterable[Drawn]) -> "Drawing":
        """The shapes, sorted by whether they have an area."""
        outlines: list[Outline] = []
        left_out: Counter[str] = Counter()
        for shape in shapes:
            if isinstance(shape, Outline):
                outlines.append(shape)
            else:
                left_out[shape.kind] += 1
        return cls(outlines, dict(left_out))


def drawn(name: str, area: Area) -> Drawn:
    """An outline, or what is left out if there is nothing inside it."""
    if area.is_empty:
        return LeftOut("outline without area")
    return Outline(name.strip(), area)


def class_key(name: str) -> str:
    """What all spellings of a class name share: neither case nor spaces around it count."""
    return name.strip().casefold()
