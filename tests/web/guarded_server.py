"""An application, and everything that a refused request must leave as it was."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from hdgan.web.app import page
from hdgan.web.desk import Desk
from hdgan.web.guard import LOG
from tests.web.direct_requests import Question, Reply, asked
from tests.web.page_world import SECRET, new_desk

PROTECTION = {
    "content-security-policy": "default-src 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-",
}
"""Headers that every answer has, and what is in them."""


@dataclass(frozen=True)
class GuardedServer:
    """An application over the tiles of a folder."""

    app: ASGIApp
    desk: Desk
    samples: Path

    @classmethod
    @contextmanager
    def over(cls, samples: Path, folder: Path) -> Iterator["GuardedServer"]:
        """One whose history is in a folder."""
        desk = new_desk(samples, folder)
        yield cls(page(desk, SECRET, 8470, {"author": "Anna"}), desk, samples)
        desk.history.close()

    def ask(self, question: Question) -> Reply:
        """Its answer, which must carry the protecting headers."""
        reply = asyncio.run(asked(self.app, question))
        for name, part in PROTECTION.items():
            assert part in reply.headers[name], (question, name)
        return reply

    def refused(self, question: Question) -> Reply:
        """Its answer, which must change nothing and leave one harmless line in the log."""
        before = self.state()
        with logged_lines() as lines:
            reply = self.ask(question)
        assert self.state() == before
        (line,) = lines
        assert line.startswith("refused ")
        assert f" {reply.status} " in line
        assert line.isprintable()
        assert line.isascii()
        assert len(line) < 1500
        return reply

    def state(self) -> object:
        """Everything that a request might have changed."""
        history = self.desk.history
        heads = {key: head.revision for key, head in history.heads().items()}
        stats = {path: path.stat() for path in self.samples.rglob("*")}
        files = {path: (stat.st_size, stat.st_mtime_ns) for path, stat in stats.items()}
        return heads, history.marks(), history.seconds(), files


@contextmanager
def logged_lines() -> Iterator[list[str]]:
    """What is written into the page's log meanwhile."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    collector = Collector()
    LOG.addHandler(collector)
    try:
        yield lines
    finally:
        LOG.removeHandler(collector)
