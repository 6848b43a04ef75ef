"""Scores over all classes that stand outside of a table's rows: in lines, or below titles."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hdgan.artifacts.score_lines import Line
from hdgan.artifacts.score_rows import leaves_out
from hdgan.artifacts.score_words import (
    is_missing,
    names_fewer,
    number_in,
    row_of_means,
    summary_words,
)
from hdgan.method.printed_scores import Averaging, Measure, Printed, Summary

_NAMED = re.compile(r"^([^:=|\t,;]{1,120})[:=]([^:=|\t]{1,60})$")
_PLAIN = re.compile(r"^([A-Za-z][^:=|\t,;\d]{1,120})\s([-+]?[\d.][^\s|]{0,40}(?: ?%)?)$")


@dataclass(frozen=True)
class Said:
    """What is said of all classes."""

    name: str
    """What it is called."""

    cell: str
    """What stands for the number."""


def is_said(line: Line) -> bool:
    """Whether a line speaks of all classes, such as `mean Dice: 0.92`, and is no row of a table."""
    found = _sentence(line.text)
    return found is not None and summary_words(found.name) is not None


def said_in(lines: Sequence[Line]) -> list[Said]:
    """What lines of which `is_said` is true say."""
    return [said for said in (_sentence(line.text) for line in lines) if said is not None]


def said_in_block(lines: Sequence[Line]) -> list[Said]:
    """What a table of means alone says, such as the titles aAcc, mIoU, mAcc and one row below them.

    Nothing, if it is no such table.
    """
    rows = [line.cells for line in lines if len(line.cells) > 1]
    if len(rows) < 2 or len(rows[0]) != len(rows[1]) or any(line.has_numbers for line in lines[2:]):
        return []
    titles, cells = rows[:2]
    if row_of_means(cells[0]):
        titles, cells = titles[1:], cells[1:]
    if not any(map(number_in, cells)) or not all(map(summary_words, titles)):
        return []
    return [Said(title, cell) for title, cell in zip(titles, cells, strict=True)]


def summaries_of(
    every: Sequence[Said], classes: Sequence[str], last_digit: float
) -> Iterator[Summary]:
    """What is said and understood.

    Args:
        every: what is said.
        classes: names of the classes.
        last_digit: as for `score_table_of`.
    """
    for said in every:
        words, number = summary_words(said.name), number_in(said.cell)
        if words and number and not why_not_read(said):
            printed = number.printed(number.own_scale, last_digit)
            yield summary_of(said.name, words, printed, classes)


def summary_of(
    name: str, words: tuple[Measure, Averaging], value: Printed, classes: Sequence[str]
) -> Summary:
    """A mean of classes, of as many of them as its name says."""
    return Summary(name, *words, value, leaves_out=leaves_out(name, classes))


def why_not_read(said: Said) -> str:
    """Why something that is said is not read; empty if it is, or if there is nothing."""
    words = summary_words(said.name)
    if words and words[1] == "accuracy" and names_fewer(said.name):
        return "an accuracy of some classes, not checked"
    if number_in(said.cell) is None and not is_missing(said.cell):
        return f"'{said.cell[:40]}'"
    return ""


def _sentence(line: str) -> Said | None:
    """The words and the number of a line such as `mean Dice: 0.92`."""
    plain = line.strip(" \t>*+-_`.")
    if re.search(r"\S\s{2,}\S+\s{2,}\S", plain):
        return None
    match = _NAMED.match(plain) or _PLAIN.match(plain)
    return None if match is None else Said(match[1].strip(" *_`"), match[2].strip(" *_`"))
