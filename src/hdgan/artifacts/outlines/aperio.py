"""Outlines in the XML of Aperio ImageScope, and of HALO, which imitates it."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
import shapely

from hdgan.artifacts.outlines.areas import Area, Ring, filled, joined, only_area
from hdgan.artifacts.outlines.outline import Drawn, LeftOut, drawn
from hdgan.artifacts.outlines.tangles import refuse_tangle
from hdgan.artifacts.outlines.xml_points import ring_in

ROOT = "Annotations"
"""Name of the root element."""

WITH_AREA = {
    "0": "polygon",
    "1": "rectangle",
    "2": "ellipse",
    "polygon": "polygon",
    "rectangle": "rectangle",
    "ellipse": "ellipse",
}
"""Types of regions that enclose something: ImageScope's numbers and HALO's words."""

WITHOUT_AREA = {"3": "arrow", "4": "ruler"}
"""Types of regions that are left out, and what they are called."""

UNTOUCHED_ATTRIBUTE = "Description"
"""The attribute that ImageScope gives each annotation; another name was given by somebody."""

NUM_ELLIPSE_POINTS = 360
"""Corners of the polygon that stands for an ellipse; it lacks 0.005 % of its area."""


def shapes_in(root: Element, name: str) -> Iterator[Drawn]:
    """The regions; those marked negative are cut out of the others of their annotation.

    The class is the annotation's name; else the value of its first attribute; else what somebody
    called that attribute; else the text of the region; else the annotation's Id.

    Raises:
        LabelError: a coordinate is not a number on a slide.
    """
    for number, annotation in enumerate(root.findall("Annotation"), start=1):
        yield from _shapes(annotation, f"annotation {number} of {name}")


@dataclass(frozen=True)
class _Region:
    id: str
    name: str
    area: Area
    cut_from: str
    is_hole: bool


def _shapes(annotation: Element, where: str) -> Iterator[Drawn]:
    """What is left out of an annotation, then its areas."""
    regions: list[_Region] = []
    for number, element in enumerate(annotation.iter("Region"), start=1):
        kind = element.get("Type", "0").lower()
        if kind in WITH_AREA:
            regions.append(_region(annotation, element, f"Region {number} of {where}"))
        else:
            yield LeftOut(WITHOUT_AREA.get(kind, f"region of type {kind[:20]!r}"))
    solid = [region for region in regions if not region.is_hole]
    holes: dict[int, list[Area]] = {}
    tree = shapely.STRtree([region.area for region in solid])
    sizes = shapely.area([region.area for region in solid])
    for hole in (region for region in regions if region.is_hole):
        around = [i for i in tree.query(hole.area, "intersects") if sizes[i] >= hole.area.area]
        named = [i for i in around if solid[i].id == hole.cut_from]
        for index in named or around:
            holes.setdefault(int(index), []).append(hole.area)
        if not around:
            yield LeftOut("hole outside of any region")
    for index, region in enumerate(solid):
        yield drawn(region.name, _without(region.area, holes.get(index, [])))


def _region(annotation: Element, element: Element, where: str) -> _Region:
    vertices = ring_in((v for v in element.iter() if v.tag in ("Vertex", "V")), where)
    return _Region(
        id=element.get("Id", ""),
        name=_name(annotation, element),
        area=_area(WITH_AREA[element.get("Type", "0").lower()], vertices),
        cut_from=element.get("InputRegionId", "0"),
        is_hole=element.get("NegativeROA") == "1",
    )


def _name(annotation: Element, region: Element) -> str:
    attribute = annotation.find("Attributes/Attribute")
    given = "" if attribute is None else attribute.get("Name", "")
    names = (
        annotation.get("Name", ""),
        "" if attribute is None else attribute.get("Value", ""),
        "" if given == UNTOUCHED_ATTRIBUTE else given,
        region.get("Text", ""),
        annotation.get("Id", ""),
    )
    return next((name for name in names if name.strip()), "")


def _area(kind: str, vertices: Ring) -> Area:
    """A shape; rectangles and ellipses may be given by two corners, or traced like a polygon."""
    if kind == "rectangle" and len(vertices) == 2:
        return filled([_rectangle(vertices)])
    if kind == "ellipse" and 2 <= len(vertices) <= 4:
        return filled([_ellipse(vertices)])
    return filled([vertices])


def _rectangle(corners: Ring) -> Ring:
    (left, top), (right, bottom) = corners
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _ellipse(corners: Ring) -> Ring:
    """Points on the ellipse that fills the corners' bounding box."""
    least, most = corners.min(axis=0), corners.max(axis=0)
    angles = np.linspace(0, 2 * np.pi, NUM_ELLIPSE_POINTS, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ring: Ring = (least + most) / 2 + (most - least) / 2 * directions
    return ring


def _without(area: Area, holes: list[Area]) -> Area:
    """What is left of a region; smaller regions in a hole are islands, and lie over it."""
    if not holes:
        return area
    refuse_tangle([area, *holes])
    return only_area(shapely.difference(area, joined(holes)))
