"""Faults at the k-th event of the file system, in the process that they befall.

Python tells a hook before it opens, renames or removes a file or makes a folder; to these come
`os.fsync`. So every boundary between two states of the disk can be
hit, and hit again.
"""

import errno
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from mmap import mmap
from pathlib import Path
from typing import Any

Strike = Callable[[int, str], None]
"""What happens at an event, by its number from 1 on and its name; an OSError that it raises is the
event's."""

_CHANGES = frozenset(
    {
        *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"),
        *("os.symlink", "os.utime", "os.chmod", "shutil.rmtree", "shutil.copyfile"),
        *("shutil.move", "sqlite3.connect", "hdgan.fsync"),
    }
)
_NEED_ROOM = frozenset({"open", "os.mkdir", "hdgan.fsync", "shutil.copyfile"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def watch(root: Path, strike: Strike) -> None:
    """Call `strike` at every event below a folder, for as long as this process lives."""
    below, counted, is_striking = str(root) + os.sep, 0, False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal counted, is_striking
        if is_striking or not _is_change(event, arguments, below):
            return
        counted += 1
        is_striking = True
        try:
            strike(counted, event)
        finally:
            is_striking = False

    _tell_of_syncs()
    sys.addaudithook(hook)


def _is_change(event: str, arguments: tuple[Any, ...], below: str) -> bool:
    if event == "open":
        path, _, flags = arguments
        return _lies_below(path, below) and bool(flags & _WRITES)
    return event in _CHANGES and any(_lies_below(path, below) for path in arguments[:2])


def _lies_below(path: object, below: str) -> bool:
    if isinstance(path, os.PathLike | str):
        return os.fspath(path).startswith(below)
    if isinstance(path, bytes):
        return os.fsdecode(path).startswith(below)
    return False


def _tell_of_syncs() -> None:
    """Let `os.fsync` be an event; of itself it is none."""
    sync = os.fsync

    def told(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}")
        sys.audit("hdgan.fsync", str(name.readlink()) if name.exists() else "")
        sync(descriptor)

    os.fsync = told  # type: ignore[assignment]


def kill_at(moment: int) -> Strike:
    """SIGKILL at an event."""

    def strike(counted: int, _: str) -> None:
        if counted == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    return strike


def stop_at(moment: int) -> Strike:
    """SIGSTOP at an event."""

    def strike(counted: int, _: str) -> None:
        if counted == moment:
            os.kill(os.getpid(), signal.SIGSTOP)

    return strike


def count_into(memory: mmap) -> Strike:
    """Nothing happens; the number of events is kept where another process can read it."""

    def strike(counted: int, _: str) -> None:
        memory[:8] = counted.to_bytes(8, "little")

    return strike


def fill_from(moment: int) -> Strike:
    """A full disk from an event on: nothing is made any more, but all can be removed."""

    def strike(counted: int, event: str) -> None:
        if counted >= moment and event in _NEED_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return strike


def protect_from(moment: int) -> Strike:
    """A disk that is read-only from an event on, as after an error of its hardware."""

    def strike(counted: int, _: str) -> None:
        if counted >= moment:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    return strike


def lose_at(moment: int, parent: Path, away: Path) -> Strike:
    """Something that the run reads goes elsewhere at an event."""

    def strike(counted: int, _: str) -> None:
        if counted == moment and parent.exists():
            parent.rename(away)

    return strike


def jump_at(moment: int, seconds: float) -> Strike:
    """The clock of the day is set at an event; the one that counts from the start is not."""
    jumped = [0.0]
    _set_clock(jumped)

    def strike(counted: int, _: str) -> None:
        if counted == moment:
            jumped[0] = seconds

    return strike


def _set_clock(jumped: list[float]) -> None:
    """Let every module of hdgan read a clock that `jumped` moves."""
    real = time.time

    def moved() -> float:
        return real() + jumped[0]

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Moved":
            moment = datetime.now(tz) + timedelta(seconds=jumped[0])
            return cls.fromtimestamp(moment.timestamp(), tz)

    time.time = moved
    for name, module in list(sys.modules.items()):
        if name.startswith("hdgan"):
            for word, value in list(vars(module).items()):
                if value is real:
                    setattr(module, word, moved)
                elif value is datetime:
                    setattr(module, word, Moved)
