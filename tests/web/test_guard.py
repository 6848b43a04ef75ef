"""Who gets in, and who does not; see `test_guard_requests` for what they may say."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hdgan.web.desk import Desk
from hdgan.web.guard import MAX_BODY_BYTES, Secret
from tests.tiny_world import TinyWorld
from tests.web.direct_requests import OWN, READ, TILE, WRITE, Question
from tests.web.guarded_server import PROTECTION, GuardedServer, logged_lines
from tests.web.page_world import SECRET


@pytest.fixture(scope="module")
def server(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedServer]:
    with GuardedServer.over(world.samples, tmp_path_factory.mktemp("guard")) as server:
        yield server


FOREIGN = {
    "no cookie": ({"cookie": None}, 401),
    "an empty cookie": ({"cookie": "hdgan-8470="}, 401),
    "a wrong cookie": ({"cookie": "hdgan-8470=guessed"}, 401),
    "a strange cookie": ({"cookie": 'hdgan-8470="\xff\\; ;=;"'}, 401),
    "part of the cookie": ({"cookie": f"hdgan-8470={SECRET.token[:-1]}"}, 401),
    "the cookie of another port": ({"cookie": f"hdgan-8471={SECRET.token}"}, 401),
    "no host": ({"host": None}, 403),
    "an empty host": ({"host": ""}, 403),
    "another host": ({"host": "evil.com", "origin": "http://evil.com"}, 403),
    "a host that begins like ours": ({"host": "127.0.0.1.evil.com"}, 403),
    "a host that ends like ours": ({"host": "evil127.0.0.1"}, 403),
    "another address of this computer": ({"host": "127.0.0.2:8470"}, 403),
    "any address": ({"host": "0.0.0.0:8470"}, 403),
    "our address in another notation": ({"host": "2130706433:8470"}, 403),
    "a user before the host": ({"host": "evil.com@127.0.0.1:8470"}, 403),
    "a user after the host": ({"host": "127.0.0.1:8470@evil.com"}, 403),
    "a path after the host": ({"host": "127.0.0.1:8470/evil"}, 403),
    "a trailing dot": ({"host": "127.0.0.1.:8470"}, 403),
    "a space after the host": ({"host": "127.0.0.1 evil"}, 403),
    "a line after the host": ({"host": "127.0.0.1\nevil"}, 403),
    "a port that is no number": ({"host": "127.0.0.1:evil"}, 403),
    "an IPv6 address that maps ours": ({"host": "[::ffff:127.0.0.1]:8470"}, 403),
    "two hosts": ({"host": ["127.0.0.1:8470", "evil.com"]}, 403),
    "another site's page": ({"origin": "http://evil.com"}, 403),
    "a page without a site": ({"origin": "null"}, 403),
    "the same page over TLS": ({"origin": "https://127.0.0.1:8470"}, 403),
    "a page at another port": ({"origin": "http://127.0.0.1:8888"}, 403),
    "a page at another name of this computer": ({"origin": "http://localhost:8470"}, 403),
    "a site that begins like ours": ({"origin": "http://127.0.0.1:8470.evil.com"}, 403),
    "two origins": ({"origin": ["http://127.0.0.1:8470", "http://evil.com"]}, 403),
    "a cross-site fetch": ({"sec_fetch_site": "cross-site"}, 403),
    "a fetch from another port": ({"sec_fetch_site": "same-site"}, 403),
    "a body of 1 GB": ({"content_length": str(2**30)}, 413),
    "a body of a byte too many": ({"content_length": str(MAX_BODY_BYTES + 1)}, 413),
    "a body of a length with 5,000 digits": ({"content_length": "9" * 5000}, 413),
    "a body of negative length": ({"content_length": "-1"}, 413),
    "a body of no length": ({"content_length": ""}, 413),
    "a body of a length in other digits": ({"content_length": "\xb2"}, 413),
}


@pytest.mark.parametrize("question", [READ, WRITE], ids=["read", "write"])
@pytest.mark.parametrize("what", FOREIGN)
def test_whoever_is_not_the_page_is_refused(
    server: GuardedServer, question: Question, what: str
) -> None:
    headers, status = FOREIGN[what]

    reply = server.refused(question.but_with(**headers))  # type: ignore[arg-type]

    assert reply.status == status
    assert list(reply.json()) == ["error"]


def test_a_stroke_that_does_not_say_where_it_comes_from_is_refused(server: GuardedServer) -> None:
    assert server.refused(WRITE.but_with(origin=None)).status == 403


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"])
def test_other_methods_are_refused(server: GuardedServer, method: str) -> None:
    reply = server.refused(Question(method, WRITE.path))

    assert reply.status == 405
    assert not any(name.startswith("access-control") for name in reply.headers)


@pytest.mark.parametrize("token", ["guessed", "", SECRET.token + "x", SECRET.token[:-1], "%00%ff"])
def test_a_wrong_token_lets_nobody_in(server: GuardedServer, token: str) -> None:
    reply = server.refused(Question("GET", "/", f"token={token}", {"host": "127.0.0.1:8470"}))

    assert reply.status == 401
    assert "set-cookie" not in reply.headers


def test_the_cookie_is_for_this_server_and_out_of_reach_of_scripts(server: GuardedServer) -> None:
    token = SECRET.token.replace(" ", "+")
    reply = server.ask(Question("GET", "/", f"token={token}", {"host": "127.0.0.1:8470"}))

    assert reply.status == 200
    (cookie,) = SimpleCookie(reply.headers["set-cookie"]).values()
    assert (cookie.key, cookie.value) == ("hdgan-8470", SECRET.token)
    assert cookie["httponly"]
    assert cookie["samesite"] == "strict"
    assert not cookie["domain"]


@pytest.mark.parametrize(
    "before", ["a=1", 'json={"a":[1,2]}', "hdgan-8470=guessed", "ü", "=;;=", 'half="', "a[b]=c@d"]
)
def test_cookies_of_other_servers_at_this_host_do_no_harm(
    server: GuardedServer, before: str
) -> None:
    own = str(OWN["cookie"])
    for cookie in (f"{before}; {own}", f"{own}; {before}"):
        assert server.ask(READ.but_with(cookie=cookie)).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8470", "localhost:8470", "localhost", "[::1]:9000"])
def test_a_tunnel_may_give_the_server_another_port(server: GuardedServer, host: str) -> None:
    question = READ.but_with(host=host, origin=None, sec_fetch_site="same-origin")

    assert server.ask(question).status == 200


def test_every_answer_carries_the_protecting_headers(world: TinyWorld, tmp_path: Path) -> None:
    paths = ["/", "/static/style.css", "/static/main.js", READ.path, f"{READ.path}/{TILE}/image"]
    with GuardedServer.over(world.samples, tmp_path) as server:
        replies = [server.ask(Question("GET", path)) for path in paths]
        picture = replies[-1].headers["etag"]
        others = [
            server.ask(Question("GET", paths[-1]).but_with(if_none_match=picture)),
            server.ask(WRITE),
            server.ask(WRITE),
            server.ask(Question("GET", "/", "", {"host": "127.0.0.1:8470"})),
            server.ask(Question("GET", "/static/nothing")),
            server.ask(Question("POST", "/api/finish")),
            server.ask(WRITE.but_with(if_match='"1"')),
        ]

    assert [reply.status for reply in replies] == [200] * 5
    assert replies[2].headers["content-type"].startswith("text/javascript")
    assert [reply.status for reply in others] == [304, 201, 412, 401, 404, 200, 409]


def test_a_fault_of_the_program_is_one_sentence_too(
    server: GuardedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise RuntimeError("a fault\nof two lines")

    monkeypatch.setattr(Desk, "next_tile", fault)
    client = TestClient(server.app, raise_server_exceptions=False)

    with logged_lines() as lines:
        reply = client.get("/api/next", headers={name: str(OWN[name]) for name in OWN})

    assert reply.status_code == 500
    assert "Something went wrong in this program" in reply.json()["error"]
    assert PROTECTION.keys() <= reply.headers.keys()
    (line,) = lines
    assert "500 RuntimeError" in line
    assert line.isprintable()


def test_the_secret_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret"

    made = Secret.kept_in(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made.token) == 43
    path.chmod(0o644)
    assert Secret.kept_in(path) == made
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", [b"", b"short", b"\xff" * 43, b"a" * 42 + b"\n"])
def test_half_a_secret_that_a_kill_left_opens_nothing(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(left)

    made = Secret.kept_in(path)

    assert len(made.token) == 43
    assert not made.opens("")
    assert not Secret("").opens("")
    assert Secret.kept_in(path) == made
