"""The lines of a pasted text, their cells, and which of them are of one table."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from hdgan.artifacts.score_titles import column_of
from hdgan.artifacts.score_words import is_missing, number_in
from hdgan.errors import InputError

LARGEST_BYTES = 1_000_000
"""A table of scores is not larger."""

LARGEST_ROWS = 1000
"""Nor longer."""

LARGEST_LINE = 10_000
"""Nor wider."""

_RULE = re.compile(r"^[\s|:+=_-]*$")
_ALIGNED = re.compile(r"[^\s,]\s{2,}\S")
_GAP = "  "


@dataclass(frozen=True)
class Line:
    """A line that says something."""

    text: str
    """As it stands there."""

    cells: list[str]
    """What stands in it, at least one."""

    separator: str
    """What parts them: `|`, a tab, a semicolon, two spaces, or a comma."""

    after_gap: bool
    """Whether an empty line stands above it."""

    @cached_property
    def has_numbers(self) -> bool:
        """Whether there is a number behind the first cell."""
        return any(map(number_in, self.cells[1:]))

    @cached_property
    def names_score(self) -> bool:
        """Whether it may be a header: a title behind the first cell is known, and no number is."""
        return not self.has_numbers and any(column_of(cell).measure for cell in self.cells[1:])


def lines_of(data: bytes, name: str) -> list[Line]:
    """The lines of a text, less the empty ones and those that are drawn.

    Args:
        data: the text, UTF-8.
        name: what errors call it.

    Raises:
        InputError: it is no text, or too large.
    """
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{name} is larger than 1 MB, which no table of scores is.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is no text in UTF-8. Save it as one, or paste it.") from error
    every = ["", *text.splitlines()]
    lines = [(line, not above.strip()) for above, line in pairwise(every) if line.strip()]
    longest = max((len(line) for line, _ in lines), default=0)
    if len(lines) > LARGEST_ROWS or longest > LARGEST_LINE:
        raise InputError(
            f"{name} has {len(lines):,} lines, the longest of {longest:,} characters; "
            f"a table of scores has at most {LARGEST_ROWS:,} of {LARGEST_LINE:,}."
        )
    return [
        Line(line, *_cells(line), after_gap) for line, after_gap in lines if not _RULE.match(line)
    ]


def tables_in(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines of each table; those of its rows that are parted by less than two spaces, mended.

    A table begins with the first line; another one where titles stand below numbers: titles of
    scores, or, after an empty line, words alone that have numbers below them.
    """
    tables: list[list[Line]] = [[]]
    is_begun = False
    for i, line in enumerate(lines):
        if is_begun and (line.names_score or _are_titles(lines[i : i + 2])):
            tables.append([])
            is_begun = False
        tables[-1].append(line)
        is_begun = is_begun or line.has_numbers
    return [_of_one_form(_mended(table)) for table in tables]


def looks_like_latex(lines: Sequence[Line]) -> bool:
    """Whether there are rows of a LaTeX table, whose cells are parted by &."""
    rows = [re.split(r"(?<!\\)&", line.text.replace(r"\\", "")) for line in lines]
    return any(number_in(cell) or column_of(cell).measure for cells in rows for cell in cells[1:])


def _cells(line: str) -> tuple[list[str], str]:
    """The cells of a line, whatever parts them, and what does."""
    stripped = line.strip()
    if "|" in stripped:
        inner = stripped.removeprefix("|").removesuffix("|")
        return [cell.strip() for cell in inner.split("|")], "|"
    for separator in ("\t", ";"):
        if separator in stripped:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))], (
                separator
            )
    if _ALIGNED.search(stripped):
        return re.split(r"\s{2,}", stripped), _GAP
    return [cell.strip() for cell in next(csv.reader([stripped], skipinitialspace=True))], ","


def _are_titles(lines: Sequence[Line]) -> bool:
    """Whether the first of two lines, after a gap, consists of words, and numbers stand below."""
    if len(lines) < 2 or not lines[0].after_gap or lines[0].separator != lines[1].separator:
        return False
    cells = lines[0].cells[1:]
    are_words = bool(cells) and all(re.match(r"[^\W\d]", c) and not is_missing(c) for c in cells)
    return are_words and lines[1].has_numbers and len(lines[0].cells) == len(lines[1].cells)


def _of_one_form(lines: Sequence[Line]) -> list[Line]:
    """Lines less those, such as notes below a table, that are parted otherwise and say no score."""
    separators = [line.separator for line in lines if line.has_numbers or line.names_score]
    usual = max(separators, key=separators.count, default=None)
    return [
        line
        for line in lines
        if line.separator == usual or line.has_numbers or line.names_score or usual is None
    ]


def _mended(lines: Sequence[Line]) -> list[Line]:
    """Lines of columns two spaces apart, where a row has less, such as `glass 0.90 0.82`."""
    header = next((line for line in lines if line.names_score), None)
    if header is None or header.separator != _GAP:
        return list(lines)
    width = len(header.cells) + (column_of(header.cells[0]).measure is not None)
    return [header if line is header else _parted(line, width) for line in lines]


def _parted(line: Line, width: int) -> Line:
    """A line with as many cells as a table is wide, if its last words are numbers."""
    is_aligned = line.separator in (_GAP, ",")
    if not is_aligned or len(line.cells) >= width or not line.text.strip()[0].isalpha():
        return line
    text = re.sub(r" ?(±|\+/-|\\pm) ?", r"\1", " ".join(line.text.split()))
    words = list(_numbers_behind(text.rsplit(None, width - 1)))
    if len(words) == width:
        return replace(line, cells=words, separator=_GAP)
    first = re.search(r" [.,]?\d", text)
    if first is None or len(re.findall(r"[.,]\d", text)) < width - 1:
        return line
    rest = text[first.start() + 1 :]
    return replace(line, cells=[text[: first.start()], rest, *[""] * (width - 2)], separator=_GAP)


def _numbers_behind(words: Sequence[str]) -> Iterator[str]:
    """A name and what is a number, or might be, or says that there is none."""
    yield words[0]
    yield from (w for w in words[1:] if re.match(r"[-+(<>~=]?[\d.,]*\d", w) or is_missing(w))
