"""Progress with an honest estimate of the remaining time, on a terminal and in a log."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

LOG_SECONDS = 30.0
"""Time between two lines where there is no terminal."""


class ProgressBar:
    """A bar on a terminal, a line every half minute elsewhere; both on standard error."""

    def __init__(self, verb: str, total: int, unit: str, *, done: int = 0) -> None:
        """`done` is what an earlier run has finished; the rate counts only this run."""
        self.verb, self.total, self.unit = verb, total, unit
        self.first = self.done = done
        self.console = Console(stderr=True)
        self.began = self.last_line = time.monotonic()
        self.bar: Progress | None = None
        self.task = TaskID(0)

    def __enter__(self) -> "ProgressBar":
        """Show the bar."""
        if self.done:
            done = f"{self.done} of {self.total} {self.unit}"
            print(f"{self.verb}: goes on after {done}", file=sys.stderr, flush=True)  # noqa: T201
        if self.console.is_terminal:
            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn(self.unit),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.fields[note]}"),
                console=self.console,
            )
            self.bar.start()
            self.task = self.bar.add_task(self.verb, total=self.total, completed=self.done, note="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.stop()

    def reach(self, done: int, note: str = "") -> None:
        """So much is done; the note says how it goes."""
        self.done = done
        if self.bar is not None:
            self.bar.update(self.task, completed=done, note=note)
        elif time.monotonic() - self.last_line >= LOG_SECONDS:
            self.last_line = time.monotonic()
            print(self._line(note), file=sys.stderr, flush=True)  # noqa: T201

    def advance(self, note: str = "") -> None:
        """One more is done."""
        self.reach(self.done + 1, note)

    def _line(self, note: str) -> str:
        fresh = self.done - self.first
        elapsed = time.monotonic() - self.began
        left = elapsed / fresh * (self.total - self.done) if fresh else float("nan")
        line = f"{self.verb}: {self.done} of {self.total} {self.unit}, {_duration(left)} left"
        return f"{line}, {note}" if note else line


def announce(
    verb: str,
    *,
    memory_bytes: int | None = None,
    disk_bytes: int | None = None,
    seconds: float | None = None,
) -> None:
    """Say in one line, before long work begins, what it will need."""
    needs = [
        f"{_size(size)} of {kind}"
        for kind, size in (("memory", memory_bytes), ("disk", disk_bytes))
        if size is not None
    ]
    if seconds is not None:
        needs.append(_duration(seconds))
    print(f"{verb}: needs about {', '.join(needs)}", file=sys.stderr, flush=True)  # noqa: T201


def remark(verb: str, text: str) -> None:
    """Say in one line what a user should know before a verb begins."""
    print(f"{verb}: {text}", file=sys.stderr, flush=True)  # noqa: T201


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 1e9 else f"{num_bytes / 1e6:.1f} MB"


def peak_memory_bytes() -> int | None:
    """The most memory that this process has taken so far; None where nobody counts it."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds != seconds:
        return "unknown time"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
