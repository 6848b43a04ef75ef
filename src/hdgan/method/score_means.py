"""Relations of scores over all classes: to each other, and to the scores of the classes."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

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
    mean_of,
    weighted_mean_of,
)
from hdgan.method.score_relations import UNLESS_MEANS, Check, pairs

LARGEST_LEFT_OUT = 30
"""In longer tables it is not tried whether a mean leaves out one of the classes."""

_READINGS: tuple[Averaging, ...] = ("macro", "weighted", "micro")

_WAYS: dict[Averaging, str] = {
    "macro": "mean of the classes",
    "weighted": "mean weighted by true pixels",
    "micro": "score of all pixels at once",
    "accuracy": "part of all pixels that is right",
}

_ALIKE = {
    "avg": "mean",
    "average": "mean",
    "mean": "mean",
    "overall": "overall",
    "total": "overall",
}


def checked_means(table: ScoreTable) -> Iterator[Check]:
    """Check every relation of the scores over all classes."""
    yield from _of_all_pixels(table.summaries)
    yield from _iou_by_dice(table.summaries)
    for summary in table.summaries:
        yield from _by_classes(summary, table)


def _of_all_pixels(summaries: Sequence[Summary]) -> Iterator[Check]:
    """Micro scores keep the relations of one class; where no class is left out, all are accuracy.

    They may be of some classes only: then recall and precision differ.
    """
    micro = [summary for summary in summaries if summary.averaging == "micro"]
    accuracies = [summary for summary in summaries if summary.averaging == "accuracy"]
    scores = {summary.measure: summary.value for summary in micro}
    if len(scores) == len(micro):
        for check in pairs([ClassRow("all pixels at once", scores)], "all pixels at once"):
            # Counts, by their name: what means over images may break, they may not.
            outcome = "fails" if check.outcome == "conditional" else check.outcome
            yield Check(outcome, check.says.removesuffix(UNLESS_MEANS))
    for one, other in combinations(accuracies, 2):
        yield _same(one, other, "these are of different images or runs")
    if len(accuracies) == 1:
        for summary in micro:
            yield _same(accuracies[0], summary, f"{summary.name} leaves out a class")


def _same(one: Summary, other: Summary, unless: str) -> Check:
    says = " and ".join(f"{summary.name} {summary.value.text}" for summary in (one, other))
    says += ": over all pixels of all classes both say how many are right"
    if _as_accuracy(one).meets(_as_accuracy(other)):
        return Check("holds", says)
    return Check("conditional", f"{says}, and they differ; it can be so only if {unless}")


def _as_accuracy(summary: Summary) -> Interval:
    value = summary.value.could_be.within(ANY)
    return dice_of_iou(value) if summary.measure == "iou" else value


def _iou_by_dice(summaries: Sequence[Summary]) -> Iterator[Check]:
    """In every mean, IoU is at most Dice; as D / (2 - D) is convex, at least that of mean Dice."""
    times = Counter((summary.measure, summary.averaging) for summary in summaries)
    once = [
        summary
        for summary in summaries
        if times[summary.measure, summary.averaging] == 1
        and summary.averaging in ("macro", "weighted", "any")
    ]
    for dice in (summary for summary in once if summary.measure == "dice"):
        for iou in (summary for summary in once if summary.measure == "iou"):
            if dice.averaging == iou.averaging or {dice.averaging, iou.averaging} == {
                "macro",
                "any",
            }:
                yield _mean_iou(dice, iou)


def _mean_iou(dice: Summary, iou: Summary) -> Check:
    most = dice.value.could_be.within(ANY)
    allowed = Interval(iou_of(most).low, most.high)
    says = (
        f"{dice.name} {dice.value.text} allows {iou.name} {allowed} in means of the same classes, "
        "taken in the same way"
    )
    if iou.value.could_be.meets(allowed):
        return Check("holds", says)
    says += f", and it is {iou.value.text}"
    return Check("fails" if _kind(dice) == _kind(iou) else "conditional", says)


def _kind(summary: Summary) -> str | frozenset[str]:
    """How a mean was taken, or the words for it where they do not say how."""
    if summary.averaging != "any":
        return summary.averaging
    words = re.findall("[a-z]+", summary.name.lower())
    return frozenset(_ALIKE[word] for word in words if word in _ALIKE)


def _by_classes(summary: Summary, table: ScoreTable) -> Iterator[Check]:
    """Whether a mean can be the mean of what is said of the classes."""
    if not any(row.scores for row in table.classes):
        return
    wanted = _READINGS if summary.averaging == "any" else (summary.averaging,)
    readings = {
        way: reading(summary.measure, way, table.classes, is_whole=table.is_whole) for way in wanted
    }
    fits = [way for way, interval in readings.items() if summary.value.could_be.meets(interval)]
    name = f"{summary.name} {summary.value.text}"
    said = "; ".join(f"{_WAYS[way]}: {interval}" for way, interval in readings.items())
    if not fits:
        yield _unless(summary, wanted, table, f"{name} does not fit the classes ({said})")
    elif summary.averaging == "any" and len(fits) < len(wanted):
        ways = " or ".join(_WAYS[way] for way in fits)
        yield Check("holds", f"{name} fits only as the {ways} ({said})")
    else:
        yield Check("holds", f"{name} fits the classes ({said})")


def _unless(summary: Summary, wanted: Sequence[Averaging], table: ScoreTable, says: str) -> Check:
    """A mean that does not fit: possible if something was left out, or it is of another kind."""
    reasons = dict.fromkeys(
        reason
        for reason, interval in _otherwise(summary.measure, wanted, table)
        if summary.value.could_be.meets(interval)
    )
    if not reasons:
        return Check("fails", says)
    return Check("conditional", f"{says}; it can be so only if {' or '.join(reasons)}")


def _otherwise(
    measure: Measure, wanted: Sequence[Averaging], table: ScoreTable
) -> Iterator[tuple[str, Interval]]:
    """What a mean may be if it is not simply that of the classes, and what makes it so."""
    rows = table.classes
    recall, precision = (_mean_said("recall", table), _mean_said("precision", table))
    if measure == "dice" and "macro" in wanted and recall and precision:
        yield "it is made from the mean recall and the mean precision", harmonic(recall, precision)
    if wanted != ("accuracy",) and 1 < len(rows) <= LARGEST_LEFT_OUT:
        for i, row in enumerate(rows):
            rest = [*rows[:i], *rows[i + 1 :]]
            for way in wanted:
                yield f"it leaves out {row.name}", reading(measure, way, rest)
    if not table.is_whole:
        more = [*rows, ClassRow("a further class", {})]
        for way in wanted:
            yield "the table leaves out a class", reading(measure, way, more)


def _mean_said(measure: Measure, table: ScoreTable) -> Interval | None:
    """The macro mean that a table says, or that all its rows make; None without either."""
    for summary in table.summaries:
        if summary.measure == measure and summary.averaging in ("macro", "any"):
            return summary.value.could_be.within(ANY)
    if all(measure in row.scores for row in table.classes):
        return reading(measure, "macro", table.classes)
    return None


def reading(
    measure: Measure, averaging: Averaging, rows: Sequence[ClassRow], *, is_whole: bool = False
) -> Interval:
    """What a mean over the classes may be, by what is said of them.

    Args:
        measure: what it is a mean of.
        averaging: how.
        rows: the classes.
        is_whole: whether these are all classes; then every micro mean A is the accuracy, of IoU
            A / (2 - A).
    """
    known = [bounds(row) for row in rows]
    if averaging == "macro":
        return mean_of([of[measure] for of in known])
    if averaging == "weighted":
        return _weighted([of[measure] for of in known], rows)
    recall = _weighted([of["recall"] for of in known], rows)
    precision = hull_of([of["precision"] for of in known])
    if averaging == "accuracy" or is_whole:
        recall = recall.within(precision)
        return iou_of(recall) if measure == "iou" else recall
    if measure in ("recall", "precision"):
        return recall if measure == "recall" else precision
    dice = hull_of([of["dice"] for of in known]).within(harmonic(recall, precision))
    return iou_of(dice) if measure == "iou" else dice


def _weighted(values: Sequence[Interval], rows: Sequence[ClassRow]) -> Interval:
    """The mean weighted by true pixels; where some are not known, whatever the weights."""
    pixels = [row.pixels for row in rows if row.pixels is not None]
    if len(pixels) == len(rows) and sum(count.high for count in pixels) > 0:
        return weighted_mean_of(values, pixels)
    return hull_of(values)
