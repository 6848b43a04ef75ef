"""Many requests at once: what was acknowledged is there, whoever painted, whatever was killed."""

import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import pytest

from hdgan.artifacts.annotation_history import AnnotationHistory
from hdgan.class_map import UNLABELLED
from tests.tiny_world import SIDE, TinyWorld
from tests.web.page_world import Browser, new_desk, square
from tests.web.served_page import ServedPage, open_client

TILE, OTHER = "s000000", "s000001"
PATIENCE = 60
"""Seconds after which something that should have happened has not."""


@dataclass
class Painter:
    """A client that paints dots until it is told to stop, or the server is gone."""

    client: httpx2.Client
    author: str
    tile: str
    value: int
    saved: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Where the dot of each acknowledged revision is."""

    statuses: Counter[int] = field(default_factory=Counter)

    def paint(self, is_over: Callable[[], bool]) -> None:
        """Save dot after dot, one at least; after a conflict go on from the revision told."""
        base, place = 0, 0
        while not (is_over() and self.saved):
            x, y = place % SIDE, place // SIDE % SIDE
            try:
                response = self._save(base, x, y)
            except httpx2.TransportError:
                return  # the server was killed
            self.statuses[response.status_code] += 1
            told = response.json()
            if response.status_code == 201:
                self.saved[told["revision"]] = (x, y)
                place += 1
            base = told["revision"]

    def _save(self, base: int, x: int, y: int) -> httpx2.Response:
        return self.client.post(
            f"/api/tiles/{self.tile}/readings/1/revisions",
            params={"kind": "brush", "x": x, "y": y, "width": 1, "height": 1, "seconds": 1},
            content=zlib.compress(bytes([self.value])),
            headers={"if-match": f'"{base}"', "x-author": self.author},
        )


def paint_at_once(page: ServedPage, until: Callable[[], bool], tiles: list[str]) -> list[Painter]:
    """Several people paint, one for each name in `tiles`, while others look."""
    painters = [
        Painter(open_client(page), f"author {value}", tile, value % 5)
        for value, tile in enumerate(tiles)
    ]
    with ThreadPoolExecutor(len(painters)) as pool:
        for done in [pool.submit(painter.paint, until) for painter in painters]:
            done.result(PATIENCE)
    for painter in painters:
        painter.client.close()
    return painters


def check_history(
    folder: Path, sizes: Mapping[str, tuple[int, int]], painters: list[Painter]
) -> int:
    """Every acknowledged dot is there; how many revisions nobody was told of comes back."""
    history = AnnotationHistory(folder / ".unfinished" / "history.sqlite3", sizes)
    untold = 0
    for tile in {painter.tile for painter in painters}:
        own = [painter for painter in painters if painter.tile == tile]
        rows = history.revisions(tile, 1)
        assert [row.revision for row in rows] == list(range(1, len(rows) + 1))
        by_number = {row.revision: row for row in rows}
        told = [number for painter in own for number in painter.saved]
        assert len(told) == len(set(told))
        assert set(told) <= by_number.keys()
        for painter in own:
            for number, place in painter.saved.items():
                row = by_number[number]
                assert (row.author, (row.x, row.y)) == (painter.author, place)
                after = history.rectangle(tile, 1, number, after=True)
                assert after.item() == painter.value
        expected = np.full((SIDE, SIDE), UNLABELLED, dtype=np.uint8)
        for row in rows:
            expected[row.y, row.x] = int(row.author.removeprefix("author ")) % 5
        assert np.array_equal(history.labels(tile, 1), expected)
        untold += len(rows) - len(told)
    history.close()
    return untold


SIZES = {TILE: (SIDE, SIDE), OTHER: (SIDE, SIDE)}


def test_every_stroke_of_many_people_is_kept_in_its_turn(world: TinyWorld, tmp_path: Path) -> None:
    folder = tmp_path / "annotations"
    with ServedPage(world.samples, folder) as page:
        end = time.monotonic() + 4
        painters = paint_at_once(page, lambda: time.monotonic() > end, [TILE] * 3 + [OTHER] * 3)
        page.interrupt()

    statuses = sum((painter.statuses for painter in painters), Counter[int]())
    assert statuses.keys() == {201, 412}
    assert min(len(painter.saved) for painter in painters) > 0
    assert check_history(folder, SIZES, painters) == 0


def test_what_was_acknowledged_outlives_a_kill_in_the_middle(
    world: TinyWorld, tmp_path: Path
) -> None:
    folder = tmp_path / "annotations"
    with ServedPage(world.samples, folder) as page:
        killer = threading.Timer(2, page.kill)
        killer.start()
        painters = paint_at_once(page, lambda: False, [TILE, TILE, OTHER])
        killer.join()
        page.start()
        client = open_client(page)
        heads = {tile: _head(client, tile) for tile in SIZES}
        client.close()
        page.interrupt()

    assert sum(len(painter.saved) for painter in painters) > 3
    for painter in painters:
        assert max(painter.saved, default=0) <= heads[painter.tile]
    assert check_history(folder, SIZES, painters) <= len(painters)


def _head(client: httpx2.Client, tile: str) -> int:
    rows = client.get(f"/api/tiles/{tile}/readings/1/revisions").json()
    return len(rows)


def test_two_hundred_requests_at_once_are_all_answered(world: TinyWorld, tmp_path: Path) -> None:
    paths = [
        "/api/tiles",
        f"/api/tiles/{TILE}/thumbnail",
        f"/api/tiles/{TILE}/readings/1/labels",
        f"/api/tiles/{OTHER}/superpixels/0/0",
        "/static/main.js",
    ]
    with ServedPage(world.samples, tmp_path / "annotations") as page:
        client = open_client(page)
        cookies = dict(client.cookies)
        client.close()

        def ask(number: int) -> int:
            path = page.base + paths[number % len(paths)]
            return httpx2.get(path, cookies=cookies, timeout=PATIENCE, trust_env=False).status_code

        with ThreadPoolExecutor(200) as pool:
            statuses = list(pool.map(ask, range(200)))

    assert statuses == [200] * 200


@pytest.fixture
def browser(world: TinyWorld, tmp_path: Path) -> Iterator[Browser]:
    desk = new_desk(world.samples, tmp_path)
    yield Browser.at(desk)
    desk.history.close()


def test_two_people_on_one_tile_lose_nothing(browser: Browser) -> None:
    with browser.client, ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(lambda value: browser.save(TILE, 0, square(value)), [1, 2]))

    assert sorted(statuses) == [201, 412]
    winner = 1 + statuses.index(201)
    assert (browser.desk.history.labels(TILE, 1)[:4, :4] == winner).all()
    assert browser.desk.history.head(TILE, 1) == 1
