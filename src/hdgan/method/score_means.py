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
    LeavesOut,
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
)
from hdgan.method.score_readings import reading
from hdgan.method.score_relations import UNLESS_MEANS, Check, pairs

LARGEST_IN_SUBSETS = 8
"""Up to so many classes every choice of them is tried for a mean that leaves out some."""

LARGEST_LEFT_OUT = 30
"""In longer tables it is not tried whether a mean leaves out one of the classes."""

_READINGS: tuple[Averaging, ...] = ("macro", "weighted", "micro")

_WAYS: dict[Averaging, str] = {
    "macro": "mean of the classes",
    "weighted": "mean weighted by true pixels",
    "micro": "score of all pixels at once",
    "accuracy": "part of all pixels that is right",
}

_OF_A_SCORE = frozenset(("dice", "dsc", "mdice", "f", "score", "iou", "miou", "jaccard"))
"""What is left out where names of means are compared."""

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
    whole = [summary for summary in summaries if summary.leaves_out == "nothing"]
    micro = [summary for summary in whole if summary.averaging == "micro"]
    accuracies = [summary for summary in whole if summary.averaging == "accuracy"]
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
    times = Counter(map(_sort, summaries))
    once = [
        summary
        for summary in summaries
        if times[_sort(summary)] == 1 and summary.averaging in ("macro", "weighted", "any")
    ]
    for dice in (summary for summary in once if summary.measure == "dice"):
        for iou in (summary for summary in once if summary.measure == "iou"):
            ways = {dice.averaging, iou.averaging}
            if (len(ways) == 1 or ways == {"macro", "any"}) and dice.leaves_out == iou.leaves_out:
                yield _mean_iou(dice, iou)


def _sort(summary: Summary) -> tuple[Measure, Averaging, LeavesOut]:
    """What a mean is of, how it was taken, and of how many classes."""
    return summary.measure, summary.averaging, summary.leaves_out


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
    words = re.findall("[a-z]+", summary.name.lower())
    if summary.leaves_out != "nothing":
        return frozenset(words) - _OF_A_SCORE  # of the same classes, if they are named alike
    if summary.averaging != "any":
        return summary.averaging
    return frozenset(_ALIKE[word] for word in words if word in _ALIKE)


def _by_classes(summary: Summary, table: ScoreTable) -> Iterator[Check]:
    """Whether a mean can be the mean of what is said of the classes."""
    if not any(row.scores for row in table.classes):
        return
    wanted = _READINGS if summary.averaging == "any" else (summary.averaging,)
    if summary.leaves_out == "surely":
        yield from _by_fewer_classes(summary, wanted, table)
        return
    readings = {
        way: reading(summary.measure, way, table.classes, is_whole=table.is_whole) for way in wanted
    }
    fits = [way for way, interval in readings.items() if summary.value.could_be.meets(interval)]
    name = f"{summary.name} {summary.value.text}"
    said = "; ".join(f"{_WAYS[way]}: {interval}" for way, interval in readings.items())
    if not fits:
        says = f"{name} does not fit the classes ({said})"
        yield _with_doubtful(summary, wanted, table) or _unless(summary, wanted, table, says)
    elif summary.averaging == "any" and len(fits) < len(wanted):
        ways = " or ".join(_WAYS[way] for way in fits)
        yield Check("holds", f"{name} fits only as the {ways} ({said})")
    else:
        yield Check("holds", f"{name} fits the classes ({said})")


def _by_fewer_classes(
    summary: Summary, wanted: Sequence[Averaging], table: ScoreTable
) -> Iterator[Check]:
    """Whether a mean can be that of some of the classes; nothing is known of one without others."""
    rows = table.classes
    if len(rows) < 2:
        return
    name = f"{summary.name} {summary.value.text}"
    among = hull_of([bounds(row)[summary.measure] for row in rows])
    choices = (rest for way in wanted for rest in _fewer(rows) if _fits(summary, way, rest))
    fits = next(choices, None)
    if fits is not None:
        left_out = ", ".join(row.name for row in rows if all(row is not kept for kept in fits))
        yield Check("holds", f"{name} fits the classes without {left_out}")
    elif len(rows) > LARGEST_IN_SUBSETS and summary.value.could_be.meets(among):
        yield Check("holds", f"{name} lies among the classes ({among})")
    else:
        says = f"{name} fits no choice of the classes that leaves out one or more"
        reasons = [why for why, is_so in _if_fewer(summary, wanted, table) if is_so]
        unless = f"; it can be so only if {' or '.join(reasons)}" if reasons else ""
        yield Check("conditional" if reasons else "fails", says + unless)


