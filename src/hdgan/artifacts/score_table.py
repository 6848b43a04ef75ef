"""Tables of scores as people paste them: CSV, TSV, Markdown, or columns two spaces apart."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence

from hdgan.artifacts.score_columns import (
    ScoreColumns,
    found_header,
    name_of_row,
    titles_of_unknown,
)
from hdgan.artifacts.score_titles import column_of
from hdgan.artifacts.score_words import (
    averaging_of,
    is_average_precision,
    is_background,
    is_total,
    number_in,
    row_of_means,
    summary_words,
)
from hdgan.errors import InputError
from hdgan.method.printed_scores import ClassRow, Interval, Measure, Printed, ScoreTable, Summary

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
    grid = [_cells(line) for line in lines if not _is_said(line)]
    rows, header, other_titles = found_header(grid)
    if not header:
        table = ScoreTable([], summaries, not_read=_reasons(titles_of_unknown(grid)))
    else:
        columns = ScoreColumns(header, rows, last_digit, name)
        reader = _Reader(columns)
        classes = reader.classes()
        table = ScoreTable(
            classes,
            [*summaries, *reader.means()],
            is_whole=reader.is_whole(classes),
            read_as=columns.read_as(),
            not_read=columns.not_read() | _reasons(other_titles),
        )
    if not table.classes and not table.summaries:
        raise InputError(
            f"{name} has no score that is understood. Needed is a row a class under a header with "
            "recall (or sensitivity, accuracy), precision, Dice (or F1), IoU, pixels; or a line "
            f"such as `mean Dice: 0.92`.{_found_instead(table.not_read)}"
        )
    return table


def _reasons(titles: Sequence[str]) -> dict[str, str]:
    """Why each title is not read, as far as that is known."""
    return {title: column_of(title).why_not for title in titles}


def _found_instead(not_read: Mapping[str, str]) -> str:
    """Titles of columns of which none is a score, as a sentence."""
    if not not_read:
        return ""
    return f" Its columns are {', '.join(not_read)[:300]}."


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


class _Reader:
    """Reads the rows under a header."""

    def __init__(self, columns: ScoreColumns) -> None:
        self.columns, self.rows = columns, columns.rows

    def classes(self) -> list[ClassRow]:
        """The rows that are of one class."""
        found = []
        for cells in self.rows:
            if not row_of_means(cells[0]):
                numbers = self.columns.numbers(cells)
                pixels = numbers.pop("pixels", None)
                scores: dict[Measure, Printed] = {**numbers}  # type: ignore[dict-item]
                found.append(ClassRow(name_of_row(cells), scores, _count(pixels)))
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
        name = name_of_row(cells)
        if summary_words(name) == ("recall", "accuracy"):
            numbers = [number for number in map(number_in, cells[1:]) if number is not None]
            if numbers[1:] and numbers[-1].value >= 2:
                return numbers[-1].printed(1.0, self.columns.last_digit, whole=True).could_be
        elif has_background and is_total(name):
            return _count(self.columns.numbers(cells).get("pixels"))
        return None

    def means(self) -> Iterator[Summary]:
        """What rows such as `macro avg` say of each column, and `accuracy` of itself."""
        for cells in self.rows:
            name = name_of_row(cells)
            if not row_of_means(cells[0]) or is_average_precision(name):
                continue
            alone = summary_words(name)
            if alone is not None:
                number = next(filter(None, map(number_in, cells[1:])))
                yield Summary(
                    name, *alone, number.printed(number.own_scale, self.columns.last_digit)
                )
                continue
            numbers = self.columns.numbers(cells)
            for measure in ("recall", "precision", "dice", "iou"):
                averaging = averaging_of(name)
                if measure in numbers and averaging is not None:
                    yield Summary(f"{name} {measure}", measure, averaging, numbers[measure])


def _count(pixels: Printed | None) -> Interval | None:
    if pixels is None or pixels.could_be.high <= 0:
        return None
    return Interval(max(0.0, pixels.could_be.low), pixels.could_be.high)
