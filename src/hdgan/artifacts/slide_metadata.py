"""The table in which a user says whose slide each is: patient, stain, centre, anything."""

import csv
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path

from hdgan.errors import InputError


@dataclass(frozen=True)
class SlideMetadata:
    """What is known of a slide; None where nobody said."""

    patient: str | None = None
    """Whose tissue it is."""

    stain: str | None = None
    """As the user calls it."""

    centre: str | None = None
    """Where it was cut, stained or scanned."""

    spacing_um: float | None = None
    """Tissue per level-0 pixel, where the file does not say."""

    fold: int | None = None
    """Where the user has dealt the patients."""


@dataclass(frozen=True)
class SlideTable:
    """A table of slides."""

    rows: dict[str, SlideMetadata]
    """What it says of each, by the slide's name."""

    other_columns: list[str]
    """Columns that mean nothing here."""


def read_metadata(path: Path) -> SlideTable:
    """What a CSV says of each slide; columns of other names are passed over.

    Separated by commas, semicolons or tabs. The column `slide` holds the file's name, with or
    without its ending and folders.

    Raises:
        InputError: it is no such table, names a slide twice, or a number is none.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read as a table ({error}). Needed: a CSV file in UTF-8."
        ) from error
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        reader = csv.DictReader(StringIO(text), delimiter=separator, strict=True)
        columns = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        rows = list(reader)
    except csv.Error as error:
        raise InputError(f"{path} is no CSV table ({error}). Export it again.") from error
    if "slide" not in columns:
        raise InputError(
            f"{path} has the columns {', '.join(columns) or '(none)'}; it needs one called slide, "
            "and may have patient, stain, centre, spacing_um and fold."
        )
    table: dict[str, SlideMetadata] = {}
    for number, row in enumerate(rows, start=2):
        slide = (row["slide"] or "").strip()
        if not slide or slide in table:
            what = f"names {slide} twice" if slide else "names no slide"
            raise InputError(f"{path}, line {number}, {what}. Give each slide one line.")
        where = f"{path}, line {number}"
        table[slide] = _row(row, where)
        if "patient" in columns and table[slide].patient is None:
            raise InputError(
                f"{where}, names no patient for {slide}. Fill the cell in, or leave the column out."
            )
    known = {"slide", *(field.name for field in fields(SlideMetadata))}
    return SlideTable(table, [column for column in columns if column and column not in known])


def metadata_of(table: dict[str, SlideMetadata], name: str, path: Path) -> SlideMetadata | None:
    """What the table says of a slide, found by its name, its file's name, or either's ending."""
    return next((table[key] for key in keys_of(name, path) if key in table), None)


def keys_of(name: str, path: Path) -> tuple[str, ...]:
    """What a table may call a slide."""
    return (name, path.name, path.stem, path.name.split(".")[0])


def _row(row: dict[str, str | None], where: str) -> SlideMetadata:
    given: dict[str, str | float | int] = {}
    for field in fields(SlideMetadata):
        text = (row.get(field.name) or "").strip()
        if text:
            given[field.name] = _value(field.name, text, where)
    return SlideMetadata(**given)  # type: ignore[arg-type]


def _value(column: str, text: str, where: str) -> str | float | int:
    """A cell as its column has it.

    Raises:
        InputError: it is no number where one is needed.
    """
    try:
        if column == "fold":
            fold = int(text)
            if fold >= 0:
                return fold
            raise ValueError
        if column == "spacing_um":
            spacing = float(text)
            if 0 < spacing < 1000:
                return spacing
            raise ValueError
    except ValueError as error:
        needed = "a whole number from 0" if column == "fold" else "a number of um/px above 0"
        raise InputError(f"{where}: {column} is {text!r}; needed is {needed}.") from error
    return text