def _if_fewer(
    summary: Summary, wanted: Sequence[Averaging], table: ScoreTable
) -> Iterator[tuple[str, bool]]:
    """What else makes a mean of some of the classes possible, and whether it does."""
    known = [bounds(row) for row in table.classes]
    parts = [hull_of([of[part] for of in known]) for part in ("recall", "precision")]
    has_parts = all(_mean_said(part, table) for part in ("recall", "precision"))
    is_harmonic = summary.measure == "dice" and "macro" in wanted and has_parts
    yield (
        "it is made from the mean recall and the mean precision",
        is_harmonic and summary.value.could_be.meets(harmonic(*parts)),
    )
    among = hull_of([of[summary.measure] for of in known])
    of_two = Interval(among.low / 2, (among.high + 1) / 2)  # a class and an unknown one
    may_be = of_two if tuple(wanted) == ("macro",) else ANY
    is_so = not table.is_whole and summary.value.could_be.meets(may_be)
    yield "the table leaves out a class", is_so


def _fewer(rows: Sequence[ClassRow]) -> Iterator[Sequence[ClassRow]]:
    """Rows without one or more, the largest choices first; of many rows, those without one."""
    least = 1 if len(rows) <= LARGEST_IN_SUBSETS else len(rows) - 1
    for size in range(len(rows) - 1, least - 1, -1) if len(rows) <= LARGEST_LEFT_OUT else []:
        yield from combinations(rows, size)


def _fits(summary: Summary, way: Averaging, rows: Sequence[ClassRow]) -> bool:
    return summary.value.could_be.meets(reading(summary.measure, way, rows))


def _with_doubtful(
    summary: Summary, wanted: Sequence[Averaging], table: ScoreTable
) -> Check | None:
    """That a mean fits if rows are of classes that by their names are not; None if it does not."""
    choices = [[row] for row in table.doubtful] + [list(table.doubtful)]
    for rows in choices if table.doubtful and "macro" in wanted else []:
        if _fits(summary, "macro", [*table.classes, *rows]):
            names = " and ".join(row.name for row in rows)
            name = f"{summary.name} {summary.value.text}"
            return Check("holds", f"{name} fits the classes, with {names} as one of them")
    return None


def _unless(summary: Summary, wanted: Sequence[Averaging], table: ScoreTable, says: str) -> Check:
    """A mean that does not fit: possible if something was left out, or it is of another kind."""
    reasons = dict.fromkeys(
        reason
        for reason, interval in _otherwise(summary, wanted, table)
        if summary.value.could_be.meets(interval)
    )
    if not reasons:
        return Check("fails", says)
    return Check("conditional", f"{says}; it can be so only if {' or '.join(reasons)}")


def _otherwise(
    summary: Summary, wanted: Sequence[Averaging], table: ScoreTable
) -> Iterator[tuple[str, Interval]]:
    """What a mean may be if it is not simply that of the classes, and what makes it so."""
    rows, measure = table.classes, summary.measure
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
    if summary.leaves_out == "perhaps":
        yield "it is of some of the classes", hull_of([bounds(row)[measure] for row in rows])


def _mean_said(measure: Measure, table: ScoreTable) -> Interval | None:
    """The macro mean that a table says, or that all its rows make; None without either."""
    for summary in table.summaries:
        if _sort(summary) in ((measure, "macro", "nothing"), (measure, "any", "nothing")):
            return summary.value.could_be.within(ANY)
    if all(measure in row.scores for row in table.classes):
        return reading(measure, "macro", table.classes)
    return None
