"""Which parts of a slide lie inside outlines, and how much of them."""

from collections import Counter
from collections.abc import Sequence, Set

import numpy as np
import shapely

from hdgan.artifacts.outlines.outline import Outline, class_key
from hdgan.geometry import Region


class OutlineIndex:
    """Outlines that can be asked for a region in little time, however many they are.

    Args:
        outlines: all that was drawn on a slide.
        wanted: names of the classes that count; neither case nor spaces around them matter.
            None: all of them.
    """

    def __init__(self, outlines: Sequence[Outline], wanted: Set[str] | None = None) -> None:
        self._outlines = list(outlines)
        self._wanted = wanted
        keys = None if wanted is None else {class_key(name) for name in wanted}
        areas = [
            outline.area for outline in outlines if keys is None or class_key(outline.name) in keys
        ]
        shapely.prepare(areas)
        self._tree = shapely.STRtree(areas)

    def names(self) -> dict[str, int]:
        """The classes of all outlines, wanted or not, and how many outlines each has.

        A class that is spelled in several ways is listed once, as the first outline spells it.
        """
        spelling: dict[str, str] = {}
        for outline in self._outlines:
            spelling.setdefault(class_key(outline.name), outline.name)
        counts = Counter(class_key(outline.name) for outline in self._outlines)
        return {spelling[key]: count for key, count in counts.items()}

    def missing(self) -> list[str]:
        """The wanted classes that no outline has, sorted."""
        found = {class_key(outline.name) for outline in self._outlines}
        return sorted(name for name in self._wanted or () if class_key(name) not in found)

    def touches(self, region: Region) -> bool:
        """Whether a wanted outline shares area with the region; a common edge is none."""
        return len(self._sharing(_box(region))) > 0

    def fraction(self, region: Region) -> float:
        """The part of the region that is inside at least one wanted outline.

        Returns:
            From 0, all outside, to 1, all inside.
        """
        box = _box(region)
        sharing = self._sharing(box)
        if shapely.covers(sharing, box).any():
            return 1.0
        inside = shapely.union_all(shapely.intersection(sharing, box))
        return min(1.0, float(inside.area) / box.area)

    def _sharing(self, box: shapely.Polygon) -> np.ndarray:
        """The wanted areas that share area with the box."""
        near = self._tree.geometries[self._tree.query(box)]
        meeting = near[shapely.intersects(near, box)]
        return meeting[~shapely.touches(meeting, box)]


def _box(region: Region) -> shapely.Polygon:
    if region.width < 1 or region.height < 1:
        raise ValueError(f"A region of {region.width} x {region.height} px has no area.")
    right, bottom = region.x + region.width, region.y + region.height
    return shapely.box(region.x, region.y, right, bottom)
