"""Tables of scores as people paste them: CSV, TSV, Markdown, or columns two spaces apart."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from hdgan.artifacts.score_words import (
    LEAST_PIXELS,
    Column,
    averaging_of,
    column_of,
    is_average_precision,
    is_background,
    is_missing,
    is_per_cent,
    is_total,
    known_column,
    may_count_images,
    number_in,
    row_of_means,
    summary_words,
)
from hdgan.errors import InputError
from hdgan.method.printed_scores import (
    ClassRow,
    Interval,
    Measure,
    Printed,
    ScoreTable,
    Summary,
)

LARGEST_BYTES = 1_000_000
"""A table of scores is not larger."""

LARGEST_ROWS = 1000
"""Nor longer."""

LARGEST_LINE = 10_000
"""Nor wider."""

_NAMED = re.compile(r"^([^:=|\t,;]{1,120})[:=]([^:=|\t]{1,60})$")
_PLAIN = re.compile(r"^([A-Za-z][^:=|\t,;\d]{1,120})\s([-+]?[\d.][^\s|]{0,40}(?: ?%)?)$")
_RULE = re.compile(r"^[\s|:+=_-]*$")


def score_table_of(data: bytes, name: str, last_digit: float = 0.5) -> ScoreTable:
    """The scores in a text.

    Args:
        data: the text, UTF-8.
        name: what errors call it.
        last_digit: how far a printed number may be from what was meant, in units of its last
            digit: .5 where it was rounded, 1 where it may have been cut off.

    Raises:
        InputError: it is no text, too large, has a row that does not fit its header, two columns of
            one score, or no score.
    """
    lines = _lines(data, name)
    summaries = [*_said(lines, last_digit)]
    rows, header = _found_header([_cells(line) for line in lines if not _is_said(line)])
    classes: list[ClassRow] = []
    is_whole = False
    if header:
        reader = _Reader(header, rows, last_digit, name)
        classes = reader.classes()
        summaries += reader.means()
        is_whole = reader.is_whole(classes)
    if not classes and not summaries:
        raise InputError(
            f"{name} has no score that is understood. Needed is a row a class under a header with "
            "recall (or sensitivity, accuracy), precision, Dice (or F1), IoU, pixels; or a line "
            "such as `mean Dice: 0.92`."
        )
    return ScoreTable(classes, summaries, is_whole=is_whole)


def _lines(data: bytes, name: str) -> list[str]:
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{name} is larger than 1 MB, which no table of scores is.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is no text in UTF-8. Save it as one, or paste it.") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > LARGEST_ROWS or max(map(len, lines), default=0) > LARGEST_LINE:
        raise InputError(
            f"{name} has {len(lines):,} lines, the longest of {max(map(len, lines)):,} characters; "
            f"a table of scores has at most {LARGEST_ROWS:,} of {LARGEST_LINE:,}."
        )
    return [line for line in lines if not _RULE.match(line)]


def _cells(line: str) -> list[str]:
    """The cells of a line, whatever parts them."""
    stripped = line.strip()
    if "|" in stripped:
        inner = stripped.removeprefix("|").removesuffix("|")
        return [cell.strip() for cell in inner.split("|")]
    for separator in ("\t", ";"):
        if separator in stripped:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
    if re.search(r"\S\s{2,}\S", stripped):
        return re.split(r"\s{2,}", stripped)
    return [cell.strip() for cell in next(csv.reader([stripped]))]


def _sentence(line: str) -> tuple[str, str] | None:
    """The words and the number of a line such as `mean Dice: 0.92`."""
    plain = line.strip(" \t>*+-_`.")
    if re.search(r"\S\s{2,}\S+\s{2,}\S", plain):
        return None
    match = _NAMED.match(plain) or _PLAIN.match(plain)
    return None if match is None else (match[1].strip(" *_`"), match[2].strip(" *_`"))


def _is_said(line: str) -> bool:
    """Whether a line speaks of all classes and is no row of a table."""
    found = _sentence(line)
    return found is not None and summary_words(found[0]) is not None


def _said(lines: Sequence[str], last_digit: float) -> Iterator[Summary]:
    for line in lines:
        found = _sentence(line)
        words = summary_words(found[0]) if found else None
        number = number_in(found[1]) if found else None
        if found and words and number:
            printed = number.printed(number.own_scale, last_digit)
            yield Summary(found[0], *words, printed)


def _found_header(grid: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """The rows below the header, and the header; a table whose classes are columns is turned."""
    for i, cells in enumerate(grid):
        others = any(known_column(cell) for cell in cells[1:])
        if others:
            return grid[i + 1 :], cells
        if known_column(cells[0]) and len(cells) > 1 and i > 0:
            return _turned(grid[i - 1 :])
    return [], []


def _turned(grid: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """A table with a row a score as one with a row a class."""
    width = len(grid[1])
    named = grid[0] if len(grid[0]) == width else ["", *grid[0]]
    rows = [cells for cells in grid[1:] if known_column(cells[0])]
    columns = [list(column) for column in zip_longest(named, *rows, fillvalue="")]
    return columns[1:], columns[0]


class _Reader:
    """Reads the rows under a header."""

    def __init__(
        self, header: list[str], rows: list[list[str]], last_digit: float, name: str
    ) -> None:
        longest = max((len(cells) for cells in rows), default=0)
        if known_column(header[0]) and longest == len(header) + 1:
            header = ["class", *header]  # the column of names has no title
        self.last_digit, self.name = last_digit, name
        self.rows = [cells for cells in rows if _is_row(cells, len(header))]
        self.columns = [self._column(title, place) for place, title in enumerate(header)]
        self._refuse_two_of_one(header)
        self.scales = [self._scale(place) for place in range(len(header))]

    def classes(self) -> list[ClassRow]:
        """The rows that are of one class."""
        found = []
        for cells in self.rows:
            if not row_of_means(cells[0]):
                numbers = self._numbers(cells)
                pixels = numbers.pop("pixels", None)
                scores: dict[Measure, Printed] = {**numbers}  # type: ignore[dict-item]
                found.append(ClassRow(_named(cells), scores, _count(pixels)))
        return found if any(row.scores or row.pixels for row in found) else []

    def is_whole(self, classes: Sequence[ClassRow]) -> bool:
        """Whether no class is left out.

        So it is if the accuracy, which is of all pixels, is said to be of as many as the classes
        have; or if a row `total` is, and the background, which is left out first, is a class.
        """
        counts = [row.pixels for row in classes if row.pixels is not None]
        if not counts or len(counts) < len(classes):
            return False
        of_all = Interval(sum(count.low for count in counts), sum(count.high for count in counts))
        has_background = any(is_background(row.name) for row in classes)
        means = [cells for cells in self.rows if row_of_means(cells[0])]
        totals = [self._total(cells, has_background=has_background) for cells in means]
        known = [total for total in totals if total is not None]
        return bool(known) and all(total.meets(of_all) for total in known)

    def _total(self, cells: list[str], *, has_background: bool) -> Interval | None:
        """Of how many pixels a row says that all are."""
        name = _named(cells)
        if summary_words(name) == ("recall", "accuracy"):
            numbers = [number for number in map(number_in, cells[1:]) if number is not None]
            if numbers[1:] and numbers[-1].value >= 2:
                return numbers[-1].printed(1.0, self.last_digit, whole=True).could_be
        elif has_background and is_total(name):
            return _count(self._numbers(cells).get("pixels"))
        return None

    def means(self) -> Iterator[Summary]:
        """What rows such as `macro avg` say of each column, and `accuracy` of itself."""
        for cells in self.rows:
            name = _named(cells)
            if not row_of_means(cells[0]) or is_average_precision(name):
                continue
            alone = summary_words(name)
            if alone is not None:
                number = next(filter(None, map(number_in, cells[1:])))
                yield Summary(name, *alone, number.printed(number.own_scale, self.last_digit))
                continue
            numbers = self._numbers(cells)
            for measure in ("recall", "precision", "dice", "iou"):
                averaging = averaging_of(name)
                if measure in numbers and averaging is not None:
                    yield Summary(f"{name} {measure}", measure, averaging, numbers[measure])

    def _numbers(self, cells: list[str]) -> dict[str, Printed]:
        """What stands in the known columns of a row, by column."""
        if len(cells) < len(self.columns) or any(cells[len(self.columns) :]):
            raise InputError(
                f"{self.name}: the row {_named(cells)} has {len(cells)} cells, but the header has "
                f"{len(self.columns)}. Put a - where there is no number."
            )
        found: dict[str, Printed] = {}
        for cell, column, scale in list(zip(cells, self.columns, self.scales, strict=False))[1:]:
            number = number_in(cell)
            if column.measure is not None and number is not None:
                of = 0.01 if number.has_sign else scale
                whole = column.measure == "pixels"
                found[column.measure] = number.printed(of, self.last_digit, whole=whole)
        return found

    def _column(self, title: str, place: int) -> Column:
        """What stands in a column; small counts of what is not said may be of images."""
        column = column_of(title)
        if not may_count_images(title):
            return column
        rows = [row for row in self.rows if row[place:] and not row_of_means(row[0])]
        numbers = filter(None, (number_in(row[place]) for row in rows))
        if max((number.value for number in numbers), default=0.0) >= LEAST_PIXELS:
            return column
        return Column(None, column.has_sign)

    def _refuse_two_of_one(self, header: Sequence[str]) -> None:
        titles: dict[str, str] = {}
        for title, column in list(zip(header, self.columns, strict=True))[1:]:
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


def _is_row(cells: Sequence[str], width: int) -> bool:
    """Whether cells have a number, or say of a class that there is none."""
    if any(map(number_in, cells[1:])):
        return True
    is_named = bool(cells[0].strip()) and not row_of_means(cells[0])
    return is_named and len(cells) == width > 1 and all(map(is_missing, cells[1:]))


def _named(cells: list[str]) -> str:
    return cells[0].strip(" *_`")[:60] or "a class without a name"


def _count(pixels: Printed | None) -> Interval | None:
    if pixels is None or pixels.could_be.high <= 0:
        return None
    return Interval(max(0.0, pixels.could_be.low), pixels.could_be.high)
