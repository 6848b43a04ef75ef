"""What bounds one score by others: relations of a confusion matrix, on intervals."""

from collections.abc import Sequence

from hdgan.method.printed_scores import ANY, ClassRow, Interval, Measure


def harmonic(recall: Interval, precision: Interval) -> Interval:
    """Dice = 2 p r / (p + r), which grows with both."""
    return Interval(
        _harmonic(recall.low, precision.low), min(1.0, _harmonic(recall.high, precision.high))
    )


def largest_dice(part: float) -> float:
    """What Dice cannot exceed where recall, or precision, is `part`: 2 r / (1 + r)."""
    return 2 * part / (1 + part) if part > 0 else 0.0


def least_part(dice: float) -> float:
    """What neither recall nor precision can be less than: D / (2 - D), which is the IoU."""
    return dice / (2 - dice) if dice < 2 else 1.0


def iou_of(dice: Interval) -> Interval:
    """IoU = D / (2 - D)."""
    return Interval(least_part(dice.low), least_part(dice.high))


def dice_of_iou(iou: Interval) -> Interval:
    """Dice = 2 J / (1 + J)."""
    return Interval(largest_dice(iou.low), largest_dice(iou.high))


def bounds(row: ClassRow) -> dict[Measure, Interval]:
    """What each score of a class may be, by what is printed of it; what contradicts is not used."""
    printed = {measure: value.could_be.within(ANY) for measure, value in row.scores.items()}
    recall, precision = (printed.get(name, ANY) for name in ("recall", "precision"))
    dice = printed.get("dice", ANY)
    if "iou" in printed:
        dice = dice.within(dice_of_iou(printed["iou"]))
    if "recall" in printed and "precision" in printed:
        dice = dice.within(harmonic(recall, precision))
    for part in (recall, precision):
        dice = dice.within(Interval(0.0, largest_dice(part.high)))
    least = Interval(least_part(dice.low), 1.0)
    return {
        "recall": recall.within(least),
        "precision": precision.within(least),
        "dice": dice,
        "iou": printed.get("iou", ANY).within(iou_of(dice)),
    }


def mean_of(values: Sequence[Interval]) -> Interval:
    """The mean of all, each within its bounds."""
    count = len(values)
    return Interval(sum(v.low for v in values) / count, sum(v.high for v in values) / count)


def hull_of(values: Sequence[Interval]) -> Interval:
    """Where every weighted mean of them lies, whatever the weights."""
    return Interval(min(v.low for v in values), max(v.high for v in values))


def weighted_mean_of(values: Sequence[Interval], weights: Sequence[Interval]) -> Interval:
    """The mean of all, weighted; values and weights each within their bounds."""
    lows = [value.low for value in values]
    highs = [-value.high for value in values]
    return Interval(_least_mean(lows, weights), -_least_mean(highs, weights))


def _least_mean(values: Sequence[float], weights: Sequence[Interval]) -> float:
    """The least weighted mean: small values get their largest weight, large ones their smallest."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    weight = sum(weights[i].low for i in order)
    total = sum(weights[i].low * values[i] for i in order)
    best = total / weight if weight > 0 else values[order[0]]
    for i in order:
        added = weights[i].high - weights[i].low
        weight, total = weight + added, total + added * values[i]
        best = min(best, total / weight) if weight > 0 else best
    return best


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one > 0 and other > 0 else 0.0
