"""What lies on a slide and is not tissue: pen strokes, shadows, edges of the coverslip, hairs.

Ink and shadows are flat: their texture is small beside how dark they are, where tissue of every
stain has nuclei, tubules, fibres. Edges and hairs are thin and long. Both are looked for only
among the colours that they have.
"""

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from hdgan.method.mask_shapes import dilated, eroded, grown, opened, without_small
from hdgan.method.overview import Overview, grey_of, highest

FLAT_BELOW = {"grey": 0.03, "green": 0.04, "blue": 0.03, "red": 0.02, "dense": 0.025}
"""Texture over darkness of each colour; 99.9 % of tissue has more, at 8 to 45 um a pixel."""

WINDOW_UM = 100.0  # over which flatness is judged
RIM_PX = 9  # a square in which the rim of a mark counts for texture
SMALLEST_UM = 120.0  # the side of the smallest flat place within its rim
SMALLEST_PX2 = 150.0  # pixels, below which flatness is a matter of chance
THIN_UM = 240.0  # an edge with its shadow is thinner
LONG_UM = 1000.0  # height and width of its box, together
STROKE_SHARE = 0.6  # if so much of a stroke is flat, all of it is a stroke


def flat_marks(
    found: Bool[np.ndarray, "rows columns"],
    overview: Overview,
    glass: Float32[np.ndarray, "rows columns 3"],
) -> Bool[np.ndarray, "rows columns"]:
    """Ink and shadows among what was found to be darker than glass."""
    window = max(5, overview.side_px(WINDOW_UM))
    smallest = max(overview.side_px(SMALLEST_UM) ** 2.0, SMALLEST_PX2)
    marks = np.zeros_like(found)
    for colour, of_colour in _colours(overview, glass).items():
        places = found & of_colour
        inside = eroded(places, RIM_PX)
        if not inside.any():
            continue
        flat = inside & (_roughness(overview, glass, inside, window) < FLAT_BELOW[colour])
        flat = without_small(flat, smallest)
        if flat.any():
            marks |= grown(flat, places, RIM_PX + 1)
            if colour != "grey":  # a shadow ends somewhere, a stroke is one thing
                marks |= _strokes(places, dilated(flat, RIM_PX))
    return marks


def line_marks(
    tissue: Bool[np.ndarray, "rows columns"],
    overview: Overview,
    glass: Float32[np.ndarray, "rows columns 3"],
) -> Bool[np.ndarray, "rows columns"]:
    """Thin long things of a mask that are grey or coloured as no tissue is."""
    colours = _colours(overview, glass)
    thick = dilated(opened(tissue, overview.side_px(THIN_UM)), 3)
    thin = tissue & ~thick & (colours["grey"] | colours["green"] | colours["blue"])
    regions, count = ndimage.label(thin, np.ones((3, 3)))
    areas = np.bincount(regions.ravel(), minlength=count + 1)
    spans = np.zeros(count + 1)  # height and width of the box: also long if bent or a frame
    for number, box in enumerate(ndimage.find_objects(regions), start=1):
        spans[number] = sum(side.stop - side.start for side in box)
    widest = overview.side_px(THIN_UM)  # of the line, or of what crosses in the box
    is_line = (spans >= overview.side_px(LONG_UM)) & (areas <= spans * widest)
    is_line &= areas <= spans**2 / 12
    is_line[0] = False
    return is_line[regions]


def _roughness(
    overview: Overview,
    glass: Float32[np.ndarray, "rows columns 3"],
    inside: Bool[np.ndarray, "rows columns"],
    window: int,
) -> Float32[np.ndarray, "rows columns"]:
    """Texture over darkness, of what is inside, in a window."""
    darkness = grey_of(glass - overview.soft) * inside
    texture = ndimage.uniform_filter(overview.texture * inside, window, mode="nearest")
    return texture / np.maximum(ndimage.uniform_filter(darkness, window, mode="nearest"), 0.1)


def _colours(
    overview: Overview, glass: Float32[np.ndarray, "rows columns 3"]
) -> dict[str, Bool[np.ndarray, "rows columns"]]:
    """Which pixels have the colour of each kind of mark, by what they absorb.

    A pixel may have several. `dense` takes away three quarters of the red light, which ink of any
    dark colour does, over tissue too, and tissue alone hardly does.
    """
    density = np.maximum(np.log10((glass + 1) / (np.maximum(overview.soft, 0) + 1)), 0)
    red, green, blue = np.moveaxis(density, -1, 0)
    most, least = highest(density), -highest(-density)
    is_strong = most > 0.3
    return {
        "grey": least > 0.6 * most,
        "green": is_strong & (red > 1.15 * green) & (blue > 1.15 * green),
        "blue": is_strong & (red > 1.15 * green) & (green > blue),
        "red": is_strong & (red < 0.35 * most) & (blue > 0.55 * green),
        "dense": red > 0.6,
    }


def _strokes(
    places: Bool[np.ndarray, "rows columns"], flat: Bool[np.ndarray, "rows columns"]
) -> Bool[np.ndarray, "rows columns"]:
    """The connected places that are mostly flat."""
    regions, count = ndimage.label(places)
    areas = np.bincount(regions.ravel(), minlength=count + 1)
    flat_areas = np.bincount(regions[flat], minlength=count + 1)
    is_stroke = flat_areas > STROKE_SHARE * areas
    is_stroke[0] = False
    return is_stroke[regions]
