"""Files of annotations, whatever program wrote them."""

from collections.abc import Iterator
from pathlib import Path

from hdgan.artifacts.outlines import aperio, asap, geojson, imagej, polygon_lists
from hdgan.artifacts.outlines.documents import (
    check_size,
    is_json,
    is_xml,
    json_document,
    xml_document,
)
from hdgan.artifacts.outlines.outline import Drawing, Drawn, Outline
from hdgan.artifacts.outlines.tangles import TangledError, tangles_counted
from hdgan.artifacts.outlines.zipped import is_zip
from hdgan.errors import LabelError

FORMATS = (
    "QuPath GeoJSON, ASAP XML, Aperio ImageScope XML, a JSON list of polygons or regions of ImageJ"
)
"""What is read, for messages."""


def read_outlines(path: Path) -> list[Outline]:
    """The outlines of a file, in its order.

    Raises:
        LabelError: it cannot be read.
    """
    return read_drawing(path).outlines


def read_drawing(path: Path) -> Drawing:
    """The outlines of a file, and how many shapes without area it has.

    Raises:
        LabelError: it cannot be read.
    """
    try:
        check_size(path.stat().st_size, path.name)
        data = path.read_bytes()
    except OSError as error:
        raise LabelError(
            f"{path} cannot be read ({error.strerror}). Check the path; needed is a file of "
            f"{FORMATS}."
        ) from error
    return drawing_of(data, path.name)


def outlines_of(data: bytes, name: str) -> list[Outline]:
    """The outlines in the content of a file, in its order.

    Args:
        data: content of the file; it decides the format.
        name: what errors call it.

    Raises:
        LabelError: it is of no format that is read, damaged, or holds what cannot be an outline.
    """
    return drawing_of(data, name).outlines


def drawing_of(data: bytes, name: str) -> Drawing:
    """The outlines in the content of a file, and how many shapes without area it has.

    Args:
        data: content of the file; it decides the format.
        name: what errors call it.

    Raises:
        LabelError: it is of no format that is read, damaged, or holds what cannot be an outline.
    """
    check_size(len(data), name)
    if is_xml(data):
        return _drawing(_shapes_in_xml(data, name), name)
    if is_json(data):
        return _drawing(_shapes_in_json(json_document(data, name), name), name)
    if imagej.is_roi(data) or is_zip(data):
        return _drawing(imagej.shapes_in(data, name), name)
    raise LabelError(
        f"{name} begins with {data[:8]!r}, which is neither JSON nor XML. Needed is {FORMATS}."
    )


def drawing_of_json(document: object, name: str) -> Drawing:
    """The outlines in parsed JSON, and how many shapes without area it has.

    Raises:
        LabelError: it is no GeoJSON and no list of polygons, or holds what cannot be an outline.
    """
    return _drawing(_shapes_in_json(document, name), name)


def _drawing(shapes: Iterator[Drawn], name: str) -> Drawing:
    """The shapes, if they are not so tangled that they would take minutes to be read.

    Raises:
        LabelError: as they are read, or outlines are tangles.
    """
    try:
        with tangles_counted():
            return Drawing.of(shapes)
    except TangledError as error:
        raise LabelError(f"{name} has {error}") from error


def _shapes_in_xml(data: bytes, name: str) -> Iterator[Drawn]:
    root = xml_document(data, name)
    if root.tag == asap.ROOT:
        return asap.shapes_in(root, name)
    if root.tag == aperio.ROOT:
        return aperio.shapes_in(root, name)
    raise LabelError(
        f"{name} is XML whose root is <{root.tag[:80]}>; needed is <{asap.ROOT}> of ASAP or "
        f"<{aperio.ROOT}> of Aperio ImageScope. Export it as one of these, or as GeoJSON."
    )


def _shapes_in_json(document: object, name: str) -> Iterator[Drawn]:
    if isinstance(document, list) and all(isinstance(polygon, list) for polygon in document):
        return polygon_lists.shapes_in(document, name)
    return geojson.shapes_in(document, name)
