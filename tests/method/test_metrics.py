"""Scores against scikit-learn and torchmetrics, and against the predecessor's faults."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from torchmetrics.functional.classification import multiclass_f1_score

from hdgan.class_map import UNLABELLED
from hdgan.method.metrics import (
    accuracy,
    class_scores,
    confusion_matrix,
    dice,
    intersection_over_union,
    overall_scores,
    precision,
    recall,
)


def label_map(seed: int, classes: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, classes, size=(12, 9), dtype=np.uint8)


def named(matrices: list[np.ndarray]) -> dict[str, float]:
    return {score.name: score.value for score in overall_scores(matrices)}


@given(a=st.integers(0, 99), b=st.integers(0, 99))
def test_a_confusion_matrix_is_that_of_scikit_learn(a: int, b: int) -> None:
    truth, predicted = label_map(a), label_map(b)

    ours = confusion_matrix(truth, predicted, 4)

    theirs = sklearn_metrics.confusion_matrix(
        truth.ravel(), predicted.ravel(), labels=list(range(4))
    )
    assert np.array_equal(ours, theirs)


def test_a_confusion_matrix_counts_past_two_to_the_24() -> None:
    """In float32 a count sticks at 16,777,216; the paper's test set has 124 million such pixels."""
    side = 4200
    zeros = np.zeros((side, side), dtype=np.uint8)

    matrix = confusion_matrix(zeros, zeros, 2)
    twice = matrix + matrix

    assert side**2 > 2**24
    assert matrix.dtype == np.int64
    assert int(matrix[0, 0]) == side**2
    assert int(twice[0, 0]) == 2 * side**2
    assert int((twice + np.eye(2, dtype=np.int64))[0, 0]) == 2 * side**2 + 1


def test_unlabelled_pixels_count_nowhere() -> None:
    truth = np.array([[0, UNLABELLED], [1, 1]], dtype=np.uint8)
    predicted = np.array([[0, 0], [1, 0]], dtype=np.uint8)

    assert confusion_matrix(truth, predicted, 2).tolist() == [[1, 0], [1, 1]]


def test_a_prediction_beyond_the_class_map_is_an_error() -> None:
    with pytest.raises(ValueError, match="beyond the class map"):
        confusion_matrix(np.zeros((2, 2), np.uint8), np.full((2, 2), 5, np.uint8), 2)


@given(a=st.integers(0, 99), b=st.integers(0, 99))
def test_dice_is_symmetric(a: int, b: int) -> None:
    one = dice(confusion_matrix(label_map(a), label_map(b), 4))
    other = dice(confusion_matrix(label_map(b), label_map(a), 4))

    assert np.allclose(one, other, equal_nan=True)


@given(seed=st.integers(0, 99))
def test_dice_of_a_map_with_itself_is_one(seed: int) -> None:
    values = dice(confusion_matrix(label_map(seed), label_map(seed), 4))

    assert np.all((values == 1.0) | np.isnan(values))


@given(a=st.integers(0, 99), b=st.integers(0, 99))
def test_class_scores_are_those_of_scikit_learn(a: int, b: int) -> None:
    truth, predicted = label_map(a), label_map(b)
    matrix = confusion_matrix(truth, predicted, 4)

    theirs = sklearn_metrics.precision_recall_fscore_support(
        truth.ravel(), predicted.ravel(), labels=list(range(4))
    )

    assert np.allclose(precision(matrix), theirs[0])
    assert np.allclose(recall(matrix), theirs[1])
    assert np.allclose(dice(matrix), theirs[2])
    jaccard = sklearn_metrics.jaccard_score(truth.ravel(), predicted.ravel(), average=None)
    assert np.allclose(intersection_over_union(matrix), jaccard)


def test_macro_and_micro_dice_are_those_of_torchmetrics() -> None:
    truth, predicted = label_map(1), label_map(2)
    scores = named([confusion_matrix(truth, predicted, 4)])
    tensors = (torch.from_numpy(predicted.ravel()), torch.from_numpy(truth.ravel()))

    macro = multiclass_f1_score(*tensors, num_classes=4, average="macro")
    micro = multiclass_f1_score(*tensors, num_classes=4, average="micro")

    assert scores["Dice, macro"] == pytest.approx(float(macro))
    assert scores["Accuracy = Dice, micro"] == pytest.approx(float(micro))


def test_micro_dice_says_nothing_about_a_rare_class_and_macro_does() -> None:
    """A class of 0.3 % of the pixels that is never found."""
    matrix = np.array([[9970, 0], [30, 0]], dtype=np.int64)

    scores = named([matrix])

    assert scores["Accuracy = Dice, micro"] == pytest.approx(0.997)
    assert scores["Dice, macro"] == pytest.approx(dice(matrix).mean())
    assert scores["Dice, macro"] < 0.5


def test_no_score_is_called_dice_without_saying_which() -> None:
    scores = overall_scores([np.eye(3, dtype=np.int64)])

    for score in scores:
        kind = score.definition.split("[")[1].split(",")[0]
        assert kind in ("macro", "micro", "frequency-weighted")
        assert "1 images, 3 labelled pixels" in score.definition
    assert len({score.definition for score in scores}) == len(scores)


def test_absent_classes_are_excluded_or_count_one_as_the_name_says() -> None:
    present = np.diag([5, 5, 0]).astype(np.int64)
    half = np.array([[4, 4, 0], [0, 0, 0], [0, 0, 0]], dtype=np.int64)

    scores = named([present, half])

    first, second = 1.0, (2 * 4 / 12 + 0.0) / 2
    assert scores["Dice, macro, image mean"] == pytest.approx((first + second) / 2)
    ones = (1 + 1 + 1 + 2 * 4 / 12 + 0.0 + 1) / 6
    assert scores["Dice, macro, absent counts 1"] == pytest.approx(ones)


def test_frequency_weighted_dice_weighs_classes_by_their_true_pixels() -> None:
    matrix = np.array([[80, 10], [5, 5]], dtype=np.int64)

    values = dice(matrix)

    wanted = values[0] * 0.9 + values[1] * 0.1
    assert named([matrix])["Dice, frequency-weighted"] == pytest.approx(wanted)


def test_the_papers_saturated_counts_are_explained_by_float32() -> None:
    """Both large classes stick at 2^24: 118 million pixels found read as 16.8 million."""
    counter = np.float32(2**24)

    assert counter + np.float32(1) == counter


def test_scores_of_a_class_that_does_not_occur_are_no_number() -> None:
    scores = class_scores([np.diag([4, 0]).astype(np.int64)], ["tissue", "vessel"])

    assert scores[0].dice == 1.0
    assert np.isnan([scores[1].dice, scores[1].recall, scores[1].precision]).all()
    assert scores[1].pixels == 0


def test_accuracy_is_found_over_all() -> None:
    assert float(accuracy(np.array([[3, 1], [0, 4]], dtype=np.int64))) == pytest.approx(7 / 8)
