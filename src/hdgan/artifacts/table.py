"""Tables on disk: CSV whose rows are records with typed columns."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hdgan.errors import DamagedArtifactError


class Record(BaseModel):
    """A row of a table. An empty cell is None."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Row = TypeVar("Row", bound=Record)


def table_bytes(rows: Sequence[Record], kind: type[Record]) -> bytes:
    """The rows as CSV, with a header even if there is no row."""
    text = StringIO()
    writer = csv.DictWriter(text, list(kind.model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    return text.getvalue().encode()


def table_of(data: bytes, kind: type[Row], name: str) -> list[Row]:
    """The rows of a CSV.

    Raises:
        DamagedArtifactError: a cell does not fit its column.
    """
    try:
        reader = csv.DictReader(StringIO(data.decode()))
        cells = [{key: value or None for key, value in row.items()} for row in reader]
        return TypeAdapter(list[kind]).validate_python(cells)  # type: ignore[valid-type]
    except (ValidationError, UnicodeDecodeError, csv.Error) as error:
        raise DamagedArtifactError(f"{name} is damaged ({error}).") from error
