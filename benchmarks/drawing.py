"""CPU seconds and memory of drawing one image with the usual widths, whole and band by band.

usage: drawing.py [--sides 1024 4096] [--ways whole banded] [--repeats 3] [--band-px 64]

Channel base 32768, at most 512 channels, random weights, constant noise, one thread, each row in a
fresh process. Whole: one float image from the network; banded: the same image, band by band. CPU
seconds are medians over the repeats after a first drawing (from 2048 px the first and only one);
memory is the peak over what the process held before drawing.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

from hdgan.method.stylegan.bands import BAND_PX, bands
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator

REPEATED_BELOW_PX = 2048


def megabytes() -> float:
    """The largest memory that this process has held, without what the one that began it held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def measured(side: int, way: str, repeats: int, band_px: int) -> tuple[float, float, float]:
    """CPU seconds of the first drawing, median of the others, peak megabytes over the start."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = Generator(NetworkShape(side)).eval().requires_grad_(requires_grad=False)
    for layer in generator.synthesis.convolutions:
        layer.noise_strength.fill_(0.1)
    ws, noise = generator.styles(torch.randn(1, 512)), generator.synthesis.constant_noise()
    start = megabytes()
    seconds = []
    for _ in range(1 + (repeats if side < REPEATED_BELOW_PX else 0)):
        began = time.process_time()
        if way == "whole":
            generator.synthesis(ws, noise)
        else:
            for _band in bands(generator.synthesis, ws, noise, band_px=band_px):
                pass
        seconds.append(time.process_time() - began)
    return seconds[0], statistics.median(seconds[1:] or seconds), megabytes() - start


def main() -> None:
    """Print a row an image and way to draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--ways", nargs="+", choices=["whole", "banded"], default=None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--band-px", type=int, default=BAND_PX)
    parser.add_argument("--row", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    ways = chosen.ways or ["whole", "banded"]
    if chosen.row:
        first, usual, peak = measured(chosen.sides[0], ways[0], chosen.repeats, chosen.band_px)
        print(f"| {chosen.sides[0]} | {ways[0]} | {first:.2f} | {usual:.2f} | {peak:.0f} |")
        return
    print("| px | drawn | CPU s, first | CPU s | peak MB over the start |")
    print("| --- | --- | --- | --- | --- |", flush=True)
    for side in chosen.sides:
        for way in ways:
            own = ["--sides", str(side), "--ways", way, "--repeats", str(chosen.repeats)]
            own += ["--band-px", str(chosen.band_px), "--row"]
            subprocess.run([sys.executable, __file__, *own], check=True)


if __name__ == "__main__":
    main()
