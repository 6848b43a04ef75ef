"""Scores as somebody printed them: what each may have been before it was rounded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Measure = Literal["recall", "precision", "dice", "iou"]
"""Recall = found / true pixels, precision = found / predicted pixels, Dice = 2 x found / (true +
predicted), IoU = found / (true or predicted)."""

Averaging = Literal["macro", "weighted", "micro", "accuracy", "any"]
"""Mean of the classes; weighted by true pixels; over all pixels of these classes at once; over all
pixels of every class, as accuracy is; or not said which."""

LeavesOut = Literal["nothing", "perhaps", "surely"]
"""Whether a mean leaves out classes of its table, as far as its name says."""

SLACK = 1e-9
"""What arithmetic may lose."""


@dataclass(frozen=True)
class Interval:
    """All numbers from `low` to `high`."""

    low: float
    high: float

    def meets(self, other: "Interval") -> bool:
        """Whether some number is in both."""
        return self.low <= other.high + SLACK and other.low <= self.high + SLACK

    def within(self, other: "Interval") -> "Interval":
        """What both share; without anything shared, this one as it is."""
        if not self.meets(other):
            return self
        low = max(self.low, other.low)
        return Interval(low, max(low, min(self.high, other.high)))

    def __str__(self) -> str:
        """From where to where, or the number if that is one."""
        low, high = f"{self.low:.4g}", f"{self.high:.4g}"
        return low if low == high else f"{low} to {high}"


ANY = Interval(0.0, 1.0)
"""What a score may be of which nothing is known."""


@dataclass(frozen=True)
class Printed:
    """A score as it stands in a table."""

    text: str
    """As printed."""

    could_be: Interval
    """What it may have been, as a part of 1."""


@dataclass(frozen=True)
class ClassRow:
    """What a table says of one class."""

    name: str
    """Of the class."""

    scores: Mapping[Measure, Printed]
    """Those that are there."""

    pixels: Interval | None = None
    """True pixels, if they are there."""


@dataclass(frozen=True)
class Summary:
    """A score over all classes."""

    name: str
    """As printed."""

    measure: Measure
    """What it is a mean of; accuracy is one of recall."""

    averaging: Averaging
    """How."""

    value: Printed
    """What it is."""

    leaves_out: LeavesOut = field(default="nothing", kw_only=True)
    """Whether it is of fewer classes than the table has, such as those without background."""


@dataclass(frozen=True)
class ScoreTable:
    """What somebody printed."""

    classes: list[ClassRow]
    """A row a class."""

    summaries: list[Summary]
    """What is said of all classes."""

    is_whole: bool = field(default=False, kw_only=True)
    """Whether it is known that no class is left out."""

    read_as: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """What each column that was read is, by its title."""

    not_read: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """Why each other column was not read, by its title; empty where it is not understood."""

    rows_not_read: Sequence[tuple[str, str]] = field(default=(), kw_only=True)
    """Names of rows of which something was not read, and why, or what stands there."""

    doubtful: Sequence[ClassRow] = field(default=(), kw_only=True)
    """Rows that by their names are of no class, such as `range`, as the classes they might be."""
