"""A Dask cluster on this computer, whose workers can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WORKER = ["worker", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"]


@contextmanager
def local_cluster(folder: Path, num_workers: int, preload: str) -> Iterator[str]:
    """Address of a scheduler with workers, each in a process that its nanny begins again.

    Args:
        folder: where logs go.
        num_workers: how many.
        preload: a program that each worker runs first, perhaps twice.
    """
    (folder / "slow.py").write_text(preload, encoding="utf-8")
    found = folder / "scheduler.json"
    host = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    started = [_dask("scheduler", *host, "--scheduler-file", str(found), folder=folder)]
    try:
        for _ in range(600):
            if found.is_file() and found.read_bytes():
                break
            time.sleep(0.1)
        address = str(json.loads(found.read_bytes())["address"])
        more = ["--preload", str(folder / "slow.py")]
        started += [_dask(*WORKER, address, *more, folder=folder) for _ in range(num_workers)]
        yield address
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def working_processes(folder: Path) -> list[int]:
    """Those that take work: what the nannies of a folder's cluster have begun."""
    sessions = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_worker_of(entry, folder)
    ]
    return [pid for session in sessions for pid in _workers_of(session)]


def _dask(*tokens: str, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *tokens],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


def _workers_of(group: int) -> list[int]:
    """Processes of a session that take work: those that a nanny has begun."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            command = (entry / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if int(fields[3]) == group and b"spawn_main" in command:
            found.append(int(entry.name))
    return found


def _is_worker_of(entry: Path, folder: Path) -> bool:
    """Whether a process is one of our `dask worker` commands."""
    try:
        command = (entry / "cmdline").read_bytes()
    except OSError:
        return False
    return b"\0worker\0" in command and os.fsencode(folder) in command
