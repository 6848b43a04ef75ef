"""What a request says, read with care: ids are looked up, numbers have bounds."""

import math
import re
import zlib
from typing import TypeVar
from urllib.parse import unquote

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from hdgan.artifacts.annotation_history import Verdict
from hdgan.artifacts.annotation_set import Split
from hdgan.class_map import LabelMap
from hdgan.web.desk import Desk
from hdgan.web.guard import Refused

MAX_READINGS = 20
"""Of one tile."""

_LARGEST = 10**9
_JSON_BYTES = 2**16
_AUTHOR_CHARACTERS = 80

Body = TypeVar("Body", bound=BaseModel)


class MarkBody(BaseModel):
    """Changes to what is thought of a tile; what is not named stays."""

    model_config = ConfigDict(extra="forbid")
    verdict: Verdict | None = None
    reason: str | None = Field(default=None, max_length=200)
    split: Split | None = None


class TimeBody(BaseModel):
    """Time that was spent on a reading since the last report."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    seconds: float = Field(ge=0)
    report: str | None = Field(default=None, min_length=8, max_length=64)
    """Tells a report that is sent again, since nobody answered, from a new one."""


class PredictionBody(BaseModel):
    """Which label map a prediction is wished for."""

    model_config = ConfigDict(extra="forbid")
    reading: int = Field(ge=1, le=MAX_READINGS)
    revision: int = Field(ge=0, le=_LARGEST)


def desk_of(request: Request) -> Desk:
    """What the server works on."""
    desk: Desk = request.app.state.desk
    return desk


def tile_of(request: Request) -> str:
    """The tile that the address names.

    Raises:
        Refused: there is none of that name.
    """
    tile: str = request.path_params["tile"]
    if tile not in desk_of(request).source.tiles:
        raise Refused(404, "There is no tile of this name.")
    return tile


def reading_of(request: Request) -> tuple[str, int]:
    """The tile and the reading that the address names.

    Raises:
        Refused: there is no such tile, or readings do not go so far.
    """
    reading: int = request.path_params["reading"]
    if not 1 <= reading <= MAX_READINGS:
        raise Refused(404, f"Readings are numbered 1 to {MAX_READINGS}.")
    return tile_of(request), reading


def revision_of(request: Request) -> int | None:
    """The revision that the address names; None if it names none.

    Raises:
        Refused: there is no such revision.
    """
    named = request.path_params.get("revision")
    revision = number_in(request, "revision") if named is None else int(named)
    if revision is not None and revision > desk_of(request).history.head(*reading_of(request)):
        raise Refused(404, "There is no such revision.")
    return revision


def number_in(request: Request, name: str) -> int | None:
    """A whole number from 0 on in the query; None if it is not there.

    Raises:
        Refused: it is something else.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text, flags=re.ASCII) or int(text) > _LARGEST:
        raise Refused(422, f"{name} must be a whole number from 0 to {_LARGEST:,}.")
    return int(text)


def needed_number(request: Request, name: str) -> int:
    """The same, of a number that must be there.

    Raises:
        Refused: it is missing, or something else.
    """
    number = number_in(request, name)
    if number is None:
        raise Refused(422, f"{name} is missing.")
    return number


def seconds_in(request: Request) -> float:
    """The time that came with a stroke; 0 if none did.

    Raises:
        Refused: it is no such time.
    """
    try:
        seconds = float(request.query_params.get("seconds", "0"))
    except ValueError as error:
        raise Refused(422, "seconds must be a number.") from error
    if not (math.isfinite(seconds) and seconds >= 0):
        raise Refused(422, "seconds must be a number from 0 on.")
    return seconds


def base_of(request: Request) -> int:
    """The revision that a stroke was painted on, from the header If-Match.

    Raises:
        Refused: it is missing.
    """
    match = re.fullmatch(r'"([0-9]{1,9})"', request.headers.get("if-match", ""), flags=re.ASCII)
    if match is None:
        raise Refused(428, 'Say which revision this was painted on: If-Match: "number".')
    return int(match[1])


def author_of(request: Request) -> str:
    """Whose work it is.

    Raises:
        Refused: no name.
    """
    name = unquote(request.headers.get("x-author", ""), errors="replace")
    printable = "".join(letter for letter in name if letter.isprintable()).strip()
    if not printable:
        raise Refused(422, "Whose work is it? A name is needed.")
    return printable[:_AUTHOR_CHARACTERS]


async def body_of(request: Request, kind: type[Body]) -> Body:
    """The JSON of a request.

    Raises:
        Refused: it is no such JSON.
    """
    data = await request.body()
    if len(data) > _JSON_BYTES:
        raise Refused(413, f"This takes up to {_JSON_BYTES} bytes of JSON.")
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Refused(422, f"{where}: {first['msg']}."[:300]) from error


def unpacked_labels(packed: bytes, width: int, height: int, pixels: int) -> LabelMap:
    """A rectangle of a label map from its zlib stream.

    Args:
        packed: the stream.
        width: of the rectangle.
        height: of the rectangle.
        pixels: of the tile; a rectangle has no more.

    Raises:
        Refused: it is something else, or of another size.
    """
    size = width * height
    if not 0 < size <= pixels:
        raise Refused(422, f"A rectangle of {width} x {height} pixels does not fit the tile.")
    stream = zlib.decompressobj()
    try:
        values = stream.decompress(packed, size + 1)
    except zlib.error as error:
        raise Refused(422, "The body is no zlib stream of label bytes.") from error
    if len(values) != size or not stream.eof:
        raise Refused(422, f"The body has not the {size} label bytes of {width} x {height} pixels.")
    return np.frombuffer(values, dtype=np.uint8).reshape(height, width)
