"""Label maps of rat kidney: glomeruli as traced, white by brightness, a border without labels.

usage: python -m recipes.glomeruli_labels IMAGES MASKS LABELS

IMAGES are those of one_look.py, MASKS their traced glomeruli (`mask_NAME.png`, not 0 inside).
LABELS gets a label map for each: 0 whitespace, 1 tubulointerstitium, 2 glomerulus, 255 unlabelled.
Glomeruli that the edge of an image cuts are not traced, so pixels as near to the edge as a
glomerulus is wide are unlabelled, but for those of glomeruli that are traced.
"""

import sys
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, UInt8
from PIL import Image
from recipes.kidney_labels import whitespace

BORDER_PX = 150
"""Width of a glomerulus at this magnification: the median of those traced is 140 to 152 px wide."""

REDUCE = 2
"""So many times smaller than the images that the rule for whitespace was chosen on."""


def labels_of(
    pixels: Float64[np.ndarray, "height width 3"], traced: Bool[np.ndarray, "height width"]
) -> UInt8[np.ndarray, "height width"]:
    """The label map of an image."""
    labels = np.where(whitespace(pixels, REDUCE), 0, 1).astype(np.uint8)
    inner = np.zeros_like(traced)
    inner[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX] = True
    labels[traced & (labels > 0)] = 2
    labels[~inner & ~traced] = 255
    return labels


def main(images: Path, masks: Path, output: Path) -> None:
    """Write a label map for each image."""
    output.mkdir(parents=True, exist_ok=True)
    for path in sorted(images.glob("*.png")):
        with Image.open(path) as image, Image.open(masks / f"mask_{path.name}") as mask:
            labels = labels_of(np.asarray(image.convert("RGB"), np.float64), np.asarray(mask) > 0)
        Image.fromarray(labels).save(output / path.name)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
