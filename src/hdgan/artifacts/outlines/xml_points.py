"""Rings in XML, where each corner is an element with the attributes X and Y."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from hdgan.artifacts.outlines.areas import Ring, ring_of
from hdgan.errors import LabelError


def ring_in(points: Iterable[Element], where: str) -> Ring:
    """The corners, in the order of their elements.

    Args:
        points: elements with X and Y in level-0 px.
        where: what errors call it.

    Raises:
        LabelError: a coordinate is not there or not a number.
    """
    corners = [[number_in(point, "X", where), number_in(point, "Y", where)] for point in points]
    return ring_of(corners, where)


def number_in(element: Element, attribute: str, where: str) -> float:
    """The number in an attribute, with a decimal point or a decimal comma.

    Raises:
        LabelError: it is not there or not a number.
    """
    text = element.get(attribute, "")
    try:
        return float(text.replace(",", "."))
    except ValueError as error:
        raise LabelError(
            f"{where} has a point whose {attribute} is {text[:40]!r}; needed is a number. "
            "Export it again."
        ) from error
