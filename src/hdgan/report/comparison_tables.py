"""The tables of the report of `hdgan compare`: numbers that stand digit below digit."""

import math
import re
from collections.abc import Sequence

from hdgan.artifacts.comparison import ArmText, ComparisonText, DifferenceText, IntervalText
from hdgan.report.comparison_words import WORDS, explanation_of, title_of
from hdgan.report.page import PageTable
from hdgan.report.tables import percent

FIGURE_SPACE = "\u2007"
"""As wide as a digit."""

MINUS = "\u2212"
"""As wide as a plus."""

LONGEST_SECONDS = 120
"""Longer times are said in minutes."""

_NUMBERS = re.compile(rf"[+{MINUS}-]?\d[\d,]*\.\d+")


def points(value: float) -> str:
    """A difference in points of a hundred, with its sign."""
    rounded = round(100 * value, 1)
    return "0.0" if rounded == 0 else f"{rounded:+.1f}"


def ends_of(found: IntervalText) -> str:
    """The interval of a difference; empty if there is none.

    A bound that rounds to 0 keeps its sign, which the verdict depends on.
    """
    if found.low is None or found.high is None:
        return ""
    return f"[{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def arms_by_count(text: ComparisonText) -> PageTable:
    """Every arm at every number of labels."""
    counts = text.design.counts
    rows = []
    for arm in text.design.arms:
        cells = [_score_cell(text.arm(arm, count)) for count in (*counts, None)]
        rows.append([title_of(arm), *cells])
    header = ["arm", *(f"{count} labels" for count in counts), "all labels"]
    if all(row[-1] == "-" for row in rows):
        rows, header = [row[:-1] for row in rows], header[:-1]
    return PageTable(
        "Macro Dice in %, by the number of human labels: mean of the patients and runs, and its "
        "95 % interval. A dash: not run, or too little for an interval.",
        header,
        aligned(rows),
    )


def differences_at(text: ComparisonText) -> PageTable:
    """Every comparison at the verdict's number of labels."""
    rows = [
        [
            against(row),
            "-" if row.difference.mean is None else points(row.difference.mean),
            ends_of(row.difference) or "-",
            row.verdict,
            row.corrected or "-",
        ]
        for row in text.differences
        if row.count == text.at
    ]
    return PageTable(
        f"On {text.at} labels: points of macro Dice, the first arm less the second, patient "
        "by patient and run by run.",
        ["arms", "difference", "95 % interval", "verdict", "all arms allowed for"],
        aligned(rows),
    )


def differences_by_count(text: ComparisonText) -> PageTable:
    """The same comparisons at every number of labels."""
    found = {(row.arm, row.against, row.count): row for row in text.differences}
    pairs = {(row.arm, row.against): row for row in text.differences}
    counts = text.design.counts
    rows = [
        [against(row), *(_difference_cell(found.get((*pair, count))) for count in counts)]
        for pair, row in pairs.items()
    ]
    return PageTable(
        "The same with every number of labels: points, and the 95 % interval.",
        ["arms", *(f"{count} labels" for count in counts)],
        aligned(rows),
    )


def classes_of(rows: Sequence[ArmText], at: int) -> PageTable:
    """Dice of each class."""
    names = list(rows[0].classes) if rows else []
    return PageTable(
        f"Dice of each class on {at} labels: all test images of a run together, mean of the "
        "runs. A dash: the class does not occur.",
        ["arm", *names],
        [
            [title_of(row.arm), *(percent(or_nan(row.classes[name])) for name in names)]
            for row in rows
        ],
    )


def costs_of(rows: Sequence[ArmText]) -> PageTable:
    """What a segmenter of each arm takes; all times of a column in one unit."""
    unit, cells = _in_one_unit([row.seconds for row in rows])
    seconds = ["-" if row.cpu_seconds is None else f"{row.cpu_seconds:,.1f}" for row in rows]
    return PageTable(
        "A segmenter's training and the pairs that it learns from, mean of the runs, on one "
        "thread. The time of a GPU is in the clock's alone. The generator is not counted, nor "
        "are runs that were interrupted on the way and went on. A dash: no other is there.",
        ["arm", "CPU seconds", f"{unit} by the clock"],
        [
            [title_of(row.arm), cpu, clock]
            for row, cpu, clock in zip(rows, seconds, cells, strict=True)
        ],
    )


def arms_explained(text: ComparisonText) -> PageTable:
    """What each arm is, and what the command line calls it."""
    rows = [
        [
            title_of(arm) if title_of(arm) == arm else f"{title_of(arm)} ({arm})",
            f"{_capital(explanation_of(text, arm))}. {_capital(WORDS[arm].source)}.",
        ]
        for arm in text.design.arms
        if arm in WORDS
    ]
    return PageTable("In brackets what the command line calls it.", ["arm", "definition"], rows)


def against(row: DifferenceText) -> str:
    """Which arm is compared with which."""
    return f"{title_of(row.arm)} against {title_of(row.against)}"


def aligned(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells, the numbers of each column padded so that their points stand below each other.

    Cells of a column that have as many numbers are aligned with one another, number by number.
    Words, and the first column, stay as they are.
    """
    columns = [list(column) for column in zip(*rows, strict=True)]
    columns[1:] = [_aligned_column(column) for column in columns[1:]]
    return [list(row) for row in zip(*columns, strict=True)]


def or_nan(value: float | None) -> float:
    """NaN for what is not known."""
    return float("nan") if value is None else value


def _aligned_column(cells: list[str]) -> list[str]:
    numbers = [_NUMBERS.findall(cell) for cell in cells]
    widths: dict[tuple[int, int], int] = {}
    for found in numbers:
        for place, number in enumerate(found):
            key = (len(found), place)
            widths[key] = max(widths.get(key, 0), len(number))
    return [
        _padded_cell(cell, [widths[len(found), place] for place in range(len(found))])
        for cell, found in zip(cells, numbers, strict=True)
    ]


def _padded_cell(cell: str, widths: Sequence[int]) -> str:
    """The cell, each of its numbers as wide as it says."""
    left = iter(widths)
    return _NUMBERS.sub(lambda match: _padded(match[0], next(left)), cell)


def _padded(number: str, width: int) -> str:
    return FIGURE_SPACE * (width - len(number)) + number.replace("-", MINUS)


def _in_one_unit(seconds: Sequence[float | None]) -> tuple[str, list[str]]:
    """Minutes if one of the times is long, else seconds."""
    longest = max((one for one in seconds if one is not None), default=0.0)
    unit, length = ("minutes", 60.0) if longest >= LONGEST_SECONDS else ("seconds", 1.0)
    return unit, ["-" if one is None else f"{one / length:,.1f}" for one in seconds]


def _score_cell(row: ArmText | None) -> str:
    if row is None or row.score.mean is None:
        return "-"
    mean, low, high = (100 * or_nan(end) for end in (row.score.mean, row.score.low, row.score.high))
    return f"{mean:.1f}" if math.isnan(low) else f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def _difference_cell(row: DifferenceText | None) -> str:
    if row is None or row.difference.mean is None:
        return "-"
    return f"{points(row.difference.mean)} {ends_of(row.difference)}".strip()


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
