"""Means that leave out classes, and rows that may be classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.printed_scores import (
    ClassRow,
    Interval,
    LeavesOut,
    Printed,
    ScoreTable,
    Summary,
)
from hdgan.method.score_means import checked_means
from hdgan.method.score_relations import Check


def printed(value: float, digits: int = 3) -> Printed:
    half = 0.5 * 10.0**-digits
    text = f"{value:.{digits}f}"
    return Printed(text, Interval(float(text) - half, float(text) + half))


def rows_of(*dice: float) -> list[ClassRow]:
    return [
        ClassRow(f"class {i}", {"dice": printed(value)}, Interval(100.0, 100.0))
        for i, value in enumerate(dice)
    ]


def check_of(value: float, rows: list[ClassRow], leaves_out: LeavesOut = "surely") -> Check:
    mean = Summary("macro w/o x", "dice", "macro", printed(value), leaves_out=leaves_out)
    (check,) = checked_means(ScoreTable(rows, [mean], is_whole=True))
    return check


@pytest.mark.parametrize(
    ("value", "outcome", "says"),
    [
        (0.8, "holds", "without class 0"),
        (0.7, "holds", "without class 0, class 1"),
        (0.866, "fails", "fits no choice of the classes that leaves out one or more"),
        (0.6, "fails", "fits no choice"),
    ],
)
def test_a_mean_that_leaves_out_classes_is_one_of_a_choice(
    value: float, outcome: str, says: str
) -> None:
    check = check_of(value, rows_of(0.998, 0.9, 0.7))

    assert check.outcome == outcome
    assert says in check.says


def test_a_mean_that_may_leave_out_classes_may_be_of_all() -> None:
    rows = rows_of(0.998, 0.9, 0.7, 0.5)

    assert check_of(0.7745, rows, "perhaps").outcome == "holds"
    assert check_of(0.6, rows, "perhaps").says.endswith("it is of some of the classes")
    assert check_of(0.4, rows, "perhaps").outcome == "fails"


def test_of_many_classes_a_choice_lies_among_them() -> None:
    rows = rows_of(*np.linspace(0.5, 0.9, 20))

    assert "lies among the classes" in check_of(0.6, rows).says
    assert check_of(0.95, rows).outcome == "fails"


def test_nothing_is_said_of_a_mean_without_the_only_class() -> None:
    mean = Summary("w/o x", "dice", "macro", printed(0.1), leaves_out="surely")

    assert list(checked_means(ScoreTable(rows_of(0.9), [mean]))) == []


@given(
    dice=st.lists(st.floats(0.01, 1.0), min_size=2, max_size=11),
    digits=st.integers(1, 4),
    seed=st.integers(0, 9999),
)
def test_a_mean_of_any_choice_of_classes_is_never_doubted(
    dice: list[float], digits: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    kept = random.permutation(len(dice))[: random.integers(1, len(dice))]
    mean = printed(float(np.mean([dice[i] for i in kept])), digits)
    rows = [ClassRow(f"{i}", {"dice": printed(value, digits)}) for i, value in enumerate(dice)]

    summary = Summary("mean w/o x", "dice", "any", mean, leaves_out="surely")
    (check,) = checked_means(ScoreTable(rows, [summary], is_whole=True))

    assert check.outcome == "holds", check.says


def test_means_of_different_classes_are_not_compared() -> None:
    """Dice without background beside the IoU of all classes bounds nothing."""
    dice = Summary("mean w/o background Dice", "dice", "any", printed(0.6), leaves_out="surely")
    all_iou = Summary("mIoU", "iou", "macro", printed(0.8))
    same_iou = Summary("mean w/o background IoU", "iou", "any", printed(0.8), leaves_out="surely")

    assert list(checked_means(ScoreTable([], [dice, all_iou]))) == []
    (check,) = checked_means(ScoreTable([], [dice, same_iou]))
    assert check.outcome == "fails"


def test_means_of_all_and_of_fewer_classes_are_compared_each_with_its_own() -> None:
    summaries = [
        Summary("mean Dice", "dice", "any", printed(0.8)),
        Summary("mean IoU", "iou", "any", printed(0.7)),
        Summary("mean w/o background Dice", "dice", "any", printed(0.6), leaves_out="surely"),
        Summary("mean w/o background IoU", "iou", "any", printed(0.8), leaves_out="surely"),
    ]

    checks = list(checked_means(ScoreTable([], summaries)))

    assert [check.outcome for check in checks] == ["holds", "fails"]


def test_a_micro_mean_of_some_classes_is_not_the_accuracy() -> None:
    accuracy = Summary("accuracy", "recall", "accuracy", printed(0.95))
    micro = Summary("micro F1 w/o x", "dice", "micro", printed(0.8), leaves_out="surely")

    assert list(checked_means(ScoreTable([], [accuracy, micro]))) == []


def test_a_row_that_is_named_as_none_may_be_a_class() -> None:
    rows, doubtful = rows_of(0.9, 0.7), [ClassRow("range", {"dice": printed(0.2)})]
    outcomes = {}
    for value in (0.8, 0.6, 0.5):
        mean = Summary("macro", "dice", "macro", printed(value))
        table = ScoreTable(rows, [mean], is_whole=True, doubtful=doubtful)
        (check,) = checked_means(table)
        outcomes[value] = check.outcome, "with range as one of them" in check.says

    assert outcomes == {0.8: ("holds", False), 0.6: ("holds", True), 0.5: ("fails", False)}
