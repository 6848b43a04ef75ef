"""Where tissue is and where glass is (section III)."""

import numpy as np
from jaxtyping import Bool, UInt8

from hdgan.method.glass import Glass, black_padding, glass_of
from hdgan.method.mask_shapes import closed, dilated, filled, opened, without_small
from hdgan.method.overview import Overview, highest, overview_of
from hdgan.method.slide_marks import flat_marks, line_marks

DARKER = 8.0  # grey levels below glass, in the channel that differs most
FAINT = 3.0  # the same, and texture, of tissue too pale for that
GAP_UM = 60.0  # between the membranes of fat, or within frayed tissue
STRAND_UM = 40.0  # tissue thinner than this is not worth a tile, and may be a fibre of cloth
SMALLEST_UM2 = 50_000.0  # two glomeruli; smaller is dust, or no tile for training
LARGEST_HOLE_UM2 = 50_000.0  # a tubule's lumen, a fat cell; larger is a vessel, the pelvis, a tear
PADDING_RIM_PX = 7  # shrinking and JPEG smear black padding over its rim
LOOKED_AT_PX = 512
PADDING_BLACK = 4  # the dark of fluorescence is less dark


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
    return float(whitespace_mask(tile, threshold=threshold).mean())


def whitespace_mask(
    picture: UInt8[np.ndarray, "height width 3"], *, threshold: int = 220
) -> Bool[np.ndarray, "height width"]:
    """Where a picture is empty glass, as `whitespace_fraction` has it."""
    return np.asarray((picture > threshold).all(axis=-1))


def tissue_mask(
    overview: UInt8[np.ndarray, "height width 3"], spacing_um: float | None = None
) -> Bool[np.ndarray, "height width"]:
    """Where tissue is on a bright-field slide, of whatever stain.

    Tissue is darker or more textured than the glass, whose colour is estimated from the picture.
    Left out are ink, shadows, edges of the coverslip, hairs, dust, large holes, and what the
    scanner did not look at. Works on blocks of at least 8 um, at most 1536 a side; memory: some
    150 bytes a block. The mask of a mirrored or turned picture is the mirrored or turned mask, but
    for the rounding of sums and, if the picture is no whole number of blocks, for half a block.

    Args:
        overview: RGB, 0 to 255.
        spacing_um: of its pixels; without one, its longer side is taken for 20 mm.
    """
    height, width = overview.shape[:2]
    shrunk = overview_of(overview, spacing_um)
    glass = glass_of(shrunk)
    found = _other_than_glass(shrunk, glass)
    marks = flat_marks(found, shrunk, glass.rgb)
    tissue = closed(found & ~marks, shrunk.side_px(GAP_UM)) & ~marks
    tissue &= ~line_marks(tissue, shrunk, glass.rgb)
    return shrunk.enlarged(_tidied(tissue, shrunk), height, width)


def is_brightfield(overview: UInt8[np.ndarray, "height width 3"]) -> bool:
    """Whether a picture is of light that tissue absorbs, not of light that it sends out.

    In bright field the brightest is glass or pale tissue, so nearly colourless, and most is not
    far darker; in fluorescence it has the colour of a dye, or is a small part amid black. Black of
    scanner padding is left out of account. A picture all black is not bright field.
    """
    step = max(1, max(overview.shape[:2]) // LOOKED_AT_PX)
    pixels = overview[::step, ::step].reshape(-1, 3).astype(np.float64)
    pixels = pixels[pixels.max(axis=-1) > PADDING_BLACK]
    if not len(pixels):
        return False
    grey = pixels.mean(axis=-1)
    bright = np.percentile(grey, 95)
    brightest = pixels[grey >= bright]
    whiteness = np.median(brightest.min(axis=-1) / brightest.max(axis=-1))
    return bool(bright >= 60 and whiteness >= 0.5 and np.median(grey) >= 0.2 * bright)


def _other_than_glass(shrunk: Overview, glass: Glass) -> Bool[np.ndarray, "rows columns"]:
    darkness = highest(glass.rgb - shrunk.soft)
    is_dark = darkness > max(DARKER, 4 * glass.noise if glass.is_seen else 0.0)
    is_faint = (shrunk.texture > FAINT) & ((darkness > FAINT) | (not glass.is_seen))
    return (is_dark | is_faint) & ~dilated(black_padding(shrunk), PADDING_RIM_PX)


def _tidied(
    tissue: Bool[np.ndarray, "rows columns"], shrunk: Overview
) -> Bool[np.ndarray, "rows columns"]:
    """Without strands, specks and small holes."""
    strand = shrunk.side_px(STRAND_UM)
    tissue = tissue & dilated(opened(tissue, strand), strand)
    tissue = without_small(tissue, shrunk.area_px(SMALLEST_UM2))
    return filled(tissue, shrunk.area_px(LARGEST_HOLE_UM2))
