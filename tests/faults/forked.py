"""A command in a fork of a process that has imported everything: it costs its own work alone."""

import fcntl
import io
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

PATIENCE = 900
"""Seconds after which a run that should have ended hangs."""

_MOST_SAID_BYTES = 2**20


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    """Exit code; minus the signal's number if one ended it."""

    said: str
    """What it printed, on either stream."""

    seconds: float
    """From its start to its end."""

    cpu_seconds: float = 0.0
    """Of it and what it started."""

    @property
    def is_one_sentence(self) -> bool:
        """Whether it ended with an expected error, which is told in one line."""
        lines = self.said.strip().splitlines()
        return self.code == 2 and bool(lines) and lines[-1].startswith("hdgan: ")

    @property
    def was_killed(self) -> bool:
        """Whether a signal ended it that was sent by a fault."""
        return self.code in (-signal.SIGKILL, -signal.SIGXFSZ)


class Started:
    """A command that is running, in a session of its own."""

    def __init__(self, words: list[str], prepare: Callable[[], None] = lambda: None) -> None:
        """Fork and run.

        Args:
            words: what follows `hdgan`.
            prepare: what is done first in the new process: a fault is laid.
        """
        # A pipe, since a limit on the size of files is one of the faults.
        self._said, sending = os.pipe()
        fcntl.fcntl(self._said, fcntl.F_SETPIPE_SZ, _MOST_SAID_BYTES)
        self._began = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        self.process = os.fork()
        if self.process == 0:
            _run_and_end(words, prepare, sending)
        os.close(sending)
        os.set_blocking(self._said, False)  # what it started may outlive it, and say more
        self._run: Run | None = None

    def is_stopped(self) -> bool:
        """Wait until it stops or ends; whether it stopped."""
        _, status = os.waitpid(self.process, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            return True
        self._ended(status)
        return False

    def go_on(self) -> None:
        """Let it run again after a stop."""
        os.kill(self.process, signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, and nothing that it started."""
        if self._run is None:
            os.kill(self.process, signal.SIGKILL)

    def wait(self, seconds: float = PATIENCE) -> Run:
        """How it ended; after so many seconds it is killed, with a line that says so."""
        end = self._began + seconds
        pause = 0.0005
        while self._run is None:
            ended, status, used = os.wait4(self.process, os.WNOHANG)
            if ended:
                self._ended(status, used.ru_utime + used.ru_stime)
            elif time.monotonic() > end:
                os.killpg(self.process, signal.SIGKILL)
                os.waitpid(self.process, 0)
                hung = self._ended(1 << 8)
                self._run = replace(hung, said=f"{hung.said}\nIt hangs.")
            else:
                time.sleep(pause)
                pause = min(0.005, pause * 1.5)
        return self._run

    def left_behind(self, seconds: float = 20.0) -> bool:
        """Whether processes that it started still run so long after its end; they are killed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                os.killpg(self.process, 0)
            except ProcessLookupError:
                return False
            time.sleep(0.02)
        os.killpg(self.process, signal.SIGKILL)
        return True

    def _ended(self, status: int, cpu_seconds: float = 0.0) -> Run:
        seconds = time.monotonic() - self._began
        try:
            said = os.read(self._said, _MOST_SAID_BYTES)
        except BlockingIOError:
            said = b""
        os.close(self._said)
        code = os.waitstatus_to_exitcode(status)
        self._run = Run(code, said.decode("utf-8", "replace"), seconds, cpu_seconds)
        return self._run


def run(words: list[str], prepare: Callable[[], None] = lambda: None) -> Run:
    """Run a command to its end."""
    started = Started(words, prepare)
    ended = started.wait()
    if started.left_behind():
        return Run(1, f"{ended.said}\nProcesses of it were left behind.", ended.seconds)
    return ended


def limit_files(num_bytes: int) -> None:
    """Let a write beyond so many bytes of a file end this process, in the middle of the write."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, resource.RLIM_INFINITY))


def _run_and_end(words: list[str], prepare: Callable[[], None], said: int) -> None:
    """In the new process: everything, up to its end."""
    os.setsid()
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=True)
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), write_through=True)
    code = 1
    try:
        from hdgan.cli import main

        prepare()
        main(words)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - this process ends here, whatever it was
        traceback.print_exc()
    finally:
        os._exit(code)


def at_forked(do: Callable[[], str]) -> str:
    """What a function returns in a process of its own, such as one with its own mounts.

    Raises:
        RuntimeError: it ended otherwise; its traceback is in the text.
    """
    receiving, sending = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(receiving)
        code = 1
        try:
            text = do()
            code = 0
        except BaseException:  # noqa: BLE001 - what it was is told
            text = traceback.format_exc()
        finally:
            with os.fdopen(sending, "w", encoding="utf-8") as pipe:
                pipe.write(text)
            os._exit(code)
    os.close(sending)
    with os.fdopen(receiving, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status = os.waitpid(process, 0)
    if status:
        raise RuntimeError(text)
    return text


def is_single_threaded() -> bool:
    """Whether this process may fork: no thread runs that the child would lack."""
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return len([name for name in names if name != "jemalloc_bg_thd"]) == 1  # that one knows forks
