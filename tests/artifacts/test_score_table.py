"""Tables as people paste them, and what is no table."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.artifacts.score_table import score_table_of
from hdgan.artifacts.score_titles import column_of, known_column
from hdgan.artifacts.score_words import number_in, row_of_means, summary_words
from hdgan.errors import InputError
from hdgan.method.printed_scores import Interval, ScoreTable

MARKDOWN = """Table 1: **test set**

| class | Recall (%) | Dice | Pixels |
|:------|-----------:|:----:|-------:|
| glass | 93.4 | 0.95 | 1,200 |
| artery, small | 55.3 | 0.60 | - |

mean Dice: 0.78
"""

CSV = """class,Recall (%),Dice,Pixels
glass,93.4,0.95,"1,200"
"artery, small",55.3,0.60,-
mean Dice: 0.78
"""

TSV = (
    "class\tsensitivity [%]\tF1-score\tsupport\nglass\t93.4\t0.95\t1200\n"
    "artery, small\t55.3\t0.60\t-\nmean Dice 0.78\n"
)

ALIGNED = """
                 Recall (%)   DSC     px
glass              93.4       0.95    1200
artery, small      55.3       0.60    -
- mean Dice = 0.78
"""

TURNED = """
| | glass | artery, small |
|-|-|-|
| Recall | 93.4 % | 55.3 % |
| Dice | 0.95 | 0.60 |
| Pixels | 1200 | |

**mean Dice**: 0.78
"""

EUROPEAN = """class;Recall;Dice;Pixels
glass;93,4;0,95;1200
artery, small;55,3;0,60;-
mean Dice;0,78;;
"""


def read(text: str) -> ScoreTable:
    return score_table_of(text.encode(), "the table")


@pytest.mark.parametrize("text", [MARKDOWN, CSV, TSV, ALIGNED, TURNED])
def test_the_same_table_is_read_in_every_form(text: str) -> None:
    table = read(text)

    assert [row.name for row in table.classes] == ["glass", "artery, small"]
    glass, artery = table.classes
    assert glass.scores["recall"].could_be.low == pytest.approx(0.9335)
    assert glass.scores["recall"].could_be.high == pytest.approx(0.9345)
    assert glass.scores["dice"].could_be.low == pytest.approx(0.945)
    assert glass.pixels == Interval(1200.0, 1200.0)
    assert artery.pixels is None
    assert artery.scores["dice"].text == "0.60"
    (mean,) = table.summaries
    assert (mean.measure, mean.averaging, mean.value.text) == ("dice", "any", "0.78")


def test_numbers_may_have_a_decimal_comma() -> None:
    glass = read(EUROPEAN).classes[0]

    assert glass.scores["recall"].could_be.low == pytest.approx(0.9335)
    assert glass.scores["dice"].could_be.high == pytest.approx(0.955)


REPORT = """
              precision    recall  f1-score   support

      artery       0.80      0.75      0.77       100
       glass       0.96      0.97      0.97       600

    accuracy                           0.94       700
   macro avg       0.88      0.86      0.87       700
