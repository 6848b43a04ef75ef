"""What recalls would be if counters had not stuck at 2 to the 24."""

from collections.abc import Sequence
from dataclasses import dataclass

from hdgan.method.printed_scores import ClassRow, Interval, Printed

STUCK = 2**24
"""A single-precision counter that is raised by one stays here: 16,777,216 + 1 rounds back."""


@dataclass(frozen=True)
class Unsaturated:
    """A table with the saturation undone."""

    rows: list[ClassRow]
    """All classes; those that are changed have only their recall left."""

    changed: list[str]
    """Names of the classes whose recall is another."""


def unsaturated(rows: Sequence[ClassRow]) -> Unsaturated:
    """The recalls of what was counted exactly, if the printed ones are of counters that stuck.

    A counter of found pixels that stuck at S, beside e exactly counted errors, gives the recall
    r = S / (S + e); so e = S (1 - r) / r, and of n true pixels n - e were found.
    """
    undone = [_undone(row) for row in rows]
    changed = [new.name for old, new in zip(rows, undone, strict=True) if new is not old]
    return Unsaturated(undone, changed)


def _undone(row: ClassRow) -> ClassRow:
    recall = row.scores.get("recall")
    if recall is None or row.pixels is None or row.pixels.high <= STUCK:
        return row
    if recall.could_be.low <= 0:
        return row
    low, high = recall.could_be.low, min(1.0, recall.could_be.high)
    most, least = STUCK * (1 - low) / low, STUCK * (1 - high) / high
    found = Interval(1 - most / row.pixels.low, 1 - least / row.pixels.high)
    if found.low * row.pixels.low < STUCK:
        return row  # so few were found that the counter cannot have stuck
    text = f"{(found.low + found.high) / 2:.4f} (printed {recall.text})"
    return ClassRow(row.name, {"recall": Printed(text, found)}, row.pixels)
