"""Relations between the scores of one class, of counts in one confusion matrix.

Those that also bind means over images are told apart from those that do not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hdgan.method.printed_scores import ANY, ClassRow, Interval, Measure
from hdgan.method.score_intervals import bounds, harmonic, iou_of, largest_dice

Outcome = Literal["holds", "conditional", "fails"]
"""Conditional: true only of means over images, or where a table or a mean leaves something out."""

TITLES: dict[Measure, str] = {
    "recall": "recall",
    "precision": "precision",
    "dice": "Dice",
    "iou": "IoU",
}

UNLESS_MEANS = "; it can be so only if these are means over images, not counts of all pixels"
"""What makes a broken relation possible that only counts keep."""


@dataclass(frozen=True)
class Check:
    """One relation, and whether the numbers keep it."""

    outcome: Outcome
    """Whether they do."""

    says: str
    """Which numbers, and what binds them."""


_Rule = Callable[[ClassRow, Sequence[Measure]], Iterator[Check]]
"""Yields what a class breaks."""


def pairs(rows: Sequence[ClassRow], where: str = "") -> Iterator[Check]:
    """Relations between the scores of one class; one sentence where all classes keep them.

    Args:
        rows: the classes.
        where: what is said to keep a relation, instead of how many classes.
    """
    relations: tuple[tuple[str, tuple[Measure, ...], _Rule], ...] = (
        ("Dice is at most 2 r / (1 + r) of recall r", ("recall", "dice"), _dice_by_part),
        ("Dice is at most 2 p / (1 + p) of precision p", ("precision", "dice"), _dice_by_part),
        ("Dice is 2 p r / (p + r)", ("recall", "precision", "dice"), _dice_by_both),
        ("IoU is D / (2 - D) of Dice D", ("dice", "iou"), _iou_by_dice),
        ("IoU is at most the recall", ("recall", "iou"), _iou_by_part),
        ("IoU is at most the precision", ("precision", "iou"), _iou_by_part),
    )
    for title, measures, broken in relations:
        having = [row for row in rows if all(measure in row.scores for measure in measures)]
        found = [check for row in having for check in broken(row, measures)]
        yield from found
        if having and not found:
            yield Check("holds", f"{title}: so in {where or _classes(len(having))}")


def _dice_by_part(row: ClassRow, measures: Sequence[Measure]) -> Iterator[Check]:
    part, dice = (row.scores[measure] for measure in measures)
    most = largest_dice(part.could_be.high)
    if not dice.could_be.meets(Interval(0.0, most)):
        yield Check(
            "fails",
            f"{row.name}: Dice {dice.text} is more than {most:.4g}, the most that "
            f"{TITLES[measures[0]]} {part.text} allows",
        )


def _dice_by_both(row: ClassRow, measures: Sequence[Measure]) -> Iterator[Check]:
    recall, precision, dice = (row.scores[measure] for measure in measures)
    wanted = harmonic(recall.could_be, precision.could_be)
    if dice.could_be.meets(wanted):
        return
    says = (
        f"{row.name}: recall {recall.text} and precision {precision.text} make Dice {wanted}, not "
        f"{dice.text}"
    )
    # The harmonic mean is concave: a mean over images may be less, and never more.
    if dice.could_be.high < wanted.low:
        yield Check("conditional", says + UNLESS_MEANS)
    else:
        yield Check("fails", says)


def _iou_by_dice(row: ClassRow, measures: Sequence[Measure]) -> Iterator[Check]:
    dice, iou = (row.scores[measure] for measure in measures)
    wanted = iou_of(dice.could_be.within(ANY))
    if iou.could_be.meets(wanted):
        return
    says = f"{row.name}: Dice {dice.text} makes IoU {wanted}, not {iou.text}"
    # D / (2 - D) is convex: a mean over images may be more, and never less.
    if iou.could_be.low > wanted.high:
        yield Check("conditional", says + UNLESS_MEANS)
    else:
        yield Check("fails", says)


def _iou_by_part(row: ClassRow, measures: Sequence[Measure]) -> Iterator[Check]:
    part, iou = (row.scores[measure] for measure in measures)
    if iou.could_be.low > part.could_be.high:
        yield Check(
            "fails",
            f"{row.name}: IoU {iou.text} is more than {TITLES[measures[0]]} {part.text}",
        )


def predicted_pixels(rows: Sequence[ClassRow]) -> Iterator[Check]:
    """What is predicted adds up to what there is: the sum of n r / p is the sum of n."""
    if not rows or not all(row.pixels and "recall" in row.scores for row in rows):
        return
    if not all({"precision", "dice"} & set(row.scores) for row in rows):
        return
    parts = [_predicted(row) for row in rows]
    predicted = Interval(sum(part.low for part in parts), sum(part.high for part in parts))
    true = Interval(
        sum(row.pixels.low for row in rows if row.pixels),
        sum(row.pixels.high for row in rows if row.pixels),
    )
    if predicted.meets(true):
        yield Check("holds", "the pixels predicted of all classes add up to the true pixels")
    else:
        yield Check(
            "conditional",
            f"the scores say that {predicted.low:,.0f} to {predicted.high:,.0f} pixels were "
            f"predicted, but there are {true.low:,.0f}; it can be so only if the table leaves out "
            "a class, or has means over images",
        )


def _predicted(row: ClassRow) -> Interval:
    """Predicted pixels of a class: found / precision, found = recall x true pixels."""
    assert row.pixels is not None
    known = bounds(row)
    recall, precision, dice = known["recall"], known["precision"], known["dice"]
    by_precision = Interval(
        row.pixels.low * recall.low / max(precision.high, 1e-12),
        row.pixels.high * recall.high / max(precision.low, 1e-12),
    )
    if "dice" not in row.scores:
        return by_precision
    return by_precision.within(
        Interval(
            row.pixels.low * max(0.0, 2 * recall.low / max(dice.high, 1e-12) - 1),
            row.pixels.high * max(0.0, 2 * recall.high / max(dice.low, 1e-12) - 1),
        )
    )


def _classes(count: int) -> str:
    return "the one class" if count == 1 else f"each of {count} classes"
