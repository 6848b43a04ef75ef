"""Draw phantom tissue: images, the truth about them, and a table of them.

usage: draw_phantoms.py OUTPUT COUNT SIDE_PX [--coding colour|context] [--stains STAIN ...]
                        [--centres CENTRE ...] [--patients N] [--seed SEED]

Writes `images/`, `labels/` and `slides.csv`, which `hdgan tile --table` reads. Every patient has
about equally many tiles, all of one stain and one centre. Without options the tiles are
context-coded, of 25 patients, in `rose`, from `home`. Tiles of another seed are other tiles of
the same patients.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from PIL import Image

from hdgan.method.phantom.centre import Centre
from hdgan.method.phantom.drawing import Phantom, draw_phantom
from hdgan.method.phantom.tissue import Coding, Stain

COLUMNS = ("slide", "patient", "stain", "centre")

SEEDS_APART = 1_000_000
"""Tiles that a seed has before those of the next begin."""


@dataclass(frozen=True)
class Cohort:
    """Patients, and what they were stained with and scanned at."""

    side_px: int
    coding: Coding
    stains: Sequence[Stain]
    centres: Sequence[Centre]
    patients: int
    seed: int

    def stain(self, patient: int) -> Stain:
        """A patient's stain."""
        return self.stains[patient % len(self.stains)]

    def centre(self, patient: int) -> Centre:
        """A patient's centre; each stain goes round all of them."""
        return self.centres[patient // len(self.stains) % len(self.centres)]

    def drawn(self, i: int) -> Phantom:
        """Tile i."""
        patient = i % self.patients
        return draw_phantom(
            self.side_px,
            self.stain(patient),
            patient=patient,
            seed=self.seed * SEEDS_APART + i,
            coding=self.coding,
            centre=self.centre(patient),
        )

    def row(self, i: int) -> tuple[str, str, str, str]:
        """What the table says of tile i."""
        patient = i % self.patients
        name = f"patient{patient:02d}"
        return f"{name}_{i:05d}.png", name, self.stain(patient), self.centre(patient)


def write(cohort: Cohort, output: Path, count: int) -> None:
    """Draw and write; the table comes last."""
    for kind in ("images", "labels"):
        (output / kind).mkdir(parents=True, exist_ok=True)
    rows = [cohort.row(i) for i in range(count)]
    for i, (name, *_) in enumerate(rows):
        phantom = cohort.drawn(i)
        for kind, pixels in (("images", phantom.image), ("labels", phantom.labels)):
            Image.fromarray(pixels).save(output / kind / name)
    with (output / "slides.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


def main(tokens: Sequence[str] | None = None) -> None:
    """Draw what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("side_px", type=int)
    parser.add_argument("--coding", choices=get_args(Coding), default="context")
    parser.add_argument("--stains", choices=get_args(Stain), nargs="+", default=["rose"])
    parser.add_argument("--centres", choices=get_args(Centre), nargs="+", default=["home"])
    parser.add_argument("--patients", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    given = vars(parser.parse_args(tokens))
    output, count = given.pop("output"), given.pop("count")
    write(Cohort(**given), output, count)


if __name__ == "__main__":
    main()
