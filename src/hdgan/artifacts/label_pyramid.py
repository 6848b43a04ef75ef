"""Label maps of whole slides: pyramidal OME-TIFF files, written a few rows at a time."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import tifffile
from jaxtyping import UInt8

from hdgan.artifacts.writing import renamed_when_whole
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap

TILE_PX = 512
"""Side of a tile; the smallest level fits into one."""

_BIG = 2**32 - 2**25
"""Files that could become larger, uncompressed, are written as BigTIFF."""

LabelRows = UInt8[np.ndarray, "rows width"]


@dataclass(frozen=True)
class LabelPicture:
    """What a file of labels says of itself."""

    name: str
    """Of the slide."""

    height: int
    """Of the label map."""

    width: int
    """Of the label map."""

    class_map: ClassMap
    """What the labels mean."""

    spacing_um: tuple[float, float] | None
    """Tissue per pixel along y and along x, um/px; None if nobody knows."""

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Height and width of each level: half of the last, rounded up, until one tile is left."""
        sizes = [(self.height, self.width)]
        while max(sizes[-1]) > TILE_PX:
            sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
        return sizes


def write_label_pyramid(path: Path, rows: Iterable[LabelRows], picture: LabelPicture) -> None:
    """Write a label map, from the top, and the same at half the size, and half again.

    8-bit grey, in tiles, losslessly compressed; the classes stand in the OME-XML. A pixel of a
    smaller level has the commonest label of its four, the first if there are several. Memory holds
    a row of tiles; beside the file, a third of its uncompressed size lies on the disk for a while.

    Args:
        path: ends in `.ome.tif`; it is there once it is whole.
        rows: all rows of the label map, a few at a time.
        picture: what the file says of itself.

    Raises:
        StorageError: the disk is full or read-only.
        ValueError: the rows are not those of the picture.
    """
    is_big = picture.height * picture.width * 4 // 3 > _BIG
    with renamed_when_whole(path) as temporary, ExitStack() as stack:
        file = stack.enter_context(tifffile.TiffWriter(temporary, bigtiff=is_big, ome=True))
        # Without names, so that nothing is left of them when the run is killed.
        smaller = [
            stack.enter_context(TemporaryFile(dir=path.parent))
            for _ in range(len(picture.levels) - 1)
        ]
        for level, (height, width) in enumerate(picture.levels):
            source = rows if level == 0 else _stored(smaller[level - 1], width)
            sink = smaller[level] if level < len(smaller) else None
            file.write(
                _tiles(_halving(_blocks(source, height, width), sink), width),
                shape=(height, width),
                dtype=np.uint8,
                tile=(TILE_PX, TILE_PX),
                photometric="minisblack",
                compression="adobe_deflate",
                software="hdgan",
                maxworkers=1,
                **_about(picture, level),
            )


def label_level(path: Path, longest_px: int) -> tuple[LabelMap, int]:
    """The largest level of a label map with no side above `longest_px`, which is 512 or more.

    How many times smaller it is than the largest comes with it.
    """
    with tifffile.TiffFile(path) as file:
        levels = file.series[0].levels
        index = next(i for i, level in enumerate(levels) if max(level.shape) <= longest_px)
        return levels[index].asarray(maxworkers=1), 2**index


def _about(picture: LabelPicture, level: int) -> dict[str, Any]:
    """What is written beside the pixels of a level; that it is one, and how large a pixel is."""
    about: dict[str, Any] = {"resolutionunit": "CENTIMETER"} if picture.spacing_um else {}
    if picture.spacing_um:
        down, along = (um * 2**level for um in picture.spacing_um)
        about["resolution"] = (1e4 / along, 1e4 / down)
    if level:
        return about | {"subfiletype": 1, "metadata": None}
    return about | {"subifds": len(picture.levels) - 1, "metadata": _ome(picture)}


def _ome(picture: LabelPicture) -> dict[str, Any]:
    """What stands in the OME-XML."""
    classes = {str(i): name for i, name in enumerate(picture.class_map.names)}
    about: dict[str, Any] = {
        "axes": "YX",
        "Name": picture.name,
        "Channel": {"Name": "tissue class"},
        "MapAnnotation": {
            "Namespace": "hdgan/classes",
            "Description": "Tissue class by pixel value",
            "Value": classes | {str(UNLABELLED): "unlabelled"},
        },
    }
    if picture.spacing_um:
        for axis, um in zip("YX", picture.spacing_um, strict=True):
            about |= {f"PhysicalSize{axis}": um, f"PhysicalSize{axis}Unit": "µm"}
    # The same labels give the same bytes; a UUID of the moment would not.
    return about | {"UUID": str(uuid5(NAMESPACE_URL, f"hdgan/labels/{picture}"))}


def _blocks(rows: Iterable[LabelRows], height: int, width: int) -> Iterator[LabelRows]:
    """The same rows, as many at a time as a tile has; the last block may have fewer."""
    waiting: list[LabelRows] = []
    num_waiting = num_given = 0
    for some in rows:
        if some.shape[1] != width:
            raise ValueError(f"rows of {some.shape[1]} pixels came for a width of {width}")
        waiting.append(some)
        num_waiting += len(some)
        while num_waiting >= TILE_PX:
            joined = np.concatenate(waiting)
            yield joined[:TILE_PX]
            waiting = [joined[TILE_PX:]]
            num_waiting, num_given = num_waiting - TILE_PX, num_given + TILE_PX
    if num_given + num_waiting != height:
        raise ValueError(f"{num_given + num_waiting} rows came for a height of {height}")
    if num_waiting:
        yield np.concatenate(waiting)


def _halving(blocks: Iterable[LabelRows], sink: IO[bytes] | None) -> Iterator[LabelRows]:
    """The same blocks; what is left of them at half the size goes to a file."""
    for block in blocks:
        if sink is not None:
            sink.write(halved_labels(block).tobytes())
        yield block


def halved_labels(
    labels: UInt8[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "half_height half_width"]:
    """Every two rows and columns become one, by the commonest label; the first of several."""
    height, width = labels.shape
    even = np.pad(labels, ((0, height % 2), (0, width % 2)), mode="edge")
    a, b, c, d = even[::2, ::2], even[::2, 1::2], even[1::2, ::2], even[1::2, 1::2]
    others = np.where((b == c) | (b == d), b, np.where(c == d, c, a))
    return np.where((a == b) | (a == c) | (a == d), a, others)


def _stored(file: IO[bytes], width: int) -> Iterator[LabelRows]:
    """The rows that were put into a file."""
    file.seek(0)
    while data := file.read(TILE_PX * width):
        yield np.frombuffer(data, dtype=np.uint8).reshape(-1, width)


def _tiles(blocks: Iterable[LabelRows], width: int) -> Iterator[UInt8[np.ndarray, "tile tile"]]:
    """Tiles row by row, unlabelled beyond the edges."""
    for block in blocks:
        for left in range(0, width, TILE_PX):
            tile = np.full((TILE_PX, TILE_PX), UNLABELLED, dtype=np.uint8)
            part = block[:, left : left + TILE_PX]
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile
