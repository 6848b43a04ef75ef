"""The files of one pair: written as a whole, or band by band."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from hdgan.artifacts.images import png_of
from hdgan.artifacts.pair_set import PairRecord
from hdgan.artifacts.tiled_image import tiled_images
from hdgan.artifacts.writing import write_atomically
from hdgan.method.labelled_drawing import LabelledDrawing
from hdgan.method.uncertainty import ScoreOfRows, image_score


@dataclass
class Tally:
    """What is known of a pair without its files."""

    uncertainty: float
    pixels: list[int]
    """Pixels by class."""


@dataclass(frozen=True)
class PairFiles:
    """How pairs are written."""

    num_classes: int
    largest: float
    """Divergence that becomes white in an uncertainty map, nats."""

    def write(self, folder: Path, record: PairRecord, drawing: LabelledDrawing) -> Tally:
        """Write a pair that is in memory into a folder.

        Raises:
            StorageError: the disk is full.
        """
        write_atomically(folder / record.image, png_of(drawing.pixels))
        write_atomically(folder / record.labels, png_of(drawing.labels))
        write_atomically(folder / record.uncertainty_map, png_of(self._grey(drawing.uncertainty)))
        return Tally(image_score(drawing.uncertainty), self._pixels(drawing).tolist())

    def write_bands(
        self, folder: Path, record: PairRecord, bands: Iterable[LabelledDrawing], side: int
    ) -> Tally:
        """Write a pair that comes from the top, some rows at a time.

        Raises:
            StorageError: the disk is full.
        """
        score, pixels = ScoreOfRows(self.largest), np.zeros(self.num_classes, dtype=np.int64)
        channels = {record.image: 3, record.labels: 1, record.uncertainty_map: 1}
        paths = {folder / name: count for name, count in channels.items()}
        with tiled_images(paths, side) as (image, labels, uncertainty):
            for band in bands:
                image.add(band.pixels)
                labels.add(band.labels)
                uncertainty.add(self._grey(band.uncertainty))
                score.add(band.uncertainty)
                pixels += self._pixels(band)
        return Tally(score.value, pixels.tolist())

    def _grey(
        self, uncertainty: Float32[np.ndarray, "rows side"]
    ) -> UInt8[np.ndarray, "rows side"]:
        grey = np.round(uncertainty * (255.0 / max(self.largest, 1e-9)))
        return np.clip(grey, 0, 255).astype(np.uint8)

    def _pixels(self, drawing: LabelledDrawing) -> np.ndarray:
        return np.bincount(drawing.labels.ravel(), minlength=self.num_classes)
