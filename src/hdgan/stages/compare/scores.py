"""What the runs of an arm scored, from their confusion matrices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Float

from hdgan.artifacts.comparison import ComparedImage, Matrices, RunRecord
from hdgan.method.comparison.patient_scores import patient_dice
from hdgan.method.metrics import dice, overall_scores

PRIMARY = "Dice, macro, pooled in patient"
"""The score that the verdict is about, as tables call it."""

Read = Callable[[RunRecord], Matrices]
"""Gives a run's matrices, in the order of the images of its fold."""


@dataclass(frozen=True)
class ArmScores:
    """The scores of one arm at one number of labels."""

    draws: list[int]
    """Label draw of each run; a run here is a draw and a seed over all test folds."""

    seeds: list[int]
    """Seed of each run."""

    by_patient: Float[np.ndarray, "patients runs"]
    """The primary score; NaN for a patient without a labelled pixel."""

    overall: dict[str, float]
    """Other scores by name, means of the runs."""

    definitions: dict[str, str]
    """Of those."""

    classes: Float[np.ndarray, " classes"]
    """Dice of each class, all images of a run together, means of the runs; NaN if it is nowhere."""

    by_image: dict[str, float]
    """Mean Dice of the classes in an image's annotation by its name, means of the runs."""


def arm_scores(runs: Sequence[RunRecord], read: Read, images: Sequence[ComparedImage]) -> ArmScores:
    """The scores of an arm at one number of labels.

    Memory: the matrices of one draw and seed, over all folds.

    Args:
        runs: all of the arm and the number of labels.
        read: gives their matrices.
        images: every image that was tested on.
    """
    patients = sorted({image.patient for image in images})
    ordered = sorted(runs, key=_repetition)
    found = [_one(list(group), read, images) for _, group in groupby(ordered, key=_repetition)]
    columns = [[one.patients.get(name, np.nan) for name in patients] for one in found]
    repetitions = list(dict.fromkeys(map(_repetition, ordered)))
    return ArmScores(
        draws=[draw for draw, _ in repetitions],
        seeds=[seed for _, seed in repetitions],
        by_patient=np.array(columns).T,
        overall=_means([one.overall for one in found]),
        definitions=found[0].definitions,
        classes=_mean([one.classes for one in found]),
        by_image=_means([one.images for one in found]),
    )


@dataclass(frozen=True)
class _Repetition:
    """One draw and seed over all folds."""

    patients: Mapping[str, float]
    overall: dict[str, float]
    definitions: dict[str, str]
    classes: Float[np.ndarray, " classes"]
    images: dict[str, float]


def _one(runs: list[RunRecord], read: Read, images: Sequence[ComparedImage]) -> _Repetition:
    """The scores of a draw and seed."""
    tested = [image for run in runs for image in images if image.fold == run.fold]
    matrices = np.concatenate([read(run) for run in runs])
    names, values = patient_dice(matrices, [image.patient for image in tested])
    overall = overall_scores(list(matrices))
    each = np.where(matrices.sum(axis=-1) > 0, dice(matrices), np.nan)
    return _Repetition(
        dict(zip(names, map(float, values), strict=True)),
        {score.name: score.value for score in overall},
        {score.name: score.definition for score in overall},
        dice(matrices.sum(axis=0)),
        dict(zip((image.image for image in tested), map(float, _mean(list(each.T))), strict=True)),
    )


def _repetition(run: RunRecord) -> tuple[int, int]:
    return (0 if run.draw is None else run.draw, run.seed)


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means by name."""
    values = _mean([np.array(list(row.values()), dtype=np.float64) for row in rows])
    return dict(zip(rows[0], map(float, values), strict=True))


def _mean(rows: Sequence[Float[np.ndarray, " values"]]) -> Float[np.ndarray, " values"]:
    """Means of what is a number; NaN where nothing is."""
    stacked = np.stack(rows)
    is_number = ~np.isnan(stacked)
    total, count = np.where(is_number, stacked, 0.0).sum(axis=0), is_number.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
