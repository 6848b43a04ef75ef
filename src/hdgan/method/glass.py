"""What empty glass looks like on an overview: its colour at each place, estimated robustly.

Glass is the brightest thing on a bright-field slide that has no texture. Its shade drifts over the
picture (vignetting, tinted mounting medium), so a smooth surface is fitted to it. A picture may
show none: then glass is taken to be as bright as the brightest of the picture.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32
from scipy import ndimage

from hdgan.method.mask_shapes import opened
from hdgan.method.overview import Overview, grey_of, highest

CALM = 2.0  # texture of glass is mostly below 1, that of the palest tissue 1 % below 3
WHITE, BLACK = 254, 12  # what scanners put where they did not look
PADDING_PX = 15  # smaller spots of full white or black belong to the slide
RAREST = 0.002  # a smaller part of the picture does not tell the glass from calm tissue
NEAR_LEVEL = 15  # grey levels about the commonest of the glass: where the fit starts
NEAR_SURFACE = 8  # grey levels about the fitted surface: what the fit goes on with
FIT_ROUNDS = 6
STIFFNESS = 0.003  # against a surface that runs away where no glass is
BRIGHTER, MOST_BRIGHTER = 6, 0.05  # grey levels, and the part of what has texture: rims, glints
ASSUMED_GLASS = 235  # no brighter than the glass of any scanner by much


@dataclass(frozen=True)
class Glass:
    """The colour that each pixel would have without anything on the glass."""

    rgb: Float32[np.ndarray, "rows columns 3"]
    """0 to 255."""

    is_seen: bool
    """Whether the picture shows glass; if not, the colour is a guess."""

    noise: float
    """Its spread in grey levels, as a standard deviation; 1 if not seen."""


def glass_of(overview: Overview) -> Glass:
    """The glass of an overview."""
    white, black = _padding(overview, white=True), _padding(overview, white=False)
    calm = (overview.texture < CALM) & ~black
    candidates = calm & ~white
    if candidates.sum() < RAREST * (~white & ~black).sum():
        candidates = calm
    if candidates.sum() < max(1, RAREST * calm.size):
        return _assumed(overview)
    glass = _fitted(overview, candidates)
    textured = ~calm & ~black & ~white
    brighter = grey_of(overview.soft - glass.rgb) > BRIGHTER
    if (brighter & textured).sum() > MOST_BRIGHTER * textured.sum():
        return _assumed(overview)
    return glass


def black_padding(overview: Overview) -> Bool[np.ndarray, "rows columns"]:
    """Where the scanner did not look and wrote black."""
    return _padding(overview, white=False)


def _padding(overview: Overview, *, white: bool) -> Bool[np.ndarray, "rows columns"]:
    is_extreme = -highest(-overview.rgb) >= WHITE if white else highest(overview.rgb) <= BLACK
    return opened(is_extreme, PADDING_PX)


def _brightest_level(grey: Float32[np.ndarray, " pixels"]) -> float:
    """The commonest grey of the brightest that at least a fiftieth of the pixels have."""
    counts = np.bincount(np.clip(grey + 0.5, 0, 255).astype(np.int64), minlength=256).astype(float)
    shares = ndimage.convolve1d(counts, np.ones(9), mode="constant") / grey.size
    top = int(np.flatnonzero(shares >= 0.02)[-1])
    lowest = max(top - 14, 0)
    return float(lowest + ndimage.gaussian_filter1d(counts, 2.0)[lowest : top + 5].argmax())


def _assumed(overview: Overview) -> Glass:
    brightest = np.percentile(overview.rgb.reshape(-1, 3), 99.5, axis=0)
    rgb = np.maximum(brightest, ASSUMED_GLASS).astype(np.float32)
    return Glass(np.broadcast_to(rgb, overview.rgb.shape), is_seen=False, noise=1.0)


def _fitted(overview: Overview, candidates: Bool[np.ndarray, "rows columns"]) -> Glass:
    """A quadratic surface through the brightest candidates, then through all near it."""
    basis = _quadratic(*overview.texture.shape)
    grey = grey_of(overview.rgb)
    used = candidates & (np.abs(grey - _brightest_level(grey[candidates])) < NEAR_LEVEL)
    surface = overview.rgb
    off = overview.texture
    for _ in range(FIT_ROUNDS):
        surface = _surface(basis, basis[used], overview.rgb[used])
        off = highest(np.abs(overview.rgb - surface))
        nearer = candidates & (off < NEAR_SURFACE)
        if not nearer.any():
            break
        used = nearer
    return Glass(surface, is_seen=True, noise=1.48 * float(np.median(off[used])))


def _quadratic(rows: int, columns: int) -> Float32[np.ndarray, "rows columns 6"]:
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    return terms.astype(np.float32)


def _surface(
    basis: Float32[np.ndarray, "rows columns 6"],
    used_basis: Float32[np.ndarray, "pixels 6"],
    colours: Float32[np.ndarray, "pixels 3"],
) -> Float32[np.ndarray, "rows columns 3"]:
    """Least squares, within the colours that were seen."""
    centre = colours.mean(axis=0)
    terms: Float[np.ndarray, "pixels 6"] = used_basis.astype(np.float64)
    ridge = np.diag([0.0, 1, 1, 1, 1, 1]) * STIFFNESS * len(terms) + np.eye(6) * 1e-6
    weights = np.linalg.solve(terms.T @ terms + ridge, terms.T @ (colours - centre))
    surface = basis @ weights.astype(np.float32) + centre
    return np.clip(surface, colours.min(axis=0), colours.max(axis=0)).astype(np.float32)
