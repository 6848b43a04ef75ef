"""The server in its own process, and whoever connects to it without a browser's manners."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hdgan.web.guard import MAX_BODY_BYTES
from hdgan.web.serving import free_socket
from tests.tiny_world import TinyWorld
from tests.web.served_page import ServedPage, free_port, open_client

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

TILE = "s000000"
SAVE = f"POST /api/tiles/{TILE}/readings/1/revisions?kind=brush&x=0&y=0&width=1&height=1"


@dataclass(frozen=True)
class Served:
    """A running page, spoken to over bare sockets with the right cookie."""

    page: ServedPage
    folder: Path
    cookie: str

    def connected(self) -> socket.socket:
        """A connection."""
        return socket.create_connection(("127.0.0.1", self.page.port), timeout=20)

    def head(self, first: str, *more: str) -> bytes:
        """The head of a request that the page might have sent, with more lines."""
        own = [f"Host: 127.0.0.1:{self.page.port}", f"Origin: {self.page.base}"]
        own += [f"Cookie: {self.cookie}", "X-Author: Anna", 'If-Match: "0"', "Connection: close"]
        return "\r\n".join([f"{first} HTTP/1.1", *own, *more, "", ""]).encode("latin-1")

    def answer(self, request: bytes) -> bytes:
        """All that comes back for these bytes."""
        with self.connected() as connection:
            connection.sendall(request)
            return everything_from(connection)

    @property
    def process(self) -> Path:
        """What Linux tells of the server's process."""
        assert self.page._process is not None
        return Path("/proc") / str(self.page._process.pid)

    def listening(self) -> list[str]:
        """The addresses that it listens at, in the notation of Linux."""
        own = {str(link.readlink()) for link in (self.process / "fd").iterdir()}
        tables = [self.process / "net" / name for name in ("tcp", "tcp6", "udp", "udp6")]
        rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
        return [row[1] for row in rows if f"socket:[{row[9]}]" in own and row[3] in ("0A", "07")]

    def resident_bytes(self) -> int:
        """The memory that it takes."""
        return int((self.process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def log(self) -> list[str]:
        """The lines of its log."""
        return (self.folder / ".unfinished" / "page.log").read_text("utf-8").splitlines()


def everything_from(connection: socket.socket) -> bytes:
    """What the other side sends until it closes."""
    parts = []
    try:
        while part := connection.recv(2**16):
            parts.append(part)
    except ConnectionResetError:
        pass  # it closed while we were still sending
    return b"".join(parts)


def status_of(answer: bytes) -> int:
    """The status of the first answer."""
    return int(answer.split(b" ", 2)[1])


@pytest.fixture(scope="module")
def served(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("sockets") / "annotations"
    with ServedPage(world.samples, folder) as page:
        client = open_client(page)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        client.close()
        yield Served(page, folder, cookie)


def test_the_server_listens_on_this_computer_alone(served: Served) -> None:
    assert served.listening() == [f"0100007F:{served.page.port:04X}"]


def test_two_servers_that_start_at_once_get_a_port_each() -> None:
    port = free_port()
    with free_socket(port) as one, free_socket(port) as other:
        assert one.getsockname()[1] == port
        assert other.getsockname()[1] != port


def test_what_is_secret_is_for_this_account_alone(served: Served) -> None:
    secret = served.folder / ".unfinished" / "secret"

    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.read_text() not in (served.process / "cmdline").read_text()
    assert secret.read_text() not in "\n".join(served.log())


REFUSED = {
    "GET /api/../../../../etc/passwd": 404,
    "GET /static/../guard.py": 404,
    "GET /static/%2e%2e/guard.py": 404,
    "GET /static/%252e%252e/guard.py": 404,
    "GET /static/..%5cguard.py": 404,
    "GET /static/%00": 404,
    "GET /static//etc/passwd": 404,
    f"GET /api/tiles/{TILE}%2f..%2f..%2fsamples.csv": 404,
    "GET //evil.com/api/tiles": 404,
    "GET http://evil.com/api/tiles": 404,
    "GET /%0d%0aset-cookie:%20a=b": 404,
    "GET *": 404,
    f"GET /api/tiles/{TILE}/readings/{'9' * 5000}/labels": 414,
    f"GET /{'a' * 30_000}": 414,
    "OPTIONS *": 405,
    "CONNECT evil.com:443": 405,
    "TRACE /": 405,
    "DELETE /api/tiles": 405,
    "get /api/tiles": 405,
}


@pytest.mark.parametrize("first", REFUSED, ids=[first[:40] for first in REFUSED])
def test_strange_requests_are_refused_in_one_line(served: Served, first: str) -> None:
    lines = served.log()

    answer = served.answer(served.head(first))

    assert status_of(answer) == REFUSED[first]
    assert b"content-security-policy" in answer
    assert b"set-cookie: a" not in answer.lower()
    assert len(served.log()) == len(lines) + 1


NO_HTTP = {
    "two hosts": b"GET /api/tiles HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.com\r\n\r\n",
    "no host": b"GET /api/tiles HTTP/1.1\r\n\r\n",
    "a host of two lines": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n evil.com:1\r\n"
    b"Connection: close\r\n\r\n",
    "nonsense": bytes(range(256)) + b"\r\n\r\n",
    "TLS": bytes.fromhex("160301020001000001fc0303") + bytes(200),
    "two lengths": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nab",
    "a huge head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: " + b"a" * 100_000,
    "a path that is no ASCII": b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
}


@pytest.mark.parametrize("what", NO_HTTP)
def test_what_is_no_http_gets_no_further(served: Served, what: str) -> None:
    answer = served.answer(NO_HTTP[what])

    assert status_of(answer) in (400, 403)
    assert status_of(served.answer(served.head("GET /api/session"))) == 200


def test_a_body_of_a_gigabyte_is_refused_before_it_is_sent(served: Served) -> None:
    begun = time.monotonic()
    answer = served.answer(served.head(SAVE, f"Content-Length: {2**30}"))

    assert status_of(answer) == 413
    assert time.monotonic() - begun < 5


def test_an_endless_body_is_cut_off_in_little_memory(served: Served) -> None:
    before = served.resident_bytes()
    chunk = b"100000\r\n" + bytes(2**20) + b"\r\n"
    sent = 0
    with served.connected() as connection:
        connection.sendall(served.head(SAVE, "Transfer-Encoding: chunked"))
        try:
            while sent < 4 * MAX_BODY_BYTES:
                connection.sendall(chunk)
                sent += 2**20
        except OSError:
            pass  # it has closed
        answer = everything_from(connection)

    assert answer == b"" or status_of(answer) == 413
    assert "413" in served.log()[-1]
    assert served.resident_bytes() - before < 4 * MAX_BODY_BYTES


@pytest.mark.parametrize("origin", ["http://evil.com", None])
def test_there_are_no_web_sockets(served: Served, origin: str | None) -> None:
    more = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA=="]
    if origin is not None:
        more.append(f"Origin: {origin}")

    assert status_of(served.answer(served.head("GET /api/nothing", *more))) in (403, 404)


def test_whoever_goes_in_the_middle_of_a_stroke_does_no_harm(
    world: TinyWorld, tmp_path: Path
) -> None:
    with ServedPage(world.samples, tmp_path / "annotations") as page:
        client = open_client(page)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        served = Served(page, tmp_path / "annotations", cookie)
        for body in (b"", b"x\x9c"):
            with served.connected() as connection:
                connection.sendall(served.head(SAVE, "Content-Length: 100") + body)
        time.sleep(0.5)
        tile = client.get(f"/api/tiles/{TILE}").json()
        client.close()
        said = page.interrupt()

    assert tile["readings"] == []
    assert "Traceback" not in said
