"""The columns of a table of scores: what each is read as, in which unit, and what is not read."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from hdgan.artifacts.score_rows import why_no_class
from hdgan.artifacts.score_titles import (
    LEAST_PIXELS,
    MEASURES,
    SPREAD_ALONE,
    WITH_SPREAD,
    Column,
    column_of,
    known_column,
    may_count_images,
    plain,
    without_rivals,
)
from hdgan.artifacts.score_words import Number, is_missing, is_per_cent, number_in, row_of_means
from hdgan.errors import InputError
from hdgan.method.printed_scores import Printed

_OF_NAMES = frozenset(
    ["class", "classes", "name", "label", "labels", "structure", "tissue", "category", "organ"]
)
"""Titles of the column of the rows' names."""

_NOTE = re.compile(r"[†‡§¶]|\*+ |(notes?|sources?|abbreviations?)\b\W", re.IGNORECASE)
"""How what is said below a table begins."""


class ScoreColumns:
    """Reads the cells of rows by the titles above them.

    Args:
        header: the titles, that of the rows' names first; it may be missing.
        rows: what stands below.
        last_digit: as for `score_table_of`.
        name: what errors call the table.

    Attributes:
        classes, means: the rows of either.
        others: the rows of spreads, counts and so on, each with why it is not read.

    Raises:
        InputError: two columns are of one score.
    """

    def __init__(
        self, header: list[str], rows: list[list[str]], last_digit: float, name: str
    ) -> None:
        header, rows = _with_names(header, rows)
        self.last_digit, self.name, self.header = last_digit, name, header
        kept = [cells for cells in rows if _is_row(cells, header)]
        has_names = any(cells[0].strip() for cells in kept)
        reasons = [why_no_class(cells, has_names=has_names) for cells in kept]
        self.others = [(row, why) for row, why in zip(kept, reasons, strict=True) if why]
        rest = [row for row, why in zip(kept, reasons, strict=True) if not why]
        self.means = [cells for cells in rest if row_of_means(cells[0])]
        self.classes = [cells for cells in rest if not row_of_means(cells[0])]
        titled = [self._column(title, place) for place, title in enumerate(header)]
        self.columns = [titled[0], *without_rivals(titled[1:])]
        self._refuse_two_of_one()
        self._scales = [self._scale(place) for place in range(len(header))]

    def read_as(self) -> dict[str, str]:
        """What each column that is read is, by its title."""
        return {
            title_at(self.header, place): MEASURES[column.measure]
            for place, column in enumerate(self.columns)
            if place and column.measure is not None
        }

    def not_read(self) -> dict[str, str]:
        """Why each other column is not read, by its title; empty where it is not understood."""
        return {
            title_at(self.header, place): column.why_not
            for place, column in enumerate(self.columns)
            if place and column.measure is None
        }

    def numbers(self, cells: list[str]) -> dict[str, Printed]:
        """What stands in the known columns of a row, by column; nothing if it has no number.

        Raises:
            InputError: it has more or fewer cells than the header.
        """
        if not any(map(number_in, cells[1:])):
            return {}
        if len(cells) < len(self.columns) or any(cells[len(self.columns) :]):
            raise InputError(
                f"{self.name}: the row {name_of_row(cells)} has {len(cells)} cells, but the header "
                f"has {len(self.columns)}. Put a - where there is no number."
            )
        found: dict[str, Printed] = {}
        for cell, column, scale in list(zip(cells, self.columns, self._scales, strict=False))[1:]:
            number = _number_of(cell, column)
            if column.measure is not None and number is not None:
                of = 0.01 if number.has_sign else scale
                whole = column.measure == "pixels"
                found[column.measure] = number.printed(of, self.last_digit, whole=whole)
        return found

    def cell_of(self, cells: list[str], measure: str) -> str:
        """What stands in the column of a score; empty if there is none, or the row is shorter."""
        if len(cells) != len(self.columns):
            return ""
        found = [c for c, at in zip(cells, self.columns, strict=True) if at.measure == measure]
        return found[0] if found else ""

    def unread(self, cells: list[str]) -> list[str]:
        """What stands in the known columns of a row and is no number."""
        wanted = [column for column in self.columns[1:] if column.measure is not None]
        given = [pair for pair in zip(cells, self.columns, strict=False) if pair[1].measure]
        if len(cells) < len(self.columns):
            given = [(cell, wanted[0]) for cell in cells[1:]]
        return [
            cell[:40]
            for cell, column in given
            if not is_missing(cell) and _number_of(cell, column) is None
        ]

    def _column(self, title: str, place: int) -> Column:
        """What stands in a column; small counts may be of images, and spreads are no scores."""
        column = column_of(title)
        cells = [row[place] for row in self.classes if row[place:]]
        if column.has_spread and not any(map(WITH_SPREAD.search, cells)):
            return Column(None, column.has_sign, SPREAD_ALONE)
        if not may_count_images(title):
            return column
        numbers = filter(None, map(number_in, cells))
        if max((number.value for number in numbers), default=0.0) >= LEAST_PIXELS:
            return column
        return Column(None, column.has_sign, "may count images")

    def _refuse_two_of_one(self) -> None:
        titles: dict[str, str] = {}
        for title, column in list(zip(self.header, self.columns, strict=True))[1:]:
            if column.measure in titles:
                raise InputError(
                    f"{self.name} has the columns {titles[column.measure]} and {title[:60]}, "
                    f"which are both read as {column.measure}: leave one out (an accuracy of a "
                    "class against all others is no recall)."
                )
            if column.measure is not None:
                titles[column.measure] = title[:60]

    def _scale(self, place: int) -> float:
        """What a number of a column is multiplied with to be a part of 1."""
        column = self.columns[place]
        width = len(self.columns)  # a shorter row, such as `accuracy`, leaves columns out
        rows = [*self.classes, *self.means]
        cells = [cells[place] for cells in rows if len(cells) >= width]
        numbers = [number for number in map(number_in, cells) if number is not None]
        values = [number.value for number in numbers if not number.has_sign]
        if column.measure in (None, "pixels") or not is_per_cent(values, column):
            return 1.0
        return 0.01


