"""`hdgan tile`: a folder of images to a tile set."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.images import image_files, png_of, rgb_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.tile_set import TILES, TileRecord, TileSet
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact, made_once, plain
from hdgan.errors import ImageError, SettingsError
from hdgan.folds import dealt_to_folds
from hdgan.geometry import Region
from hdgan.method.tile_grid import tile_grid
from hdgan.method.tissue import whitespace_fraction
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import ProgressBar
from hdgan.settings.tile import TileSettings


def tile(images: Path, output: Path, settings: TileSettings) -> Made:
    """Cut the images of a folder into tiles.

    Memory holds one image at a time.

    Raises:
        ImageError: an image cannot be read, or none gives a tile.
        SettingsError: a file name has no patient, or there are too few patients.
    """
    if output.resolve().is_relative_to(images.resolve()):
        raise SettingsError(
            f"{output} lies inside {images}, so its tiles would be taken for images the next time. "
            "Choose a folder beside it."
        )
    files = image_files(images)
    names = _slide_names(images, files)
    patients = {name: name for name in names}
    if settings.patient_pattern is not None:
        patients = {name: _found(name, settings.patient_pattern, "patient") for name in names}
    stains = dict.fromkeys(names, settings.stain)
    if settings.stain_pattern is not None:
        stains = {name: _found(name, settings.stain_pattern, "stain") for name in names}
    order = Order("tile-set", plain(settings), {"images": _fingerprint(images, files)})

    def make(unfinished: UnfinishedArtifact) -> None:
        rows: list[TileRecord] = []
        with ProgressBar("tile", len(files), "images") as progress:
            for file, name in zip(files, names, strict=True):
                rows += _tiles_of(unfinished, file, name, settings)
                progress.advance()
        if not rows:
            raise ImageError(
                f"{images} gives no tile: every image is smaller than --side-px or nearly all "
                "glass. Choose smaller tiles or raise --max-whitespace."
            )
        folds = dealt_to_folds(
            [patients[row.slide] for row in rows], num_folds=settings.num_folds, seed=settings.seed
        )
        dealt = [
            row.model_copy(
                update={
                    "fold": fold,
                    "patient": patients[row.slide],
                    "stain": stains[row.slide],
                }
            )
            for row, fold in zip(rows, folds, strict=True)
        ]
        unfinished.write(TILES, table_bytes(dealt, TileRecord))

    made_once(output, order, make)
    return Made("tile-set", output, _facts(output))


def _tiles_of(
    unfinished: UnfinishedArtifact, file: Path, name: str, settings: TileSettings
) -> list[TileRecord]:
    """The tiles of one image; taken from an earlier run if that had finished the image."""
    done = unfinished.scratch / "images" / f"{name}.json"
    if done.is_file():
        return [TileRecord(**row) for row in json.loads(done.read_bytes())]
    pixels = rgb_of(file.read_bytes(), str(file))
    rows = []
    for region in tile_grid(pixels.shape[1], pixels.shape[0], settings.side_px):
        cut = pixels[region.y : region.y + region.height, region.x : region.x + region.width]
        row = _record(name, region, cut, settings)
        if row.whitespace <= settings.max_whitespace:
            unfinished.write(row.image, png_of(np.ascontiguousarray(cut)))
            rows.append(row)
    unfinished.write_scratch(f"images/{name}.json", json_bytes([row.model_dump() for row in rows]))
    return rows


def _record(
    slide: str, region: Region, cut: UInt8[np.ndarray, "height width 3"], settings: TileSettings
) -> TileRecord:
    whole = settings.side_px is None
    return TileRecord(
        tile=slide if whole else f"{slide}_x{region.x}_y{region.y}",
        slide=slide,
        patient="",
        stain=None,
        x=region.x,
        y=region.y,
        width=region.width,
        height=region.height,
        spacing_um=settings.spacing_um,
        whitespace=round(whitespace_fraction(cut), 6),
        fold=0,
    )


def _slide_names(folder: Path, files: list[Path]) -> list[str]:
    """A name for each image, from its path below the folder.

    Raises:
        ImageError: two images would have the same name.
    """
    names = ["__".join(file.relative_to(folder).with_suffix("").parts) for file in files]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ImageError(
                f"{files[i]} and {files[names.index(name)]} differ only in their ending. Rename "
                "one of them."
            )
    return names


def _found(name: str, pattern: str, what: str) -> str:
    """The patient or the stain in a file's name."""
    try:
        found = re.search(pattern, name)
    except re.error as error:
        raise SettingsError(
            f"--{what}-pattern {pattern!r} is no regular expression ({error})."
        ) from error
    if found is None or not found.groups() or not found[1]:
        raise SettingsError(
            f"--{what}-pattern {pattern!r} finds no {what} in {name!r}. Needed: a pattern with "
            "one group in brackets that matches every name, such as '^(P[0-9]+)_'."
        )
    return found[1]


def _fingerprint(folder: Path, files: list[Path]) -> str:
    """Tells whether the folder still holds the same files: their names and sizes."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\n".encode())
    return digest.hexdigest()


def _facts(output: Path) -> dict[str, Fact]:
    records = TileSet.open(output).records()
    folds = [record.fold for record in records]
    stains = {record.stain for record in records if record.stain}
    return {
        "tiles": len(records),
        "images": len({record.slide for record in records}),
        "patients": len({record.patient for record in records}),
        **({"stains": " ".join(sorted(stains))} if stains else {}),
        "tiles by fold": " ".join(str(folds.count(fold)) for fold in sorted(set(folds))),
    }
