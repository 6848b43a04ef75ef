"""How a training went: one JSON record a line."""

import json
import math
from dataclasses import asdict, fields
from typing import Any, TypeVar

from hdgan.errors import DamagedArtifactError

Tick = TypeVar("Tick")


def curve_line(tick: Any) -> str:
    """A dataclass of numbers as a line; what is not a number is null."""
    plain = {name: None if value != value else value for name, value in asdict(tick).items()}
    return json.dumps(plain)


def curve_of(data: bytes, kind: type[Tick], name: str) -> list[Tick]:
    """The records of a file of such lines.

    Raises:
        DamagedArtifactError: a line is no such record.
    """
    floats = {field.name for field in fields(kind) if field.type is float}  # type: ignore[arg-type]
    ticks = []
    try:
        for line in data.splitlines():
            record = json.loads(line)
            numbers = {
                key: math.nan if value is None else float(value) if key in floats else value
                for key, value in record.items()
            }
            ticks.append(kind(**numbers))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedArtifactError(f"{name} is damaged ({error}).") from error
    return ticks
