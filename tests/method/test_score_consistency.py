"""Printed scores: those of real confusion matrices are never doubted, impossible ones are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from hdgan.method.printed_scores import (
    Averaging,
    ClassRow,
    Interval,
    Measure,
    Printed,
    ScoreTable,
    Summary,
)
from hdgan.method.score_consistency import Consistency, consistency
from hdgan.method.score_intervals import weighted_mean_of


def printed(value: float, digits: int = 2) -> Printed:
    """A number rounded as tables have it."""
    half = 0.5 * 10.0**-digits
    text = f"{value:.{digits}f}"
    return Printed(text, Interval(float(text) - half, float(text) + half))


def row(name: str, pixels: int | None = None, digits: int = 2, **scores: float) -> ClassRow:
    measures: tuple[Measure, ...] = ("recall", "precision", "dice", "iou")
    values = {name: printed(scores[name], digits) for name in measures if name in scores}
    counted = None if pixels is None else Interval(float(pixels), float(pixels))
    return ClassRow(name, values, counted)


def outcomes(found: Consistency) -> set[str]:
    return {check.outcome for check in found.checks}


def broken(found: Consistency) -> str:
    (check,) = [check for check in found.checks if check.outcome != "holds"]
    return check.says


def table_of(
    truth: np.ndarray, predicted: np.ndarray, digits: int, *, is_whole: bool = True
) -> ScoreTable:
    """Every score of three classes, by scikit-learn, rounded."""
    labels = [0, 1, 2]
    p, r, f, n = sklearn_metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0.0
    )
    iou = sklearn_metrics.jaccard_score(
        truth, predicted, labels=labels, average=None, zero_division=0.0
    )
    accuracy = sklearn_metrics.accuracy_score(truth, predicted)
    rows = [
        row(
            f"class {i}",
            int(n[i]),
            digits,
            recall=float(r[i]),
            precision=float(p[i]),
            dice=float(f[i]),
            iou=float(iou[i]),
        )
        for i in labels
    ]
    means: list[tuple[str, Measure, Averaging, float]] = [
        ("accuracy", "recall", "accuracy", accuracy),
        ("micro Dice", "dice", "micro", accuracy),
        ("micro IoU", "iou", "micro", accuracy / (2 - accuracy)),
        ("macro Dice", "dice", "macro", f.mean()),
        ("weighted Dice", "dice", "weighted", (f * n).sum() / n.sum()),
        ("macro recall", "recall", "macro", r.mean()),
        ("mean IoU", "iou", "any", iou.mean()),
    ]
    return ScoreTable(
        rows,
        [
            Summary(name, measure, averaging, printed(float(value), digits))
            for name, measure, averaging, value in means
        ],
        is_whole=is_whole,
    )


def random_maps(seed: int, skill: float, num_classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Truth and prediction; every class is found somewhere, so that no score is 0 / 0."""
    random = np.random.default_rng(seed)
    share = 0.5 ** np.arange(num_classes)
    truth = random.choice(num_classes, size=60, p=share / share.sum())
    guesses = random.integers(0, num_classes, size=60)
    predicted = np.where(random.random(60) < skill, truth, guesses)
    truth[:num_classes] = predicted[:num_classes] = np.arange(num_classes)
    return truth, predicted


@given(
    seed=st.integers(0, 9999),
    digits=st.integers(1, 4),
    skill=st.floats(0, 1),
    is_whole=st.booleans(),
)
def test_the_scores_of_a_confusion_matrix_are_never_doubted(
    seed: int, digits: int, skill: float, *, is_whole: bool
) -> None:
    truth, predicted = random_maps(seed, skill)

    found = consistency(table_of(truth, predicted, digits, is_whole=is_whole))

    assert outcomes(found) == {"holds"}, found.checks
    assert found.verdict == "can all be true"
    assert found.explanation == ""


