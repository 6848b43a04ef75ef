"""Whether printed scores can all be true: what is said of classes, and of all classes together.

Every relation is one of pixels that are counted once, in one confusion matrix. Those that also
bind means over images are told apart from those that do not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from hdgan.method.printed_scores import (
    ANY,
    Averaging,
    ClassRow,
    Interval,
    Measure,
    ScoreTable,
    Summary,
)
from hdgan.method.score_intervals import (
    bounds,
    dice_of_iou,
    harmonic,
    hull_of,
    iou_of,
    largest_dice,
    mean_of,
    weighted_mean_of,
)
from hdgan.method.score_saturation import unsaturated

Outcome = Literal["holds", "conditional", "fails"]
"""Conditional: true only of means over images, or of a table that leaves something out."""

TITLES: dict[Measure, str] = {
    "recall": "recall",
    "precision": "precision",
    "dice": "Dice",
    "iou": "IoU",
}

_READINGS: tuple[Averaging, ...] = ("macro", "weighted", "micro")

_UNLESS_MEANS = "; it can be so only if these are means over images, not counts of all pixels"


@dataclass(frozen=True)
class Check:
    """One relation, and whether the numbers keep it."""

    outcome: Outcome
    """Whether they do."""

    says: str
    """Which numbers, and what binds them."""


@dataclass(frozen=True)
class Consistency:
    """All relations together."""

    checks: list[Check]
    """Those that could be checked."""

    explanation: str = ""
    """What may have happened; empty where nothing fails."""

    @property
    def verdict(self) -> str:
        """In a few words."""
        outcomes = {check.outcome for check in self.checks}
        if "fails" in outcomes:
            return "cannot all be true"
        if "conditional" in outcomes:
            return "can all be true, but not as counts of all pixels in one table"
        return "can all be true" if outcomes else "nothing to check: no two numbers are related"


def consistency(table: ScoreTable) -> Consistency:
    """Check every relation between the numbers of a table."""
    of_classes = [*_ranges(table), *_pairs(table.classes), *_predicted_pixels(table.classes)]
    checks = [*of_classes, *_micro(table.summaries)]
    for summary in table.summaries:
        checks += _summary(summary, table.classes)
    explanation = ""
    if any(check.outcome == "fails" for check in checks):
        explanation = _saturation(table) or _guesses(checks, table)
    return Consistency(checks, explanation)


def _ranges(table: ScoreTable) -> Iterator[Check]:
    numbers = [
        (f"{TITLES[measure]} of {row.name}", value)
        for row in table.classes
        for measure, value in row.scores.items()
    ] + [(summary.name, summary.value) for summary in table.summaries]
    outside = [(name, value) for name, value in numbers if not value.could_be.meets(ANY)]
    for name, value in outside:
        yield Check("fails", f"{name} is {value.text}, which is not between 0 and 1")
    if numbers and not outside:
        yield Check("holds", f"all {len(numbers)} scores lie between 0 and 1")


_Rule = Callable[[ClassRow, Sequence[Measure]], Iterator[Check]]
"""Yields what a class breaks."""


def _pairs(rows: Sequence[ClassRow]) -> Iterator[Check]:
    """Relations between the scores of one class; one sentence where all classes keep them."""
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
            yield Check("holds", f"{title}: so in {_classes(len(having))}")


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
        yield Check("conditional", says + _UNLESS_MEANS)
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
        yield Check("conditional", says + _UNLESS_MEANS)
    else:
        yield Check("fails", says)


def _iou_by_part(row: ClassRow, measures: Sequence[Measure]) -> Iterator[Check]:
    part, iou = (row.scores[measure] for measure in measures)
    if iou.could_be.low > part.could_be.high:
        yield Check(
            "fails",
            f"{row.name}: IoU {iou.text} is more than {TITLES[measures[0]]} {part.text}",
        )


def _predicted_pixels(rows: Sequence[ClassRow]) -> Iterator[Check]:
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


def _micro(summaries: Sequence[Summary]) -> Iterator[Check]:
    """Over all pixels at once, recall, precision, Dice and accuracy are one number."""
    micro = [summary for summary in summaries if summary.averaging == "micro"]
    for one, other in pairwise(micro):
        both = " and ".join(f"{summary.name} {summary.value.text}" for summary in (one, other))
        alike = _as_accuracy(one).meets(_as_accuracy(other))
        says = f"{both}: over all pixels at once both say how many are right"
        yield Check("holds" if alike else "fails", says + ("" if alike else ", and they differ"))


def _as_accuracy(summary: Summary) -> Interval:
    value = summary.value.could_be.within(ANY)
    return dice_of_iou(value) if summary.measure == "iou" else value


def _summary(summary: Summary, rows: Sequence[ClassRow]) -> Iterator[Check]:
    """Whether a mean can be the mean of what is said of the classes."""
    if not any(row.scores for row in rows):
        return
    wanted = _READINGS if summary.averaging == "any" else (summary.averaging,)
    readings = {way: reading(summary.measure, way, rows) for way in wanted}
    fits = [way for way, interval in readings.items() if summary.value.could_be.meets(interval)]
    name = f"{summary.name} {summary.value.text}"
    said = "; ".join(f"{_WAYS[way]}: {interval}" for way, interval in readings.items())
    if not fits:
        yield Check("fails", f"{name} does not fit the classes ({said})")
    elif summary.averaging == "any" and len(fits) < len(wanted):
        ways = " or ".join(_WAYS[way] for way in fits)
        yield Check("holds", f"{name} fits only as the {ways} ({said})")
    else:
        yield Check("holds", f"{name} fits the classes ({said})")


_WAYS: dict[Averaging, str] = {
    "macro": "mean of the classes",
    "weighted": "mean weighted by true pixels",
    "micro": "score of all pixels at once",
}


def reading(measure: Measure, averaging: Averaging, rows: Sequence[ClassRow]) -> Interval:
    """What a mean over the classes may be, by what is said of them.

    Args:
        measure: what it is a mean of.
        averaging: how; the micro mean is the accuracy, of IoU A / (2 - A).
        rows: all classes.
    """
    known = [bounds(row) for row in rows]
    pixels = [row.pixels for row in rows if row.pixels is not None]
    if averaging == "macro":
        return mean_of([of[measure] for of in known])
    values = [of["recall" if averaging == "micro" else measure] for of in known]
    mean = hull_of(values)
    if len(pixels) == len(rows) and sum(count.high for count in pixels) > 0:
        mean = weighted_mean_of(values, pixels)
    if averaging == "micro":
        mean = mean.within(hull_of([of["precision"] for of in known]))
        return iou_of(mean) if measure == "iou" else mean
    return mean


def _saturation(table: ScoreTable) -> str:
    """Whether counts in single precision explain what fails; empty if they do not."""
    undone = unsaturated(table.classes)
    if not undone.changed:
        return ""
    checks = [check for summary in table.summaries for check in _summary(summary, undone.rows)]
    checks += [*_pairs(undone.rows), *_micro(table.summaries)]
    if any(check.outcome == "fails" for check in checks):
        return ""
    recalls = ", ".join(
        f"{row.name} {row.scores['recall'].text}"
        for row in undone.rows
        if row.name in undone.changed
    )
    return (
        "counters in single precision would explain it: they stick at 16,777,216. Undone, the "
        f"recall is {recalls}, and nothing fails any more. That is consistent with such counters, "
        "and no proof of them"
    )


def _guesses(checks: Sequence[Check], table: ScoreTable) -> str:
    """What else happens."""
    guesses = ["a slip of the pen", "numbers of different images or runs in one table"]
    if any(
        check.outcome == "fails" and "does not fit the classes" in check.says for check in checks
    ):
        guesses.append("a mean of another kind than its name says, or of other classes")
        if not all(row.pixels for row in table.classes):
            guesses.append(
                "counters in single precision, which stick at 16,777,216 (with a column of pixels "
                "this is checked)"
            )
    guesses.append("classes that are absent from an image counted as found")
    return "what may have happened: " + "; ".join(guesses)


def _classes(count: int) -> str:
    return "the one class" if count == 1 else f"each of {count} classes"
