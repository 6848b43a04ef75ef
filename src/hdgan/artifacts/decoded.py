"""Decoded images: kept in memory while they fit, else on disk, else decoded again each time."""

import os
import shutil
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.arrays import npy_bytes
from hdgan.artifacts.writing import write_atomically

CACHE_BYTES = 2 * 2**30
"""What decoded images may take together in memory."""

DISK_RESERVE = 2 * 2**30
"""What is left free on a disk that decoded images are kept on."""

Image = UInt8[np.ndarray, "..."]
Cache = Literal["auto", "memory", "disk", "none"]


class Decoded:
    """Images by number; those not used for longest are forgotten first.

    Memory: at most `limit` bytes, or one image.
    """

    def __init__(self, read: Callable[[int], Image], *, limit: int = CACHE_BYTES) -> None:
        self._read = read
        self._limit = limit
        self._kept: OrderedDict[int, Image] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, number: int) -> Image:
        """The image of this number."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        image = self._kept[number] = self._read(number)
        self._bytes += image.nbytes
        while self._bytes > self._limit and len(self._kept) > 1:
            _, forgotten = self._kept.popitem(last=False)
            self._bytes -= forgotten.nbytes
        return image


class DecodedOnDisk:
    """Images by number, decoded once into a folder and then mapped: a crop reads its pixels only.

    Several processes may share the folder. Memory: one image while it is decoded; afterwards only
    the pages that the operating system cares to keep.
    """

    def __init__(self, read: Callable[[int], Image], folder: Path) -> None:
        self._read = read
        self._folder = folder

    def __getitem__(self, number: int) -> Image:
        """The image of this number, read-only."""
        path = self._folder / f"{number:06d}.npy"
        if not path.is_file():
            own = self._folder / f"{number:06d}-{os.getpid()}.npy"
            write_atomically(own, npy_bytes(self._read(number)))
            own.replace(path)
        image: Image = np.load(path, mmap_mode="r", allow_pickle=False)
        return image


def place_for(cache: Cache, num_bytes: int, folder: Path) -> Literal["memory", "disk", "none"]:
    """Where decoded images of so many bytes together are kept.

    Args:
        cache: what the user wants; `auto` is memory if they fit there, else the disk if they fit.
        num_bytes: of all images.
        folder: where they would lie on disk.
    """
    if cache != "auto":
        return cache
    if num_bytes <= CACHE_BYTES:
        return "memory"
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    fits = shutil.disk_usage(there).free >= num_bytes + DISK_RESERVE
    return "disk" if fits else "none"
