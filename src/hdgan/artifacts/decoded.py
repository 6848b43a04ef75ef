"""Decoded images, kept as long as they fit."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

CACHE_BYTES = 2 * 2**30
"""What decoded images may take together."""


class Decoded:
    """Images by number; those not used for longest are forgotten first.

    Memory: at most `limit` bytes, or one image.
    """

    def __init__(self, read: Callable[[int], np.ndarray], *, limit: int = CACHE_BYTES) -> None:
        self._read = read
        self._limit = limit
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self._bytes = 0

    def __getitem__(self, number: int) -> np.ndarray:
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
