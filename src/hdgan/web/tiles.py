"""The tiles that the page shows: of a sample set or of a tile set."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image

from hdgan.artifacts.annotatable import annotatable
from hdgan.artifacts.images import png_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.artifacts.writing import write_atomically
from hdgan.method.superpixels import superpixels

BLOCK_PX = 512
"""Side of the blocks whose superpixels are found, each on its own."""

THUMBNAIL_PX = 192
"""Longest side of a thumbnail."""


@dataclass(frozen=True)
class ShownTile:
    """What is known of a tile before anybody paints."""

    tile: str
    """Its name."""

    width: int
    """Px."""

    height: int
    """Px."""

    suggested: int | None = None
    """Its place among those suggested for annotation, from 0."""

    uncertainty: float | None = None
    """How unsure a classifier was when it was drawn, nats."""

    stain: str | None = None
    fold: int | None = None
    """Of a tile of a slide."""

    spacing_um: float | None = None
    """Tissue per pixel, um/px, if it is known."""


class TileSource:
    """The tiles of an artifact, by name.

    May be used from several threads. Memory: the pixels of the two tiles and the superpixels of the
    64 blocks that were asked for last; thumbnails are kept on disk.
    """

    def __init__(self, artifact: SampleSet | TileSet, thumbnails: Path) -> None:
        """Look through the artifact's table.

        Args:
            artifact: whose tiles.
            thumbnails: a folder for small pictures.
        """
        self.artifact = artifact
        self._folder = thumbnails
        self._records = _records_of(artifact)
        self._numbers = {name: number for number, name in enumerate(self._records)}
        self.pixels = lru_cache(2)(self._pixels)
        self.superpixels = lru_cache(64)(self._superpixels)

    @classmethod
    def opened(cls, folder: Path, thumbnails: Path) -> "TileSource":
        """The tiles of the artifact in a folder.

        Raises:
            WrongArtifactError: it is neither a sample set nor a tile set.
        """
        return cls(annotatable(folder), thumbnails)

    @cached_property
    def tiles(self) -> dict[str, ShownTile]:
        """Every tile by its name, in the order of the table."""
        if isinstance(self.artifact, TileSet):
            return {
                row.tile: ShownTile(
                    row.tile,
                    row.width,
                    row.height,
                    stain=row.stain,
                    fold=row.fold,
                    spacing_um=row.spacing_um,
                )
                for row in self._records.values()
            }
        rows = list(self._records.values())
        height, width, _ = self.artifact.image(rows[0]).shape
        return {
            row.sample: ShownTile(
                row.sample, width, height, row.suggested, row.uncertainty, row.stain
            )
            for row in rows
        }

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Height and width of each tile."""
        return {name: (tile.height, tile.width) for name, tile in self.tiles.items()}

    @property
    def has_splits(self) -> bool:
        """Whether annotated tiles are dealt to splits; those of slides have folds instead."""
        return isinstance(self.artifact, SampleSet)

    def _pixels(self, name: str) -> UInt8[np.ndarray, "height width 3"]:
        """A tile's pixels, RGB.

        Raises:
            DamagedArtifactError: its file is not the one that was written.
        """
        return self.artifact.image(self._records[name])

    def _superpixels(
        self, name: str, column: int, row: int, area_px: int
    ) -> UInt16[np.ndarray, "block_height block_width"] | None:
        """The superpixels of a block; None if the tile does not reach so far."""
        y, x = row * BLOCK_PX, column * BLOCK_PX
        tile = self.tiles[name]
        if not (0 <= y < tile.height and 0 <= x < tile.width):
            return None
        return superpixels(self.pixels(name)[y : y + BLOCK_PX, x : x + BLOCK_PX], area_px)

    def image(self, name: str) -> bytes:
        """A tile as PNG or JPEG, as it is stored if it is a file of its own.

        Raises:
            DamagedArtifactError: its file is not the one that was written.
        """
        record = self._records[name]
        is_file = not isinstance(record, TileRecord) or record.stored in ("png", "jpg")
        return self.artifact.read(record.image) if is_file else png_of(self.pixels(name))

    def thumbnail(self, name: str) -> bytes:
        """A small picture, JPEG; made once."""
        path = self._folder / f"{self._numbers[name]:06d}.jpg"
        if path.is_file():
            return path.read_bytes()
        image = Image.fromarray(self._pixels(name))  # not in place of the tile that is painted
        image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), reducing_gap=2.0)
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=88)
        write_atomically(path, buffer.getvalue())
        return buffer.getvalue()


def _records_of(artifact: SampleSet | TileSet) -> dict[str, Any]:
    """The rows of the artifact's table, by the tile's name."""
    if isinstance(artifact, TileSet):
        return {row.tile: row for row in artifact.records()}
    return {row.sample: row for row in artifact.records()}
