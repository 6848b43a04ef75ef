"""`hdgan check-scores`: no correct table is accused, whatever else stands in it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.artifacts.score_table import score_table_of
from hdgan.cli import main
from hdgan.method.score_consistency import consistency
from hdgan.pipeline import Fact

BESIDE = [
    *("std", "SD", "median", "95% CI lower", "p-value", "min", "max", "range", "kappa", "MCC"),
    *("best", "worst", "HD95", "IQR", "mean SD"),
]
"""Rows of no class, of numbers between 0 and 1."""


def made_of(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Fact]:
    (folder / "table.txt").write_text(text, encoding="utf-8")
    main(["check-scores", str(folder / "table.txt"), "--json"])
    found: dict[str, Fact] = json.loads(capsys.readouterr().out)
    return found


def test_it_says_which_rows_are_classes_and_which_are_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "class,Dice,HD95\na,0.90,3\nb,0.10/0.12,4\nmacro,0.50,-\nstd,0.3,1\n"

    made = made_of(text, tmp_path, capsys)

    assert made["read as classes"] == "a; b"
    assert made["not read"] == (
        "'HD95' (a distance, not checked); row b ('0.10/0.12'); row std (a spread, not checked)"
    )
    assert made["verdict"] == "can all be true"


def test_of_many_classes_the_first_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"class {i},0.9\n" for i in range(1, 71))

    made = made_of(f"class,Dice\n{rows}", tmp_path, capsys)

    assert made["classes"] == 70
    assert str(made["read as classes"]).endswith("class 60; and 10 more")


@pytest.mark.parametrize(
    "text",
    [
        "class,Dice\na,0.10†\nb,0.20\nc,0.30\nd,0.40\nmacro,0.25\n",
        "class,Dice\na,0.90\nb,0.10/0.12\nc,?\nd,0.1 to 0.3\nmacro,0.33\n",
        "class      recall  Dice\nglomerulus 0.90 0.818\nartery  0.50  0.50\nmacro  0.70  0.659\n",
        "class,Dice\na,0.90\nb,0.70\nmean,0.80\nstd,0.14\nn,120\nmedian,0.80\n",
        "class,Dice\na,0.90\nb,0.70\nrange,0.20\nmacro,0.60\n",
        "class,Dice\nglass,0.99\na,0.90\nb,0.70\nMean (all),0.863\nMean (w/o background),0.80\n",
        "class,Dice\nbackground,0.99\na,0.90\nb,0.70\nmacro foreground,0.80\n",
        "class,Dice\na,0.90\nb,0.70\nmacro foreground,0.80\n",
        "class,Dice,IoU\na,0.90,0.818\nb,0.70,0.538\nmacro mean ± SD,0.80 ± 0.1,0.678 ± 0.1\n",
        "class,recall,Dice,IoU\na,0.5,<0.01,0.002\n",
        "Class,IoU,Acc\nbg,97.1,98.9\na,66.9,77.1\naAcc,97.0,\nmIoU,82.0,\nmAcc,88.0,\n",
    ],
)
def test_a_correct_table_is_not_doubted(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = made_of(text, tmp_path, capsys)

    assert made["verdict"] == "can all be true", made


@pytest.mark.parametrize(
    "text",
    [
        "class,Dice\na,0.90\nb,0.70\nmacro,0.40\nstd,0.10\nn,120\n",
        "class,Dice\na,0.90\nb,0.70\nMacro mean ± SD,0.97 ± 0.04\n",
        "class,Dice\na,0.90\nb,0.70\nMacro (n=2),0.97\n",
        "class,Dice\nbackground,0.99\na,0.90\nb,0.70\nmacro (w/o background),0.20\n",
        "class,recall,Dice\na,0.50†,0.90 a\nb,?,?\n",
        "class,Dice,IoU\na,0.90,0.818\nb,0.70,0.538\nMean (all),0.80 ± 0.1,0.85\n",
        "Class,IoU,Acc\nbg,97.1,98.9\na,66.9,77.1\nmIoU,22.0,\n",
        "| Class | IoU |\n| bg | 97.1 |\n| a | 66.9 |\n\n| aAcc | mIoU |\n| 97.0 | 22.0 |\n",
        "class       recall  Dice\nglomerulus 0.50 0.90\nartery   0.50  0.50\n",
    ],
)
def test_an_impossible_table_is_still_found(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = made_of(text, tmp_path, capsys)

    assert made["verdict"] == "cannot all be true", made


@given(
    seed=st.integers(0, 9999),
    unreadable=st.lists(
        st.sampled_from(["0.1/0.2", "?", "<0.9", "0.1\u20130.9", "-", "†"]), max_size=3
    ),
    marked=st.sampled_from(["", "†", "*", " a", "<sup>1</sup>", " ± 0.01"]),
    beside=st.lists(st.sampled_from(BESIDE), unique=True, max_size=4),
    is_turned=st.booleans(),
)
def test_the_table_of_a_confusion_matrix_is_never_doubted(
    seed: int, unreadable: list[str], marked: str, beside: list[str], *, is_turned: bool
) -> None:
    random = np.random.default_rng(seed)
    matrix = random.integers(1, 1000, size=(4, 4)) + np.diag(random.integers(0, 3000, size=4))
    found, true, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    scores = np.stack([found / true, found / predicted, 2 * found / (true + predicted)], axis=1)
    names = ["background", "artery", "vein", "glomerulus"]
    rows = [
        [name, *(f"{s:.3f}{marked}" for s in of)] for name, of in zip(names, scores, strict=True)
    ]
    for cell in unreadable:
        rows[random.integers(4)][random.integers(1, 4)] = cell
    means = [("Macro mean ± SD", scores), ("macro w/o background", scores[1:])]
    rows += [[name, *(f"{s:.3f}" for s in of.mean(axis=0))] for name, of in means]
    rows += [[name, *(f"{s:.3f}" for s in random.random(3))] for name in beside]
    rows.insert(0, ["class", "recall", "precision", "Dice"])
    table = [list(column) for column in zip(*rows, strict=True)] if is_turned else rows
    text = "\n".join(" | ".join(["", *cells, ""]) for cells in table)

    read = score_table_of(text.encode(), "the table")

    assert [row.name for row in read.classes] == names
    assert len(read.summaries) == 6
    outcomes = consistency(read).checks
    assert [check.says for check in outcomes if check.outcome != "holds"] == []
