"""Outlines in the XML of ASAP."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from hdgan.artifacts.outlines.areas import filled
from hdgan.artifacts.outlines.outline import Drawn, LeftOut, drawn
from hdgan.artifacts.outlines.xml_points import number_in, ring_in

ROOT = "ASAP_Annotations"
"""Name of the root element."""

WITH_AREA = frozenset({"Polygon", "Spline", "Rectangle"})
"""Types of annotations that enclose something."""

WITHOUT_AREA = {"Dot": "point", "PointSet": "set of points", "Measurement": "measurement"}
"""Types of annotations that are left out, and what they are called."""

NO_GROUP = "None"
"""What ASAP writes as the group of an annotation that is in none."""


def shapes_in(root: Element, name: str) -> Iterator[Drawn]:
    """The annotations, with their group as their class; a spline as the polygon of its knots.

    Raises:
        LabelError: a coordinate is not a number on a slide.
    """
    for number, annotation in enumerate(root.iter("Annotation"), start=1):
        yield _shape(annotation, f"Annotation {number} of {name}")


def _shape(annotation: Element, where: str) -> Drawn:
    kind = annotation.get("Type", "")
    if kind not in WITH_AREA:
        return LeftOut(WITHOUT_AREA.get(kind, f"annotation of type {kind[:20]!r}"))
    group = annotation.get("PartOfGroup", NO_GROUP)
    area = filled([ring_in(_in_order(annotation, where), where)])
    return drawn("" if group == NO_GROUP else group, area)


def _in_order(annotation: Element, where: str) -> list[Element]:
    """The points as they are numbered; in the order of the file if they are not."""
    points = list(annotation.iter("Coordinate"))
    if all(point.get("Order") is None for point in points):
        return points
    return sorted(points, key=lambda point: number_in(point, "Order", where))
