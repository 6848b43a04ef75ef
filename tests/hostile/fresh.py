"""A command line in a fresh process that may write to one folder, execute nothing, and take little.

usage: python -m tests.hostile.fresh

A process that has imported everything forks for each command. A request is a line of JSON: what
follows `hdgan`, and the folder that may be written to. The answer is a line too.
"""

import dataclasses
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.forked import is_single_threaded
from tests.faults.template import ROOT, _import_everything
from tests.hostile import limited

_MOST_SAID = 2**16
_CHANGES = frozenset({"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link"})
"""Events of Python that change what is on the disk, beside `open`."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    """Exit code; minus the signal's number if one ended it."""

    said: str
    """What it printed, on either stream."""

    cpu_seconds: float
    """Of it."""

    peak_bytes: int
    """Memory, with all that is imported."""

    what: str
    """`hang` or `memory` if it was ended for that."""

    @property
    def sentence(self) -> str:
        """The one line of an expected error, without progress; empty if it ended otherwise."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        told = [line for line in lines if line.startswith("hdgan: ")]
        is_one = self.code == 2 and len(told) == 1 and lines[-1] == told[0]
        return told[0] if is_one and limited.is_sentence(told[0]) else ""


class Fresh:
    """The process, from outside. A context manager, which ends it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.fresh"],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Fresh":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]

    def run(self, words: list[str], output: Path) -> Ended:
        """Run a command that may write to one folder, and nowhere else."""
        print(json.dumps([words, str(output)]), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())  # type: ignore[union-attr]
        return Ended(**answer)


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _import_everything()
    for line in sys.stdin:
        assert is_single_threaded()
        words, output = json.loads(line)
        ended = _run(words, output)
        print(json.dumps(dataclasses.asdict(ended)), file=answers, flush=True)


def _run(words: list[str], output: str) -> Ended:
    """Fork, run, wait."""
    receiving, sending = os.pipe()
    os.set_blocking(receiving, False)
    process = os.fork()
    if process == 0:
        _run_and_end(words, output, sending)
    os.close(sending)
    what, said, began = "", b"", time.monotonic()
    while True:
        said = _more(receiving, said)
        ended, status, used = os.wait4(process, os.WNOHANG)
        if ended:
            break
        what = what or _too_much(process, began)
        if what:
            os.killpg(process, 9)
        time.sleep(0.01)
    said = _more(receiving, said)
    os.close(receiving)
    code = os.waitstatus_to_exitcode(status)
    seconds = used.ru_utime + used.ru_stime
    return Ended(code, said.decode("utf-8", "replace"), seconds, used.ru_maxrss * 1024, what)


def _too_much(process: int, began: float) -> str:
    """`hang` or `memory` if a process takes more than it may."""
    if limited._resident_bytes(process) > limited.MOST_BYTES:
        return "memory"
    is_late = time.monotonic() - began > limited.PATIENCE_SECONDS
    return "hang" if is_late or limited._used_seconds(process) > limited.MOST_SECONDS else ""


def _more(receiving: int, said: bytes) -> bytes:
    try:
        return (said + os.read(receiving, _MOST_SAID))[:_MOST_SAID]
    except BlockingIOError:
        return said


def _run_and_end(words: list[str], output: str, sending: int) -> None:
    """In the new process: everything, up to its end."""
    os.setsid()
    os.dup2(sending, 1)
    os.dup2(sending, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    code = 1
    try:
        from hdgan.cli import main as command_line

        limited._forbid()
        limited._limit_addresses()
        sys.addaudithook(_confined(output))
        command_line(words)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - this process ends here, whatever it was
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _confined(output: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Lets nothing be written outside of a folder."""
    inside = os.path.realpath(output)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
            places = [_place(path, -1)]
        elif event in _CHANGES:
            count = 2 if event in ("os.rename", "os.link") else 1
            handles = arguments[-count:]
            places = [_place(*pair) for pair in zip(arguments[:count], handles, strict=True)]
        else:
            return
        for place in places:
            if place != os.devnull and not (place + "/").startswith(inside + "/"):
                raise limited.ExecutedError(f"{event} of {place}, outside of {inside}")

    return watch


def _place(path: Any, handle: Any) -> str:
    """Where something lies, which may be named from an open folder."""
    if isinstance(path, int):
        return os.devnull  # it is open already
    base = Path("/proc/self/fd", str(handle)).readlink() if handle not in (-1, None) else Path()
    return os.path.realpath(base / os.fsdecode(path))


if __name__ == "__main__":
    main()
