"""Label maps in images of one known size: their values as names, then as classes.

Unlike `label_maps`, these come from anybody, and whoever hands them in says what each value means.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from io import BytesIO

import numpy as np
from jaxtyping import UInt32
from PIL import Image

from hdgan.artifacts.images import DAMAGES, MAX_PIXELS, bands_of, open_image, png_of
from hdgan.class_map import AMBIGUOUS, UNLABELLED, ClassMap, LabelMap
from hdgan.errors import ImageError, LabelError

MAX_VALUES = 256
"""Different values of a label map."""

_BEGINNINGS = (b"\x89PNG", b"II*\x00", b"MM\x00*", b"BM", b"RIFF", b"GIF8", b"\xff\xd8\xff")
_JPEG = b"\xff\xd8\xff"
_COLOUR = 1 << 24
"""Added to a colour, so that it is no number."""


def is_image(data: bytes) -> bool:
    """Whether a file begins as an image does."""
    return data.startswith(_BEGINNINGS)


def values_in_image(data: bytes, name: str) -> list[tuple[str, int]]:
    """The values of an image and how many pixels have each: `2`, or `#009e73`.

    Raises:
        LabelError: it cannot be read, or has more values than a label map.
    """
    found: Counter[int] = Counter()
    for _, codes in _codes(data, name):
        values, counts = np.unique(codes, return_counts=True)
        found.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        _check_values(len(found), name)
    return [(_name(value), found[value]) for value in sorted(found) if value != UNLABELLED]


def labels_in_image(
    data: bytes, name: str, class_of: Mapping[str, int], height: int, width: int
) -> LabelMap:
    """The label map of an image of this size. Value 255 and, unless it has a class, black are 255.

    Raises:
        LabelError: it cannot be read, has another size, or a value has no class.
    """
    found = _size(data, name)
    if found != (width, height):
        raise LabelError(
            f"{name} is {found[0]} x {found[1]} pixels, but its image is {width} x {height}. Save "
            "the label map at the full size of the image."
        )
    known = {str(UNLABELLED): UNLABELLED, _name(_COLOUR): UNLABELLED} | dict(class_of)
    labels: LabelMap = np.empty((height, width), dtype=np.uint8)
    for top, codes in _codes(data, name):
        values, places = np.unique(codes, return_inverse=True)
        _check_values(len(values), name)
        names = [_name(int(value)) for value in values]
        unknown = [value for value in names if value not in known]
        if unknown:
            raise LabelError(f"{name} has pixels of value {unknown[0]}, which was given no class.")
        table = np.array([known[value] for value in names], dtype=np.uint8)
        labels[top : top + len(codes)] = table[places].reshape(codes.shape)
    return labels


def without_mark(labels: LabelMap, class_map: ClassMap) -> LabelMap:
    """The same with ambiguous pixels unlabelled: classes alone can be learned."""
    if len(class_map) > AMBIGUOUS:
        return labels
    return np.where(labels == AMBIGUOUS, np.uint8(UNLABELLED), labels)


def file_without_mark(data: bytes, name: str, class_map: ClassMap) -> bytes:
    """The same file, or one with ambiguous pixels unlabelled if it is grey and has any.

    Raises:
        ImageError: it cannot be read.
    """
    image = open_image(data, name)
    if image.mode != "L" or len(class_map) > AMBIGUOUS:
        return data
    labels = np.asarray(image)
    return png_of(without_mark(labels, class_map)) if (labels == AMBIGUOUS).any() else data


def _check_values(count: int, name: str) -> None:
    if count > MAX_VALUES:
        raise LabelError(
            f"{name} has {count:,} different colours or numbers, so it is no label map. Paint "
            "without smooth edges, and save it as PNG."
        )


def _name(code: int) -> str:
    return f"#{code - _COLOUR:06x}" if code >= _COLOUR else str(code)


def _size(data: bytes, name: str) -> tuple[int, int]:
    """Width and height as the image declares them, before a pixel is read.

    Raises:
        LabelError: it is no image, or a JPEG.
    """
    if data.startswith(_JPEG):
        raise LabelError(
            f"{name} is a JPEG, which changes colours and so classes. Save label maps as PNG."
        )
    try:
        with Image.open(BytesIO(data)) as image:
            width, height = image.size
    except DAMAGES as error:
        raise LabelError(
            f"{name} is not an image that can be read. Save it again as PNG."
        ) from error
    if width * height > MAX_PIXELS:
        raise LabelError(
            f"{name} declares {width} x {height} pixels. Needed are those of its image."
        )
    return width, height


def _codes(data: bytes, name: str) -> Iterator[tuple[int, UInt32[np.ndarray, "rows width"]]]:
    """The number of each pixel, or its colour beyond all numbers; band by band, with first rows.

    Raises:
        LabelError: it cannot be read, or a number is that of no class.
    """
    _size(data, name)
    try:
        image = open_image(data, name)
    except ImageError as error:
        raise LabelError(str(error)) from error
    in_colour = image.mode in ("RGB", "RGBA") or (image.mode == "P" and not _is_grey(image))
    for top, band in bands_of(image):
        yield top, _colours_in(band) if in_colour else _numbers_in(band, name)


def _colours_in(image: Image.Image) -> UInt32[np.ndarray, "height width"]:
    colours = np.asarray(image.convert("RGB")).astype(np.uint32)
    red, green, blue = colours[..., 0], colours[..., 1], colours[..., 2]
    return (red << 16 | green << 8 | blue) + np.uint32(_COLOUR)


def _numbers_in(image: Image.Image, name: str) -> UInt32[np.ndarray, "height width"]:
    if image.mode not in ("1", "L", "P", "I", "I;16"):
        raise LabelError(
            f"{name} is an image of mode {image.mode}, which holds no classes. Save it as 8-bit "
            "grey."
        )
    numbers = np.asarray(image)
    if int(numbers.max(initial=0)) > UNLABELLED or int(numbers.min(initial=0)) < 0:
        raise LabelError(
            f"{name} has a pixel of value {int(numbers.max())}; class numbers end at 254. Is it a "
            "map of single objects instead of classes?"
        )
    return numbers.astype(np.uint32)


def _is_grey(image: Image.Image) -> bool:
    """Whether a palette shows numbers as grey, or two of those that are used as one colour."""
    palette = np.array(image.getpalette("RGB") or [], dtype=np.int64).reshape(-1, 3)
    used = np.flatnonzero(image.histogram()[:256])
    if used.max(initial=0) >= len(palette):
        return True
    colours = palette[used]
    return bool((colours == used[:, None]).all()) or len(np.unique(colours, axis=0)) < len(used)
