"""The exact rule as annotator: label maps of generated phantoms.

usage: read_phantoms.py SAMPLES OUTPUT [--coding colour|context] [--stains STAIN ...]

SAMPLES is what `hdgan sample` made, --stains what its generator has learned (without it, any).
Prints how well the rule reads drawn tissue, and on how many pixels of SAMPLES it abstains; a rule
that does not qualify writes nothing.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from hdgan.artifacts.images import png_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.writing import write_atomically
from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.method.phantom.oracle import read_labels
from hdgan.method.phantom.qualification import MOST_ABSTAINED, qualification
from hdgan.method.phantom.tissue import PALETTES, Coding, Stain

NUM_QUALIFYING = 50
"""Drawn tiles of each stain on which the rule must prove itself."""


def check_rule(side_px: int, coding: Coding, stains: Sequence[Stain]) -> None:
    """Print how well the rule reads each stain, and stop if one of them not well enough."""
    for stain in stains or tuple(PALETTES):
        found = qualification(side_px, stain, coding, stains=stains, num_tiles=NUM_QUALIFYING)
        print(
            f"The rule's macro Dice on {found.num_tiles} drawn tiles in {stain} is "
            f"{100 * found.dice:.1f} %; needed are {100 * found.needed:.0f} %."
        )
        if not found.qualifies:
            sys.exit("read_phantoms: the rule does not qualify, so nothing was labelled.")


def write_labels(samples: SampleSet, output: Path, coding: Coding, stains: Sequence[Stain]) -> None:
    """Read every sample, and say how much was left out."""
    abstained, occurring = [], set[int]()
    for record in samples.records():
        labels = read_labels(samples.image(record), coding, stains)
        abstained.append(float((labels == UNLABELLED).mean()))
        occurring |= set(np.unique(labels).tolist()) - {UNLABELLED}
        write_atomically(output / f"{record.sample}.png", png_of(labels))
    missing = [name for i, name in enumerate(KIDNEY.names) if i not in occurring]
    print(
        f"It abstains on {100 * np.mean(abstained):.1f} % of the pixels of {len(abstained)} "
        f"generated tiles (allowed: {100 * MOST_ABSTAINED:.0f} %). "
        f"Classes that it never found: {', '.join(missing) or 'none'}."
    )


def main(tokens: Sequence[str] | None = None) -> None:
    """Qualify, read, and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--coding", choices=get_args(Coding), default="context")
    parser.add_argument("--stains", choices=get_args(Stain), nargs="+", default=[])
    arguments = parser.parse_args(tokens)
    samples = SampleSet.open(arguments.samples)
    side_px = samples.image(samples.records()[0]).shape[0]
    check_rule(side_px, arguments.coding, arguments.stains)
    write_labels(samples, arguments.output, arguments.coding, arguments.stains)


if __name__ == "__main__":
    main()
