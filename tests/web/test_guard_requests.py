"""What a browser that was let in may say, and what it may not: bodies, numbers, addresses."""

import json
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from hdgan.web.guard import MAX_BODY_BYTES, MAX_PATH
from tests.tiny_world import SIDE, TinyWorld
from tests.web.direct_requests import STROKE, TILE, WRITE, Question
from tests.web.guarded_server import GuardedServer
from tests.web.page_world import square


@pytest.fixture(scope="module")
def server(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedServer]:
    with GuardedServer.over(world.samples, tmp_path_factory.mktemp("guard")) as server:
        yield server


def test_a_body_that_grows_too_large_is_cut_off(server: GuardedServer) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(2**20)

    question = Question(WRITE.method, WRITE.path, WRITE.query, WRITE.headers, endless())

    assert server.refused(question).status == 413
    assert taken == MAX_BODY_BYTES // 2**20 + 1


def test_a_stroke_that_swells_to_gigabytes_is_refused_in_little_memory(
    server: GuardedServer,
) -> None:
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    more = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = first + 4 * 1024 * more
    question = Question(WRITE.method, WRITE.path, WRITE.query, WRITE.headers, (bomb,))

    tracemalloc.start()
    begun = time.monotonic()
    reply = server.refused(question)
    seconds, peak = time.monotonic() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert reply.status == 422
    assert peak < 4 * len(bomb)
    assert seconds < 5


STROKES = {
    "another size": ("kind=brush&x=0&y=0&width=5&height=4", STROKE),
    "a size beyond the tile": (f"kind=brush&x=0&y=0&width={SIDE + 1}&height=1", STROKE),
    "a size beyond everything": ("kind=brush&x=0&y=0&width=999999999&height=9", STROKE),
    "no size": ("kind=brush&x=0&y=0&width=0&height=0", zlib.compress(b"")),
    "a place beyond the tile": ("kind=brush&x=14&y=0&width=4&height=4", STROKE),
    "a negative place": ("kind=brush&x=-1&y=0&width=4&height=4", STROKE),
    "a place with 40 digits": (f"kind=brush&x={'9' * 40}&y=0&width=4&height=4", STROKE),
    "a place in other digits": ("kind=brush&x=%D9%A3&y=0&width=4&height=4", STROKE),
    "a place that is no number": ("kind=brush&x=1e1&y=0&width=4&height=4", STROKE),
    "no place": ("kind=brush&width=4&height=4", STROKE),
    "no kind": ("x=0&y=0&width=4&height=4", STROKE),
    "a strange kind": ("kind=%0A%1B[2J&x=0&y=0&width=4&height=4", STROKE),
    "endless time": ("kind=brush&x=0&y=0&width=4&height=4&seconds=inf", STROKE),
    "no time": ("kind=brush&x=0&y=0&width=4&height=4&seconds=nan", STROKE),
    "time that runs backwards": ("kind=brush&x=0&y=0&width=4&height=4&seconds=-1", STROKE),
    "a strange revision": ("kind=undo&x=0&y=0&width=4&height=4&undoes=-1", STROKE),
    "no class": (WRITE.query, zlib.compress(square(5).tobytes())),
    "no zlib stream": (WRITE.query, b"\x00" * 16),
    "half a stream": (WRITE.query, STROKE[:-5]),
    "nothing": (WRITE.query, b""),
}


@pytest.mark.parametrize("what", STROKES)
def test_a_stroke_that_does_not_fit_is_refused(server: GuardedServer, what: str) -> None:
    query, body = STROKES[what]

    assert server.refused(Question("POST", WRITE.path, query, WRITE.headers, (body,))).status == 422


@pytest.mark.parametrize(
    "match", [None, "", "0", '"x"', '"-1"', '"9999999999"', "*", 'W/"0"', '"\xb2"']
)
def test_a_stroke_without_a_plain_revision_is_refused(
    server: GuardedServer, match: str | None
) -> None:
    assert server.refused(WRITE.but_with(if_match=match)).status == 428


@pytest.mark.parametrize("author", [None, "", "%20", "%00%0A", "%E2%80%AE", "\x01 \x02"])
def test_a_stroke_of_nobody_is_refused(server: GuardedServer, author: str | None) -> None:
    assert server.refused(WRITE.but_with(x_author=author)).status == 422


UP = ["..", "%2e%2e", "%2E.", "%252e%252e", "..%00", "....", ". .", "..;"]
PATHS = [
    *(f"/static/{up}/guard.py" for up in UP),
    *(f"/static/{up}/{up}/{up}/{up}/{up}/{up}/{up}/{up}/etc/passwd" for up in UP),
    "/static/..\\guard.py",
    "/static/%5c..%5cguard.py",
    "/static//etc/passwd",
    "/static/painter/../../guard.py",
    "/static/painter",
    "/static/",
    "/api/tiles/",
    "/static/style.css%00.png",
    "/static/" + "a" * 300,
    "/static/C:/windows/win.ini",
    "/static/\u2025/guard.py",
    *(f"/api/tiles/{name}/image" for name in ("s000012", "S000000", "", "..", "%2e%2e", "*")),
    f"/api/tiles/{TILE}%00/image",
    f"/api/tiles/{TILE}%2F..%2F..%2Fsamples.csv/image",
    f"/api/tiles/../{TILE}/image",
    f"/api/tiles/{TILE}/../../samples.csv",
    f"/api/tiles/{TILE}\n/image",
    f"/api/tiles/{TILE}\u2028/thumbnail",
    "/api/tiles/\ud800/image",
    "/api/tiles/\U0001f9a0/image",
    *(f"/api/tiles/{TILE}/readings/{n}/labels" for n in ("0", "21", "-1", "1e0", "9" * 900)),
    f"/api/tiles/{TILE}/readings/1/revisions/{'9' * 900}/before",
    f"/api/tiles/{TILE}/readings/1/revisions/0/after",
    f"/api/tiles/{TILE}/superpixels/{'9' * 400}/{'9' * 400}",
    f"/api/tiles/{TILE}/superpixels/1/0",
    f"/api/tiles/{TILE}/readings/1/export/../png",
    "/api/export/exe",
    "/api",
    "/API/tiles",
    "//evil.com/api/tiles",
    "http://evil.com/api/tiles",
    "\r\nset-cookie: a=b",
    "/\x1b[2J\x07 200 OK\n2026-01-01 refused nothing",
]


