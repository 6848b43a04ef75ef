"""A file of an image that was made again, compared with the one that was kept."""

import hashlib
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile
from jaxtyping import UInt8

from hdgan.artifacts.images import open_image
from hdgan.artifacts.manifest import digest_of_file
from hdgan.errors import ImageError
from hdgan.method.redrawn import Difference


@dataclass(frozen=True)
class FileDifference:
    """How two files of an image compare."""

    same_bytes: bool
    """Whether nothing differs at all."""

    pixels: Difference = field(default_factory=Difference)
    """What differs in the decoded pixels; nothing is counted where bytes are the same."""

    problem: str = ""
    """Why pixels cannot be compared, in words; empty if they can."""


def difference_of_files(kept: Path | bytes, redrawn: Path) -> FileDifference:
    """How an image compares with the same one, made again.

    Of tiled TIFF files, memory holds two tiles; of others, both images.

    Args:
        kept: the file that was kept, or its content.
        redrawn: the file that was made again.
    """
    if isinstance(kept, Path) and not kept.is_file():
        return FileDifference(same_bytes=False, problem="the file is missing")
    digest = digest_of_file(kept) if isinstance(kept, Path) else hashlib.sha256(kept).hexdigest()
    if digest == digest_of_file(redrawn):
        return FileDifference(same_bytes=True)
    try:
        if isinstance(kept, Path) and redrawn.suffix == ".tif":
            pixels = _of_tiles(kept, redrawn)
        else:
            data = kept.read_bytes() if isinstance(kept, Path) else kept
            pixels = Difference.between(*_of_one_size(_pixels(data), _pixels(redrawn.read_bytes())))
    except (ImageError, ValueError, OSError, RuntimeError, zlib.error) as error:
        return FileDifference(same_bytes=False, problem=_reason(error))
    return FileDifference(same_bytes=False, pixels=pixels)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, _OtherSizeError) else "the file cannot be read"


class _OtherSizeError(ValueError):
    """Two images that cannot be compared pixel by pixel."""


def _pixels(data: bytes) -> UInt8[np.ndarray, "height width *channels"]:
    return np.asarray(open_image(data, "the file"), dtype=np.uint8)


def _of_one_size(
    kept: UInt8[np.ndarray, "..."], redrawn: UInt8[np.ndarray, "..."]
) -> tuple[UInt8[np.ndarray, "..."], UInt8[np.ndarray, "..."]]:
    if kept.shape != redrawn.shape:
        raise _OtherSizeError(
            f"it is {_size(kept.shape)}, but what is drawn is {_size(redrawn.shape)}"
        )
    return kept, redrawn


def _size(shape: tuple[int, ...]) -> str:
    kind = "RGB" if len(shape) == 3 else "grey"
    return f"{shape[1]} x {shape[0]} px, {kind}"


def _of_tiles(kept: Path, redrawn: Path) -> Difference:
    """Tile by tile: both were written with tiles of one size, row by row."""
    with ExitStack() as files:
        pages = [
            files.enter_context(tifffile.TiffFile(path)).pages.first for path in (kept, redrawn)
        ]
        shapes = [tuple(page.shape) for page in pages]
        if shapes[0] != shapes[1]:
            raise _OtherSizeError(
                f"it is {_size(shapes[0])}, but what is drawn is {_size(shapes[1])}"
            )
        total = Difference()
        for ours, theirs in zip(*(page.segments(maxworkers=1) for page in pages), strict=True):
            total += Difference.between(*_of_one_size(_tile(ours[0]), _tile(theirs[0])))
        return total


def _tile(segment: np.ndarray | None) -> UInt8[np.ndarray, "height width *channels"]:
    """A tile's pixels without the axes that one image has for many."""
    if segment is None:
        raise ValueError("a tile is missing")
    return np.asarray(segment[0] if segment.shape[-1] > 1 else segment[0, ..., 0], dtype=np.uint8)
