"""The table of recipes/real_labels.sh.

usage: real_labels_results.py FOLDER    prints Markdown
"""

import sys
from pathlib import Path

import numpy as np

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation

ARMS = {
    "projection": "200 pairs, labels by projection",
    "gradient-matching": "200 pairs, labels by gradient matching",
    "sixteen": "the 16 labelled images themselves",
}


def main(folder: Path) -> None:
    """Print one row an arm."""
    draws = sorted(int(path.name.rpartition("-")[2]) for path in folder.glob("score-sixteen-*"))
    print(f"Draws of 16 labelled images: {len(draws)}. Mean, and the range over draws.\n")
    print("| a segmenter learns from | macro Dice on fold 0 | crops used | CPU seconds to label |")
    print("|---|---|---|---|")
    definition = ""
    for arm, words in ARMS.items():
        scores = [Evaluation.open(folder / f"score-{arm}-{draw}").overall()[0] for draw in draws]
        dice = np.array([score.value for score in scores]) * 100
        definition = scores[0].definition
        print(
            f"| {words} | {dice.mean():.1f} ({dice.min():.1f} to {dice.max():.1f}) "
            f"| {_crops(folder, arm, draws)} | {_seconds(folder, arm, draws)} |"
        )
    print(f"\nScore: {definition}")


def _crops(folder: Path, arm: str, draws: list[int]) -> str:
    """How many crops of real tiles the generator draws near enough."""
    if arm != "projection":
        return ""
    rows = [ClassifierFolder.open(folder / f"{arm}-{draw}").projections() for draw in draws]
    return ", ".join(f"{sum(row.accepted for row in each)} of {len(each)}" for each in rows)


def _seconds(folder: Path, arm: str, draws: list[int]) -> str:
    if arm == "sixteen":
        return ""
    seconds = [float((folder / f"{arm}-{draw}.seconds").read_text()) for draw in draws]
    return f"{np.mean(seconds):.0f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
