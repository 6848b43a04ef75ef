"""Progress with an honest estimate of the remaining time, on a terminal and in a log."""

import sys
import time
from collections import deque
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
)

LOG_SECONDS = 30.0
"""Time between two lines where there is no terminal."""

RECENT_SECONDS = 300.0
"""The speed is that of so much of the past."""


class ProgressBar:
    """A bar on a terminal, a line every half minute elsewhere; both on standard error."""

    def __init__(self, verb: str, total: int, unit: str, *, done: int = 0) -> None:
        """`done` is what an earlier run has finished; the speed counts only this run."""
        self.verb, self.total, self.unit = verb, total, unit
        self.done = done
        self.console = Console(stderr=True)
        self.last_line = time.monotonic()
        self.past = deque([(self.last_line, done)])
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
                TextColumn("{task.fields[speed]}"),
                TextColumn("{task.fields[note]}"),
                console=self.console,
            )
            self.bar.start()
            self.task = self.bar.add_task(
                self.verb, total=self.total, completed=self.done, speed="", note=""
            )
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
        self.done, now = done, time.monotonic()
        self.past.append((now, done))
        while len(self.past) > 2 and now - self.past[1][0] >= RECENT_SECONDS:
            self.past.popleft()
        if self.bar is not None:
            self.bar.update(self.task, completed=done, speed=self._speed(), note=note)
        elif now - self.last_line >= LOG_SECONDS:
            self.last_line = now
            line = f"{self.verb}: {done} of {self.total} {self.unit}, {self._speed()}"
            self.say(f"{line}, {note}" if note else line)

    def say(self, line: str) -> None:
        """A line of its own, above the bar if there is one."""
        if self.bar is not None:
            self.bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201

    def advance(self, note: str = "") -> None:
        """One more is done."""
        self.reach(self.done + 1, note)

    def _speed(self) -> str:
        """How fast it goes, and how long it will take at that."""
        (then, before), (now, done) = self.past[0], self.past[-1]
        if done == before or now == then:
            return "unknown time left"
        speed = (done - before) / (now - then)
        return f"{_rate(speed, self.unit)}, {_duration((self.total - done) / speed)} left"


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


def _rate(speed: float, unit: str) -> str:
    """A speed as people say it, with about two digits."""
    if speed >= 1:
        return f"{speed:,.{0 if speed >= 10 else 1}f} {unit}/s"
    return f"{60 * speed:.1f} {unit}/min"


def _duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds != seconds:
        return "unknown time"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
