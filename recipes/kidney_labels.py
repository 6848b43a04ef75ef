"""Label maps of the kidney images: white by brightness, glomeruli by outline, tissue elsewhere.

usage: kidney_labels.py IMAGES OUTLINES HALF LABELS

IMAGES are those of one_look.py; OUTLINES is kidney_glomeruli.json. HALF gets the images at half
their size, LABELS their label maps: 0 whitespace, 1 tubulointerstitium, 2 glomerulus.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

WHITE = 205.0
"""Brightness (Rec. 601, 0 to 255) from which a pixel is whitespace; chosen by eye."""

SMOOTHING_PX = 1.0
"""Standard deviation of the blur before that, at half size."""

LEAST_PX = 30
"""Smaller spots of either kind belong to what is around them, at half size."""


def whitespace(pixels: np.ndarray) -> np.ndarray:
    """Where there is no tissue: lumina, Bowman's space, tears."""
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    white = ndimage.gaussian_filter(luma, SMOOTHING_PX) > WHITE
    for kind in (False, True):
        spots, _ = ndimage.label(white != kind)
        small = np.bincount(spots.ravel()) < LEAST_PX
        small[0] = False
        white[small[spots]] = kind
    return white


def labels_of(pixels: np.ndarray, outlines: list[list[list[int]]]) -> np.ndarray:
    """The label map of an image at half size; outlines are in pixels of the whole one."""
    height, width, _ = pixels.shape
    plane = Image.new("L", (width, height), 1)
    for outline in outlines:
        ImageDraw.Draw(plane).polygon([(x / 2, y / 2) for x, y in outline], fill=2)
    labels = np.array(plane)
    labels[whitespace(pixels.astype(np.float64))] = 0
    return labels


def main() -> None:
    """Write both folders."""
    images, outlines, half, labels = (Path(token) for token in sys.argv[1:])
    traced = json.loads(outlines.read_text())
    for folder in (half, labels):
        folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(images.glob("*.png")):
        with Image.open(path) as image:
            small = image.convert("RGB").reduce(2)
        small.save(half / path.name)
        made = labels_of(np.asarray(small), traced.get(path.stem, []))
        Image.fromarray(made).save(labels / path.name)


if __name__ == "__main__":
    main()
