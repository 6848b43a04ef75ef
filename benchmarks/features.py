"""Reading features: single pixels from memory-mapped maps, bands of rows, and the whole stack.

usage: features.py [--side 1024] [--repeats 7]

Last five blocks of a published network (496 channels). CPU milliseconds, medians; every way in one
run. `at` gathers 4096 random pixels; `band` makes 16 rows; `stack` upsamples everything.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hdgan.method.features import FeaturePyramid

CHANNELS = (128, 64, 32, 16, 8)
PIXELS = 4096


def written(folder: Path, side: int) -> FeaturePyramid:
    """A pyramid of random maps, mapped from files."""
    random = np.random.default_rng(0)
    maps = []
    for level, channels in enumerate(CHANNELS):
        size = side >> (len(CHANNELS) - 1 - level)
        for convolution in range(2):
            path = folder / f"{level}{convolution}.npy"
            np.save(path, random.normal(size=(size, size, channels)).astype(np.float16))
            maps.append(np.load(path, mmap_mode="r"))
    return FeaturePyramid(maps, side)


def milliseconds(work: Callable[[], object], repeats: int) -> float:
    """Median CPU time."""
    work()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(1000 * (time.process_time() - began))
    return statistics.median(times)


def main() -> None:
    """Print a row a way to read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args()
    random = np.random.default_rng(1)
    rows, columns = random.integers(0, chosen.side, size=(2, PIXELS))
    with tempfile.TemporaryDirectory() as folder:
        pyramid = written(Path(folder), chosen.side)
        ways: dict[str, tuple[Callable[[], object], int]] = {
            f"at, {PIXELS} pixels": (lambda: pyramid.at(rows, columns), PIXELS),
            "band, 16 rows": (lambda: pyramid.band(0, 16), 16 * chosen.side),
        }
        if chosen.side <= 1024:
            ways["stack, all rows"] = (pyramid.upsampled, chosen.side**2)
        print("| way | CPU ms | CPU us a pixel |")
        print("| --- | --- | --- |")
        for name, (work, pixels) in ways.items():
            spent = milliseconds(work, chosen.repeats)
            print(f"| {name} | {spent:.1f} | {1000 * spent / pixels:.2f} |", flush=True)


if __name__ == "__main__":
    main()
