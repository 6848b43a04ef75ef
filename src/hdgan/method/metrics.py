"""Scores of predicted label maps, each with its definition (section VI).

Everything is computed from one integer confusion matrix an image, so that a table can be
recomputed and a new score needs no new prediction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from hdgan.class_map import UNLABELLED, LabelMap

ConfusionMatrix = Int64[np.ndarray, "classes classes"]
"""Pixels by true class (row) and predicted class (column)."""

ConfusionMatrices = Int64[np.ndarray, "*images classes classes"]
"""One matrix, or one an image."""

ClassValues = Float[np.ndarray, "*images classes"]
"""A number a class, for one matrix or for each."""


@dataclass(frozen=True)
class Score:
    """A number and what it means."""

    name: str
    """Short, as it stands in a table."""

    value: float
    """0 to 1; NaN where the definition leaves nothing to average."""

    definition: str
    """How it is computed, on what."""


def confusion_matrix(truth: LabelMap, predicted: LabelMap, num_classes: int) -> ConfusionMatrix:
    """Pixels by true and predicted class, as exact integers.

    Pixels that are unlabelled in the truth count nowhere. A predicted map may not be unlabelled
    where the truth is labelled.
    """
    known = truth != UNLABELLED
    pairs = truth[known].astype(np.int64) * num_classes + predicted[known]
    if pairs.size and int(predicted[known].max()) >= num_classes:
        raise ValueError("a predicted class lies beyond the class map")
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def dice(
    matrix: ConfusionMatrices,
) -> ClassValues:
    """2 x overlap / (true + predicted pixels); NaN for a class that is in neither."""
    overlap = np.diagonal(matrix, axis1=-2, axis2=-1)
    return _ratio(2 * overlap, matrix.sum(axis=-1) + matrix.sum(axis=-2))


def recall(
    matrix: ConfusionMatrices,
) -> ClassValues:
    """Overlap / true pixels; NaN for a class that is not in the truth."""
    return _ratio(np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(axis=-1))


def precision(
    matrix: ConfusionMatrices,
) -> ClassValues:
    """Overlap / predicted pixels; NaN for a class that is never predicted."""
    return _ratio(np.diagonal(matrix, axis1=-2, axis2=-1), matrix.sum(axis=-2))


def intersection_over_union(
    matrix: ConfusionMatrices,
) -> ClassValues:
    """Overlap / pixels that are true or predicted; NaN for a class that is in neither."""
    overlap = np.diagonal(matrix, axis1=-2, axis2=-1)
    return _ratio(overlap, matrix.sum(axis=-1) + matrix.sum(axis=-2) - overlap)


def accuracy(matrix: ConfusionMatrices) -> Float[np.ndarray, "*images"]:
    """Pixels whose class is found / all labelled pixels."""
    found = np.asarray(np.trace(matrix, axis1=-2, axis2=-1))
    return _ratio(found, np.asarray(matrix.sum(axis=(-2, -1))))


def overall_scores(matrices: Sequence[ConfusionMatrix]) -> list[Score]:
    """Scores over all classes, side by side because they disagree when classes are rare."""
    images = np.stack(matrices)
    pooled = images.sum(axis=0)
    per_image = dice(images)
    of_class = dice(pooled)
    weights = pooled.sum(axis=-1) / max(1, pooled.sum())
    of = f"{len(matrices)} images, {int(pooled.sum()):,} labelled pixels"
    return [
        Score(
            "Dice, macro",
            _mean(of_class),
            f"Dice[macro, pooled, absent excluded, {of}]: per class 2 x overlap / (true + "
            "predicted pixels) over all images together; the mean of the classes that occur",
        ),
        Score(
            "Dice, macro, image mean",
            _mean(np.array([_mean(row) for row in per_image])),
            f"Dice[macro, image mean, absent excluded, {of}]: the same an image, then the mean of "
            "the images",
        ),
        Score(
            "Dice, macro, absent counts 1",
            _mean(np.where(np.isnan(per_image), 1.0, per_image).ravel()),
            f"Dice[macro, image mean, absent=1, {of}]: as before, but a class that is neither "
            "true nor predicted in an image counts as found",
        ),
        Score(
            "Dice, frequency-weighted",
            _weighted(of_class, weights),
            f"Dice[frequency-weighted, pooled, {of}]: the mean of the classes, each weighted by "
            "its true pixels",
        ),
        Score(
            "Accuracy = Dice, micro",
            float(accuracy(pooled)),
            f"Dice[micro, pooled, {of}]: found pixels / labelled pixels. It says nothing about "
            "rare classes; the paper's average Dice is this one",
        ),
        Score(
            "Recall, macro",
            _mean(recall(pooled)),
            f"Recall[macro, pooled, absent excluded, {of}]: the mean over classes of found / true "
            "pixels, the paper's class-wise accuracy",
        ),
    ]


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class, pooled over all images; NaN where it does not occur."""

    name: str
    """Of the class."""

    pixels: int
    """True pixels."""

    recall: float
    """Found / true pixels: the paper's class-wise accuracy."""

    precision: float
    """Found / predicted pixels."""

    dice: float
    """2 x overlap / (true + predicted pixels)."""

    iou: float
    """Overlap / pixels that are true or predicted."""


def class_scores(matrices: Sequence[ConfusionMatrix], names: Sequence[str]) -> list[ClassScores]:
    """The scores of each class, in order."""
    pooled = np.stack(matrices).sum(axis=0)
    columns = (recall(pooled), precision(pooled), dice(pooled), intersection_over_union(pooled))
    return [
        ClassScores(name, int(pooled[i].sum()), *(float(column[i]) for column in columns))
        for i, name in enumerate(names)
    ]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole` in double precision, NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _mean(values: np.ndarray) -> float:
    """The mean of what is a number; NaN if nothing is."""
    numbers = values[~np.isnan(values)]
    return float(numbers.mean()) if numbers.size else float("nan")


def _weighted(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.where(np.isnan(values), 0.0, values) @ weights)
