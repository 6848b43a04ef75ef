"""A slide's overview picture at the resolution at which tissue is looked for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from scipy import ndimage

WORKING_SPACING_UM = 8.0  # finer shows no more of where tissue is
WORKING_SIDE_PX = 1536  # for the time it takes: the number of pixels is what counts
SMALLEST_SIDE_PX = 64  # what little there is of a small picture is kept
ASSUMED_SIDE_UM = 20_000.0  # a section's region on a slide is some 20 mm long
SOFTENING_PX = 0.7  # less than tissue's texture, more than the noise of single pixels
TEXTURE_PX = 5


@dataclass(frozen=True)
class Overview:
    """A shrunk overview, and what each of its pixels looks like."""

    rgb: Float32[np.ndarray, "rows columns 3"]
    """Means of blocks, 0 to 255."""

    soft: Float32[np.ndarray, "rows columns 3"]
    """The same with less noise."""

    texture: Float32[np.ndarray, "rows columns"]
    """Root mean square of what is left of grey around a pixel when its slow changes are gone.

    In grey levels: below 2 on glass, shadows and ink, mostly above 4 on tissue of any stain.
    """

    spacing_um: float
    """Of its pixels."""

    factor: int
    """Pixels of the picture a block, each way."""

    before_px: tuple[int, int]
    """Picture pixels that were added above and to the left, to make whole blocks."""

    def side_px(self, length_um: float) -> int:
        """An odd number of pixels, at least 3, of about this length."""
        return max(3, int(length_um / self.spacing_um) | 1)

    def area_px(self, area_um2: float) -> float:
        """An area in pixels: at least 9, at most a hundredth of the picture."""
        return max(9.0, min(area_um2 / self.spacing_um**2, self.texture.size / 100))

    def enlarged(
        self, mask: Bool[np.ndarray, "rows columns"], height: int, width: int
    ) -> Bool[np.ndarray, "height width"]:
        """A mask of blocks as a mask of the picture."""
        top, left = self.before_px
        whole = mask.repeat(self.factor, axis=0).repeat(self.factor, axis=1)
        return np.ascontiguousarray(whole[top : top + height, left : left + width])


def overview_of(picture: UInt8[np.ndarray, "height width 3"], spacing_um: float | None) -> Overview:
    """An overview of a picture; without a spacing its longer side is taken for 20 mm."""
    height, width = picture.shape[:2]
    spacing_um = spacing_um or ASSUMED_SIDE_UM / max(height, width)
    factor = _factor(height, width, spacing_um)
    below, right = -height % factor, -width % factor
    before_px = (below // 2, right // 2)
    whole = np.pad(
        picture,
        ((before_px[0], below - before_px[0]), (before_px[1], right - before_px[1]), (0, 0)),
        mode="edge",
    )
    blocks = whole.reshape(whole.shape[0] // factor, factor, whole.shape[1] // factor, factor, 3)
    rgb = blocks.mean(axis=(1, 3), dtype=np.float32)
    soft = ndimage.gaussian_filter(rgb, (SOFTENING_PX, SOFTENING_PX, 0), mode="nearest")
    return Overview(rgb, soft, _texture(soft), spacing_um * factor, factor, before_px)


def highest(
    colours: Float32[np.ndarray, "rows columns 3"],
) -> Float32[np.ndarray, "rows columns"]:
    """The highest of three channels; several times as fast as numpy's maximum along them."""
    red, green, blue = np.moveaxis(colours, -1, 0)
    return np.maximum(np.maximum(red, green), blue)


def grey_of(
    colours: Float32[np.ndarray, "rows columns 3"],
) -> Float32[np.ndarray, "rows columns"]:
    """The mean of three channels, fast likewise."""
    red, green, blue = np.moveaxis(colours, -1, 0)
    return (red + green + blue) / np.float32(3)


def _factor(height: int, width: int, spacing_um: float) -> int:
    wanted = max(-(-max(height, width) // WORKING_SIDE_PX), int(WORKING_SPACING_UM // spacing_um))
    return max(1, min(wanted, min(height, width) // SMALLEST_SIDE_PX))


def _texture(
    soft: Float32[np.ndarray, "rows columns 3"],
) -> Float32[np.ndarray, "rows columns"]:
    grey = grey_of(soft)
    rest = grey - ndimage.uniform_filter(grey, TEXTURE_PX, mode="nearest")
    power = ndimage.uniform_filter(np.square(rest), TEXTURE_PX, mode="nearest")
    return np.sqrt(np.maximum(power, 0))
