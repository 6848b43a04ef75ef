"""Drawings beside the real tiles that they come nearest to: whether a dataset holds copies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from hdgan.artifacts.real_tiles import Likeness, NearestTile, RealismOfImage
from hdgan.method.realism import closest
from hdgan.report.grids import GAP, Grid, Picture, grid

NUM_SHOWN = 12
"""Pairs of a picture; half are the closest, half drawn by chance.

The closest are those of least nearness, as `NearestTile` has it: of drawings of empty ground, all
are at a small distance, and none is a copy for it.
"""

NUM_CHANCE = 40
"""Pairs drawn by chance, for the median; as many as there are crops of held-out tiles."""

THUMBNAIL_PX = 160
"""Side of a drawing in the picture."""

Thumbnail = UInt8[np.ndarray, "_ _ 3"]
"""RGB, `THUMBNAIL_PX` on each side."""

COLUMNS = 3
_FONT_PX = 11
_CAPTION_PX = 34
_MARGIN_PX = 6
_LONGEST_NAME = 22


@dataclass(frozen=True)
class NearestRow:
    """A drawing and the real tile that is nearest to it, in the best of the eight ways."""

    pair: str
    """Name of the pair."""

    found: NearestTile
    """The tile, and how near it is."""

    drawing: Thumbnail
    """A thumbnail."""

    real: Thumbnail
    """A thumbnail of what was cut from the tile, laid as the drawing is."""

    by_chance: bool
    """Whether it was drawn by chance, close or not; else it is here because it is close."""


def nearest_rows(
    likeness: Likeness,
    names: Sequence[str],
    image: Callable[[int], Picture],
    scores: Sequence[RealismOfImage],
    *,
    seed: int = 0,
) -> list[NearestRow]:
    """The closest pairs and, of all, some drawn by chance, each with its nearest tile.

    Memory: thumbnails of at most `NUM_CHANCE + 2 * NUM_SHOWN` pairs and one image. Time: each of
    them is looked at in eight ways.

    Args:
        likeness: of the tiles.
        names: of the pairs.
        image: gives pair i's drawing.
        scores: of each pair, as `Likeness.score` has them; a few more than are shown are looked at
            again in all ways, so that the closest are found.
        seed: decides chance.

    Returns:
        Those drawn by chance in the order drawn, then the others.
    """
    random = np.random.default_rng(seed)
    chance = random.choice(len(names), min(NUM_CHANCE, len(names)), replace=False).tolist()
    nearness = np.array([score.nearness for score in scores])
    near = [i for i in closest(nearness, 2 * NUM_SHOWN).tolist() if i not in chance]
    rows = []
    for i in [*chance, *near]:
        drawing = image(i)
        found = likeness.nearest(drawing)
        pictures = thumbnail(drawing), thumbnail(found.picture)
        rows.append(NearestRow(names[i], found, *pictures, i in chance))
    return rows


def shown(rows: Sequence[NearestRow], count: int = NUM_SHOWN) -> list[NearestRow]:
    """The rows for a picture, by distance: half are the closest, then the first by chance."""
    nearest = _closest_half(rows, count)
    names = {row.pair for row in nearest}
    chance = [row for row in rows if row.by_chance and row.pair not in names]
    both = [*nearest, *chance[: count - len(nearest)]]
    return sorted(both, key=lambda row: row.found.distance)


def nearest_picture(rows: Sequence[NearestRow], held_out: float | None = None) -> Grid:
    """About twelve drawings, each with its nearest tile to the right, in order of distance.

    Args:
        rows: of which `shown` are shown; at least one.
        held_out: the median distance of held-out tiles, to which distances are compared.
    """
    nearest = {row.pair for row in _closest_half(rows, NUM_SHOWN)}
    cells = [
        _cell(row, held_out, "closest" if row.pair in nearest else "by chance")
        for row in shown(rows)
    ]
    return grid(cells, columns=COLUMNS)


def nearest_summary(rows: Sequence[NearestRow], held_out: float | None = None) -> dict[str, Any]:
    """The same in numbers, as plain data.

    Returns:
        `nearest`: pair, tile and distance of those in the picture, by distance;
        `median_distance` of the pairs that were drawn by chance, None without any;
        `median_distance_of_held_out`, None if not known.
    """
    chance = [row.found.distance for row in rows if row.by_chance]
    return {
        "nearest": [
            {"pair": row.pair, "tile": row.found.tile, "distance": row.found.distance}
            for row in shown(rows)
        ],
        "median_distance": float(np.median(chance)) if chance else None,
        "median_distance_of_held_out": held_out,
    }


def thumbnail(picture: Picture) -> Thumbnail:
    """The picture with a side of `THUMBNAIL_PX`; pixels of a smaller one are repeated."""
    size = (THUMBNAIL_PX, THUMBNAIL_PX)
    is_larger = min(picture.shape[:2]) > THUMBNAIL_PX
    way = Image.Resampling.BOX if is_larger else Image.Resampling.NEAREST
    return np.array(Image.fromarray(picture).resize(size, way))


def _closest_half(rows: Sequence[NearestRow], count: int) -> list[NearestRow]:
    return sorted(rows, key=lambda row: row.found.nearness)[: (count + 1) // 2]


def _cell(row: NearestRow, held_out: float | None, chosen: str) -> Picture:
    """Drawing and tile side by side, with two lines below."""
    pictures = grid([row.drawing, row.real], columns=2)
    height, width, _ = pictures.shape
    cell = Image.new("RGB", (width + _MARGIN_PX, height + _CAPTION_PX), "white")
    cell.paste(Image.fromarray(pictures), (0, 0))
    pen, font = ImageDraw.Draw(cell), ImageFont.load_default(_FONT_PX)
    pen.text((1, height + 2), f"drawn: {_short(row.pair)}", "black", font)
    pen.text((THUMBNAIL_PX + GAP, height + 2), f"real: {_short(row.found.tile)}", "black", font)
    pen.text((1, height + 17), _compared(row.found.distance, held_out), "black", font)
    pen.text((width - 1, height + 17), chosen, "dimgrey", font, anchor="ra")
    return np.array(cell)


def _compared(distance: float, held_out: float | None) -> str:
    text = f"distance {distance:.3g}"
    return text if held_out is None else f"{text} (held-out real tiles: {held_out:.3g})"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."
