"""The steps of a demonstration: verbs that are run in order, and what each has taken."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.writing import write_atomically
from hdgan.pipeline import Made

TIMES = "times.json"

Verbs = Mapping[str, Callable[..., Made]]
"""The other stages by verb; they are handed in, since no stage imports another."""


class Steps:
    """Runs verbs and keeps their times, also over interruptions."""

    def __init__(self, output: Path, verbs: Verbs) -> None:
        self.output, self.verbs = output, verbs
        self.times: list[tuple[str, float]] = []
        """Seconds of each step so far, in order."""

    @property
    def seconds(self) -> float:
        """All steps together."""
        return sum(seconds for _, seconds in self.times)

    def do(self, verb: str, *parts: object) -> None:
        """Run a verb with its arguments."""
        with self.timed(verb):
            self.verbs[verb](*parts)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time a step; what an earlier run spent on it is kept, if that was more."""
        step = f"{len(self.times):02d} {name}"
        began = time.monotonic()
        yield
        seconds = max(time.monotonic() - began, self._spent().get(step, 0.0))
        self.times.append((name, seconds))
        write_atomically(self.output / TIMES, json_bytes(self._spent() | {step: seconds}))

    def _spent(self) -> dict[str, float]:
        """Seconds of each step so far, from the runs before."""
        path = self.output / TIMES
        try:
            seconds: dict[str, float] = json.loads(path.read_bytes()) if path.is_file() else {}
        except ValueError:
            return {}
        return seconds
