"""The exact rule as annotator: label maps of generated context-coded phantoms.

usage: read_phantoms.py SAMPLES OUTPUT

Prints on how many of their pixels it abstains, and how well it reads drawn tissue.
"""

import sys
from pathlib import Path

import numpy as np

from hdgan.artifacts.images import png_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.writing import write_atomically
from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.method.metrics import confusion_matrix, overall_scores
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.phantom.oracle import read_labels

NUM_QUALIFYING = 50
"""Drawn tiles on which the rule must prove itself."""


def qualified(side_px: int) -> float:
    """Macro Dice of the rule on drawn tissue whose truth is known; abstaining counts as wrong."""
    matrices = []
    for i in range(NUM_QUALIFYING):
        phantom = draw_phantom(side_px, "rose", patient=i, seed=i, coding="context")
        read = read_labels(phantom.image, "context")
        wrong = (phantom.labels + 1) % len(KIDNEY)
        read = np.where(read == UNLABELLED, wrong, read).astype(np.uint8)
        matrices.append(confusion_matrix(phantom.labels, read, len(KIDNEY)))
    return overall_scores(matrices)[0].value


def main(samples: Path, output: Path) -> None:
    """Read every sample, and report."""
    sample_set = SampleSet.open(samples)
    abstained = []
    for record in sample_set.records():
        image = sample_set.image(record)
        labels = read_labels(image, "context")
        abstained.append(float((labels == UNLABELLED).mean()))
        write_atomically(output / f"{record.sample}.png", png_of(labels))
    print(
        f"The rule's macro Dice on drawn tissue is {100 * qualified(image.shape[0]):.1f} %. It "
        f"abstains on {100 * np.mean(abstained):.1f} % of the pixels of {len(abstained)} generated "
        "tiles."
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
