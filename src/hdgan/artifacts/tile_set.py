"""Tiles with a table that says where each comes from."""

from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.seen import Seen
from hdgan.artifacts.shards import Shards
from hdgan.artifacts.table import Name, Record, table_of
from hdgan.artifacts.virtual_tiles import SlideSource, VirtualTiles
from hdgan.errors import DamagedArtifactError, LeakError, SettingsError
from hdgan.geometry import Region

TILES = "tiles.csv"
SLIDES = "slides.csv"
SOURCE = "source.json"

Stored = Literal["png", "jpg", "zip/png", "zip/jpg", "slide"]
"""Where a tile's pixels are: an image of its own, an image in an archive, or the slide."""


class TileRecord(Record):
    """Where a tile comes from."""

    tile: Name
    """Its name."""

    slide: Name
    """The slide, or the image, that it was cut from."""

    patient: str
    """Whose tissue it is; folds follow it."""

    stain: str | None
    """As the user named it."""

    centre: str | None = None
    """Where the slide was cut, stained or scanned, as the user named it."""

    x: int
    """Left edge on the slide, level-0 px."""

    y: int
    """Upper edge on the slide, level-0 px."""

    width: int
    """In px of the tile's image."""

    height: int
    """In px of the tile's image."""

    scale: float = 1.0
    """Level-0 px per px of the tile's image."""

    covered_width: int | None = None
    """Level-0 px; None stands for `width * scale`."""

    covered_height: int | None = None
    """Level-0 px; None stands for `height * scale`."""

    spacing_um: float | None
    """Tissue per pixel of the tile's image, um/px."""

    whitespace: float
    """The part that is empty glass."""

    tissue: float | None = None
    """The part that is tissue, as found on the slide's overview; plain images are not judged."""

    sharpness: float | None = None
    """As `method.sharpness` has it; None for a tile whose pixels were not read, or of glass."""

    fold: int
    """0 to 4; a patient is in one fold."""

    stored: Stored = "png"
    """Where its pixels are."""

    @property
    def image(self) -> str:
        """The image's path in the artifact; of a virtual tile, what it would be called."""
        ending = self.stored.rpartition("/")[2]
        if self.stored.startswith("zip/"):
            return f"images/{self.slide}.zip/{self.tile}.{ending}"
        return f"images/{self.tile}.{'png' if ending == 'slide' else ending}"

    @property
    def region(self) -> Region:
        """What it covers of its slide, level-0 px."""
        across = self.covered_width or round(self.width * self.scale)
        down = self.covered_height or round(self.height * self.scale)
        return Region(self.x, self.y, across, down)


class SlideRecord(Record):
    """A slide that was tiled, or was to be."""

    slide: Name
    """Its name."""

    file: str
    """The file, below the folder that was handed in."""

    size_bytes: int
    """Of the file."""

    kind: str | None
    """Who wrote it, or how it is stored."""

    width: int | None
    """Level-0 px."""

    height: int | None
    """Level-0 px."""

    spacing_um: float | None
    """Tissue per level-0 pixel, um/px."""

    patient: str
    stain: str | None
    centre: str | None

    tiles: int
    """Tiles that were kept."""

    tissue: float | None
    """The part of the slide that is tissue."""

    problem: str | None
    """Why it gave no tile; None if it gave some."""

    fingerprint: str | None = None
    """What tells the file when it is tiled again, whatever it is called by then, but not what it
    shows: as `slide_files.fingerprint_of_file` has it. None in tables of earlier versions."""


class TileSet(Artifact):
    """`tiles.csv` and `slides.csv`; images or archives of them, unless tiles are virtual."""

    kind = "tile-set"

    def records(self, folds: tuple[int, ...] | None = None) -> list[TileRecord]:
        """The tiles of these folds, or of all, in the order of the table.

        Raises:
            SettingsError: there is no tile in these folds.
            LeakError: a patient is in two folds.
        """
        rows = table_of(self.read(TILES), TileRecord, str(self.folder / TILES))
        refuse_leak([(row.patient, row.fold) for row in rows], str(self.folder))
        chosen = [row for row in rows if folds is None or row.fold in folds]
        if not chosen:
            there = sorted({row.fold for row in rows})
            raise SettingsError(
                f"{self.folder} has no tile in folds {list(folds or ())}; it has folds {there}."
            )
        return chosen

    def slides(self) -> list[SlideRecord]:
        """The slides that were handed in; none for tile sets of earlier versions."""
        if SLIDES not in self.manifest.files:
            return []
        return table_of(self.read(SLIDES), SlideRecord, str(self.folder / SLIDES))

    def image(self, record: TileRecord) -> UInt8[np.ndarray, "height width 3"]:
        """A tile's pixels, RGB.

        Raises:
            ImageError: the slide of a virtual tile cannot be read.
            DamagedArtifactError: a file of the artifact is not what was written.
        """
        if record.stored == "slide":
            return self._virtual.read(record.slide, record.region, record.width, record.height)
        if record.stored.startswith("zip/"):
            archive, _, member = record.image.rpartition("/")
            data = self._shards.read(self.path(archive), member)
            return rgb_of(data, str(self.folder / record.image))
        return rgb_of(self.read(record.image), str(self.folder / record.image))

    @cached_property
    def _shards(self) -> Shards:
        return Shards()

    @cached_property
    def _virtual(self) -> VirtualTiles:
        if SOURCE not in self.manifest.files:
            raise DamagedArtifactError(f"{self.folder} does not say where its slides lie.")
        return VirtualTiles(
            self.read(SOURCE),
            {row.slide: SlideSource(row.file, row.size_bytes) for row in self.slides()},
        )

    def fingerprints(self) -> dict[int, dict[str, str]]:
        """The fingerprints of slides by fold and name; empty if one that gave a tile has none.

        A slide is in the fold of its patient, even if it gave no tile.
        """
        tiles = self.records()
        slides = self.slides()
        known = {slide.slide for slide in slides if slide.fingerprint is not None}
        if not {tile.slide for tile in tiles} <= known:
            return {}
        fold_of = {tile.patient: tile.fold for tile in tiles}
        found: dict[int, dict[str, str]] = {}
        for slide in slides:
            if slide.fingerprint is not None and slide.patient in fold_of:
                found.setdefault(fold_of[slide.patient], {})[slide.slide] = slide.fingerprint
        return found

    def seen_in(self, folds: tuple[int, ...]) -> Seen:
        """What is learned from by whoever learns from these folds."""
        by_fold = self.fingerprints()
        slides = {fold: sorted(by_fold.get(fold, {}).values()) for fold in sorted(folds)}
        return Seen({self.digest: sorted(folds)}, {self.digest: slides} if by_fold else {})


def refuse_leak(patients_and_folds: list[tuple[str, int]], where: str) -> None:
    """Do nothing if every patient is in one fold.

    Raises:
        LeakError: one is in two.
    """
    fold_of: dict[str, int] = {}
    for patient, fold in patients_and_folds:
        if fold_of.setdefault(patient, fold) != fold:
            raise LeakError(
                f"{where} has patient {patient} in folds {fold_of[patient]} and {fold}: what is "
                "learned from one would be tested on the other. Give each patient one fold."
            )
