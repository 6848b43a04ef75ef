"""A file of annotations of one image, as bytes: the classes that it has, then its label map.

The format is known by the content: a label map as an image, QuPath GeoJSON, ASAP or Aperio XML, a
list of polygons, regions of ImageJ, or COCO. What might be slow is done by a process of its own, so
that a file that nobody should have made cannot keep a server busy.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeVar

from hdgan.artifacts.coco_file import CocoFile, is_coco
from hdgan.artifacts.guarded import within_seconds
from hdgan.artifacts.label_images import is_image, labels_in_image, values_in_image
from hdgan.artifacts.outlines.documents import is_json, json_document
from hdgan.artifacts.outlines.drawn_labels import ClassNumbers, class_numbers, labels_of
from hdgan.artifacts.outlines.outline import Drawing
from hdgan.artifacts.outlines.reading import drawing_of, drawing_of_json
from hdgan.artifacts.outlines.zipped import is_zip
from hdgan.class_map import AMBIGUOUS, UNLABELLED, ClassMap, LabelMap
from hdgan.errors import LabelError

MAX_BYTES = 64_000_000
"""Largest file that is taken."""

MAX_SECONDS = 8.0
"""How long it may take to read."""

_SMALL_BYTES = 2_000
"""A text that is so short is read at once: even outlines that cross themselves everywhere take a
second or two."""

Result = TypeVar("Result")


def found_classes(data: bytes, name: str, image: str = "") -> list[tuple[str, int]]:
    """The classes in a file, in the order of their first appearance, and how often each comes.

    Outlines that name no class have the empty name. Of an image, the classes are its numbers, such
    as `2`, or its colours, such as `#009e73`, with their numbers of pixels; 255 is not listed.

    Args:
        data: content of the file.
        name: what errors call it.
        image: which image is meant if it is a COCO file of several: its name without ending.

    Raises:
        LabelError: it is of no format that is read, damaged, too large, or takes too long.
        SettingsError: it needs a package that is not installed.
    """
    _check_size(data, name)
    if is_image(data):
        return values_in_image(data, name)
    return _guarded(_found, data, name, image)


def labels_in(
    data: bytes,
    name: str,
    class_of: Mapping[str, int],
    height: int,
    width: int,
    image: str = "",
) -> LabelMap:
    """The label map in a file; outlines are in px of the image.

    Args:
        data: content of the file.
        name: what errors call it.
        class_of: for each name of `found_classes` a class number, 254 (ambiguous) or 255; what is
            255 makes unlabelled what it covers.
        height: of the image.
        width: of the image.
        image: which image is meant if it is a COCO file of several: its name without ending.

    Raises:
        LabelError: as above, or a class has no number, or the file is of an image of another size.
        SettingsError: it needs a package that is not installed.
    """
    _check_size(data, name)
    if is_image(data):
        return labels_in_image(data, name, class_of, height, width)
    return _guarded(_labels, data, name, image, dict(class_of), (height, width))


def guessed_class(name: str, class_map: ClassMap, *, of_image: bool) -> int | None:
    """The number that a name of `found_classes` may stand for.

    Args:
        name: of a class; in an image, its number or its colour.
        class_map: the classes.
        of_image: whether the file is a label map as an image.

    Returns:
        A class number, 254 for `ambiguous`, 255 for `unlabelled` and black; None for other names.
    """
    if of_image and name.isdecimal() and len(name) <= 3:
        value = int(name)
        return value if value < len(class_map) or value in (AMBIGUOUS, UNLABELLED) else None
    number = ClassNumbers(class_numbers(class_map)).get(name)
    if number is not None:
        return number
    colours = [tissue.colour.lower() for tissue in class_map.classes]
    if name.lower() in colours:
        return colours.index(name.lower())
    return UNLABELLED if name == "#000000" else None


def _check_size(data: bytes, name: str) -> None:
    if len(data) > MAX_BYTES:
        raise LabelError(
            f"{name} has {len(data):,} bytes, more than the {MAX_BYTES:,} that are taken at once. "
            "Export fewer objects, such as the annotations without the detections."
        )


def _guarded(do: Callable[..., Result], data: bytes, name: str, *more: object) -> Result:
    """What a function says of the file: at once, or from a process that is ended after a while."""
    if len(data) <= _SMALL_BYTES and not is_zip(data):
        return do(data, name, *more)
    return within_seconds(MAX_SECONDS, name, do, data, name, *more)


def _found(data: bytes, name: str, image: str) -> list[tuple[str, int]]:
    content = _content(data, name)
    if isinstance(content, CocoFile):
        return list(content.counts(_stem(content, image)).items())
    return list(Counter(outline.name for outline in content.outlines).items())


def _labels(
    data: bytes, name: str, image: str, class_of: dict[str, int], size: tuple[int, int]
) -> LabelMap:
    content = _content(data, name)
    if isinstance(content, Drawing):
        return labels_of(content.outlines, class_of, *size)
    stem = _stem(content, image)
    if content.size(stem) != size:
        height, width = content.size(stem)
        raise LabelError(
            f"{name} is of an image of {width} x {height} pixels, but this one is "
            f"{size[1]} x {size[0]}. Annotate the image itself, at its full size."
        )
    return content.label_map(stem, class_of)


def _content(data: bytes, name: str) -> Drawing | CocoFile:
    """Whatever is not an image."""
    if not is_json(data):
        return drawing_of(data, name)
    document = json_document(data, name)
    return CocoFile.of(document, name) if is_coco(document) else drawing_of_json(document, name)


def _stem(coco: CocoFile, image: str) -> str:
    """Which image of a COCO file is meant."""
    if image in coco.stems:
        return image
    if len(coco.stems) == 1:
        return next(iter(coco.stems))
    raise LabelError(
        f"{coco.name} has annotations of {len(coco.stems)} images, none of them called {image!r}. "
        "Export those of this image alone, or give the image its name."
    )
