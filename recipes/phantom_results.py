"""The table and picture of recipes/phantom.sh and recipes/phantom_small.sh.

usage: python -m recipes.phantom_results FOLDER [PICTURES]

Prints Markdown; writes a picture if told where.
"""

import math
import sys
from pathlib import Path

import numpy as np
from recipes.nuclei_results import save

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import painted
from hdgan.report.grids import grid

TESTS = {
    "16 drawings": Path(),
    "500 more": Path("more"),
}
NUM_SHOWN = 8


def mean(values: list[float]) -> float:
    """Of the classes that occur."""
    return float(np.mean([value for value in values if not math.isnan(value)]))


def table(folder: Path) -> str:
    """A row a test and preset that was run."""
    lines: list[str] = []
    for preset in ("default", "authors-code", "paper"):
        if not (folder / f"evaluation-{preset}").is_dir():
            continue
        for name, place in TESTS.items():
            evaluation = Evaluation.open(folder / place / f"evaluation-{preset}")
            scores = evaluation.classes()
            if not lines:
                header = ["preset", "scored on", "macro Dice", "class-mean accuracy"]
                header += [score.name for score in scores]
                lines += [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
            recalls = [score.recall for score in scores]
            numbers = [evaluation.overall()[0].value, mean(recalls), *recalls]
            cells = " | ".join(f"{100 * number:.1f}" for number in numbers)
            lines.append(f"| `{preset}` | {name} | {cells} |")
    return "\n".join(lines)


def write_picture(folder: Path, target: Path) -> None:
    """The first annotated drawings and what the rule says of them."""
    target.mkdir(parents=True, exist_ok=True)
    samples = SampleSet.open(folder / "samples")
    annotations = AnnotationSet.open(folder / "annotations")
    by_name = {record.sample: record for record in samples.records()}
    chosen = annotations.records()[:NUM_SHOWN]
    images = [samples.image(by_name[record.image]) for record in chosen]
    images += [painted(annotations.labels(record), annotations.class_map) for record in chosen]
    halves = [image[::2, ::2] for image in images]
    save(grid(halves, columns=NUM_SHOWN), target / "phantom-context.png", zoom=1)


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        write_picture(folder, Path(sys.argv[2]))
    print(table(folder))


if __name__ == "__main__":
    main()
