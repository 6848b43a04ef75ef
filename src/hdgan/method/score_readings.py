"""What a mean over classes may be, by what is said of each class."""

from collections.abc import Sequence

from hdgan.method.printed_scores import Averaging, ClassRow, Interval, Measure
from hdgan.method.score_intervals import (
    bounds,
    harmonic,
    hull_of,
    iou_of,
    mean_of,
    weighted_mean_of,
)


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
