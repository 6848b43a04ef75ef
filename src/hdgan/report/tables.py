"""Tables of scores, for pages and documents."""

from collections.abc import Sequence

from hdgan.artifacts.evaluation import Evaluation
from hdgan.report.page import PageTable


def class_table(evaluation: Evaluation, caption: str) -> PageTable:
    """Recall, precision, Dice and IoU of each class."""
    rows = [
        [
            scores.name,
            percent(scores.recall),
            percent(scores.precision),
            percent(scores.dice),
            percent(scores.iou),
            f"{scores.pixels:,}",
        ]
        for scores in evaluation.classes()
    ]
    header = ["class", "recall", "precision", "Dice", "IoU", "true pixels"]
    return PageTable(caption, header, rows)


def overall_table(evaluation: Evaluation, caption: str) -> PageTable:
    """Scores over all classes, each with its definition."""
    rows = [[score.name, percent(score.value), score.definition] for score in evaluation.overall()]
    return PageTable(caption, ["score", "value", "definition"], rows)


def percent(value: float) -> str:
    """A part of 1 in per cent; a dash where there is none."""
    return "-" if value != value else f"{value * 100:.1f} %"


def duration(seconds: float) -> str:
    """A time in seconds or minutes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


CLASS_DEFINITIONS = (
    "All images together. Recall: found / true pixels (the paper's class-wise accuracy). "
    "Precision: found / predicted pixels. Dice: 2 x overlap / (true + predicted pixels). IoU: "
    "overlap / pixels that are true or predicted. A dash: the class does not occur."
)
"""What stands under a table of classes."""


def named(rows: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Pairs as rows."""
    return [list(row) for row in rows]
