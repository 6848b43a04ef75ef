"""Processes that work at the same time, and what becomes of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

MANY = """
import os, sys, time
from pathlib import Path
from hdgan.workers import done_by_processes

def note_and_wait(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)

if __name__ == "__main__":
    list(done_by_processes(note_and_wait, [sys.argv[1]] * 2, 2))
"""
"""Two workers write down who they are, and wait."""


def is_running(process: int) -> bool:
    """Whether a process is there and is more than an entry in a table."""
    status = Path("/proc", str(process), "stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def awaits(is_so: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether something becomes so in a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    program, folder = tmp_path / "many.py", tmp_path / "processes"
    program.write_text(MANY)
    folder.mkdir()
    started = subprocess.Popen([sys.executable, str(program), str(folder)])
    assert awaits(lambda: len(list(folder.iterdir())) == 2)
    workers = [int(path.name) for path in folder.iterdir()]

    started.kill()
    started.wait()

    ended = awaits(lambda: not any(map(is_running, workers)), seconds=10)
    for worker in filter(is_running, workers):
        os.kill(worker, signal.SIGKILL)
    assert ended
