"""Annotated real tiles as squares of a generator's size, shrunk as its training has shrunk them."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.real_tiles import crop_of
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.class_map import UNLABELLED
from hdgan.errors import ImageError, LabelError, SettingsError
from hdgan.method.tile_crop import shrunk
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.train_classifier.drawings import chosen_of


@dataclass(frozen=True)
class RealCrop:
    """A labelled square of a tile."""

    tile: str
    """The tile's name."""

    x: int
    """Left edge, px of the tile's image."""

    y: int
    """Upper edge, px of the tile's image."""

    image: UInt8[np.ndarray, "side side 3"]
    """RGB, of the generator's size."""

    labels: UInt8[np.ndarray, "side side"]
    """The class of each pixel."""

    @property
    def name(self) -> str:
        """The tile and the place."""
        return f"{self.tile}-y{self.y:05d}-x{self.x:05d}"


class RealCrops:
    """The squares that are learned from.

    Memory: one tile with its label map; squares are cut when they are asked for.
    """

    def __init__(
        self,
        annotated: AnnotationSet,
        tiles: TileSet,
        generator: GeneratorFolder,
        settings: TrainClassifierSettings,
    ) -> None:
        """Choose the tiles.

        Raises:
            SettingsError: none is annotated in these folds, or fewer than are wanted.
            ImageError: a tile is too small for the generator.
        """
        self.annotated, self.tiles = annotated, tiles
        self.class_map = annotated.class_map
        self.most = settings.crops_per_tile
        cut = crop_of(generator)
        self.side_px = cut.side_px
        self.needed_px = round(cut.side_px * sqrt(cut.shrink[0] * cut.shrink[1]))
        self._tiles = {record.tile: record for record in tiles.records(settings.folds)}
        offered = [record for record in annotated.records() if record.image in self._tiles]
        if not offered:
            raise SettingsError(
                f"{annotated.folder} has no annotated tile in folds {list(settings.folds)}. Choose "
                "others with --folds, or annotate tiles of these."
            )
        self.records = chosen_of(offered, settings)
        for record in self.records:
            self._check_size(self._tiles[record.image])

    def of(self, record: AnnotationRecord) -> list[RealCrop]:
        """The squares of a tile that have a labelled pixel, row by row."""
        tile = self._tiles[record.image]
        image, labels = self.tiles.image(tile), self.annotated.labels(record)
        crops = (self._cut(tile, image, labels, place) for place in self._places(tile))
        return [crop for crop in crops if (crop.labels != UNLABELLED).any()]

    def all(self) -> list[RealCrop]:
        """All squares, in memory: four bytes a pixel.

        Raises:
            LabelError: no pixel is labelled.
        """
        crops = [crop for record in self.records for crop in self.of(record)]
        if not crops:
            self.refuse_unlabelled()
        return crops

    def refuse_unlabelled(self) -> None:
        """Raise the error that says so."""
        raise LabelError(
            f"None of the {len(self.records)} tiles of {self.annotated.folder} that are learned "
            "from has a labelled pixel where they are cut. Paint at least one class."
        )

    def split_table(self, learned: set[str]) -> bytes:
        """The annotated tiles; those that were learned from are for training, others for nothing.

        Args:
            learned: names of the tiles that were learned from.
        """
        rows = [
            record.model_copy(update={"split": "training" if record.image in learned else None})
            for record in self.annotated.records()
        ]
        return table_bytes(rows, AnnotationRecord)

    def _check_size(self, tile: TileRecord) -> None:
        if min(tile.width, tile.height) < self.needed_px:
            raise ImageError(
                f"The tile {tile.tile} of {self.tiles.folder} is {tile.width} x {tile.height} "
                f"pixels, but the generator draws what fills {self.needed_px} x {self.needed_px}. "
                "Annotate larger tiles, or use a generator of smaller drawings."
            )

    def _places(self, tile: TileRecord) -> Iterator[tuple[int, int]]:
        """Corners (y, x) of squares side by side around the tile's middle, evenly chosen."""
        down, along = tile.height // self.needed_px, tile.width // self.needed_px
        top = (tile.height - down * self.needed_px) // 2
        left = (tile.width - along * self.needed_px) // 2
        chosen = np.linspace(0, down * along - 1, min(self.most, down * along)).round().astype(int)
        for row, column in (divmod(int(number), along) for number in chosen):
            yield top + row * self.needed_px, left + column * self.needed_px

    def _cut(
        self, tile: TileRecord, image: np.ndarray, labels: np.ndarray, place: tuple[int, int]
    ) -> RealCrop:
        y, x = place
        rows, columns = slice(y, y + self.needed_px), slice(x, x + self.needed_px)
        # The label of a shrunk pixel is that of the pixel at its middle.
        step = self.needed_px / self.side_px
        kept = ((np.arange(self.side_px) + 0.5) * step).astype(np.int64)
        return RealCrop(
            tile.tile,
            x,
            y,
            np.ascontiguousarray(shrunk(image[rows, columns], self.side_px)),
            np.ascontiguousarray(labels[rows, columns][np.ix_(kept, kept)]),
        )
