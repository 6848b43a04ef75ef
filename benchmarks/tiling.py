"""Tiles a second of `hdgan tile` on a made slide, beside plain decoding of the file's JPEG tiles.

usage: tiling.py [--size 40000 30000] [--side-px 4096] [--ways WAY ...] [--slide FILE]

Makes a pyramidal TIFF of JPEG tiles of 512 pixels (quality 85, four colour samples a pixel as
scanners write them), tissue drawn by rule on glass, then runs each way in a fresh process with one
worker: `decode` decodes every JPEG tile of the full size once and does nothing else; `read` reads
every tile by `artifacts/slides`; the others are `hdgan tile` with that storage and format, from
opening the slide to the report. `list` is virtual tiles of 256 pixels: coordinates alone. Prints
CPU seconds, tiles a second of CPU, the part of the speed of `decode`, and the largest memory.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from jaxtyping import UInt8

from hdgan.artifacts.slides.opening import open_slide
from hdgan.artifacts.slides.slide import read_scaled
from hdgan.artifacts.tile_set import TileSet
from hdgan.method.tile_grid import tile_grid
from hdgan.settings.tile import TileSettings
from hdgan.stages.tile.run import tile

TILE_PX = 512
WAYS = ("decode", "read", "virtual", "jpeg", "png", "shards", "list")
STORED = {
    "virtual": TileSettings(storage="virtual"),
    "jpeg": TileSettings(image_format="jpeg"),
    "png": TileSettings(),
    "shards": TileSettings(storage="shards", image_format="jpeg"),
    "list": TileSettings(storage="virtual"),
}


def tissue(random: np.random.Generator) -> UInt8[np.ndarray, "512 512 3"]:
    """A tile of pink ground with violet nuclei and noise: about as hard to compress as tissue."""
    ground = np.array([226, 160, 196]) + random.normal(0, 9, (TILE_PX, TILE_PX, 3))
    rows, columns = np.mgrid[:TILE_PX, :TILE_PX]
    for _ in range(120):
        y, x, radius = *random.uniform(0, TILE_PX, 2), random.uniform(6, 14)
        inside = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        ground[inside] = np.array([96, 60, 140]) + random.normal(0, 12, (int(inside.sum()), 3))
    return ground.clip(0, 255).astype(np.uint8)


def tiles_of_level(
    width: int, height: int, kinds: list[UInt8[np.ndarray, "512 512 3"]]
) -> Iterator[UInt8[np.ndarray, "512 512 3"]]:
    """A level of the slide, tile by tile: an ellipse of tissue on glass."""
    glass = np.full((TILE_PX, TILE_PX, 3), 243, dtype=np.uint8)
    for top in range(0, height, TILE_PX):
        for left in range(0, width, TILE_PX):
            y, x = (top + TILE_PX / 2) / height - 0.5, (left + TILE_PX / 2) / width - 0.5
            yield kinds[(top + 3 * left) // TILE_PX % len(kinds)] if y**2 + x**2 < 0.21 else glass


def write_slide(path: Path, width: int, height: int) -> None:
    """A slide of three levels, each a quarter of the one above, at 0.25 um/px."""
    random = np.random.default_rng(0)
    kinds = [tissue(random) for _ in range(16)]
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        for i, down in enumerate((1, 4, 16)):
            size = (-(-height // down), -(-width // down))
            file.write(
                tiles_of_level(size[1], size[0], kinds),
                shape=(*size, 3),
                dtype=np.uint8,
                tile=(TILE_PX, TILE_PX),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": 85},
                resolution=(40000 / down, 40000 / down),
                resolutionunit="CENTIMETER",
                subifds=2 if i == 0 else None,
                subfiletype=0 if i == 0 else 1,
                metadata=None,
            )


def decode(slide: Path) -> None:
    """Decode every JPEG tile of the full size."""
    with tifffile.TiffFile(slide) as file:
        page = file.pages.first
        for offset, size in zip(page.dataoffsets, page.databytecounts, strict=True):
            file.filehandle.seek(offset)
            imagecodecs.jpeg8_decode(file.filehandle.read(size), tables=page.jpegtables)


def read(slide: Path, side_px: int) -> int:
    """Read every tile; how many there are comes back."""
    with open_slide(slide) as opened:
        full = opened.levels[0]
        regions = tile_grid(full.width, full.height, side_px)
        for region in regions:
            read_scaled(opened, region, side_px, side_px)
        return len(regions)


def measured(way: str, slide: Path, side_px: int) -> str:
    """Do it one way; tiles, CPU seconds and megabytes come back."""
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch:
        if way == "decode":
            decode(slide)
            with open_slide(slide) as opened:
                num_tiles = len(tile_grid(opened.levels[0].width, opened.levels[0].height, side_px))
        elif way == "read":
            num_tiles = read(slide, side_px)
        else:
            side = 256 if way == "list" else side_px
            settings = {**vars(STORED[way]), "side_px": side, "num_folds": 1, "workers": 1}
            tile(slide, Path(scratch) / "tiles", TileSettings(**settings))
            num_tiles = len(TileSet.open(Path(scratch) / "tiles").records())
    seconds = time.process_time() - began
    return f"{num_tiles} {seconds} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}"


def main() -> None:
    """Print a row a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=2, default=(40_000, 30_000))
    parser.add_argument("--side-px", type=int, default=4096)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--slide", type=Path, help="where the slide is, or is to be kept")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.way:
        print(measured(chosen.way, chosen.slide, chosen.side_px))
        return
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch:
        slide = chosen.slide or Path(scratch) / "slide.tif"
        if not slide.is_file():
            write_slide(slide, *chosen.size)
        print(
            f"A slide of {' x '.join(map(str, chosen.size))} px, {slide.stat().st_size:,} bytes.\n"
        )
        print("| way | tiles | CPU s | tiles a CPU s | of decoding | MB |")
        print("| --- | --- | --- | --- | --- | --- |", flush=True)
        fastest = 0.0
        for way in chosen.ways:
            own = ["--way", way, "--slide", str(slide), "--side-px", str(chosen.side_px)]
            result = subprocess.run(
                [sys.executable, "-m", "benchmarks.tiling", *own],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            num_tiles, seconds, megabytes = map(float, result.stdout.split())
            pace = num_tiles / seconds
            fastest = pace if way == "decode" else fastest
            part = "" if way == "list" or not fastest else f"{pace / fastest:.2f}"
            row = [way, f"{num_tiles:.0f}", f"{seconds:.1f}", f"{pace:.2f}", part]
            print(f"| {' | '.join(row)} | {megabytes:.0f} |", flush=True)


if __name__ == "__main__":
    main()
