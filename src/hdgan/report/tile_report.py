"""What a tile set holds: a contact sheet, counts, and every slide at a glance."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from hdgan.artifacts.tile_set import SlideRecord, TileRecord
from hdgan.report.grids import grid
from hdgan.report.page import Page, PageFigure, PageTable, Section, html_of, picture

SHEET_TILES = 60
SHEET_COLUMNS = 10
MAX_OVERVIEWS = 12
"""Slides that are shown."""

OVERVIEW_PX = 480
MAX_SLIDE_ROWS = 200


def tile_report(
    tiles: Sequence[TileRecord],
    slides: Sequence[SlideRecord],
    thumbnails: Mapping[str, bytes],
    overviews: Mapping[str, bytes],
) -> bytes:
    """The page, as HTML that fetches nothing.

    Args:
        tiles: all that were kept.
        slides: all that were handed in.
        thumbnails: pictures of some tiles, as JPEG, by tile; all of one size.
        overviews: pictures of slides, as JPEG, by slide.
    """
    problems = [slide for slide in slides if slide.problem is not None]
    sections = [_sheet(tiles, thumbnails), _counts(tiles, slides)]
    if overviews:
        sections.append(_overviews(slides, overviews))
    sections.append(_slides(slides))
    if problems:
        sections.insert(0, _left_out(problems))
    return html_of(
        Page(
            title="Tile set",
            lead="Tiles that were cut from slides or images, and where each comes from. "
            "tiles.csv and slides.csv in this folder have every number.",
            numbers=_headline(tiles, slides, problems),
            sections=sections,
        )
    )


def _headline(
    tiles: Sequence[TileRecord], slides: Sequence[SlideRecord], problems: Sequence[SlideRecord]
) -> list[tuple[str, str, str]]:
    sizes = sorted({(tile.width, tile.height) for tile in tiles})
    size = f"{sizes[0][0]} x {sizes[0][1]}" if len(sizes) == 1 else "several sizes"
    spacings = sorted({tile.spacing_um for tile in tiles if tile.spacing_um is not None})
    spacing = {0: "unknown", 1: f"{spacings[0]:g} um/px" if spacings else ""}.get(
        len(spacings), f"{spacings[0]:g} to {spacings[-1]:g} um/px" if spacings else ""
    )
    numbers = [
        (f"{len(tiles):,}", "tiles", f"Of {size} pixels; tissue per pixel: {spacing}."),
        (
            f"{sum(slide.tiles > 0 for slide in slides):,}",
            "slides with tiles",
            f"Of {len(slides):,} slides or images that were handed in.",
        ),
        (
            f"{len({tile.patient for tile in tiles}):,}",
            "patients",
            "Whole patients are in one fold, so that nothing is tested on a patient that was "
            "learned from.",
        ),
    ]
    if problems:
        numbers.append((f"{len(problems):,}", "without tiles", "Why stands below, for each."))
    return numbers


def _sheet(tiles: Sequence[TileRecord], thumbnails: Mapping[str, bytes]) -> Section:
    """Tiles from all over the set: round by round, one of each slide."""
    shown = [tile for tile in tiles if tile.tile in thumbnails]
    order: dict[str, int] = Counter()
    rounds = []
    for tile in shown:
        rounds.append((order[tile.slide], tile))
        order[tile.slide] += 1
    chosen = [tile for _, tile in sorted(rounds, key=lambda one: one[0])][:SHEET_TILES]
    pictures = [_pixels(thumbnails[tile.tile]) for tile in chosen]
    caption = f"{len(chosen)} of {len(tiles):,} tiles, taken evenly from the slides; made small."
    return Section(
        "Contact sheet",
        "Look for tiles that should not be there: glass, pen, folds, blur.",
        figures=[picture(grid(pictures, columns=min(SHEET_COLUMNS, len(pictures))), caption)],
    )


def _counts(tiles: Sequence[TileRecord], slides: Sequence[SlideRecord]) -> Section:
    tables = [_counted("fold", tiles, "Whole patients are dealt to folds.")]
    if any(tile.stain for tile in tiles):
        tables.append(_counted("stain", tiles, "As the user named them."))
    if any(tile.centre for tile in tiles):
        tables.append(_counted("centre", tiles, "As the user named them."))
    patients = Counter(tile.patient for tile in tiles)
    most = patients.most_common(10)
    if len(patients) < len(slides):
        rows = [
            [patient, f"{count:,}", f"{100 * count / len(tiles):.1f} %"] for patient, count in most
        ]
        tables.append(
            PageTable("Patients with most tiles.", ["patient", "tiles", "of all tiles"], rows)
        )
    return Section("Counts", "Tiles, and the slides and patients they come from.", tables=tables)


def _counted(column: str, tiles: Sequence[TileRecord], caption: str) -> PageTable:
    """Tiles, slides and patients for each value of a column."""
    groups: dict[str, list[TileRecord]] = {}
    for tile in tiles:
        value = getattr(tile, column)
        groups.setdefault("(not named)" if value is None else str(value), []).append(tile)
    stains = sorted({tile.stain for tile in tiles if tile.stain}) if column == "fold" else []
    rows = [
        [
            name,
            f"{len(group):,}",
            f"{len({tile.slide for tile in group}):,}",
            f"{len({tile.patient for tile in group}):,}",
            *(f"{sum(tile.stain == stain for tile in group):,}" for stain in stains),
        ]
        for name, group in sorted(groups.items())
    ]
    return PageTable(
        caption, [column, "tiles", "slides", "patients", *(f"tiles {s}" for s in stains)], rows
    )


def _overviews(slides: Sequence[SlideRecord], overviews: Mapping[str, bytes]) -> Section:
    rows = [slide for slide in slides if slide.slide in overviews]
    return Section(
        "Slides at a glance",
        "Green: the edge of what was taken for tissue. Black frames: tiles that were kept; what is "
        "in none is pale. The folder overviews has every slide, in a larger size.",
        figures=[_overview(slide, overviews[slide.slide]) for slide in rows],
    )


def _overview(slide: SlideRecord, jpeg: bytes) -> PageFigure:
    image = Image.open(BytesIO(jpeg)).convert("RGB")
    image.thumbnail((OVERVIEW_PX, OVERVIEW_PX))
    caption = f"{slide.slide}: {slide.tiles:,} tiles, {100 * (slide.tissue or 0):.0f} % tissue."
    return picture(np.asarray(image), caption)


def _slides(slides: Sequence[SlideRecord]) -> Section:
    columns: list[tuple[str, Callable[[SlideRecord], str]]] = [
        ("slide", lambda slide: slide.slide),
        ("tiles", lambda slide: f"{slide.tiles:,}"),
        ("tissue", lambda slide: "" if slide.tissue is None else f"{100 * slide.tissue:.0f} %"),
        ("patient", lambda slide: slide.patient if slide.patient != slide.slide else ""),
        ("stain", lambda slide: slide.stain or ""),
        ("centre", lambda slide: slide.centre or ""),
        ("um/px", lambda slide: f"{slide.spacing_um:g}" if slide.spacing_um else ""),
        ("level-0 px", lambda slide: f"{slide.width:,} x {slide.height:,}" if slide.width else ""),
        ("kind", lambda slide: slide.kind or ""),
    ]
    cells = {name: [cell(slide) for slide in slides[:MAX_SLIDE_ROWS]] for name, cell in columns}
    shown = [name for name, column in cells.items() if any(column)]
    rows = list(zip(*(cells[name] for name in shown), strict=True))
    caption = "slides.csv has more."
    if len(slides) > MAX_SLIDE_ROWS:
        caption = f"The first {MAX_SLIDE_ROWS} of {len(slides):,}; slides.csv has all."
    return Section("Slides", "What was handed in.", tables=[PageTable(caption, shown, rows)])


def _left_out(problems: Sequence[SlideRecord]) -> Section:
    rows = [[slide.slide, slide.problem or ""] for slide in problems[:MAX_SLIDE_ROWS]]
    return Section(
        "Without tiles",
        "Slides that were handed in and gave no tile, or were left out since the command was told "
        "to keep going.",
        tables=[PageTable("slides.csv has them, too.", ["slide", "problem"], rows)],
    )


def _pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(jpeg)).convert("RGB"))