weighted avg       0.94      0.94      0.94       700
"""


def test_a_report_of_scikit_learn_is_understood() -> None:
    table = read(REPORT)

    assert [row.name for row in table.classes] == ["artery", "glass"]
    assert table.classes[0].scores["recall"].text == "0.75"
    accuracy, *means = table.summaries
    assert (accuracy.averaging, accuracy.value.text) == ("accuracy", "0.94")
    assert [mean.averaging for mean in means] == ["macro"] * 3 + ["weighted"] * 3
    assert means[2].value.text == "0.87"


def test_a_class_whose_numbers_are_missing_is_still_a_class() -> None:
    table = read("| class | recall |\n|-|-|\n| a | .90 |\n| b | - |\n| c | n/a |\n| mean | .70 |\n")

    assert [row.name for row in table.classes] == ["a", "b", "c"]
    assert [len(row.scores) for row in table.classes] == [1, 0, 0]


@pytest.mark.parametrize(
    ("title", "largest", "is_read"),
    [
        ("n", 90, False),
        ("count", 9_999, False),
        ("n", 10_000, True),
        ("support", 90, True),
        ("pixels", 90, True),
        ("n (pixels)", 90, True),
    ],
)
def test_small_counts_of_what_is_not_said_are_no_pixels(
    title: str, largest: int, *, is_read: bool
) -> None:
    table = read(f"class;Dice;{title}\nglass;0.9;{largest}\nartery;0.5;10\ntotal;-;20000\n")

    assert [row.pixels is not None for row in table.classes] == [is_read, is_read]


def test_images_beside_pixels_are_no_second_column_of_pixels() -> None:
    (glass,) = read("class;Dice;n;pixels\nglass;0.9;12;5000\n").classes

    assert glass.pixels == Interval(5000.0, 5000.0)


@pytest.mark.parametrize(
    ("header", "match"),
    [
        ("class;recall;Sens.", "the columns recall and Sens., which are both read as recall"),
        ("class;Acc.;accuracy", "the columns Acc. and accuracy, which are both read as recall"),
        ("class;Dice;F1", "the columns Dice and F1, which are both read as dice"),
        ("class;support;pixels", "the columns support and pixels, which are both read as pixels"),
    ],
)
def test_two_columns_of_one_score_are_refused(header: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        read(f"{header}\nartery;0.5;0.9\n")


def test_the_average_precision_of_a_ranking_is_no_mean_of_precisions() -> None:
    rows = "class;precision\nartery;0.5\nglass;0.6\n"

    assert read(f"{rows}mean average precision: 0.93\nmAP: 0.93\nAP 0.9\n").summaries == []
    assert read(f"{rows}mean average precision;0.93\n").summaries == []
    assert [mean.measure for mean in read(f"{rows}average;0.55\n").summaries] == ["precision"]


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [
        (REPORT, True),
        (REPORT.replace("0.94       700\n   macro", "0.94       900\n   macro"), False),
        (REPORT.replace("    accuracy                ", "   micro avg   0.95   0.94  "), False),
        ("class;recall;pixels\nglass;.9;500\nartery;.5;100\n", False),
        ("class;recall;pixels\nglass;.9;500\nartery;.5;100\nall pixels;-;600\n", True),
        ("class;recall;pixels\nglass;.9;500\nartery;.5;100\ntotal;-;700\n", False),
        ("class;recall;pixels\nvein;.9;500\nartery;.5;100\ntotal;-;600\n", False),
        ("class;recall;pixels\nglass;.9;500\nartery;.5;100\naccuracy;.83;.83\n", False),
        ("class;recall;pixels\nglass;.9;-\nartery;.5;100\n", False),
        ("class;recall\nglass;.9\nartery;.5\n", False),
    ],
)
def test_a_table_is_whole_if_its_pixels_say_so(text: str, *, is_whole: bool) -> None:
    assert read(text).is_whole is is_whole


@pytest.mark.parametrize(
    ("cell", "value", "unit"),
    [
        ("0.93", 0.93, 0.01),
        (".9", 0.9, 0.1),
        ("93,4 %", 93.4, 0.1),
        ("118M", 118e6, 1e6),
        ("118,213,413", 118213413.0, 1.0),
        ("118 213 413", 118213413.0, 1.0),
        ("0,934", 0.934, 0.001),
        ("**0.93**", 0.93, 0.01),
        ("0.93 ± 0.02", 0.93, 0.01),
        ("0.93 (0.90-0.95)", 0.93, 0.01),
        ("-0.1", -0.1, 0.1),
        ("1.2e3", 1200.0, 100.0),
        (r"$0.93 \pm 0.02$", 0.93, 0.01),
        (r"93.4\%", 93.4, 0.1),
    ],
)
def test_a_number_says_its_value_and_what_its_last_digit_counts(
    cell: str, value: float, unit: float
) -> None:
    number = number_in(cell)

    assert number is not None
    assert number.value == pytest.approx(value)
    assert number.unit == pytest.approx(unit)


@pytest.mark.parametrize(
    ("cell", "has_sign"),
    [
        ("0.9 %", True),
        (r"0.9\%", True),
        ("0.9 \u00b1 0.1 %", True),
        ("0.9 (95 % CI)", False),
        ("0.9", False),
    ],
)
def test_a_per_cent_sign_counts_behind_the_spread_as_well(cell: str, *, has_sign: bool) -> None:
    number = number_in(cell)

    assert number is not None
    assert number.has_sign is has_sign


@pytest.mark.parametrize("cell", ["", "-", "n/a", "nan", "inf", "1e999", "artery", ".", "3 runs"])
def test_what_is_no_number_is_none(cell: str) -> None:
    assert number_in(cell) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("accuracy", ("recall", "accuracy")),
        ("overall accuracy", ("recall", "accuracy")),
        ("pixel accuracy", ("recall", "accuracy")),
        ("mean pixel accuracy", ("recall", "any")),
        ("micro recall", ("recall", "micro")),
        ("mean precision", ("precision", "any")),
        ("mean average precision", None),
        ("average precision", None),
        ("mAP (mean precision)", None),
        ("mean accuracy", ("recall", "any")),
        ("balanced accuracy", ("recall", "macro")),
        ("mIoU", ("iou", "macro")),
        ("macro F1", ("dice", "macro")),
        ("Dice (micro)", ("dice", "micro")),
        ("frequency-weighted IoU", ("iou", "weighted")),
        ("average Dice", ("dice", "any")),
        ("Dice, macro, image mean", None),
        ("artery", None),
        ("Dice", None),
    ],
)
def test_words_say_which_mean_is_meant(words: str, said: tuple[str, str] | None) -> None:
    assert summary_words(words) == said


def test_a_class_whose_name_has_a_word_of_means_is_a_class() -> None:
    assert not row_of_means("mean-looking artery")
    assert row_of_means("Macro avg.")
    assert known_column("Class-wise accuracy (%)") == "recall"


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"a" * 1_000_001, "larger than 1 MB"),
        (b"a\n" * 1001, "1,001 lines"),
        (b"a" * 10_001, "10,001 characters"),
        (b"hello", "no score that is understood"),
        (b"", "no score that is understood"),
        (b"class,recall,dice\nartery,0.9\n", "the row artery has 2 cells, but the header has 3"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(data: bytes, match: str) -> None:
    with pytest.raises(InputError, match=match):
        score_table_of(data, "the table")


@given(text=st.text(alphabet="ab01.,;:|%-+ \t\n\"'()recalldice\x00\x1b±", max_size=300))
def test_any_text_is_a_table_or_one_error(text: str) -> None:
    with suppress(InputError):
        table = read(text)
        assert table.classes or table.summaries


@pytest.mark.parametrize(
    ("title", "measure"),
    [
        ("Sens.", "recall"),
        ("SEN (%)", "recall"),
        ("Rec.", "recall"),
        ("Acc. [%]", "recall"),
        ("Prec.", "precision"),
        ("PPV", "precision"),
        ("DSC", "dice"),
        ("DSC (%)", "dice"),
        ("DSC in %", "dice"),
        ("Dice \u2191", "dice"),
        ("Dice $\\uparrow$", "dice"),
        ("**F1**", "dice"),
        ("F\u2081", "dice"),
        ("Dice \u00b1 SD", "dice"),
        ("Dice (mean \u00b1 std)", "dice"),
        ("Jacc.", "iou"),
        ("mIoU (%)", "iou"),
        ("mean IoU", "iou"),
        ("mDice", "dice"),
    ],
)
def test_usual_abbreviations_are_understood(title: str, measure: str) -> None:
    assert column_of(title).measure == measure


@pytest.mark.parametrize(
    ("title", "why"),
    [
        ("HD95 \u2193", "a distance, not checked"),
        ("95% HD", "a distance, not checked"),
        ("ASSD (mm)", "a distance, not checked"),
        ("Spec.", "counts what is not of the class, not checked"),
        ("AUC", "a score of a ranking, not checked"),
        ("mean average precision", "a score of a ranking, not checked"),
        ("\u00b1", "a spread, not checked"),
        ("Dice SD", "a spread, not checked"),
        ("loss at the end", "a loss is no score"),
        ("Dice loss", "a loss is no score"),
        ("Dice (loss at the end)", "a loss is no score"),
        ("1 - Dice", "an error is no score"),
        ("Params (M)", ""),
        ("mean pixels", ""),
    ],
)
def test_what_is_no_score_of_counts_is_not_read_and_says_why(title: str, why: str) -> None:
    column = column_of(title)

    assert column.measure is None
    assert column.why_not == why


def test_a_table_says_what_each_column_was_read_as_and_which_were_not() -> None:
    table = read(
        "| Method | DSC (%) | Sens. | HD95 \u2193 | Params (M) |  | loss at the end |\n"
        "| U-Net | 91.2 \u00b1 0.4 | 0.90 | 3.1 | 31.0 | 1 | 0.912 |\n"
    )

    assert table.read_as == {"DSC (%)": "Dice", "Sens.": "recall"}
    assert table.not_read == {
        "HD95 \u2193": "a distance, not checked",
        "Params (M)": "",
        "column 6": "",
        "loss at the end": "a loss is no score",
    }
    assert table.classes[0].scores.keys() == {"dice", "recall"}
    assert table.classes[0].scores["dice"].could_be.low == pytest.approx(0.9115)


def test_an_accuracy_beside_a_recall_and_a_mean_beside_its_score_are_not_read() -> None:
    table = read("class;Rec.;Acc.;IoU;mIoU\nartery;0.5;0.9;0.4;0.7\n")

    assert table.read_as == {"Rec.": "recall", "IoU": "IoU"}
    assert table.not_read == {
        "Acc.": "beside a recall, the accuracy of a class against all others",
        "mIoU": "a mean beside the score itself",
    }
    assert table.classes[0].scores["recall"].text == "0.5"
    assert table.classes[0].scores["iou"].text == "0.4"


def test_spreads_in_a_column_of_their_own_are_not_read() -> None:
    table = read("class;Dice;\u00b1;IoU;\u00b1\nglass;0.9;0.02;0.82;0.03\n")

    assert table.not_read == {"\u00b1": "a spread, not checked"}
    assert table.classes[0].scores["iou"].text == "0.82"


@pytest.mark.parametrize(("cell", "is_read"), [("0.91 (0.02)", True), ("0.02", False)])
def test_a_column_of_a_deviation_is_read_only_if_its_cells_have_the_score_too(
    cell: str, *, is_read: bool
) -> None:
    table = read(f"class;recall;Dice (SD)\nglass;0.9;{cell}\n")

    assert ("dice" in table.classes[0].scores) is is_read
    assert ("Dice (SD)" in table.not_read) is not is_read


def test_an_interval_of_95_per_cent_does_not_make_a_column_one_of_per_cent() -> None:
    table = read("class;Dice (95% CI)\nglass;0.91 (0.90-0.92)\n")

    assert table.classes[0].scores["dice"].could_be.low == pytest.approx(0.905)


def test_small_counts_say_that_they_may_be_of_images() -> None:
    assert read("class;Dice;n\nglass;0.9;12\n").not_read == {"n": "may count images"}


def test_rows_of_a_turned_table_that_are_no_scores_are_named() -> None:
    table = read("| | glass | artery |\n| HD95 | 3 | 4 |\n| Dice | .95 | .60 |\n| mIoU | .7 | |\n")

    assert [row.name for row in table.classes] == ["glass", "artery"]
    assert [row.scores.keys() for row in table.classes] == [{"dice"}, {"dice"}]
    assert table.not_read == {"HD95": "a distance, not checked", "mIoU": ""}


def test_a_table_that_names_no_score_is_not_dropped_in_silence() -> None:
    table = read("mean Dice: 0.9\n\n| Model | Size | Speed |\n| U-Net | 31 | 12 |\n")

    assert [mean.value.text for mean in table.summaries] == ["0.9"]
    assert table.not_read == {"Size": "", "Speed": ""}
    with pytest.raises(InputError, match=r"no score .* Its columns are Size, Speed\.$"):
        read("| Model | Size | Speed |\n| U-Net | 31 | 12 |\n")


def test_scores_below_each_other_without_classes_are_no_classes() -> None:
    with pytest.raises(InputError, match="no score that is understood"):
        read("Dice | 0.78\nIoU | 0.65\n")


@pytest.mark.parametrize(
    "words", ["mean Dice loss", "average loss (Dice)", "mean error of recall", "overall loss"]
)
def test_a_mean_of_losses_is_no_mean_of_scores(words: str) -> None:
    assert summary_words(words) is None
    assert summary_words("mean Sens.") == ("recall", "any")
    assert summary_words("mDice") == ("dice", "any")
