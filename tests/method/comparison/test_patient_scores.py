"""Macro Dice pooled within patients, against scikit-learn on the pooled pixels."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from hdgan.class_map import UNLABELLED
from hdgan.method.comparison.patient_scores import patient_dice, score_definition
from hdgan.method.metrics import confusion_matrix


def maps(seed: int, classes: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, classes, size=(6, 8, 9), dtype=np.uint8)


def test_a_patients_dice_is_that_of_all_its_pixels_together() -> None:
    patients = ["b", "a", "b", "c", "a", "b"]
    truth, predicted = maps(1), maps(2)
    matrices = np.stack([confusion_matrix(t, p, 4) for t, p in zip(truth, predicted, strict=True)])

    names, scores = patient_dice(matrices, patients)

    assert names == ["a", "b", "c"]
    for name, score in zip(names, scores, strict=True):
        own = [i for i, patient in enumerate(patients) if patient == name]
        pooled = f1_score(truth[own].ravel(), predicted[own].ravel(), average="macro")
        assert score == pytest.approx(pooled)


def test_a_class_that_a_patient_lacks_takes_no_part() -> None:
    matrix = np.array([[[5, 5, 0], [0, 10, 0], [0, 0, 0]]])

    _, scores = patient_dice(matrix, ["a"])

    assert scores[0] == pytest.approx((10 / 15 + 20 / 25) / 2)


def test_a_stray_pixel_of_a_class_that_is_not_there_costs_only_the_class_that_is() -> None:
    matrix = np.array([[[9, 0, 1], [0, 10, 0], [0, 0, 0]]])

    _, scores = patient_dice(matrix, ["a"])

    assert scores[0] == pytest.approx((18 / 19 + 1) / 2)


def test_a_class_that_is_never_found_counts_as_0() -> None:
    matrix = np.array([[[9, 0, 0], [0, 10, 0], [1, 0, 0]]])

    _, scores = patient_dice(matrix, ["a"])

    assert scores[0] == pytest.approx((18 / 19 + 1 + 0) / 3)


def test_a_patient_without_a_labelled_pixel_has_no_score() -> None:
    nothing = np.full((4, 4), UNLABELLED, dtype=np.uint8)
    matrices = np.stack(
        [confusion_matrix(nothing, np.zeros_like(nothing), 2), np.array([[3, 0], [0, 1]])]
    )

    names, scores = patient_dice(matrices, ["blank", "drawn"])

    assert names == ["blank", "drawn"]
    assert np.isnan(scores[0])
    assert scores[1] == 1.0


def test_every_image_needs_its_patient() -> None:
    with pytest.raises(ValueError, match="need as many patients"):
        patient_dice(np.ones((2, 2, 2), dtype=np.int64), ["a"])


def test_the_definition_says_over_what() -> None:
    said = score_definition(12, 240)

    assert "Dice[macro, pooled in patient, absent excluded, 12 patients, 240 images]" in said
    assert "the mean of the classes that the patient's annotation has" in said
