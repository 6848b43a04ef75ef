"""RGB images as pyramidal OME-TIFF files."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import tifffile
from jaxtyping import UInt8

from hdgan.artifacts.writing import renamed_when_whole

PYRAMID_PX = 1024
"""Images with a side of this or more have smaller levels."""

TILE_PX = 512
"""Side of a tile; the smallest level of a pyramid fits into one."""

_BIG = 2**32 - 2**25
"""Files that could become larger, uncompressed, are written as BigTIFF."""

Pixels = UInt8[np.ndarray, "height width 3"]


def write_picture(path: Path, pixels: Pixels, name: str, spacing_um: float | None) -> None:
    """Write an image, and if it is large the same at half the size, and half again.

    In tiles, losslessly compressed (deflate with horizontal differences). Equal images of equal
    names give equal bytes. Memory holds the image and its levels, a third more.

    Args:
        path: ends in `.ome.tif`; it is there once it is whole.
        pixels: RGB.
        name: as the OME-XML says it.
        spacing_um: tissue per pixel, um/px; None if nobody knows.

    Raises:
        StorageError: the disk is full or read-only.
    """
    levels = levels_of(pixels)
    is_big = sum(level.size for level in levels) > _BIG
    with (
        renamed_when_whole(path) as temporary,
        tifffile.TiffWriter(temporary, bigtiff=is_big, ome=True) as file,
    ):
        for number, level in enumerate(levels):
            if number == 0:
                metadata = _ome(pixels, name, spacing_um)
                about: dict[str, Any] = {"subifds": len(levels) - 1, "metadata": metadata}
            else:
                about = {"subfiletype": 1, "metadata": None}
            file.write(
                level,
                photometric="rgb",
                tile=(TILE_PX, TILE_PX),
                compression="adobe_deflate",
                predictor=True,
                software="hdgan",
                maxworkers=1,
                **about,
                **_resolution(spacing_um, number),
            )


def levels_of(pixels: Pixels) -> list[UInt8[np.ndarray, "_ _ 3"]]:
    """An image and, if it is large, its halves, until one tile is left."""
    levels: list[UInt8[np.ndarray, "_ _ 3"]] = [pixels]
    if max(pixels.shape) >= PYRAMID_PX:
        while max(levels[-1].shape) > TILE_PX:
            levels.append(halved(levels[-1]))
    return levels


def halved(pixels: Pixels) -> UInt8[np.ndarray, "half_height half_width 3"]:
    """Every two rows and columns become one, by their mean; a last odd one counts twice."""
    height, width, _ = pixels.shape
    even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    total = np.full((len(even) // 2, even.shape[1] // 2, 3), 2, dtype=np.uint16)
    for down in (0, 1):
        for along in (0, 1):
            total += even[down::2, along::2]
    return (total // 4).astype(np.uint8)


def _resolution(spacing_um: float | None, level: int) -> dict[str, Any]:
    """What TIFF itself says of the size of a pixel."""
    if spacing_um is None:
        return {}
    per_cm = 1e4 / (spacing_um * 2**level)
    return {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}


def _ome(pixels: Pixels, name: str, spacing_um: float | None) -> dict[str, Any]:
    """What stands in the OME-XML."""
    about: dict[str, Any] = {"axes": "YXS", "Name": name, "Channel": {"Name": "RGB"}}
    if spacing_um is not None:
        for axis in "YX":
            about |= {f"PhysicalSize{axis}": spacing_um, f"PhysicalSize{axis}Unit": "µm"}
    # The same image gives the same bytes; a UUID of the moment would not.
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    return about | {"UUID": str(uuid5(NAMESPACE_URL, f"hdgan/image/{name}/{digest}"))}
