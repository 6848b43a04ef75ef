"""Pictures of an artifact's page: made small, in layers that lie over one another."""

import base64
from io import BytesIO

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from hdgan.artifacts.images import png_of
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap
from hdgan.report.grids import Picture
from hdgan.report.pictures import heat

OUTLINES_PX = 256
"""Outlines of smaller label maps are drawn at about this size, so that they are thin."""

_LOSSLESS_PX = 64
"""Photographs up to this side are PNG: at this size, JPEG saves little and blurs what is there."""

_JPEG_QUALITY = {128: 92, 256: 86}
"""By the longer side up to which it holds: what is shown magnified may lose less."""


def side_px_for(num_pictures: int) -> int:
    """The longer side of a picture, so that a page of so many stays well below 20 MB."""
    if num_pictures <= 64:
        return 512
    return 256 if num_pictures <= 250 else 128


def photo(pixels: Picture, side_px: int) -> str:
    """An image, its longer side at most `side_px`, as a data URI."""
    small = Image.fromarray(pixels)
    small.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if max(small.size) <= _LOSSLESS_PX:
        return _uri("png", png_of(np.asarray(small)))
    buffer = BytesIO()
    quality = next((q for px, q in _JPEG_QUALITY.items() if max(small.size) <= px), 80)
    small.save(buffer, "JPEG", quality=quality, optimize=True)
    return _uri("jpeg", buffer.getvalue())


def label_layer(labels: LabelMap, class_map: ClassMap, side_px: int) -> str:
    """A label map in the colours of its classes, clear where unlabelled, as a data URI."""
    small = _nearest(labels, _fitting(labels.shape, side_px))
    return _in_colours(small, class_map, np.ones(small.shape, dtype=np.bool_))


def outline_layer(labels: LabelMap, class_map: ClassMap, side_px: int) -> str:
    """The borders of a label map, each side in the colour of its class, as a data URI."""
    height, width = _fitting(labels.shape, side_px)
    zoom = max(1, OUTLINES_PX // max(labels.shape))
    large = _nearest(labels, (height * zoom, width * zoom))
    border = np.zeros(large.shape, dtype=np.bool_)
    across, down = large[:, 1:] != large[:, :-1], large[1:] != large[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    return _in_colours(large, class_map, border)


def heat_layer(values: Float[np.ndarray, "height width"], largest: float, side_px: int) -> str:
    """Values from 0 (dark) to `largest` (bright), averaged to the size, as a data URI."""
    height, width = _fitting(values.shape, side_px)
    small = Image.fromarray(values.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
    return photo(heat(np.asarray(small).astype(np.float64), largest), side_px)


def svg_uri(svg: str) -> str:
    """A chart as a data URI: shown as a picture, nothing in it can run."""
    return _uri("svg+xml", svg.encode())


def _fitting(shape: tuple[int, ...], side_px: int) -> tuple[int, int]:
    """Height and width, made smaller alike if need be."""
    scale = min(1.0, side_px / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _nearest(labels: LabelMap, shape: tuple[int, int]) -> UInt8[np.ndarray, "new_height new_width"]:
    """The label map at another size: each pixel that of the nearest centre."""
    rows = (np.arange(shape[0]) + 0.5) * labels.shape[0] / shape[0]
    columns = (np.arange(shape[1]) + 0.5) * labels.shape[1] / shape[1]
    return labels[np.ix_(rows.astype(np.intp), columns.astype(np.intp))]


def _in_colours(
    labels: LabelMap, class_map: ClassMap, shown: Bool[np.ndarray, "height width"]
) -> str:
    """The labels that are shown, in colour; everything else is clear."""
    clear = len(class_map)
    numbers = np.where(shown & (labels != UNLABELLED), np.minimum(labels, clear), clear)
    image = Image.fromarray(numbers.astype(np.uint8))
    image.putpalette([*class_map.palette.ravel().tolist(), 0, 0, 0])
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True, transparency=clear)
    return _uri("png", buffer.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
