"""Who works when: a person who waits goes before work that is done ahead."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PAUSE_SECONDS = 0.005


class Turns:
    """One at a time; who is waited for goes before who works ahead."""

    def __init__(self) -> None:
        self._lock, self._counting, self._waiting = threading.Lock(), threading.Lock(), 0

    @contextmanager
    def first(self) -> Iterator[None]:
        """The next turn."""
        self._wait(1)
        with self._lock:
            self._wait(-1)
            yield

    @contextmanager
    def last(self) -> Iterator[Callable[[], None]]:
        """A turn that is interrupted, wherever what is yielded is called, by those that wait."""
        with self._lock:
            yield self._give_way

    def _wait(self, change: int) -> None:
        with self._counting:
            self._waiting += change

    def _give_way(self) -> None:
        while self._waiting:
            self._lock.release()
            time.sleep(_PAUSE_SECONDS)
            self._lock.acquire()
