"""Ten thousand requests, right and wrong: the server never stumbles, and keeps what it accepted."""

import asyncio
import json
import logging
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import ClassVar
from urllib.parse import parse_qs

import anyio.to_thread
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from hdgan.artifacts.annotation_history import MAX_SECONDS, AnnotationHistory
from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.web.guard import LOG
from tests.tiny_world import SIDE, TinyWorld
from tests.web.direct_requests import OWN, Question, Reply, asked
from tests.web.guarded_server import GuardedServer
from tests.web.random_requests import IMPORTED, Drawer, Heads

TILES = ["s000000", "s000001", "s000002"]


@dataclass
class Expected:
    """What must be in the history, from the requests that were accepted."""

    heads: Heads = field(default_factory=dict)
    labels: dict[tuple[str, int], LabelMap] = field(default_factory=dict)
    earlier: dict[tuple[str, int, int], LabelMap] = field(default_factory=dict)
    seconds: defaultdict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    marks: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def learn(self, question: Question, reply: Reply) -> None:
        """Take in what a request did."""
        words = question.path.strip("/").split("/")
        match words:
            case ["api", "tiles", tile, "mark"] if reply.status == 200:
                self.mark(tile, json.loads(b"".join(question.chunks)))
            case ["api", "deal"] if reply.status == 200:
                for told in reply.json()["tiles"]:
                    self.mark(told["tile"], {"split": told["split"]})
            case ["api", "tiles", tile, "readings", reading, "time"] if reply.status == 200:
                seconds = json.loads(b"".join(question.chunks))["seconds"]
                self.seconds[tile, int(reading)] += min(float(seconds), MAX_SECONDS)
            case ["api", "tiles", tile, "readings", reading, how] if reply.status == 201:
                self._paint((tile, int(reading)), question, reply)
                if (reading, how) == ("1", "import") and not self._verdict(tile):
                    self.mark(tile, {"verdict": "keep"})

    def _verdict(self, tile: str) -> str | None:
        return self.marks.get(tile, {}).get("verdict")

    def mark(self, tile: str, changes: dict[str, str | None]) -> None:
        """Take in what a mark changed."""
        nothing: dict[str, str | None] = {"verdict": None, "reason": None, "split": None}
        self.marks[tile] = self.marks.get(tile, nothing) | changes

    def _paint(self, key: tuple[str, int], question: Question, reply: Reply) -> None:
        query = {name: values[-1] for name, values in parse_qs(question.query).items()}
        labels = self.labels.get(key, np.full((SIDE, SIDE), UNLABELLED, dtype=np.uint8)).copy()
        body = b"".join(question.chunks)
        if question.path.endswith("import"):
            labels = np.where(IMPORTED[body] == UNLABELLED, labels, IMPORTED[body])
        else:
            x, y, width, height = (int(query[name]) for name in ("x", "y", "width", "height"))
            flat = np.frombuffer(zlib.decompressobj().decompress(body), np.uint8)
            labels[y : y + height, x : x + width] = flat.reshape(height, width)
        self.seconds[key] += min(float(query.get("seconds", "0")), MAX_SECONDS)
        self.heads[key] = self.heads.get(key, 0) + 1
        assert reply.json()["revision"] == self.heads[key]
        assert question.headers["if-match"] == f'"{self.heads[key] - 1}"'
        self.labels[key] = self.earlier[(*key, self.heads[key])] = labels

    def check(self, history: AnnotationHistory, every: int = 1) -> None:
        """Compare it with a history; of the earlier revisions one in so many is looked at."""
        found = history.heads()
        assert {key: head.revision for key, head in found.items()} == self.heads
        for key, labels in self.labels.items():
            assert np.array_equal(history.labels(*key), labels)
            assert np.array_equal(found[key].counts, np.bincount(labels.ravel(), minlength=256))
            numbers = [revision.revision for revision in history.revisions(*key)]
            assert numbers == list(range(1, self.heads[key] + 1))
        for key_and_revision in list(self.earlier)[::every]:
            assert np.array_equal(history.labels(*key_and_revision), self.earlier[key_and_revision])
        assert {tile: vars(mark) for tile, mark in history.marks().items()} == self.marks
        spent = {key: seconds for key, seconds in self.seconds.items() if seconds}
        assert history.seconds() == pytest.approx(spent)