@given(
    seed=st.integers(0, 9999),
    digits=st.integers(1, 4),
    skill=st.floats(0, 1),
    num_left_out=st.integers(1, 3),
)
def test_the_scores_of_some_of_the_classes_are_never_doubted(
    seed: int, digits: int, skill: float, num_left_out: int
) -> None:
    """As scikit-learn prints them for a subset of labels: micro recall is not micro precision."""
    truth, predicted = random_maps(seed, skill, 4)
    labels = list(range(num_left_out, 4))
    rows = []
    for i in labels:
        p, r, f, n = sklearn_metrics.precision_recall_fscore_support(
            truth, predicted, labels=[i], average=None
        )
        iou = float(f[0] / (2 - f[0]))
        scores = {"recall": float(r[0]), "precision": float(p[0]), "dice": float(f[0]), "iou": iou}
        rows.append(row(f"class {i}", int(n[0]), digits, **scores))
    summaries = []
    for name in ("micro", "macro", "weighted"):
        means = sklearn_metrics.precision_recall_fscore_support(
            truth, predicted, labels=labels, average=name
        )
        iou = sklearn_metrics.jaccard_score(truth, predicted, labels=labels, average=name)
        measures: tuple[Measure, ...] = ("precision", "recall", "dice", "iou")
        averaging: Averaging = name
        for measure, value in zip(measures, (*means[:3], iou), strict=True):
            text = printed(float(value), digits)
            summaries.append(Summary(f"{name} {measure}", measure, averaging, text))

    found = consistency(ScoreTable(rows, summaries))
    told = [check for check in found.checks if "predicted, but" not in check.says]

    assert "fails" not in outcomes(found)
    assert {check.outcome for check in told} == {"holds"}, told


@given(seed=st.integers(0, 9999), digits=st.integers(1, 4), skill=st.floats(0, 1))
def test_means_of_all_classes_beside_rows_of_some_are_never_called_impossible(
    seed: int, digits: int, skill: float
) -> None:
    whole = table_of(*random_maps(seed, skill), digits)

    for rows in (whole.classes[1:], whole.classes[:2]):
        found = consistency(ScoreTable(rows, whole.summaries))
        assert "fails" not in outcomes(found), found.checks
    # And the other way about: all rows, and means that leave the largest out.
    macro = float(np.mean([float(each.scores["dice"].text) for each in whole.classes[1:]]))
    mean = Summary("mean Dice", "dice", "any", printed(macro, digits))
    assert "fails" not in outcomes(consistency(ScoreTable(whole.classes, [mean], is_whole=True)))


@given(seed=st.integers(0, 9999))
def test_means_over_images_are_never_called_impossible(seed: int) -> None:
    random = np.random.default_rng(seed)
    p, r = random.uniform(0.05, 1.0, size=(2, 7))
    dice = 2 * p * r / (p + r)
    iou = dice / (2 - dice)
    names = ("precision", "recall", "dice", "iou")
    scores = {
        name: float(values.mean()) for name, values in zip(names, (p, r, dice, iou), strict=True)
    }

    means: list[tuple[str, Measure]] = [("mean Dice", "dice"), ("mean IoU", "iou")]
    summaries = [
        Summary(name, measure, "any", printed(scores[measure], 4)) for name, measure in means
    ]

    found = consistency(ScoreTable([row("artery", None, 4, **scores)], summaries))

    assert "fails" not in outcomes(found), found.checks


def test_dice_cannot_exceed_what_recall_allows() -> None:
    """Recall 1/2 with no false pixel gives Dice 2/3, and that is the most."""
    possible = consistency(ScoreTable([row("artery", recall=0.5, dice=0.67)], []))
    impossible = consistency(ScoreTable([row("artery", recall=0.5, dice=0.69)], []))

    assert outcomes(possible) == {"holds"}
    assert broken(impossible) == (
        "artery: Dice 0.69 is more than 0.6711, the most that recall 0.50 allows"
    )
    assert impossible.verdict == "cannot all be true"


