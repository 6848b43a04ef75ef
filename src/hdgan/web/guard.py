"""Who may talk to the page's server: this computer's own browser, with the token, and nobody else.

A page of another site must not be able to read or paint (DNS rebinding, cross-site requests), and
nobody may fill the memory. What is refused is logged in one line.
"""

import hmac
import logging
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hdgan.artifacts.writing import storage_errors

LOG = logging.getLogger("hdgan.page")
"""One line for each request that was refused."""

MAX_BODY_BYTES = 64 * 2**20
"""Largest body that is read."""

MAX_PATH = 1000
"""Longest path that is looked at, characters."""

_OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.ASCII)
"""What a browser of this computer calls the server; a tunnel may have given it another port."""

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT"})
_WRITES = frozenset({"POST", "PUT"})

_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

_WELCOME = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=/"><link rel="icon" href="data:,">
<title>hdgan</title>
<p>Opening the annotation page. <a href="/">Go on</a> if nothing happens.</p></html>"""

_STRANGER = """<!doctype html><html lang="en"><meta charset="utf-8"><title>hdgan</title>
<h1>Open the address that the terminal printed</h1>
<p>This annotation page is for whoever started it. Copy the whole address, with its token, from the
terminal in which <code>hdgan annotate</code> runs.</p></html>"""


@dataclass(frozen=True)
class Secret:
    """What lets a browser in."""

    token: str
    """Part of the address that is printed; its cookie has the same value."""

    @classmethod
    def kept_in(cls, path: Path) -> "Secret":
        """The secret of a file, made if it is not there; a restarted server knows its browsers.

        Raises:
            StorageError: it cannot be written.
        """
        with storage_errors(path):
            kept = path.read_text(errors="replace") if path.is_file() else ""
            if _TOKEN.fullmatch(kept):
                path.chmod(0o600)
                return cls(kept)
            made = cls(secrets.token_urlsafe(32))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # a kill may have left half of one
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(made.token)
            return made

    def opens(self, offered: str) -> bool:
        """Whether this is it."""
        return bool(self.token) and hmac.compare_digest(
            offered.encode(errors="replace"), self.token.encode()
        )


class Refused(Exception):  # noqa: N818 - it is no error of ours
    """A request that goes no further."""

    def __init__(self, status: int, sentence: str) -> None:
        """Say why.

        Args:
            status: of HTTP.
            sentence: for whoever sent it.
        """
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Guard:
    """ASGI middleware that lets only the owner's browser pass."""

    def __init__(self, app: ASGIApp, secret: Secret, port: int) -> None:
        """Stand before an application.

        Args:
            app: who is guarded.
            secret: what lets in.
            port: of the server; cookies of one host are shared by all its ports.
        """
        self._app, self._secret = app, secret
        self._cookie = f"hdgan-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        body = _Limited(receive)
        reply = _Reply(send)
        try:
            _check(scope, headers)
            answer = self._entrance(scope, headers)
            if answer is None:
                await self._app(scope, body, reply)
                return
        except Refused as refused:
            _log(scope, refused)
            if reply.has_begun:
                return
            answer = JSONResponse({"error": refused.sentence}, refused.status)
        await answer(scope, body, reply)

    def _entrance(self, scope: Scope, headers: Headers) -> Response | None:
        """Exchange a token for the cookie; None if the request may go on."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["path"] == "/" and "token" in query:
            if not self._secret.opens(query["token"][0]):
                raise Refused(
                    401, "This token is not the server's. Copy the printed address again."
                )
            welcome = HTMLResponse(_WELCOME)
            welcome.set_cookie(
                self._cookie, self._secret.token, httponly=True, samesite="strict", path="/"
            )
            return welcome
        if any(map(self._secret.opens, _cookies(headers, self._cookie))):
            return None
        refused = Refused(401, "Open the address that the terminal printed, with its token.")
        if scope["path"] == "/":
            _log(scope, refused)
            return HTMLResponse(_STRANGER, 401)
        raise refused


class _Limited:
    """A request's body, cut off where it grows too large, whatever its header said."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = MAX_BODY_BYTES

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _too_large()
        return message


class _Reply:
    """A response with the headers that keep a browser from being talked into anything."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await self._send(message)


def _too_large() -> Refused:
    return Refused(413, f"A request may have {MAX_BODY_BYTES // 2**20} MB.")


def _check(scope: Scope, headers: Headers) -> None:
    """Refuse foreign hosts, foreign pages and what is too large."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _OWN_HOST.fullmatch(hosts[0]):
        raise Refused(403, "This server answers to 127.0.0.1 and localhost only.")
    if scope["method"] not in _METHODS:
        raise Refused(405, f"{scope['method'][:20]} is not used here.")
    if _is_foreign(scope, headers, f"http://{hosts[0]}"):
        raise Refused(403, "Only the page of this server may read or change anything.")
    if len(scope["path"]) > MAX_PATH:
        raise Refused(414, f"An address may have {MAX_PATH:,} characters.")
    length = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(length) or int(length) > MAX_BODY_BYTES:
        raise _too_large()


def _is_foreign(scope: Scope, headers: Headers, own: str) -> bool:
    """Whether another page asks; those at other ports of this computer are others too."""
    origins = headers.getlist("origin")
    if origins != [own] and (origins or scope["method"] in _WRITES):
        return True
    site = headers.get("sec-fetch-site", "none")
    return scope["path"] != "/" and site not in ("same-origin", "none")


def _cookies(headers: Headers, name: str) -> list[str]:
    """Every cookie of a name, however strange those of other servers at this host are."""
    pairs = [part.partition("=") for part in ";".join(headers.getlist("cookie")).split(";")]
    return [value.strip().strip('"') for found, _, value in pairs if found.strip() == name]


def _log(scope: Scope, refused: Refused) -> None:
    """One line, whatever the request tries to put into it."""
    path = ascii(scope["path"][:200])
    method = ascii(scope["method"][:20])[1:-1]
    LOG.warning("refused %s %s: %s %s", method, path, refused.status, ascii(refused.sentence)[1:-1])
