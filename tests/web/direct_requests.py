"""Requests handed to the application itself, with no client in between that tidies them up."""

import asyncio
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message

from tests.web.page_world import ORIGIN, SECRET, square

Headers: TypeAlias = dict[str, str | list[str]]

OWN: Headers = {
    "host": ORIGIN.removeprefix("http://"),
    "origin": ORIGIN,
    "cookie": f'hdgan-8470="{SECRET.token}"',
    "x-author": "Anna",
}
"""What the page's own requests say."""


@dataclass(frozen=True)
class Question:
    """A request, as the wire has it."""

    method: str
    path: str
    query: str = ""
    headers: Headers = field(default_factory=lambda: dict(OWN))
    chunks: Iterable[bytes] = (b"",)
    """The body, taken only as far as it is asked for."""

    def but_with(self, **headers: str | list[str] | None) -> "Question":
        """The same with some headers changed; None takes one away, `_` stands for a hyphen."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {
            name: value for name, value in (self.headers | changed).items() if value is not None
        }
        return Question(self.method, self.path, self.query, kept, self.chunks)


TILE = "s000000"
STROKE = zlib.compress(square(1).tobytes())
READ = Question("GET", "/api/tiles")
WRITE = Question(
    "POST",
    f"/api/tiles/{TILE}/readings/1/revisions",
    "kind=brush&x=0&y=0&width=4&height=4&seconds=1",
    OWN | {"if-match": '"0"'},
    (STROKE,),
)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


async def asked(app: ASGIApp, question: Question) -> Reply:
    """The application's answer.

    Raises:
        Exception: whatever the application lets through; a server would print it.
    """
    pairs = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, values in question.headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": question.method,
        "scheme": "http",
        "path": question.path,
        "raw_path": question.path.encode("utf-8", "replace"),
        "query_string": question.query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": pairs,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8470),
    }
    chunks = iter(question.chunks)
    sent: list[Message] = []

    has_ended = False

    async def receive() -> Message:
        nonlocal has_ended
        if has_ended:
            await asyncio.Event().wait()  # whoever asked stays until the answer is there
        chunk = next(chunks, None)
        has_ended = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": not has_ended}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    begun = sent[0]
    headers = {name.decode(): value.decode("latin-1") for name, value in begun["headers"]}
    return Reply(begun["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))
