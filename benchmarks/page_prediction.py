"""The annotation page: seconds from a stroke to its prediction, memory, and superpixels.

usage: page_prediction.py [--rows SIDE[:ensemble] ...] [--strokes 5] [--threads 2]

Generators of the paper's width (channel base 32768, at most 512 channels) with random weights,
five classes; `ensemble` builds upon a classifier of ten members over the later half of the blocks.
Each row is a fresh process. `opened` is what asking for a tile takes before its first stroke:
drawing its features and asking the ensemble about every pixel. `stroke` is the median over some
strokes on that tile, while two other tiles are painted too, with as many pixels as are ever learned
from. `score` is what an idle page spends on another tile. `after` leaves out what lies in files
that are mapped into memory; `at most` counts it. 4096 and 4096:ensemble take minutes.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch

from hdgan.class_map import LabelMap
from hdgan.method.features import channels_of
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.superpixels import BLOCK_PX, superpixels
from hdgan.stages.annotate.drawn_tiles import DrawnTiles, Ensemble
from hdgan.stages.annotate.live import LivePredictor

ROWS = ("256", "256:ensemble", "1024", "1024:ensemble")
"""What is measured unless the user says otherwise."""

NUM_CLASSES = 5


@dataclass
class Painted:
    """A reading of a tile."""

    revision: int
    side: int

    def labels(self) -> LabelMap:
        """Broad strokes of all classes, one more a revision."""
        labels = np.full((self.side, self.side), 255, np.uint8)
        height = self.side // 32
        for i in range(min(10 + self.revision, 32)):
            labels[i * height : (i + 1) * height, : self.side // 2] = i % NUM_CLASSES
        return labels


def megabytes(key: str) -> float:
    """What this process holds, by a key of its status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - wall, time.process_time() - cpu


def predictor(side: int, *, has_ensemble: bool, scratch: Path) -> LivePredictor:
    """Networks with random weights."""
    torch.manual_seed(0)
    generator = Generator(NetworkShape(side)).eval().requires_grad_(requires_grad=False)
    num_blocks = (len(generator.shape.resolutions) + 1) // 2
    ensemble = None
    if has_ensemble:
        shape = ClassifierShape(channels_of(generator.shape, num_blocks), NUM_CLASSES)
        classifier = PixelClassifier(shape).eval().requires_grad_(requires_grad=False)
        ensemble = Ensemble(classifier, None, num_blocks)
    random = np.random.default_rng(0)
    latents = {
        str(i): random.normal(size=generator.shape.w_dim).astype(np.float32) for i in range(4)
    }
    tiles = DrawnTiles(generator, latents, num_blocks, ensemble, scratch)
    return LivePredictor(tiles, NUM_CLASSES, torch.device("cpu"))


def measured(row: str, num_strokes: int, num_threads: int) -> str:
    """The line of the table."""
    side, _, kind = row.partition(":")
    torch.set_num_threads(num_threads)
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch:
        made = predictor(int(side), has_ensemble=kind == "ensemble", scratch=Path(scratch))
        start = megabytes("VmRSS")
        painted = {str(i): Painted(1, int(side)) for i in range(3)}
        made.predict("0", painted)
        opened = seconds(lambda: made.predict("1", {}))
        made.predict("1", painted)
        strokes = []
        for i in range(num_strokes):
            painted["1"].revision = 2 + i
            strokes.append(seconds(lambda: made.predict("1", painted)))
        score = seconds(lambda: made.score("3", painted))
        disk = sum(path.stat().st_size for path in Path(scratch).rglob("*") if path.is_file())
        cells = [f"{wall:.1f} ({cpu:.1f})" for wall, cpu in (opened, *_medians(strokes), score)]
        held = f"{megabytes('RssAnon'):.0f} | {megabytes('VmHWM'):.0f} | {disk / 1e6:.0f}"
        made.close()
    return f"| {side} | {kind or 'none'} | {' | '.join(cells)} | {start:.0f} | {held} |"


def _medians(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    walls, cpus = zip(*pairs, strict=True)
    return [(median(walls), median(cpus))]


def of_superpixels() -> str:
    """Seconds a block, on smooth noise."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    block = np.kron(coarse, np.ones((8, 8, 1), np.uint8))[:BLOCK_PX, :BLOCK_PX]
    superpixels(block, 400)
    cpus = [seconds(lambda: superpixels(block, 400))[1] for _ in range(5)]
    return f"superpixels of 400 px in a block of {BLOCK_PX} px: {median(cpus):.2f} CPU s"


def main() -> None:
    """Print a row a generator, and what a block of superpixels takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", default=list(ROWS))
    parser.add_argument("--strokes", type=int, default=5, help="strokes of which the median counts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--row", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.row:
        print(measured(chosen.row, chosen.strokes, chosen.threads))
        return
    print(
        "| px | classifier | opened: wall s (CPU s) | stroke | score | MB before | after | at "
        "most | MB on disk |"
    )
    print("| --- " * 9 + "|", flush=True)
    for row in chosen.rows:
        own = ["--strokes", str(chosen.strokes), "--threads", str(chosen.threads), "--row", row]
        subprocess.run([sys.executable, "-m", "benchmarks.page_prediction", *own], check=True)
    print(of_superpixels())


if __name__ == "__main__":
    main()
