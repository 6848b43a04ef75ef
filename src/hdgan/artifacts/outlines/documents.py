"""JSON and XML from strangers: parsed without entities, and never deeper or larger than is safe."""

import json
from io import BytesIO
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from hdgan.errors import LabelError

MAX_BYTES = 500_000_000
"""Largest file that is parsed; its tree takes several times as much memory."""

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


def is_xml(data: bytes) -> bool:
    """Whether a file's first visible character opens an XML tag."""
    return data[:1000].lstrip(_BEFORE_CONTENT)[:1] == b"<"


def is_json(data: bytes) -> bool:
    """Whether a file's first visible character opens a JSON list or object."""
    return data[:1000].lstrip(_BEFORE_CONTENT)[:1] in (b"[", b"{")


def json_document(data: bytes, name: str) -> object:
    """Content of a JSON file in UTF-8, UTF-16 or UTF-32.

    Raises:
        LabelError: it is damaged, cut short, or nested too deeply.
    """
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
        LabelError: it is damaged, cut short, or has a document type, which may define entities.
    """

    def refuse(*_: object) -> NoReturn:
        raise LabelError(
            f"{name} has a DOCTYPE, which no program for annotations writes and which may hide "
            "entities that fill the memory. Remove it, or export the file again."
        )

    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    try:
        parser.ParseFile(BytesIO(data))
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise LabelError(
            f"{name} is not XML that can be read ({error}). It may be cut short; export it again."
        ) from error
    return builder.close()