def found_header(grid: list[list[str]]) -> tuple[list[list[str]], list[str], list[str]]:
    """The rows below the header, the header, and titles of rows that are no scores of classes.

    A table whose classes are columns is turned.
    """
    for i, cells in enumerate(grid):
        if any(column_of(cell).measure for cell in cells[1:]):
            return grid[i + 1 :], cells, []
        is_score = known_column(cells[0]) is not None and len(cells) > 1
        if is_score and i > 0 and known_column(grid[i - 1][0]) is None:
            return _turned(grid, i)
    return [], [], []


def titles_of_unknown(grid: list[list[str]]) -> list[str]:
    """The titles of a table that names no score; without titles, its first row of numbers."""
    for above, cells in zip([[], *grid], grid, strict=False):
        if not any(map(number_in, cells[1:])):
            continue
        if len(above) == len(cells) and not any(map(number_in, above)):
            return [title_at(above, place) for place in range(1, len(above))]
        return [" | ".join(cells)[:60]]
    return []


def title_at(header: Sequence[str], place: int) -> str:
    """A title, or which column it is that has none."""
    return " ".join(header[place].split())[:60] or f"column {place + 1}"


def name_of_row(cells: list[str]) -> str:
    """What a row is called."""
    return cells[0].strip(" *_`")[:60] or "a class without a name"


def _turned(grid: list[list[str]], first: int) -> tuple[list[list[str]], list[str], list[str]]:
    """A table with a row a score, the first of which is `grid[first]`, as one with a row a class.

    Rows of other things may stand above it; the names of the classes stand above them.
    """
    width = len(grid[first])
    start = first - 1
    while start > 0 and column_of(grid[start][0]).why_not:
        start -= 1
    named = grid[start] if len(grid[start]) == width else ["", *grid[start]]
    below = grid[start + 1 :]
    rows = [cells for cells in below if known_column(cells[0])]
    others = [cells for cells in below if known_column(cells[0]) is None and len(cells) > 1]
    columns = [list(column) for column in zip_longest(named, *rows, fillvalue="")]
    return columns[1:], columns[0], [title_at(cells, 0) for cells in others]


def _with_names(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """A table with a column of names, if it has none or the column has no title."""
    longest = max((len(cells) for cells in rows if any(map(number_in, cells[1:]))), default=0)
    measure = column_of(header[0]).measure
    if measure is not None and longest == len(header) + 1:
        return ["class", *header], rows
    is_narrow = measure not in (None, "pixels") and longest == len(header)
    if is_narrow and all(number_in(cells[0]) for cells in rows if len(cells) > 1):
        return ["class", *header], [["", *cells] for cells in rows if len(cells) > 1]
    return header, rows


def _is_row(cells: Sequence[str], header: Sequence[str]) -> bool:
    """Whether cells have a number, or are of something that is named, whatever is said of it."""
    if any(map(number_in, cells[1:])):
        return True
    if not cells[0].strip() or plain(cells[0]) in _OF_NAMES or _NOTE.match(cells[0]):
        return False
    if len(cells) == len(header) > 1:
        return not (row_of_means(cells[0]) and all(map(is_missing, cells[1:])))
    return any(re.search(r"\d", cell) for cell in cells[1:])


def _number_of(cell: str, column: Column) -> Number | None:
    """The number in a cell; a score that is said to be of thousands is none."""
    number = number_in(cell)
    is_score = column.measure != "pixels"
    return None if number is not None and is_score and number.unit > 1 else number
