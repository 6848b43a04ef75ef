"""COCO's run-length encoding: runs down the columns, as lists of counts or as text."""

import numpy as np
from jaxtyping import Int64

from hdgan.class_map import LabelMap
from hdgan.errors import LabelError

Counts = Int64[np.ndarray, " runs"]
"""Lengths of runs, column by column; the first is outside, the second inside, and so on."""

_DIGIT_BITS = 5
_MOST_DIGITS = 7  # 35 bits: more pixels than any image has
_FIRST_CHARACTER = 48


def counts_of_text(text: bytes, where: str) -> Counts:
    """The counts in a text, of which each character holds five bits and whether more follow.

    From the fourth on, a number is the difference to the count before the last.

    Raises:
        LabelError: it is no such text.
    """
    digits = np.frombuffer(text, dtype=np.uint8).astype(np.int64) - _FIRST_CHARACTER
    if digits.size == 0 or digits.min() < 0 or digits.max() > 63 or digits[-1] & 32:
        raise _no_runs(where)
    ends = np.flatnonzero(digits & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    if lengths.max() > _MOST_DIGITS:
        raise _no_runs(where)
    shift = (np.arange(len(digits)) - np.repeat(starts, lengths)) * _DIGIT_BITS
    numbers = np.add.reduceat((digits & 31) << shift, starts)
    negative = digits[ends] & 16 != 0
    numbers[negative] -= 1 << (lengths[negative] * _DIGIT_BITS)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def checked_counts(counts: object, num_pixels: int, where: str) -> Counts:
    """Counts that fill an image exactly.

    Args:
        counts: as they were found.
        num_pixels: of the image.
        where: what errors call it.

    Raises:
        LabelError: they are no whole numbers of 0 or more, or fill another image.
    """
    try:
        numbers = np.asarray(counts)
    except ValueError:
        raise _no_runs(where) from None
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or numbers.size == 0:
        raise _no_runs(where)
    numbers = numbers.astype(np.int64)
    if numbers.min() < 0 or numbers.max() > num_pixels or numbers.sum() != num_pixels:
        raise LabelError(
            f"{where} has runs that do not fill its image of {num_pixels:,} pixels. Export it "
            "again."
        )
    return numbers


def fill_runs(labels: LabelMap, counts: Counts, value: int) -> None:
    """Give the pixels inside the runs a value.

    Args:
        labels: changed in place.
        counts: as `checked_counts` gives them.
        value: the value.
    """
    height, _ = labels.shape
    ends = np.cumsum(counts)
    first, last = ends[0::2][: len(ends) // 2], ends[1::2]
    some = last > first
    first, lengths = first[some], (last - first)[some]
    if len(first) == 0:
        return
    left, right = int(first[0]) // height, (int(last[some][-1]) - 1) // height + 1
    if lengths.sum() * 8 < (right - left) * height:
        offsets = np.arange(lengths.sum()) - np.repeat(
            np.cumsum(lengths) - lengths - first, lengths
        )
        column, row = np.divmod(offsets, height)
        labels[row, column] = value
        return
    change = np.zeros((right - left) * height + 1, dtype=np.int8)
    change[first - left * height] = 1
    change[first + lengths - left * height] -= 1
    inside = np.cumsum(change[:-1], dtype=np.int8).astype(bool)
    labels[:, left:right][inside.reshape(-1, height).T] = value


def _no_runs(where: str) -> LabelError:
    return LabelError(f"{where} has a run-length encoding that cannot be read. Export it again.")
