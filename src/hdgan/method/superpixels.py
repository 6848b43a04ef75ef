"""Small regions of like colour, each of which a click paints as a whole."""

import numpy as np
from jaxtyping import UInt8, UInt16

BLOCK_PX = 512
"""Side of the largest image that is cut at a time."""

LEAST_AREA_PX = 16
"""Smaller regions would not save a stroke."""

_COMPACTNESS = 10.0
_BLUR_PX = 1.0
_SMALLEST = 0.25
"""Of the area that is wanted, the part below which a region joins a neighbour. All three tried
on annotated drawings: rounder regions miss boundaries."""


def superpixels(
    image: UInt8[np.ndarray, "height width 3"], area_px: int
) -> UInt16[np.ndarray, "height width"]:
    """The region of each pixel, numbered from 0; regions hang together by their pixels' sides.

    Simple linear iterative clustering (Achanta et al., 2012): a quarter of a second for a block of
    512 px. The same image gives the same regions.

    Args:
        image: RGB, at most `BLOCK_PX` a side.
        area_px: about how many pixels a region has, at least `LEAST_AREA_PX`.

    Raises:
        ValueError: the image is too large, or the area too small.
    """
    # A second is spent on this import, which only who paints with superpixels needs.
    from skimage.segmentation import slic

    height, width = image.shape[:2]
    if max(height, width) > BLOCK_PX or area_px < LEAST_AREA_PX:
        raise ValueError(
            f"superpixels of {area_px} px in an image of {width} x {height} px: at most {BLOCK_PX} "
            f"px a side, and at least {LEAST_AREA_PX} px each"
        )
    regions = slic(
        image,
        n_segments=max(1, height * width // area_px),
        compactness=_COMPACTNESS,
        sigma=_BLUR_PX,
        max_num_iter=5,
        min_size_factor=_SMALLEST,
        start_label=0,
        channel_axis=-1,
    )
    numbers: UInt16[np.ndarray, " pixels"]
    numbers = np.unique(regions, return_inverse=True)[1].astype(np.uint16)
    return numbers.reshape(height, width)