def test_rounding_is_taken_into_account() -> None:
    """Recall .5 may be .549 at one digit, which allows .709."""
    coarse = consistency(ScoreTable([row("artery", None, 1, recall=0.5, dice=0.7)], []))
    fine = consistency(ScoreTable([row("artery", None, 3, recall=0.5, dice=0.7)], []))

    assert outcomes(coarse) == {"holds"}
    assert "fails" in outcomes(fine)


def test_dice_below_the_harmonic_mean_can_only_be_a_mean_over_images() -> None:
    found = consistency(ScoreTable([row("artery", recall=0.8, precision=0.8, dice=0.7)], []))

    assert "only if these are means over images" in broken(found)
    assert found.verdict.startswith("can all be true, but not as counts")


def test_dice_above_the_harmonic_mean_cannot_be() -> None:
    found = consistency(ScoreTable([row("artery", recall=0.9, precision=0.5, dice=0.66)], []))

    assert broken(found) == (
        "artery: recall 0.90 and precision 0.50 make Dice 0.6374 to 0.6483, not 0.66"
    )


@pytest.mark.parametrize(
    ("iou", "outcome"), [(0.667, "holds"), (0.6, "fails"), (0.7, "conditional")]
)
def test_iou_follows_from_dice(iou: float, outcome: str) -> None:
    found = consistency(ScoreTable([row("artery", None, 3, dice=0.8, iou=iou)], []))

    assert outcome in outcomes(found)


def test_iou_is_no_more_than_recall() -> None:
    found = consistency(ScoreTable([row("artery", recall=0.6, iou=0.62)], []))

    assert broken(found) == "artery: IoU 0.62 is more than recall 0.60"


def test_a_score_beyond_one_is_found() -> None:
    found = consistency(ScoreTable([row("artery", dice=1.2)], []))

    assert broken(found) == "Dice of artery is 1.20, which is not between 0 and 1"


def summary(name: str, measure: Measure, averaging: Averaging, value: float) -> Summary:
    return Summary(name, measure, averaging, printed(value))


@pytest.mark.parametrize(
    ("averaging", "value", "fits"),
    [
        ("macro", 0.70, True),
        ("macro", 0.80, False),
        ("weighted", 0.80, True),
        ("weighted", 0.86, False),
        ("any", 0.70, True),
        ("any", 0.66, False),
    ],
)
def test_a_mean_of_dice_is_one_of_its_readings(
    averaging: Averaging, value: float, *, fits: bool
) -> None:
    rows = [row("glass", 750, dice=0.9), row("artery", 250, dice=0.5)]

    means = [summary("Dice", "dice", averaging, value)]
    found = consistency(ScoreTable(rows, means, is_whole=True))

    assert ("fails" not in outcomes(found)) is fits


def test_an_average_that_is_not_said_is_told_by_what_fits() -> None:
    rows = [row("glass", recall=0.9, precision=0.95, dice=0.92), row("artery", recall=0.3)]

    found = consistency(ScoreTable(rows, [summary("average Dice", "dice", "any", 0.88)]))

    (says,) = [check.says for check in found.checks if "average" in check.says]
    assert "fits only as the mean weighted by true pixels or score of all pixels at once" in says


def test_accuracy_lies_between_the_recalls() -> None:
    rows = [row("glass", recall=0.9), row("artery", recall=0.5)]

    within = [summary("accuracy", "recall", "accuracy", 0.88)]
    above = [summary("accuracy", "recall", "accuracy", 0.95)]
    inside = consistency(ScoreTable(rows, within))
    outside = consistency(ScoreTable(rows, above, is_whole=True))
    perhaps = consistency(ScoreTable(rows, above))

    assert outcomes(inside) == {"holds"}
    assert "accuracy 0.95 does not fit the classes" in broken(outside)
    assert outside.verdict == "cannot all be true"
    assert "16,777,216" in outside.explanation
    assert broken(perhaps).endswith("it can be so only if the table leaves out a class")
    assert perhaps.verdict.startswith("can all be true, but not as counts of all pixels in one")


