"""How many pixels of each class a dataset has, noted while its images are read."""

import json
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from jaxtyping import Int64, UInt8

from hdgan.artifacts.writing import storage_errors
from hdgan.class_map import UNLABELLED, LabelMap

MUCH = 0.01
"""The part of an image that a class must have to count as there: single pixels are speckle."""

_VALUES = 256
_ROWS = 64


@dataclass(frozen=True)
class ClassTotals:
    """What the label maps of a dataset hold together, by their values."""

    num_px: Int64[np.ndarray, "256"]
    """Pixels of each value."""

    num_images: Int64[np.ndarray, "256"]
    """Images of which a value has at least `MUCH`."""

    def part(self, value: int) -> float:
        """The part of the labelled pixels that has a value."""
        return float(self.num_px[value] / max(1, self.num_px[:UNLABELLED].sum()))

    def unlabelled(self) -> str:
        """How many pixels are unlabelled, for people."""
        found, everything = int(self.num_px[UNLABELLED]), int(self.num_px.sum())
        return f"{found:,} of {everything:,} pixels ({percent(found / max(1, everything))})"


class ClassNotes:
    """Counts of single images, in a file that outlives an interrupted run.

    Memory and file grow by about 100 bytes an image.
    """

    def __init__(self, path: Path) -> None:
        """Go on with the notes that an interrupted run has left; one that was cut short goes.

        Raises:
            StorageError: the disk is full or read-only.
        """
        self._path = path
        self._lock = Lock()
        self._names: set[str] = set()
        self._num_px = np.zeros(_VALUES, dtype=np.int64)
        self._num_images = np.zeros(_VALUES, dtype=np.int64)
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_file():
                self._go_on()

    def has(self, name: str) -> bool:
        """Whether an image was counted."""
        return name in self._names

    def note(self, name: str, labels: LabelMap) -> None:
        """Count an image, unless it was; any thread may call this.

        Raises:
            StorageError: the disk is full or read-only.
        """
        if self.has(name):
            return
        counts = counts_of_values(labels)
        num_px = {str(value): int(counts[value]) for value in np.flatnonzero(counts)}
        line = json.dumps({"name": name, "num_px": num_px}) + "\n"
        with self._lock, storage_errors(self._path), self._path.open("ab") as file:
            file.write(line.encode())
            self._take(name, num_px)

    def totals(self) -> ClassTotals:
        """Of all images that were counted."""
        return ClassTotals(self._num_px.copy(), self._num_images.copy())

    def _go_on(self) -> None:
        """Take the notes that are there, and cut off what is not whole."""
        whole = 0
        with self._path.open("rb+") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self._take(**json.loads(line))
            file.truncate(whole)

    def _take(self, name: str, num_px: dict[str, int]) -> None:
        if name in self._names:
            return
        self._names.add(name)
        size = sum(num_px.values())
        for value, count in num_px.items():
            self._num_px[int(value)] += count
            self._num_images[int(value)] += count >= MUCH * size


def counts_of_values(grey: UInt8[np.ndarray, "height width"]) -> Int64[np.ndarray, "256"]:
    """Pixels of each value, counted some rows at a time, since that takes eight bytes a pixel."""
    counts = np.zeros(_VALUES, dtype=np.int64)
    for first in range(0, len(grey), _ROWS):
        counts += np.bincount(grey[first : first + _ROWS].ravel(), minlength=_VALUES)
    return counts


def percent(part: float) -> str:
    """A part as people read it; one that is not 0 never looks like 0."""
    if part == 0:
        return "0 %"
    return f"{100 * part:.2f} %" if part >= 0.0001 else "less than 0.01 %"
