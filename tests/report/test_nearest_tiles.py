"""Drawings beside their nearest real tiles."""

import json

import numpy as np
import pytest

from hdgan.artifacts.real_tiles import Likeness, NearestTile, RealTiles
from hdgan.method.tile_crop import all_ways
from hdgan.report.grids import GAP
from hdgan.report.nearest_tiles import (
    NUM_SHOWN,
    THUMBNAIL_PX,
    NearestRow,
    nearest_picture,
    nearest_rows,
    nearest_summary,
    shown,
    thumbnail,
)
from tests.artifacts.test_real_tiles import CPU, learned_in, noise, opened


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> RealTiles:
    return opened(learned_in(tmp_path_factory.mktemp("learned")))


@pytest.fixture(scope="module")
def likeness(tiles: RealTiles) -> Likeness:
    return Likeness(tiles, tiles.fitted(CPU), CPU)


def plain(value: int, side: int = THUMBNAIL_PX) -> np.ndarray:
    return np.full((side, side, 3), value, dtype=np.uint8)


def row(number: int, distance: float, nearness: float, *, by_chance: bool) -> NearestRow:
    found = NearestTile(f"tile{number}", distance, nearness, plain(0, 4))
    pictures = plain(10 * number), plain(10 * number + 5)
    return NearestRow(f"p{number:07d}", found, *pictures, by_chance)


def test_half_of_what_is_shown_is_closest_and_the_rest_by_chance_all_by_distance() -> None:
    rows = [row(i, 20.0 - i, float(i % 7), by_chance=i >= 10) for i in range(20)]

    few = shown(rows, 4)

    # Least nearness have 0, 7; those by chance are taken in their order.
    assert [each.pair[-2:] for each in few] == ["11", "10", "07", "00"]
    assert [each.pair[-2:] for each in shown(rows[:2], 4)] == ["01", "00"]


def test_a_picture_shows_drawing_and_tile_side_by_side_nearest_first() -> None:
    rows = [row(i, 9.0 - i, 1.0, by_chance=True) for i in range(4)]

    picture = nearest_picture(rows)

    cell = 2 * THUMBNAIL_PX + GAP + 6 + GAP
    for place, number in enumerate([3, 2, 1]):
        left = place * cell
        assert (picture[:THUMBNAIL_PX, left : left + THUMBNAIL_PX] == 10 * number).all()
        right = left + THUMBNAIL_PX + GAP
        assert (picture[:THUMBNAIL_PX, right : right + THUMBNAIL_PX] == 10 * number + 5).all()
    # Below a full row of three comes the next.
    assert (picture[-THUMBNAIL_PX - 34 : -34, :THUMBNAIL_PX] == 0).all()


def test_captions_say_the_distance_of_held_out_tiles_if_it_is_known() -> None:
    rows = [row(1, 2.0, 1.0, by_chance=True)]

    without, known = nearest_picture(rows), nearest_picture(rows, 4.0)

    assert without.shape == known.shape
    assert (without[THUMBNAIL_PX:] < 128).any()
    assert (known[THUMBNAIL_PX:] < 128).sum() > 1.3 * (without[THUMBNAIL_PX:] < 128).sum()


@pytest.mark.parametrize(
    "name", ["p1", "a very long name of a tile of a slide of a patient", "näme"]
)
def test_names_of_any_length_stay_in_their_cell(name: str) -> None:
    found = NearestTile(name, 1.0, 1.0, plain(0, 4))
    narrow = [NearestRow(name, found, plain(255), plain(255), by_chance=True)] * 2

    picture = nearest_picture(narrow)

    # Between the halves and after each cell there is no ink.
    assert (picture[:, THUMBNAIL_PX : THUMBNAIL_PX + GAP][: THUMBNAIL_PX + 15] == 255).all()
    assert (picture[:, 2 * THUMBNAIL_PX + GAP : 2 * THUMBNAIL_PX + GAP + 6][:-17] == 255).all()


def test_a_summary_is_plain_and_its_median_is_of_those_by_chance() -> None:
    rows = [row(i, float(i), float(i), by_chance=i in {2, 4, 9}) for i in range(10)]

    summary = nearest_summary(rows, 3.5)

    assert summary["median_distance"] == 4.0
    assert summary["median_distance_of_held_out"] == 3.5
    assert summary["nearest"][0] == {"pair": "p0000000", "tile": "tile0", "distance": 0.0}
    assert json.loads(json.dumps(summary)) == summary


def test_what_is_not_known_is_none() -> None:
    summary = nearest_summary([row(1, 1.0, 1.0, by_chance=False)])

    assert summary["median_distance"] is None
    assert summary["median_distance_of_held_out"] is None


def test_a_turned_copy_among_drawings_is_found_and_shown_first(
    tiles: RealTiles, likeness: Likeness
) -> None:
    drawings = [noise(seed) for seed in range(80)]
    drawings[57] = all_ways(tiles.learned[3])[5]
    names = [f"p{i:07d}" for i in range(80)]
    scores = [likeness.score(drawing) for drawing in drawings]

    rows = nearest_rows(likeness, names, lambda i: drawings[i], scores)

    first = shown(rows)[0]
    assert (first.pair, first.found.tile) == ("p0000057", tiles.tile(3))
    assert np.array_equal(first.drawing, first.real)
    assert first.found.distance == pytest.approx(0.0, abs=1e-5)
    assert len(shown(rows)) == NUM_SHOWN
    assert len({each.pair for each in rows}) == len(rows)


def test_chance_is_decided_by_the_seed_alone(likeness: Likeness) -> None:
    drawings = [noise(seed) for seed in range(60)]
    names = [str(i) for i in range(60)]
    scores = [likeness.score(drawing) for drawing in drawings]

    def pairs(seed: int) -> list[str]:
        rows = nearest_rows(likeness, names, lambda i: drawings[i], scores, seed=seed)
        return [each.pair for each in rows if each.by_chance]

    assert pairs(1) == pairs(1) != pairs(2)


def test_few_pairs_are_all_shown(likeness: Likeness) -> None:
    drawings = [noise(seed) for seed in range(3)]
    scores = [likeness.score(drawing) for drawing in drawings]

    rows = nearest_rows(likeness, ["a", "b", "c"], lambda i: drawings[i], scores)

    assert sorted(each.pair for each in shown(rows)) == ["a", "b", "c"]


@pytest.mark.parametrize("side", [16, THUMBNAIL_PX, 1000, 4096])
def test_a_thumbnail_has_one_size_whatever_the_picture_has(side: int) -> None:
    picture = plain(80, side)
    picture[: side // 2] = 200

    small = thumbnail(picture)

    assert small.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)
    assert (small[:70] == 200).all()
    assert (small[-70:] == 80).all()
