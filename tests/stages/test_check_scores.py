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
