"""The tables and pictures of recipes/kidney.sh.

usage: python -m recipes.kidney_results FOLDER [PICTURES]

Prints Markdown; writes pictures if told where.
"""

import sys
from pathlib import Path

import numpy as np
from recipes.nuclei_results import classifier_table, pairs_picture, quality, save

from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.image_quality import DISTANCES, ImageQualityFolder
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.report.grids import grid


def mixture(labels: np.ndarray) -> float:
    """How evenly a label map is shared among classes: the entropy of their parts, nats."""
    parts = np.bincount(labels.ravel()) / labels.size
    return -float((parts[parts > 0] * np.log(parts[parts > 0])).sum())


def write_pictures(folder: Path, target: Path) -> None:
    """Drawings, pairs and distances; no real image, nor a cut of one."""
    target.mkdir(parents=True, exist_ok=True)
    samples = SampleSet.open(folder / "samples")
    drawn = [samples.image(record) for record in samples.records()[:24]]
    save(grid(drawn, columns=8), target / "kidney-drawn.png")
    # Of the first forty pairs the eight that are shared most evenly among the classes.
    picture = pairs_picture(PairSet.open(folder / "pairs"), mixture)
    save(picture, target / "kidney-pairs.png")
    distances = ImageQualityFolder.open(folder / "quality").read(DISTANCES)
    (target / "kidney-distances.svg").write_bytes(distances)


def main() -> None:
    """Print the tables."""
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        write_pictures(folder, Path(sys.argv[2]))
    progress = GeneratorFolder.open(folder / "generator").progress()[-1]
    print(f"Generator: {progress.images:,} images shown in its last training.\n")
    print(quality(folder))
    expert = Evaluation.open(folder / "expert-score").overall()[0]
    print(f"The simulated expert on real images of fold 4: {expert.value * 100:.1f} per cent.\n")
    print("Ensemble against the expert on 16 test drawings (per cent):\n")
    print(classifier_table(folder))


if __name__ == "__main__":
    main()
