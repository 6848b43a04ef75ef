"""Tiles with a table that says where each comes from."""

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.table import Record, table_of
from hdgan.errors import SettingsError

TILES = "tiles.csv"


class TileRecord(Record):
    """Where a tile comes from."""

    tile: str
    """Its name; the image is `images/{tile}.png`."""

    slide: str
    """The slide, or the image, that it was cut from."""

    patient: str
    """Whose tissue it is; folds follow it."""

    stain: str | None
    """As the user named it."""

    x: int
    """Left edge on the slide, level-0 px."""

    y: int
    """Upper edge on the slide, level-0 px."""

    width: int
    """In px of the tile's image."""

    height: int
    """In px of the tile's image."""

    spacing_um: float | None
    """Tissue per pixel of the tile's image, um/px."""

    whitespace: float
    """The part that is empty glass."""

    fold: int
    """0 to 4; a patient is in one fold."""

    @property
    def image(self) -> str:
        """The image's path in the artifact."""
        return f"images/{self.tile}.png"


class TileSet(Artifact):
    """`tiles.csv` and `images/*.png`."""

    kind = "tile-set"

    def records(self, folds: tuple[int, ...] | None = None) -> list[TileRecord]:
        """The tiles of these folds, or of all, in the order of the table.

        Raises:
            SettingsError: there is no tile in these folds.
        """
        rows = table_of(self.read(TILES), TileRecord, str(self.folder / TILES))
        chosen = [row for row in rows if folds is None or row.fold in folds]
        if not chosen:
            there = sorted({row.fold for row in rows})
            raise SettingsError(
                f"{self.folder} has no tile in folds {list(folds or ())}; it has folds {there}."
            )
        return chosen

    def image(self, record: TileRecord) -> UInt8[np.ndarray, "height width 3"]:
        """A tile's pixels, RGB."""
        return rgb_of(self.read(record.image), str(self.folder / record.image))

    def seen_in(self, folds: tuple[int, ...]) -> dict[str, list[int]]:
        """What a manifest says of something that learns from these folds."""
        return {self.digest: sorted(folds)}
