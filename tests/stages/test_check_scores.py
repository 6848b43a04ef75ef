"""`hdgan check-scores`, from the command line."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import classification_report

from hdgan.cli import main

TRUE = "class,recall,precision,dice\nglass,0.9,0.8,0.847\nartery,0.5,0.5,0.5\n"
FALSE = "class,recall,dice\nglass,0.5,0.9\n"


def printed(capsys: pytest.CaptureFixture[str], *tokens: object) -> str:
    main(["check-scores", *map(str, tokens)])
    return capsys.readouterr().out


def test_a_table_that_can_be_true_is_said_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.csv").write_text(TRUE)

    text = printed(capsys, tmp_path / "table.csv")

    assert text.startswith(f"scores in {tmp_path / 'table.csv'}")
    assert text.rstrip().endswith("can all be true")
    assert "cannot" not in text


def test_a_table_that_cannot_be_true_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.csv").write_text(FALSE)

    text = printed(capsys, tmp_path / "table.csv")

    assert "cannot all be true" in text
    assert "glass: Dice 0.9 is more than" in text


def test_a_table_can_be_pasted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FALSE.encode())))

    made = json.loads(printed(capsys, "-", "--json"))

    assert made["verdict"] == "cannot all be true"
    assert made["classes"] == 1


def test_it_says_what_was_read_and_what_was_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.csv").write_text(
        "Model,Dice \u2191,Rec.,HD95 \u2193,Params (M)\nU-Net,0.84,0.9,3.1,31\n"
    )

    made = json.loads(printed(capsys, tmp_path / "table.csv", "--json"))

    assert made["read"] == "'Dice \u2191' as Dice; 'Rec.' as recall"
    assert made["not read"] == "'HD95 \u2193' (a distance, not checked); 'Params (M)'"


def test_lines_without_a_table_have_no_columns_to_speak_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.txt").write_text("mean Dice: 0.80\n")

    text = printed(capsys, tmp_path / "table.txt")

    assert "read" not in text


def test_last_digits_may_have_been_cut_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.csv").write_text("class,recall,dice\nglass,0.500,0.668\n")

    rounded = printed(capsys, tmp_path / "table.csv")
    cut = printed(capsys, tmp_path / "table.csv", "--last-digit", 1.5)

    assert "cannot all be true" in rounded
    assert "cannot" not in cut


@pytest.mark.parametrize("seed", range(3))
def test_a_report_that_scikit_learn_prints_can_be_true(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(seed)
    truth = random.choice(["artery", "glass", "tubule"], size=300, p=[0.1, 0.3, 0.6])
    predicted = np.where(random.random(300) < 0.7, truth, random.permutation(truth))
    (tmp_path / "report.txt").write_text(str(classification_report(truth, predicted, digits=3)))

    text = printed(capsys, tmp_path / "report.txt")

    assert "scores over all classes  7" in text
    assert text.rstrip().endswith("verdict                  can all be true")
    assert "fails" not in text


def test_a_report_of_some_labels_is_not_doubted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then scikit-learn prints `micro avg`, of which recall and precision differ."""
    truth = np.repeat(["artery", "glass", "tubule"], [30, 90, 180])
    predicted = np.where(np.arange(300) % 4 == 0, "tubule", truth)
    predicted[-9:] = "artery"
    report = str(classification_report(truth, predicted, labels=["artery", "glass"], digits=3))
    assert "micro avg      0.909     0.750" in report
    (tmp_path / "report.txt").write_text(report)

    assert "fails" not in printed(capsys, tmp_path / "report.txt")


@pytest.mark.parametrize(
    "text",
    [
        "class,recall,precision,Dice\nartery,.80,.80,.80\naccuracy: 0.98\n",
        "class,IoU\nartery,.80\nvein,.70\nmIoU: 0.83\n",
        "class | recall\na | .90\nb | -\nmean recall: .70\n",
        "class,Dice,n\nglass,.90,10\nartery,.50,90\nweighted Dice: .86\n",
        "class,precision\nglass,.90\nartery,.50\nmean average precision: 0.93\n",
        "pixel accuracy: 0.95\nmean pixel accuracy: 0.80\n",
    ],
)
def test_a_table_that_may_be_right_is_not_called_impossible(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.txt").write_text(text)

    assert "cannot all be true" not in printed(capsys, tmp_path / "table.txt")


def test_the_example_of_the_documentation_is_found_as_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "check-scores.md").read_text()
    example = page.split("```text\n| class")[1].split("```")[0]
    (tmp_path / "table.md").write_text("| class" + example)

    text = printed(capsys, tmp_path / "table.md")

    assert "micro Dice 0.92 does not fit the classes" in text
    assert "0.6096 to 0.7061" in text
    assert "cannot all be true" in text
    assert "whitespace 0.9345" in text


def test_an_iou_above_dice_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "table.txt").write_text("mean Dice: 0.80\nmean IoU: 0.90\n")

    assert "cannot all be true" in printed(capsys, tmp_path / "table.txt")


def test_names_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "table.csv").write_text("class,recall,dice\n\x1b[2Jglass,0.5,0.9\n")

    assert "\x1b" not in printed(capsys, tmp_path / "table.csv")


def test_a_table_that_is_not_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["check-scores", str(tmp_path / "none.csv")])

    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("hdgan: There is no file")
