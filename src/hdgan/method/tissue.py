"""Where tissue is and where glass is (section III)."""

import numpy as np
from jaxtyping import UInt8


def whitespace_fraction(
    tile: UInt8[np.ndarray, "height width 3"], *, threshold: int = 220
) -> float:
    """The part of a tile that is empty glass.

    Args:
        tile: RGB, 0 to 255.
        threshold: a pixel is glass if all three channels exceed it. Higher finds less.

    Returns:
        From 0, all tissue, to 1, all glass.
    """
    return float((tile > threshold).all(axis=-1).mean())