@pytest.fixture
def server(
    world: TinyWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[GuardedServer]:
    """A server that does everything at once, so that thousands of requests take seconds."""

    async def at_once(function: Callable[..., object], *arguments: object, **_: object) -> object:
        return function(*arguments)

    monkeypatch.setattr(anyio.to_thread, "run_sync", at_once)
    caplog.set_level(logging.CRITICAL, LOG.name)
    with GuardedServer.over(world.samples, tmp_path) as server:
        yield server


def check_answer(question: Question, reply: Reply, seconds: float) -> None:
    """Whatever was asked: no fault of the program, one sentence, soon."""
    assert reply.status < 500, (question, reply)
    assert seconds < 5, question
    if reply.status >= 400:
        error = reply.json()["error"]
        assert isinstance(error, str), question
        assert 10 < len(error) < 1000, (question, error)
        assert error.endswith((".", '"number".')), error
        assert "\n" not in error


@pytest.mark.parametrize("seed", range(4))
def test_ten_thousand_random_requests_leave_what_was_accepted(
    server: GuardedServer, tmp_path: Path, seed: int
) -> None:
    expected, statuses = Expected(), Counter[int]()
    drawer = Drawer(Random(seed), TILES, expected.heads)

    async def play(count: int) -> None:
        for _ in range(count):
            question = drawer.question()
            begun = time.process_time()
            reply = await asked(server.app, question)
            check_answer(question, reply, time.process_time() - begun)
            expected.learn(question, reply)
            statuses[reply.status] += 1

    asyncio.run(play(2_500))

    expected.check(server.desk.history, every=7)
    assert {200, 201, 204, 404, 412, 422} <= statuses.keys()
    assert statuses[201] > 100
    server.desk.history.close()
    again = AnnotationHistory(tmp_path / "history.sqlite3", server.desk.source.sizes)
    expected.check(again, every=7)
    again.close()


def test_after_finishing_no_random_request_changes_anything(server: GuardedServer) -> None:
    expected = Expected()
    drawer = Drawer(Random(7), TILES, expected.heads)

    async def play(count: int) -> Counter[int]:
        statuses = Counter[int]()
        for _ in range(count):
            question = drawer.question()
            reply = await asked(server.app, question)
            expected.learn(question, reply)
            statuses[reply.status] += 1
        return statuses

    asyncio.run(play(300))
    for tile in TILES:
        server.desk.mark(tile, {"verdict": "keep"}, "Anna")
    assert server.ask(Question("POST", "/api/finish")).status == 200
    before = server.state()
    statuses = asyncio.run(play(700))

    assert server.state() == before
    assert statuses[409] > 50
    assert statuses[201] == 0


class Annotators(RuleBasedStateMachine):
    """Two people who paint, err, undo, choose and finish, and what they must see."""

    samples: ClassVar[Path]
    folder: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self._opened = GuardedServer.over(self.samples, Path(mkdtemp(dir=self.folder)))
        self.server = self._opened.__enter__()
        self.expected = Expected()
        self.is_finished = False

    def teardown(self) -> None:
        self._opened.__exit__(None, None, None)

    def _say(self, question: Question, status: int) -> Reply:
        reply = self.server.ask(question)
        assert reply.status == (409 if self.is_finished else status)
        self.expected.learn(question, reply)
        return reply

    def _stroke(self, tile: str, base: int, kind: str, place: str, body: bytes) -> Question:
        path = f"/api/tiles/{tile}/readings/1/revisions"
        headers = OWN | {"if-match": f'"{base}"'}
        return Question("POST", path, f"kind={kind}&{place}", headers, (zlib.compress(body),))

    def _head(self, tile: str) -> int:
        return self.expected.heads.get((tile, 1), 0)

    @rule(
        tile=st.sampled_from(TILES),
        x=st.integers(0, SIDE - 4),
        y=st.integers(0, SIDE - 4),
        value=st.sampled_from([0, 4, 254, 255]),
        late_by=st.sampled_from([0, 0, 0, 1, -1]),
    )
    def paint(self, tile: str, x: int, y: int, value: int, late_by: int) -> None:
        base = max(0, self._head(tile) - late_by)
        place = f"x={x}&y={y}&width=4&height=3"
        question = self._stroke(tile, base, "brush", place, bytes([value]) * 12)
        reply = self._say(question, 201 if base == self._head(tile) else 412)
        if reply.status == 412:
            assert reply.json().get("revision", 0) == self._head(tile)

    @rule(tile=st.sampled_from(TILES))
    def undo(self, tile: str) -> None:
        head = self._head(tile)
        if not head:
            return
        path = f"/api/tiles/{tile}/readings/1/revisions"
        last = self.server.ask(Question("GET", path)).json()[-1]
        before = self.server.ask(Question("GET", f"{path}/{head}/before"))
        place = "&".join(f"{name}={last[name]}" for name in ("x", "y", "width", "height"))
        body = zlib.decompress(before.body, 31)
        reply = self._say(self._stroke(tile, head, f"undo&undoes={head}", place, body), 201)
        if reply.status == 201:
            nothing = np.full((SIDE, SIDE), UNLABELLED, dtype=np.uint8)
            earlier = self.expected.earlier.get((tile, 1, head - 1), nothing)
            assert np.array_equal(self.expected.labels[tile, 1], earlier)

    @rule(tile=st.sampled_from(TILES), verdict=st.sampled_from(["keep", "reject", None]))
    def choose(self, tile: str, verdict: str | None) -> None:
        body = json.dumps({"verdict": verdict}).encode()
        self._say(Question("PUT", f"/api/tiles/{tile}/mark", chunks=(body,)), 200)

    @rule()
    def deal(self) -> None:
        self._say(Question("POST", "/api/deal"), 200)

    @rule()
    def finish(self) -> None:
        reject = {tile for tile, mark in self.expected.marks.items() if mark["verdict"] == "reject"}
        painted = [
            tile for (tile, _), labels in self.expected.labels.items()
            if tile not in reject and (labels < 254).any()
        ]  # fmt: skip
        reply = self._say(Question("POST", "/api/finish"), 200 if painted else 422)
        self.is_finished = self.is_finished or reply.status == 200
        if reply.status == 200:
            self._learn_dealt_splits()

    def _learn_dealt_splits(self) -> None:
        """Finishing deals the painted tiles that have no split, and changes nothing else."""
        for tile, mark in self.server.desk.history.marks().items():
            if self.expected.marks.get(tile, {}).get("split") is None and mark.split is not None:
                self.expected.mark(tile, {"split": mark.split})

    @invariant()
    def everything_is_as_expected(self) -> None:
        self.expected.check(self.server.desk.history)


def test_two_annotators_see_what_they_did(world: TinyWorld, tmp_path: Path) -> None:
    class Both(Annotators):
        samples, folder = world.samples, tmp_path

    run_state_machine_as_test(
        Both, settings=settings(max_examples=12, stateful_step_count=25, deadline=None)
    )
