"""The columns of a table of scores: what each is read as, in which unit, and what is not read."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from hdgan.artifacts.score_titles import (
    LEAST_PIXELS,
    MEASURES,
    SPREAD_ALONE,
    Column,
    column_of,
    known_column,
    may_count_images,
    without_rivals,
)
from hdgan.artifacts.score_words import is_missing, is_per_cent, number_in, row_of_means
from hdgan.errors import InputError
from hdgan.method.printed_scores import Printed

_WITH_SPREAD = re.compile(r"\d.*(±|\\pm|\+/?-|\(|\[)")
"""A score, and behind it its spread."""


class ScoreColumns:
    """Reads the cells of rows by the titles above them.

    Args:
        header: the titles, that of the rows' names first; it may be missing.
        rows: what stands below.
        last_digit: as for `score_table_of`.
        name: what errors call the table.

    Raises:
        InputError: two columns are of one score.
    """

    def __init__(
        self, header: list[str], rows: list[list[str]], last_digit: float, name: str
    ) -> None:
        longest = max((len(cells) for cells in rows), default=0)
        if column_of(header[0]).measure and longest == len(header) + 1:
            header = ["class", *header]  # the column of names has no title
        self.last_digit, self.name, self.header = last_digit, name, header
        self.rows = [cells for cells in rows if _is_row(cells, len(header))]
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
        """What stands in the known columns of a row, by column.

        Raises:
            InputError: it has more or fewer cells than the header.
        """
        if len(cells) < len(self.columns) or any(cells[len(self.columns) :]):
            raise InputError(
                f"{self.name}: the row {name_of_row(cells)} has {len(cells)} cells, but the header "
                f"has {len(self.columns)}. Put a - where there is no number."
            )
        found: dict[str, Printed] = {}
        for cell, column, scale in list(zip(cells, self.columns, self._scales, strict=False))[1:]:
            number = number_in(cell)
            if column.measure is not None and number is not None:
                of = 0.01 if number.has_sign else scale
                whole = column.measure == "pixels"
                found[column.measure] = number.printed(of, self.last_digit, whole=whole)
        return found

    def _column(self, title: str, place: int) -> Column:
        """What stands in a column; small counts may be of images, and spreads are no scores."""
        column = column_of(title)
        rows = [row for row in self.rows if row[place:] and not row_of_means(row[0])]
        cells = [row[place] for row in rows]
        if column.has_spread and not any(map(_WITH_SPREAD.search, cells)):
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
        cells = [cells[place] for cells in self.rows if len(cells) >= width]
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


def _is_row(cells: Sequence[str], width: int) -> bool:
    """Whether cells have a number, or say of a class that there is none."""
    if any(map(number_in, cells[1:])):
        return True
    is_named = bool(cells[0].strip()) and not row_of_means(cells[0])
    return is_named and len(cells) == width > 1 and all(map(is_missing, cells[1:]))
