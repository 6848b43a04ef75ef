"""Label maps of the kidney images: white by brightness, glomeruli by outline, tissue elsewhere.

usage: kidney_labels.py IMAGES OUTLINES SMALL LABELS [--reduce 4]

IMAGES are those of one_look.py; OUTLINES is kidney_glomeruli.json. SMALL gets the images with one
pixel for 4 x 4, LABELS their label maps: 0 whitespace, 1 tubulointerstitium, 2 glomerulus.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

WHITE = 205.0
"""Brightness (Rec. 601, 0 to 255) from which a pixel is whitespace; chosen by eye."""

SMOOTHING_PX = 2.0
"""Standard deviation of the blur before that, in pixels of the whole image."""

LEAST_PX = 120
"""Smaller spots of either kind belong to what is around them, in pixels of the whole image."""


def whitespace(pixels: np.ndarray, reduce: int) -> np.ndarray:
    """Where there is no tissue: lumina, Bowman's space, tears."""
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    white = ndimage.gaussian_filter(luma, SMOOTHING_PX / reduce) > WHITE
    for kind in (False, True):
        spots, _ = ndimage.label(white != kind)
        small = np.bincount(spots.ravel()) < LEAST_PX / reduce**2
        small[0] = False
        white[small[spots]] = kind
    return white


def labels_of(pixels: np.ndarray, outlines: list[list[list[int]]], reduce: int) -> np.ndarray:
    """The label map of a reduced image; outlines are in pixels of the whole one."""
    height, width, _ = pixels.shape
    plane = Image.new("L", (width, height), 1)
    for outline in outlines:
        ImageDraw.Draw(plane).polygon([(x / reduce, y / reduce) for x, y in outline], fill=2)
    labels = np.array(plane)
    labels[whitespace(pixels.astype(np.float64), reduce)] = 0
    return labels


def main() -> None:
    """Write both folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("images", "outlines", "small", "labels"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--reduce", type=int, default=4)
    given = parser.parse_args()
    traced = json.loads(given.outlines.read_text())
    for folder in (given.small, given.labels):
        folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(given.images.glob("*.png")):
        with Image.open(path) as image:
            small = image.convert("RGB").reduce(given.reduce)
        small.save(given.small / path.name)
        made = labels_of(np.asarray(small), traced.get(path.stem, []), given.reduce)
        Image.fromarray(made).save(given.labels / path.name)


if __name__ == "__main__":
    main()
