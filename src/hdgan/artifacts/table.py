"""Tables on disk: CSV whose rows are records with typed columns."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from hdgan.artifacts.writing import renamed_when_whole
from hdgan.errors import DamagedArtifactError

Name = Annotated[str, StringConstraints(pattern=r"^[^/\x00]+$")]
"""Of what files are called after: a table may come from anybody, and no name leads elsewhere."""


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


def write_table(path: Path, rows: Iterable[Record], kind: type[Record]) -> None:
    """Write the same to a file; memory holds one row.

    Raises:
        StorageError: the disk is full or read-only.
    """
    with (
        renamed_when_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(kind.model_fields), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row.model_dump() for row in rows)


def table_of(data: bytes, kind: type[Row], name: str) -> list[Row]:
    """The rows of a CSV.

    Raises:
        DamagedArtifactError: a cell does not fit its column.
    """
    try:
        reader = csv.DictReader(StringIO(data.decode()))
        cells = [{key: value or None for key, value in row.items()} for row in reader]
        return TypeAdapter(list[kind]).validate_python(cells)  # type: ignore[valid-type]
    except ValidationError as error:
        first = error.errors()[0]
        row, *column = first["loc"]
        raise DamagedArtifactError(
            f"{name} is damaged (row {row}, {'.'.join(map(str, column))}: {first['msg']}). Restore "
            "it from a copy, or make the artifact again."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DamagedArtifactError(f"{name} is damaged ({error}).") from error
