"""Rows of classes, of means and of neither: none is dropped in silence."""

import pytest

from hdgan.artifacts.score_rows import leaves_out, why_no_class
from hdgan.artifacts.score_table import score_table_of
from hdgan.artifacts.score_words import number_in, row_of_means, summary_words
from hdgan.method.printed_scores import ScoreTable


def read(text: str) -> ScoreTable:
    return score_table_of(text.encode(), "the table")


def names(table: ScoreTable) -> list[str]:
    return [row.name for row in table.classes]


def not_read(table: ScoreTable) -> dict[str, str]:
    return {name: why for name, why in table.rows_not_read if why}


@pytest.mark.parametrize(
    "cell",
    [
        *("0.90†", "0.90*", "**0.90**‡", "0.90§", "0.90 ¶", "0.90¹", "0.90ᵃ", "0.90 a", "0.90 ab"),
        *("0.90a", "0.90 a, b", "0.90 ns", "0.90<sup>1</sup>", "<b>0.90</b>", "0.90↑"),
        *("0.90^1", r"$0.90^{*}$", r"$0.90^\dagger$", r"$\mathbf{0.90}$", "0.90* ± 0.02"),
        *("0.90 (0.02)*", "0.90 ± 0.02 a", "0.90 g"),
    ],
)
def test_marks_of_footnotes_are_no_part_of_a_number(cell: str) -> None:
    number = number_in(cell)

    assert number is not None
    assert (number.value, number.unit) == (0.9, 0.01)


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "0.10/0.12",
            "0.80\u20130.85",
            "<0.01",
            "> 0.99",
            "~0.9",
            "≤0.5",
            "10⁵",
            "2<sup>24</sup>",
        ),
        *("0.9 or so", "-"),
    ],
)
def test_what_is_no_one_number_is_not_taken_for_one(cell: str) -> None:
    assert number_in(cell) is None


def test_floats_with_all_their_digits_are_numbers() -> None:
    number = number_in("0.5700000000000001")

    assert number is not None
    assert number.value == pytest.approx(0.57)


@pytest.mark.parametrize("cell", ["0.10/0.12", "0.80\u20130.85", "see text", "<0.01", "0.9 m"])
def test_a_class_whose_number_is_not_understood_is_a_class_of_unknown_score(cell: str) -> None:
    table = read(f"class,Dice\na,0.90\nb,{cell}\nc,0.50\nmacro,0.60\n")

    assert names(table) == ["a", "b", "c"]
    assert [len(row.scores) for row in table.classes] == [1, 0, 1]
    assert not_read(table) == {"b": f"'{cell}'"}


def test_a_shorter_row_without_a_number_is_a_class_of_unknown_score() -> None:
    table = read("class,recall,Dice\na,0.90,0.80\nb,0.10/0.12\n")

    assert names(table) == ["a", "b"]
    assert not_read(table) == {"b": "'0.10/0.12'"}


def test_what_a_mean_has_instead_of_a_number_is_said() -> None:
    table = read("class,Dice\na,0.90\nmacro,0.8/0.9\n\nmean Dice: see text\n")

    assert table.summaries == []
    assert not_read(table) == {"macro": "'0.8/0.9'", "mean Dice": "'see text'"}


@pytest.mark.parametrize(
    ("row", "scores"),
    [
        ("glomerulus 0.90 0.818", ("0.90", "0.818")),
        ("glomerulus 0.90  0.818", ("0.90", "0.818")),
        ("glomerulus 0.90 ± 0.01 0.818 ± 0.02", ("0.90±0.01", "0.818±0.02")),
        ("glomerulus - 0.818", (None, "0.818")),
        ("glomerulus 0.90/0.91 0.818", (None, "0.818")),
        ("glomerulus 0.90 a 0.818 b", (None, None)),
    ],
)
def test_a_row_of_aligned_text_may_have_single_spaces(
    row: str, scores: tuple[str | None, str | None]
) -> None:
    table = read(f"class        recall   Dice\n{row}\nsmall artery   0.50   0.50\n")

    assert names(table) == ["glomerulus", "small artery"]
    found = table.classes[0].scores
    assert tuple(found[m].text if m in found else None for m in ("recall", "dice")) == scores


def test_notes_below_a_table_are_no_classes() -> None:
    markdown = "| class | Dice |\n|-|-|\n| a | 0.9* |\n\nOf 5 runs, p < 0.05, n = 5\n"
    commas = "class,Dice\na,0.9*\n* p < 0.05, Wilcoxon of 5\n† better, n = 5\nNote: means, n = 5\n"

    assert names(read(markdown)) == ["a"]
    assert names(read(commas)) == ["a"]


@pytest.mark.parametrize(
    "name",
    [
        *("std", "SD", "± SD", "Std. dev.", "standard deviation", "mean SD", "Variance", "IQR"),
        *("95% CI", "95% CI lower", "CI_upper", "confidence interval", "glomerulus (SD)"),
        *("median", "Median (IQR)", "min", "MAX", "range", "best", "worst fold", "lower bound"),
        *("25%", "75th percentile", "Q1", "n", "N = 20", "number of images", "# images", "count"),
        *("support", "pixels", "images", "p-value", "p", "t-test", "kappa", "Cohen's kappa", "MCC"),
        *("samples avg", "mean (per image)", "HD95 (mm)", "mean surface distance", "AUC", "mAP"),
        *("overall loss", "specificity", "difference", "Dice", "macro vesicular", "FLOPs"),
    ],
)
def test_rows_of_spreads_counts_and_other_scores_are_no_classes(name: str) -> None:
    table = read(f"class,Dice,recall\na,0.90,0.90\n{name},0.30,0.30\nb,0.70,0.70\n")

    assert names(table) == ["a", "b"]
    assert table.summaries == []
    assert set(not_read(table)) == {name}


