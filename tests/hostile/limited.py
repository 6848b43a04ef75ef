"""A reader in a process of its own, with so much time and memory for each input, and no more."""

import json
import mmap
import os
import resource
import signal
import struct
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hdgan.errors import HdganError
from tests.hostile.reader import Read

MOST_SECONDS = 10.0
"""Of the processor, that an input may take."""

PATIENCE_SECONDS = 60.0
"""By the clock, that an input may take on a busy computer."""

MOST_BYTES = 10**9
"""Of memory that the process may have, what it has imported among them."""

MOST_CHARACTERS = 1500
"""Of a sentence."""

_MOST_REPORTS = 50
_POLL_SECONDS = 0.05
_STATE = struct.Struct("<q4q")
"""The input that is being read; how many were read, refused, ended in a traceback, too large."""

_FORBIDDEN = frozenset(
    {"os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.Popen", "pickle.find_class"}
    | {"socket.connect", "webbrowser.open"}
)
"""Events of Python that tell of something being executed, or of talk with the world."""


@dataclass
class Outcome:
    """What became of inputs of one reader."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many were `read`, `refused`, a `traceback`, a `hang`, too much `memory`, a `crash`."""

    bad: dict[int, str] = field(default_factory=dict)
    """What is to be mended: number of the input, and what happened; one for each place in the
    code."""


class ExecutedError(Exception):
    """A reader did what no reader may."""


def tried(
    read_in: Callable[[], Read],
    data_of: Callable[[int], bytes],
    numbers: range,
    seconds: float = float("inf"),
) -> Outcome:
    """Read inputs one after the other, each within the limits.

    Args:
        read_in: makes the function that reads, in the new process.
        data_of: the input of a number.
        numbers: which inputs.
        seconds: after how long no further input is begun.
    """
    outcome, first = Outcome(), numbers.start
    end = time.monotonic() + seconds
    while first < numbers.stop and time.monotonic() < end:
        with _shared() as state:
            left = range(first, numbers.stop)
            process, reports = _started(partial(_work, read_in, data_of, left, state, end))
            what = _watched(process, state)
            current, *counts = _STATE.unpack_from(state)
        for name, count in zip(("read", "refused", "traceback", "memory"), counts, strict=True):
            outcome.counts[name] += count
        outcome.bad.update(_reported(reports))
        if what:
            outcome.counts[what] += 1
            outcome.bad[current] = what
        elif current >= numbers.stop - 1 or time.monotonic() >= end:
            break
        first = current + 1
    outcome.counts += Counter()
    return outcome


def _work(
    read_in: Callable[[], Read],
    data_of: Callable[[int], bytes],
    numbers: range,
    state: mmap.mmap,
    end: float,
    sending: int,
) -> None:
    """In the new process: all inputs, or those up to one that took too much memory."""
    read = read_in()
    counts = [0, 0, 0, 0]
    seen: set[str] = set()
    _STATE.pack_into(state, 0, numbers.start, *counts)
    for number in numbers:
        data = data_of(number)
        _STATE.pack_into(state, 0, number, *counts)
        kind, place, said = _read(read, data)
        if _peak_bytes() > MOST_BYTES:
            kind, place, said = 3, "memory", f"{_peak_bytes():,} bytes of memory"
        counts[kind] += 1
        _STATE.pack_into(state, 0, number, *counts)
        if kind >= 2 and place not in seen and len(seen) < _MOST_REPORTS:
            seen.add(place)
            os.write(sending, json.dumps([number, f"{place}: {said}"[-1000:]]).encode() + b"\n")
        if kind == 3 or time.monotonic() > end:
            return


def _read(read: Read, data: bytes) -> tuple[int, str, str]:
    """Whether the input was read, refused, or ended otherwise; where, and what was said."""
    try:
        read(data)
    except HdganError as error:
        if is_sentence(str(error)):
            return 1, "", ""
        said = str(error)
        return 2, f"no sentence at {_places(error)}", said[:300]
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is counted
        return 2, f"{type(error).__name__} at {_places(error)}", str(error)[:300]
    return 0, "", ""


def is_sentence(said: str) -> bool:
    """Whether a person can read it: not too long, and no list of all that a library found."""
    plain = " ".join(said.split())
    return 0 < len(plain) <= MOST_CHARACTERS and "validation error" not in plain


def _places(error: BaseException) -> str:
    """The last lines of code on the way to an error."""
    places = traceback.extract_tb(error.__traceback__)[-6:]
    return " ".join(f"{Path(place.filename).name}:{place.lineno}" for place in places)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextmanager
def _shared() -> Iterator[mmap.mmap]:
    with mmap.mmap(-1, mmap.PAGESIZE) as state:
        yield state


def _started(work: Callable[[int], None]) -> tuple[int, int]:
    """Number of the new process, and where it reports what is to be mended."""
    receiving, sending = os.pipe()
    os.set_blocking(receiving, False)
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        os.close(sending)
        return process, receiving
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    code = 70
    try:
        _forbid()
        _limit_addresses()
        work(sending)
        code = 0
    finally:
        os._exit(code)


def _forbid() -> None:
    """Let nothing be executed in this process from now on."""

    def watch(event: str, _: object) -> None:
        if event in _FORBIDDEN:
            raise ExecutedError(event)

    sys.addaudithook(watch)


def _limit_addresses() -> None:
    """What asks for far more than the limit fails at once, though it may not touch it."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 4 * MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _watched(process: int, state: mmap.mmap) -> str:
    """Wait for a process; what is to be said against its last input, if anything."""
    last, since, used = -1, time.monotonic(), 0.0
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return "" if os.waitstatus_to_exitcode(status) == 0 else "crash"
        (current, *_) = _STATE.unpack_from(state)
        if current != last:
            last, since, used = current, time.monotonic(), _used_seconds(process)
        waited = time.monotonic() - since
        if _used_seconds(process) - used > MOST_SECONDS or waited > PATIENCE_SECONDS:
            return _killed(process, "hang")
        if _resident_bytes(process) > MOST_BYTES:
            return _killed(process, "memory")
        time.sleep(_POLL_SECONDS)


def _used_seconds(process: int) -> float:
    """Of the processor; a busy computer is no fault of a reader."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(process: int) -> int:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * resource.getpagesize()


def _killed(process: int, what: str) -> str:
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return what


def _reported(reports: int) -> dict[int, str]:
    """What the process said, by the number of the input."""
    said = b""
    try:
        while part := os.read(reports, 2**16):
            said += part
    except BlockingIOError:
        pass
    os.close(reports)
    return dict(json.loads(line) for line in said.splitlines())