@pytest.mark.parametrize("path", PATHS, ids=map(ascii, PATHS))
def test_there_is_nothing_at_strange_addresses(server: GuardedServer, path: str) -> None:
    for shown in dict.fromkeys([path, unquote(path), unquote(unquote(path))]):
        reply = server.refused(Question("GET", shown))
        assert reply.status == 404
        assert list(reply.json()) == ["error"]


@pytest.mark.parametrize("begin", ["/", "/static/", "/api/tiles/", WRITE.path + "/"])
def test_endless_addresses_are_refused(server: GuardedServer, begin: str) -> None:
    assert server.refused(Question("GET", begin + "9" * MAX_PATH)).status == 414


def test_no_other_file_of_the_samples_can_be_had(server: GuardedServer) -> None:
    files = [path for path in server.samples.rglob("*") if path.is_file()]
    others = [path for path in files if path.suffix != ".png"]
    assert others

    for path in others:
        name = path.relative_to(server.samples).as_posix()
        tries = [f"/{name}", f"/static/{name}", f"/api/tiles/{name}", f"/api/tiles/{name}/image"]
        tries += [str(path), f"/static/{path}", f"/api/tiles/{path.stem}/image"]
        for address in tries:
            assert path.read_bytes() not in server.refused(Question("GET", address)).body


MARK = f"/api/tiles/{TILE}/mark"
PREDICTION = f"/api/tiles/{TILE}/prediction"
TIME = f"/api/tiles/{TILE}/readings/1/time"
BODIES = [
    *((path, body) for path in (MARK, PREDICTION, TIME) for body in (b"", b"[]", b"1", b"\xff{")),
    *((path, b"[" * 60_000) for path in (MARK, PREDICTION, TIME)),
    *((path, b'{"a":' * 10_000) for path in (MARK, PREDICTION, TIME)),
    (MARK, b'{"\\u001b[2J\\nrefused": 1}'),
    (MARK, b'{"verdict": "perfect"}'),
    (MARK, b'{"split": "all"}'),
    (MARK, b'{"reason": 1}'),
    (MARK, b'{"reason": "\\ud800"}'),
    (MARK, json.dumps({"reason": "a" * 201}).encode()),
    (PREDICTION, b'{"reading": 0, "revision": 0}'),
    (PREDICTION, b'{"reading": 21, "revision": 0}'),
    (PREDICTION, b'{"reading": 1, "revision": -1}'),
    (PREDICTION, b'{"reading": 1, "revision": 1e300}'),
    (PREDICTION, b'{"reading": 1, "revision": ' + b"9" * 5000 + b"}"),
    (TIME, b'{"seconds": -1}'),
    (TIME, b'{"seconds": NaN}'),
    (TIME, b'{"seconds": 1e999}'),
    (TIME, b'{"seconds": "\\u0661"}'),
]


@pytest.mark.parametrize(("path", "body"), BODIES, ids=[ascii(body[:30]) for _, body in BODIES])
def test_strange_json_is_refused(server: GuardedServer, path: str, body: bytes) -> None:
    method = "PUT" if path == MARK else "POST"

    reply = server.refused(Question(method, path, chunks=(body,)))

    assert reply.status == 422
    assert len(reply.json()["error"]) <= 300


def test_json_that_is_longer_than_any_that_is_needed_is_refused(server: GuardedServer) -> None:
    reply = server.refused(Question("PUT", MARK, chunks=(b" " * 2**16 + b"{}",)))

    assert reply.status == 413


def test_a_revision_that_is_not_there_is_not_predicted(server: GuardedServer) -> None:
    question = Question("POST", PREDICTION, chunks=(b'{"reading": 1, "revision": 1}',))

    assert server.refused(question).status == 404


@pytest.mark.parametrize("area", ["24", "10001", "-1", "9" * 50, "x", "%00"])
def test_superpixels_of_strange_areas_are_refused(server: GuardedServer, area: str) -> None:
    question = Question("GET", f"/api/tiles/{TILE}/superpixels/0/0", f"area={area}")

    assert server.refused(question).status == 422


def test_a_name_is_kept_without_what_would_change_the_screen(
    world: TinyWorld, tmp_path: Path
) -> None:
    author = "%1B%5B2J%0AA%E2%80%AEnna%20%C3%84%00%0D"
    with GuardedServer.over(world.samples, tmp_path) as server:
        assert server.ask(WRITE.but_with(x_author=author)).status == 201
        (revision,) = server.desk.history.revisions(TILE, 1)

    assert revision.author == "[2JAnna \u00c4"
