"""`hdgan check-scores`: can the numbers of a table all be true?"""

import sys
from collections.abc import Sequence
from pathlib import Path

from hdgan.artifacts.score_lines import LARGEST_BYTES
from hdgan.artifacts.score_table import score_table_of
from hdgan.errors import InputError
from hdgan.method.printed_scores import ScoreTable
from hdgan.method.score_consistency import Consistency, consistency
from hdgan.pipeline import Fact, Made
from hdgan.settings.check_scores import CheckScoresSettings

STANDARD_INPUT = Path("-")
"""What stands for a table that is pasted."""

LARGEST_NAMED = 60
"""Of more rows not all are named."""


def check_scores(table: Path, settings: CheckScoresSettings | None = None) -> Made:
    """Say whether printed scores can all be true, and what may have happened if they cannot.

    Nothing is written. At most a megabyte is read.

    Raises:
        InputError: the table cannot be read, or has no score.
    """
    settings = settings or CheckScoresSettings()
    name = "standard input" if table == STANDARD_INPUT else str(table)
    scores = score_table_of(_read(table), name, settings.last_digit)
    found = consistency(scores)
    counts: dict[str, Fact] = {
        "classes": len(scores.classes),
        "scores over all classes": len(scores.summaries),
    }
    return Made("scores", Path(name), counts | _columns(scores) | _facts(found))


def _columns(scores: ScoreTable) -> dict[str, Fact]:
    """What each column was read as, which rows are of classes, and what was not read."""
    read = [f"'{title}' as {measure}" for title, measure in scores.read_as.items()]
    not_read = [
        f"'{title}'" + (f" ({why})" if why else "") for title, why in scores.not_read.items()
    ]
    rows = [f"row {name} ({why})" for name, why in scores.rows_not_read if why]
    facts = {
        "read": "; ".join(read),
        "read as classes": _few([row.name for row in scores.classes]),
        "not read": "; ".join(word for word in (*not_read, _few(rows)) if word),
    }
    return {name: _printable(words) for name, words in facts.items() if words}


def _few(names: Sequence[str]) -> str:
    """Names, or the first of many."""
    more = [f"and {len(names) - LARGEST_NAMED:,} more"] if len(names) > LARGEST_NAMED else []
    return "; ".join([*names[:LARGEST_NAMED], *more])


def _facts(found: Consistency) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for number, check in enumerate(found.checks, start=1):
        facts[f"check {number}"] = _printable(f"{check.outcome}: {check.says}")
    facts["verdict"] = found.verdict
    if found.explanation:
        facts["perhaps"] = _printable(found.explanation)
    return facts


def _read(table: Path) -> bytes:
    if table == STANDARD_INPUT:
        return sys.stdin.buffer.read(LARGEST_BYTES + 1)
    if not table.is_file():
        raise InputError(
            f"There is no file {table}. Give the file of a table, or - and paste the table, ended "
            "with Ctrl-D."
        )
    with table.open("rb") as file:
        return file.read(LARGEST_BYTES + 1)


def _printable(text: str) -> str:
    """A text that cannot move a terminal's cursor."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
