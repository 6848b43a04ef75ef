"""Label maps that were painted elsewhere: grey, palette or colour images."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Shaped, UInt8, UInt32
from PIL import Image

from hdgan.artifacts.images import bands_of, open_image
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap
from hdgan.errors import LabelError

_STRANGE = -1
"""In place of a class, for a colour that is none's."""

Values = Literal["auto", "index", "colour"]


def label_map_of(data: bytes, name: str, class_map: ClassMap, values: Values) -> LabelMap:
    """The label map in an image file.

    In a file of colours, black is unlabelled unless the class map has a black class. A palette
    file holds both numbers and colours; its colours count if every one that is used is a class's
    colour, since they are what the painter saw.

    Args:
        data: content of the file.
        name: what errors call it.
        class_map: what its values mean.
        values: whether they are class numbers or class colours; `auto` looks.

    Raises:
        ImageError: it is no image, or cut short.
        LabelError: a value is of no class.
    """
    image = open_image(data, name)
    if values == "auto":
        values = "index" if _has_numbers(image, class_map) else "colour"
    if image.format == "JPEG":
        raise LabelError(
            f"{name} is a JPEG, which changes colours and so classes. Save label maps as PNG."
        )
    if values == "colour":
        return _from_colours(image, name, class_map)
    labels = _from_numbers(image, name)
    class_map.check(labels, name)
    return labels


def _has_numbers(image: Image.Image, class_map: ClassMap) -> bool:
    if image.mode == "P":
        used = np.flatnonzero(image.histogram()[:256])
        palette = np.zeros((256, 3), dtype=np.uint8)
        given = np.array(image.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
        palette[: len(given)] = given
        colours = palette[used][None]
        all_black = not colours.any()
        return all_black or not bool(_known(colours, class_map).all())
    return image.mode not in ("RGB", "RGBA")


def _from_numbers(image: Image.Image, name: str) -> LabelMap:
    """Pixel values as they are stored."""
    if image.mode not in ("1", "L", "P", "I", "I;16"):
        raise LabelError(
            f"{name} is an image of mode {image.mode}, which holds no class numbers. Save it as "
            "8-bit grey, or give --values colour."
        )
    numbers: Shaped[np.ndarray, "height width"] = np.asarray(image)
    largest = int(numbers.max(initial=0))
    if largest > UNLABELLED or int(numbers.min(initial=0)) < 0:
        raise LabelError(
            f"{name} has a pixel of value {largest}; class numbers end at {UNLABELLED - 1}, and "
            f"{UNLABELLED} is unlabelled. Is it a map of single objects instead of classes?"
        )
    return numbers.astype(np.uint8)


def _from_colours(image: Image.Image, name: str, class_map: ClassMap) -> LabelMap:
    """The class of each colour."""
    labels = np.empty((image.height, image.width), dtype=np.uint8)
    # By 24-bit colour; a class may not have the number that stands for strange ones.
    of_colour = np.full(1 << 24, _STRANGE, dtype=np.int16)
    of_colour[0] = UNLABELLED
    of_colour[_codes(class_map.palette)] = np.arange(len(class_map))
    num_strange, strange = 0, (0, 0, 0)
    for top, band in bands_of(image):
        colours = np.asarray(band.convert("RGB"))
        found = of_colour[_codes(colours)]
        if (found == _STRANGE).any():
            strange = strange if num_strange else tuple(colours[found == _STRANGE][0].tolist())
            num_strange += int((found == _STRANGE).sum())
        labels[top : top + band.height] = found
    if num_strange:
        red, green, blue = strange
        raise LabelError(
            f"{name} has {num_strange} pixels of a colour that is no class's, such as "
            f"#{red:02x}{green:02x}{blue:02x}. Paint without smooth edges; add the colour to "
            "the class map, or paint those pixels black, which is unlabelled."
        )
    return labels


def _codes(colours: UInt8[np.ndarray, "*pixels 3"]) -> UInt32[np.ndarray, "*pixels"]:
    """Each colour as one number."""
    wide = colours.astype(np.uint32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _known(
    colours: UInt8[np.ndarray, "height width 3"], class_map: ClassMap
) -> Bool[np.ndarray, "height width"]:
    """Where the colour is a class's or black."""
    known: Bool[np.ndarray, "height width"] = (colours == 0).all(axis=-1)
    for colour in class_map.palette:
        known |= (colours == colour).all(axis=-1)
    return known