def test_micro_scores_that_differ_from_the_accuracy_leave_out_a_class() -> None:
    accuracy = summary("accuracy", "recall", "accuracy", 0.9)
    micro = summary("micro Dice", "dice", "micro", 0.85)

    found = consistency(ScoreTable([], [accuracy, micro]))

    assert broken(found).endswith("it can be so only if micro Dice leaves out a class")
    assert "fails" not in outcomes(found)


@pytest.mark.parametrize(("dice", "outcome"), [(0.69, "holds"), (0.75, "fails"), (0.62, "fails")])
def test_micro_scores_keep_the_harmonic_mean(dice: float, outcome: str) -> None:
    micro = [
        summary("micro recall", "recall", "micro", 0.6),
        summary("micro precision", "precision", "micro", 0.8),
        summary("micro F1", "dice", "micro", dice),
    ]

    assert outcome in outcomes(consistency(ScoreTable([], micro)))


@pytest.mark.parametrize(
    ("averaging", "dice", "iou", "outcome"),
    [
        ("any", 0.8, 0.9, "fails"),
        ("macro", 0.8, 0.9, "fails"),
        ("weighted", 0.8, 0.6, "fails"),
        ("micro", 0.8, 0.75, "fails"),
        ("micro", 0.8, 0.67, "holds"),
        ("any", 0.8, 0.66, "holds"),
        ("any", 0.8, 0.8, "holds"),
        ("macro", 0.8, 0.75, "holds"),
    ],
)
def test_mean_iou_is_bound_by_mean_dice(
    averaging: Averaging, dice: float, iou: float, outcome: str
) -> None:
    means = [summary("mean Dice", "dice", averaging, dice)]
    means.append(summary("mean IoU", "iou", averaging, iou))

    found = consistency(ScoreTable([], means))

    assert outcome in outcomes(found)
    assert ("fails" in outcomes(found)) is (outcome == "fails")


def test_means_of_different_kinds_are_not_called_impossible() -> None:
    iou = summary("mIoU", "iou", "macro", 0.9)
    for name in ("mean Dice", "overall Dice"):
        found = consistency(ScoreTable([], [summary(name, "dice", "any", 0.8), iou]))
        assert "taken in the same way" in broken(found)
        assert "fails" not in outcomes(found)


@pytest.mark.parametrize(
    ("value", "outcome"), [(0.85, "holds"), (0.9, "conditional"), (0.95, "fails")]
)
def test_a_mean_of_iou_may_count_a_background_without_a_row(value: float, outcome: str) -> None:
    """Of .8 and .9 and at most 1 the mean is .9."""
    rows = [row("artery", None, 2, iou=0.8), row("vein", None, 2, iou=0.9)]

    found = consistency(ScoreTable(rows, [summary("mIoU", "iou", "macro", value)]))

    assert outcome in outcomes(found)


def test_one_class_of_foreground_is_no_accuracy() -> None:
    rows = [row("artery", recall=0.8, precision=0.8, dice=0.8)]

    found = consistency(ScoreTable(rows, [summary("accuracy", "recall", "accuracy", 0.98)]))

    assert broken(found).endswith("only if the table leaves out a class")


def test_macro_f1_may_be_made_from_macro_recall_and_precision() -> None:
    """Recalls 1 and .2, precisions .2 and 1: the mean Dice is 1/3, that of the means .6."""
    rows = [
        row("artery", None, 3, recall=1.0, precision=0.2, dice=1 / 3),
        row("vein", None, 3, recall=0.2, precision=1.0, dice=1 / 3),
    ]

    found = consistency(
        ScoreTable(rows, [summary("macro F1", "dice", "macro", 0.6)], is_whole=True)
    )

    assert broken(found).endswith("made from the mean recall and the mean precision")
    assert "fails" not in outcomes(found)


