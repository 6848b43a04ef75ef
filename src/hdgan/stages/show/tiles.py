"""A tile set: tiles, slides, patients, folds."""

from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.errors import ArtifactError, ImageError
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery, GalleryPicture
from hdgan.report.artifact_page_layers import photo, side_px_for
from hdgan.report.page import PageTable, Section
from hdgan.stages.show.account import Account, Look, Shown, counted
from hdgan.stages.show.labelled import IMAGE, finite


def account_of(tiles: TileSet, look: Look) -> Account:
    """What is in a tile set.

    Raises:
        DamagedArtifactError: its table cannot be read.
    """
    records = tiles.records()
    return Account(
        "Tiles that were cut from slides or images, dealt by patient to folds.",
        _facts(tiles, records),
        lambda: _shown(tiles, records, look),
    )


def _facts(tiles: TileSet, records: list[TileRecord]) -> dict[str, Fact]:
    slides = tiles.slides()
    without = sum(slide.tiles == 0 for slide in slides)
    spacings = sorted({record.spacing_um for record in records if record.spacing_um is not None})
    facts: dict[str, Fact] = {
        "tiles": len(records),
        "slides": len({record.slide for record in records}),
        "patients": len({record.patient for record in records}),
        "tiles by fold": ", ".join(
            f"{fold}: {sum(record.fold == fold for record in records):,}"
            for fold in sorted({record.fold for record in records})
        ),
        "side": _range(sorted({record.width for record in records}), "px"),
        "tissue per pixel": _range(spacings, "um/px") or "not known",
        "stains": counted([record.stain for record in records]),
    }
    if any(record.centre for record in records):
        facts["centres"] = counted([record.centre for record in records])
    if without:
        facts["slides without tiles"] = without
    if any(record.stored == "slide" for record in records):
        facts["pixels"] = "in the slides, which are read when they are needed"
    return facts


def _range(values: list[int] | list[float], unit: str) -> str:
    if not values:
        return ""
    smallest, largest = f"{values[0]:g}", f"{values[-1]:g}"
    return f"{smallest} {unit}" if smallest == largest else f"{smallest} to {largest} {unit}"


def _shown(tiles: TileSet, records: list[TileRecord], look: Look) -> Shown:
    chosen = look.spread(records)
    side_px = side_px_for(len(chosen))
    pictures, missing = [], ""
    for record in chosen:
        try:
            pictures.append(_picture(tiles, record, side_px))
        except (ImageError, ArtifactError) as error:
            # Of a virtual tile, the slide may be elsewhere; the tile set is whole all the same.
            missing = f" Not all can be shown: {error}"
    text = f"{len(pictures):,} of {len(records):,} tiles, spread evenly over the table.{missing}"
    return Shown(
        gallery=Gallery(text, [IMAGE], pictures) if pictures else None,
        sections=[_counts(records, missing)],
    )


def _picture(tiles: TileSet, record: TileRecord, side_px: int) -> GalleryPicture:
    groups = {
        "fold": [str(record.fold)],
        "patient": [record.patient],
        "stain": [record.stain or "not named"],
        "centre": [record.centre or "not named"],
    }
    notes = [f"fold {record.fold}", *filter(None, (record.stain, record.centre))]
    if record.patient != record.tile:
        is_said = record.patient.lower().startswith("patient")
        notes.append(record.patient if is_said else f"patient {record.patient}")
    numbers = {
        "tissue": record.tissue,
        "glass": record.whitespace,
        "sharpness": record.sharpness,
    }
    image = photo(tiles.image(record), side_px)
    shape = (record.height, record.width)
    return GalleryPicture(record.tile, {"image": image}, shape, notes, groups, finite(numbers))


def _counts(records: list[TileRecord], missing: str) -> Section:
    rows = []
    for fold in sorted({record.fold for record in records}):
        inside = [record for record in records if record.fold == fold]
        rows.append(
            [
                str(fold),
                f"{len(inside):,}",
                f"{len({record.slide for record in inside}):,}",
                f"{len({record.patient for record in inside}):,}",
                counted([record.stain for record in inside]),
            ]
        )
    header = ["fold", "tiles", "slides", "patients", "stains"]
    table = PageTable("Whole patients are in one fold.", header, rows)
    return Section("Folds", missing, tables=[table])