@pytest.mark.parametrize(
    "name",
    [
        *("artery", "median nerve", "impervious surface", "maxillary sinus", "minor calyx"),
        *("N. vagus", "mean-looking artery", "micro-vesicular", "total kidney", "1", "no tumour"),
        *("kappa light chain", "image artefact", "carcinoma in situ (CIS)", "macrophages", "ap-1"),
    ],
)
def test_classes_that_are_named_nearly_so_are_classes(name: str) -> None:
    assert names(read(f"class,Dice\na,0.90\n{name},0.30\n")) == ["a", name]


def test_a_large_count_does_not_make_scores_per_cent() -> None:
    table = read("class,Dice\na,0.90\nb,0.70\nn,120\nnumber of images,120\n")

    assert table.classes[0].scores["dice"].could_be.low == pytest.approx(0.895)


def test_numbers_below_a_class_without_a_name_are_not_of_another_class() -> None:
    table = read("| class | Dice |\n| a | 0.90 |\n| | 0.02 |\n| b | 0.70 |\n| | 0.03 |\n")

    assert names(table) == ["a", "b"]
    assert not_read(table) == {"a class without a name": "has no name, not checked"}


def test_columns_of_a_turned_table_are_told_apart_as_rows_are() -> None:
    table = read("| | a | b | macro | SD | range |\n|-|-|\n| Dice | .9 | .7 | .8 | .14 | .2 |\n")

    assert names(table) == ["a", "b"]
    assert [mean.name for mean in table.summaries] == ["macro dice"]
    assert set(not_read(table)) == {"SD", "range"}


def test_a_row_that_might_be_a_class_is_kept_as_one_that_might() -> None:
    table = read("class,Dice\na,0.90\nrange,0.20\n")

    assert [row.name for row in table.doubtful] == ["range"]
    assert table.doubtful[0].scores["dice"].text == "0.20"


@pytest.mark.parametrize(
    ("name", "averaging"),
    [
        ("Mean ± SD", "any"),
        ("Mean (SD)", "any"),
        ("Average of classes", "any"),
        ("Mean (n=2)", "any"),
        ("Mean (all)", "any"),
        ("Mean (w/o background)", "any"),
        ("mean foreground", "any"),
        ("foreground mean", "any"),
        ("macro mean ± SD", "macro"),
        ("macro-averaged", "macro"),
        ("macro foreground", "macro"),
        ("Macro (5 classes)", "macro"),
        ("weighted by pixels", "weighted"),
        ("<b>Mean</b>", "any"),
    ],
)
def test_usual_names_of_means_are_understood(name: str, averaging: str) -> None:
    table = read(f"class,Dice\na,0.90 ± 0.01\nb,0.70 ± 0.01\n{name},0.80 ± 0.04\n")

    assert names(table) == ["a", "b"]
    assert [mean.averaging for mean in table.summaries] == [averaging]
    assert why_no_class([name, "0.80 ± 0.04"]) == ""
    assert row_of_means(name)


@pytest.mark.parametrize(
    ("name", "classes", "said"),
    [
        ("Mean", ["background", "a"], "nothing"),
        ("Mean (all)", ["background", "a"], "nothing"),
        ("Mean (n=2)", ["background", "a"], "nothing"),
        ("mean incl. background", ["background", "a"], "nothing"),
        ("Mean (w/o background)", ["background", "a"], "surely"),
        ("Mean (w/o background)", ["0 (background)", "a"], "surely"),
        ("Mean (w/o background)", ["a", "b"], "perhaps"),
        ("mean foreground", ["glass", "a"], "surely"),
        ("average without stroma", ["stroma", "a"], "surely"),
        ("mean excluding b", ["a", "b"], "surely"),
        ("mean of kidney", ["a", "b"], "perhaps"),
    ],
)
def test_a_mean_says_whether_it_leaves_out_classes(
    name: str, classes: list[str], said: str
) -> None:
    assert leaves_out(name, classes) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("aAcc", ("recall", "accuracy")),
        ("mAcc", ("recall", "macro")),
        ("mIoU", ("iou", "macro")),
        ("mFscore", ("dice", "macro")),
        ("mPrecision", ("precision", "macro")),
        ("OA", ("recall", "accuracy")),
    ],
)
def test_short_names_of_means_are_understood(name: str, said: tuple[str, str]) -> None:
    assert summary_words(name) == said
    table = read(f"class,IoU,Acc\nbackground,97.1,98.9\nartery,66.9,77.1\n{name},82.0,\n")
    assert names(table) == ["background", "artery"]
    assert [(mean.measure, mean.averaging) for mean in table.summaries] == [said]


def test_a_mean_of_one_score_is_read_from_the_column_of_that_score() -> None:
    table = read("class,recall,Dice\na,0.9,0.8\nb,0.7,0.6\nmean Dice,0.8,0.7\n")

    assert [(mean.measure, mean.value.text) for mean in table.summaries] == [("dice", "0.7")]


def test_an_accuracy_of_some_classes_is_not_read() -> None:
    table = read("class,recall\nbackground,.99\na,.8\npixel accuracy (foreground),0.97\n")

    assert table.summaries == []


def test_scores_without_a_column_of_names_are_no_names() -> None:
    (row,) = read("Dice,IoU\n0.78,0.65\n").classes

    assert row.name == "a class without a name"
    assert [row.scores["dice"].text, row.scores["iou"].text] == ["0.78", "0.65"]