def test_predicted_pixels_that_do_not_add_up_are_found() -> None:
    """Recall 1 with precision 1/2 predicts twice as many pixels as there are."""
    rows = [row("glass", 100, recall=1.0, precision=0.5), row("artery", 100, recall=1.0, dice=1.0)]

    assert "leaves out a class" in broken(consistency(ScoreTable(rows, [])))


def saturated(found: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Recalls as counters in single precision give them."""
    stuck = np.minimum(found, 2**24)
    recalls: np.ndarray = stuck / (stuck + pixels - found)
    return recalls


def test_counters_that_stick_are_told_from_the_pixels() -> None:
    """A float32 that is raised by one stays at 2**24; undoing it gives the true recalls back."""
    assert np.float32(2**24) + np.float32(1) == np.float32(2**24)
    pixels = np.array([100_000_000, 40_000_000, 3_000_000])
    found = np.array([90_000_000, 36_000_000, 1_500_000])
    recalls = saturated(found, pixels)
    rows = [
        row(f"class {i}", int(pixels[i]), 4, recall=float(recalls[i])) for i in range(len(pixels))
    ]
    accuracy = float(found.sum() / pixels.sum())

    means = [summary("accuracy", "recall", "accuracy", accuracy)]
    result = consistency(ScoreTable(rows, means, is_whole=True))

    assert consistency(ScoreTable(rows, means)).explanation.startswith("counters in single")
    assert result.verdict == "cannot all be true"
    assert "counters in single precision would explain it" in result.explanation
    assert "class 0 0.9000" in result.explanation
    assert "class 1 0.9000" in result.explanation
    assert "class 2" not in result.explanation


def test_the_two_large_classes_of_the_paper_are_undone_as_the_papers_page_says() -> None:
    rows = [
        row("whitespace", 118_213_413, 4, recall=0.6842),
        row("tubulointerstitium", 124_353_238, 4, recall=0.6657),
        ClassRow("the others", {}, Interval(25_868_805.0, 25_868_805.0)),
    ]

    means = [summary("micro Dice", "dice", "micro", 0.92)]
    found = consistency(ScoreTable(rows, means, is_whole=True))

    assert found.verdict == "cannot all be true"
    assert "whitespace 0.9345" in found.explanation
    assert "tubulointerstitium 0.9322" in found.explanation
    assert "no proof" in found.explanation


def test_what_sticking_does_not_explain_is_not_explained_by_it() -> None:
    rows = [row("glass", 100_000_000, 4, recall=0.68), row("artery", 20_000_000, 4, recall=0.6)]

    found = consistency(ScoreTable(rows, [summary("accuracy", "recall", "accuracy", 0.99)]))

    assert "would explain" not in found.explanation


@given(seed=st.integers(0, 9999))
def test_a_weighted_mean_of_intervals_holds_every_weighted_mean(seed: int) -> None:
    random = np.random.default_rng(seed)
    values, weights = np.sort(random.random((2, 4, 2)), axis=2)

    bound = weighted_mean_of(
        [Interval(float(a), float(b)) for a, b in values],
        [Interval(float(a), float(b)) for a, b in weights],
    )

    v, w = (random.uniform(pair[:, 0], pair[:, 1], size=(500, 4)) for pair in (values, weights))
    means = (v * w).sum(axis=1) / w.sum(axis=1)
    corners = [
        (values[:, side] * np.where(mask, weights[:, 1], weights[:, 0])).sum()
        / np.where(mask, weights[:, 1], weights[:, 0]).sum()
        for side in (0, 1)
        for mask in np.array(np.meshgrid(*[[False, True]] * 4)).reshape(4, -1).T
    ]
    assert bound.low <= means.min() + 1e-12
    assert means.max() <= bound.high + 1e-12
    assert bound.low == pytest.approx(min(corners))
    assert bound.high == pytest.approx(max(corners))


def test_nothing_related_is_nothing_to_check() -> None:
    assert consistency(ScoreTable([], [])).verdict.startswith("nothing to check")
