"""Pictures: grids of tiles, label maps in colour, comparisons."""

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps

from hdgan.class_map import UNLABELLED, ClassMap, LabelMap, painted
from hdgan.method.latent import image_of, w_of
from hdgan.method.stylegan.synthesis import Generator
from hdgan.report.grids import Grid, Picture, grid


def drawn_grid(generator: Generator) -> Grid:
    """What a generator draws at truncation 0.7, from seeds that never change.

    Thirty-six drawings, fewer where they would not fit into 4096 x 4096 pixels.
    """
    num_tiles = min(36, max(1, 4096 // generator.shape.resolution) ** 2)
    return grid([image_of(generator, w_of(generator, seed, 0.7)) for seed in range(num_tiles)])


def comparison(image: Picture, truth: LabelMap, predicted: LabelMap, classes: ClassMap) -> Grid:
    """Image, true label map, predicted label map, and the pixels that differ (red), in a row."""
    wrong = (truth != predicted) & (truth != UNLABELLED)
    grey = np.repeat(image.mean(axis=2, keepdims=True).astype(np.uint8) // 2 + 96, 3, axis=2)
    grey[wrong] = (200, 30, 30)
    return grid([image, painted(truth, classes), painted(predicted, classes), grey], columns=4)


def heat(values: Float[np.ndarray, "height width"], largest: float) -> Picture:
    """Values from 0 (dark) to `largest` (bright) as colours."""
    rgba = colormaps["magma"](np.clip(values / max(largest, 1e-9), 0.0, 1.0))
    return (rgba[..., :3] * 255).round().astype(np.uint8)
