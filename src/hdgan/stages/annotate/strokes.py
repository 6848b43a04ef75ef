"""What is learned from the strokes on all tiles, each tile read again only after a new stroke."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16, Float32

from hdgan.method.correction import NUM_MEMBERS, LearnedPixels
from hdgan.method.painted_pixels import (
    ALL_ANCHORS,
    PaintedPixels,
    painted_pixels,
    pixels_per_class,
)
from hdgan.stages.annotate.drawn_tiles import DrawnTiles
from hdgan.web.predictor import PaintedTile

_HALF = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class _Read:
    """What was read of one revision of a tile; 2 bytes a feature of a pixel."""

    revision: int
    pixels: PaintedPixels
    features: Float16[np.ndarray, "pixels channels"]
    prior: Float32[np.ndarray, "pixels classes"]


class Strokes:
    """The pixels that a correction learns from.

    Memory: the features of up to 2000 pixels of each painted tile (8 MB at 1024 px).
    """

    def __init__(self, tiles: DrawnTiles, num_classes: int) -> None:
        """Nothing is read yet.

        Args:
            tiles: what is painted.
            num_classes: values from here up are not learned from.
        """
        self._tiles, self._num_classes = tiles, num_classes
        self._read: dict[str, _Read] = {}

    def learned(
        self, painted: Mapping[str, PaintedTile], between: Callable[[], None], *, beside: str
    ) -> LearnedPixels | None:
        """Pixels of all tiles, no more than are ever learned from; None if nothing is painted.

        Args:
            painted: all tiles that are learned from, by name.
            between: as `DrawnTiles.drawn` has it.
            beside: the same.
        """
        read = {name: self._of(name, tile, between, beside) for name, tile in painted.items()}
        self._read = read
        taught = [read[name] for name in sorted(read) if read[name].pixels.classes.size]
        if not taught:
            return None
        per_class = pixels_per_class(len(taught), self._num_classes)
        anchors = ALL_ANCHORS // len(taught)
        chosen = [own.pixels.first(per_class, anchors) for own in taught]
        pairs = list(zip(taught, chosen, strict=True))
        return LearnedPixels(
            np.concatenate([own.features[those] for own, those in pairs]),
            np.concatenate([own.pixels.classes[those] for own, those in pairs]),
            np.concatenate([own.pixels.shares[those] for own, those in pairs]),
            np.concatenate([own.prior[those] for own, those in pairs]),
        )

    def _of(self, name: str, tile: PaintedTile, between: Callable[[], None], beside: str) -> _Read:
        """Pixels of a tile as it stands now."""
        revision = tile.revision
        before = self._read.get(name)
        if before is not None and before.revision == revision:
            return before
        pixels = painted_pixels(
            tile.labels(),
            self._num_classes,
            NUM_MEMBERS,
            zlib.crc32(name.encode()),
            has_anchors=self._tiles.ensemble is not None,
        )
        features = np.empty((0, 0), np.float16)
        prior = np.zeros((pixels.classes.size, self._num_classes), np.float32)
        if pixels.classes.size:
            drawn = self._tiles.drawn(name, between, beside=beside)
            found = self._tiles.corrected(drawn).at(pixels.rows, pixels.columns)
            features = found.clip(-_HALF, _HALF).astype(np.float16)
            thought = self._tiles.thought_at(drawn, pixels.rows, pixels.columns)
            if thought is not None:
                prior = thought[0].t().cpu().numpy().copy()
        return _Read(revision, pixels, features, prior)
