"""JSON and XML from strangers: parsed without entities, and never deeper or larger than is safe."""

import json
from io import BytesIO
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from hdgan.errors import LabelError

MAX_BYTES = 150_000_000
"""Largest file that is parsed: one letter that is not Latin makes four bytes of each in memory."""

MAX_VALUES = 6_000_000
"""Numbers, texts and lists in a JSON file: two million corners, which take 0.6 GB."""

MAX_PARTS = 4_000_000
"""Elements and attributes in an XML file. A corner has four: a million corners take 0.5 GB."""

MAX_DEPTH = 50
"""Of elements in elements; ASAP and ImageScope need six."""

_BEFORE_CONTENT = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""Byte order marks, blanks, and the zeros of UTF-16."""


def check_size(num_bytes: int, name: str) -> None:
    """Refuse a file that is empty or too large to parse.

    Raises:
        LabelError: it is.
    """
    if num_bytes == 0:
        raise LabelError(f"{name} is empty. Export the annotations again.")
    if num_bytes > MAX_BYTES:
        raise LabelError(
            f"{name} has {num_bytes:,} bytes, more than the {MAX_BYTES:,} that are read at once. "
            "Export fewer objects, such as the annotations without the detections."
        )


def _check_count(count: int, most: int, what: str, name: str) -> None:
    """Refuse what would fill the memory."""
    if count > most:
        raise LabelError(
            f"{name} has {count:,} {what}, more than the {most:,} that are read at once. Export "
            "fewer objects, such as the annotations without the detections, or simpler outlines."
        )


def is_xml(data: bytes) -> bool:
    """Whether a file's first visible character opens an XML tag."""
    return data[:1000].lstrip(_BEFORE_CONTENT)[:1] == b"<"


def is_json(data: bytes) -> bool:
    """Whether a file's first visible character opens a JSON list or object."""
    return data[:1000].lstrip(_BEFORE_CONTENT)[:1] in (b"[", b"{")


def json_document(data: bytes, name: str) -> object:
    """Content of a JSON file in UTF-8, UTF-16 or UTF-32.

    Raises:
        LabelError: it is damaged, cut short, too large, or nested too deeply.
    """
    _check_count(sum(map(data.count, (b",", b"[", b"{"))), MAX_VALUES, "values", name)
    try:
        return json.loads(data)
    except ValueError as error:
        raise LabelError(
            f"{name} is not JSON that can be read ({error}). It may be cut short; export it again."
        ) from error
    except RecursionError as error:
        raise LabelError(
            f"{name} is nested more deeply than any annotation. Export it again, as GeoJSON."
        ) from error


def xml_document(data: bytes, name: str) -> Element:
    """Elements and attributes of an XML file, without its texts.

    Raises:
        LabelError: it is damaged, cut short, too large, nested too deeply, or has a document type,
            which may define entities.
    """

    def refuse(*_: object) -> NoReturn:
        raise LabelError(
            f"{name} has a DOCTYPE, which no program for annotations writes and which may hide "
            "entities that fill the memory. Remove it, or export the file again."
        )

    _check_count(data.count(b"<") + data.count(b"="), MAX_PARTS, "elements and attributes", name)
    builder, depth = TreeBuilder(), 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise LabelError(
                f"{name} has elements in elements more than {MAX_DEPTH} deep, as no annotation "
                "has. Export it again."
            )
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.ParseFile(BytesIO(data))
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise LabelError(
            f"{name} is not XML that can be read ({error}). It may be cut short; export it again."
        ) from error
    return builder.close()
