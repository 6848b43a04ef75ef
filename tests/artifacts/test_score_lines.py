"""Lines of a paste: which are of one table, and which are of another."""

import pytest

from hdgan.artifacts.score_table import score_table_of
from hdgan.errors import InputError
from hdgan.method.printed_scores import ScoreTable

ONE = "class,Dice\na,0.9\nb,0.7\nmacro,0.8\n"

MMSEGMENTATION = """2022-08-01 10:00:00,123 - mmseg - INFO - per class results:
2022-08-01 10:00:00,124 - mmseg - INFO -
+------------+-------+-------+
|   Class    |  IoU  |  Acc  |
+------------+-------+-------+
| background | 97.10 | 98.90 |
|   artery   | 66.90 | 77.10 |
+------------+-------+-------+
2022-08-01 10:00:00,125 - mmseg - INFO - Summary:
2022-08-01 10:00:00,125 - mmseg - INFO -
+-------+-------+-------+
|  aAcc |  mIoU |  mAcc |
+-------+-------+-------+
| 97.00 | 82.00 | 88.00 |
+-------+-------+-------+
"""


def read(text: str) -> ScoreTable:
    return score_table_of(text.encode(), "the table")


@pytest.mark.parametrize(
    ("second", "begins"),
    [
        ("class,Dice\na,0.5\nb,0.4\nmacro,0.45\n", r"class \| Dice"),
        ("\nclass,Dice\nc,0.5\n", r"class \| Dice"),
        ("\nclass,IoU\na,0.5\n", r"class \| IoU"),
        ("\nparameter,value\nlearning rate,0.01\n", r"parameter \| value"),
        ("\n,artery,vein\nDice,0.5,0.4\n", None),
    ],
)
def test_a_second_table_is_not_taken_for_more_rows(second: str, begins: str | None) -> None:
    with pytest.raises(InputError, match="the first begins with 'class \\| Dice'") as raised:
        read(ONE + second)

    assert "more than one table" in str(raised.value)
    assert "Give one at a time" in str(raised.value)
    if begins is not None:
        raised.match(f"the next with '{begins}'")


def test_two_reports_of_scikit_learn_are_two_tables() -> None:
    report = "       precision  recall  f1-score  support\n\n  a    0.80  0.75  0.77  100\n"

    assert len(read(report).classes) == 1
    with pytest.raises(InputError, match="more than one table"):
        read(report + "\n" + report)


def test_a_table_above_it_that_names_no_score_is_named() -> None:
    table = read("| Model | Size |\n| U-Net | 31 |\n\n| class | Dice |\n| a | 0.9 |\n")

    assert [row.name for row in table.classes] == ["a"]
    assert table.not_read == {"Size": ""}


@pytest.mark.parametrize(
    "text",
    [
        "class & Dice & IoU \\\\\na & 0.90 & 0.82 \\\\\n",
        "\\begin{tabular}{lc}\nclass & Dice \\\\ \\hline\na & 0.90 \\\\\n\\end{tabular}\n",
        "class & Dice \\\\\na & 0.90 \\\\\n\nmean Dice: 0.9\n",
    ],
)
def test_a_table_in_latex_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InputError, match="a LaTeX table, whose cells are parted by &"):
        read(text)


def test_an_ampersand_in_a_name_is_no_latex() -> None:
    assert [row.name for row in read("class,Dice\nA & B,0.9\n").classes] == ["A & B"]


def test_the_output_of_mmsegmentation_is_one_table_and_its_means() -> None:
    table = read(MMSEGMENTATION)

    assert [row.name for row in table.classes] == ["background", "artery"]
    assert [(mean.name, mean.averaging, mean.value.text) for mean in table.summaries] == [
        ("aAcc", "accuracy", "97.00"),
        ("mIoU", "macro", "82.00"),
        ("mAcc", "macro", "88.00"),
    ]
    assert not any(why for _, why in table.rows_not_read)


@pytest.mark.parametrize(
    "text",
    [
        "| aAcc | mIoU | mAcc |\n| 97.0 | 82.0 | 88.0 |\n",
        "| Scope | mIoU | mAcc | aAcc |\n| global | 82.0 | 88.0 | 97.0 |\n",
    ],
)
def test_a_block_of_means_has_no_class_named_by_a_number(text: str) -> None:
    table = read(text)

    assert table.classes == []
    assert sorted(mean.name for mean in table.summaries) == ["aAcc", "mAcc", "mIoU"]


def test_commas_may_be_followed_by_several_spaces() -> None:
    (row,) = read("class,   recall,   Dice\nsmall artery,   0.9,   0.8\n").classes

    assert row.name == "small artery"
    assert [score.text for score in row.scores.values()] == ["0.9", "0.8"]
