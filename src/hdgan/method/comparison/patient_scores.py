"""The score that a comparison rests on: macro Dice, pooled within each patient.

Pixels of one patient are alike, so the patient is what is drawn at random, not the pixel or the
tile. Pooling a patient's tiles first keeps a class that fills few pixels of a tile from deciding.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int64

from hdgan.method.metrics import dice


def patient_dice(
    matrices: Int64[np.ndarray, "images classes classes"], patients: Sequence[str]
) -> tuple[list[str], Float[np.ndarray, " patients"]]:
    """The patients by name, and each one's macro Dice.

    A patient's confusion matrices are added, then Dice is averaged over the classes that are in
    the patient's truth. A class that is predicted but is not there costs the classes whose pixels
    it takes, no more: else one stray pixel would cost a whole share of the mean. NaN for a patient
    without a labelled pixel.

    Args:
        matrices: pixels by true (row) and predicted class, one matrix an image.
        patients: whose each image is.
    """
    if len(patients) != len(matrices):
        raise ValueError(f"{len(matrices)} matrices need as many patients, not {len(patients)}")
    names, rows = np.unique(np.array(patients, dtype=np.str_), return_inverse=True)
    pooled = np.zeros((len(names), *matrices.shape[1:]), dtype=np.int64)
    np.add.at(pooled, rows, matrices)
    occurs = pooled.sum(axis=-1) > 0
    num_classes = occurs.sum(axis=1)
    total = np.where(occurs, dice(pooled), 0.0).sum(axis=1)
    scores = np.full(len(names), np.nan)
    np.divide(total, num_classes, out=scores, where=num_classes > 0)
    return [str(name) for name in names], scores


def score_definition(num_patients: int, num_images: int) -> str:
    """What `patient_dice` is, as it stands beside every number made of it."""
    return (
        f"Dice[macro, pooled in patient, absent excluded, {num_patients} patients, {num_images} "
        "images]: per class 2 x overlap / (true + predicted pixels) over a patient's images "
        "together; the mean of the classes that the patient's annotation has; then the mean of the "
        "patients"
    )
