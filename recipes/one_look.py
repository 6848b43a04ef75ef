"""Give images of several stains the look of one of them, so that they differ in tissue alone.

usage: one_look.py IMAGES REFERENCE OUTPUT

Each image of the folder IMAGES becomes its own brightness, stretched from its 1st to its 99.5th
percentile, with a curve that puts its median where the reference has it; then each brightness gets
the colour that is the reference's mean at that brightness. What is dark in one stain and bright in
another (a silver-stained membrane, a brown tubule) stays so: tissue is not changed, and two stains
do not become one.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

LUMA = np.array([0.299, 0.587, 0.114])
"""Rec. 601."""

STEPS = 32
"""Brightnesses whose colour is taken from the reference; between them it is interpolated."""


def pixels_of(path: Path) -> np.ndarray:
    """RGB from 0 to 255."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.float64)


def brightness(pixels: np.ndarray) -> np.ndarray:
    """Brightness from 0 to 1, between the 1st and the 99.5th percentile."""
    luma = pixels @ LUMA
    low, high = np.percentile(luma, [1.0, 99.5])
    return np.clip((luma - low) / max(high - low, 1e-9), 0.0, 1.0)


def colours_of(reference: np.ndarray) -> np.ndarray:
    """The mean colour of the reference at each of `STEPS` brightnesses."""
    step = np.minimum((brightness(reference) * STEPS).astype(int), STEPS - 1)
    known = np.unique(step)
    means = np.array([reference[step == i].mean(axis=0) for i in known])
    return np.stack(
        [np.interp(np.arange(STEPS), known, means[:, channel]) for channel in range(3)], axis=1
    )


def alike(pixels: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The image with the look of the reference."""
    bright = brightness(pixels)
    own, wanted = (np.clip(np.median(each), 0.01, 0.99) for each in (bright, brightness(reference)))
    bright = bright ** (np.log(wanted) / np.log(own))
    at, colours = (np.arange(STEPS) + 0.5) / STEPS, colours_of(reference)
    return np.stack(
        [np.interp(bright, at, colours[:, channel]) for channel in range(3)], axis=-1
    ).round()


def main() -> None:
    """Write the images under their names as PNG."""
    images, reference, output = (Path(token) for token in sys.argv[1:])
    output.mkdir(parents=True, exist_ok=True)
    look = pixels_of(reference)
    for path in sorted(images.iterdir()):
        if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".tif", ".tiff"}:
            made = Image.fromarray(alike(pixels_of(path), look).astype(np.uint8))
            made.save(output / f"{path.stem}.png")


if __name__ == "__main__":
    main()
