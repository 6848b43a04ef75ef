"""Every verb, run in two processes that have little in common, under the guard of the network."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from tests.supply.every_verb import Told
from tests.tiny_world import TinyWorld

ROOT = Path(__file__).resolve().parents[2]
GUARD = Path(__file__).parent / "guard"
PATIENCE = 1200
"""Seconds that both may take on a busy computer."""

DIFFERENCES = (
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "2", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "COLUMNS": "60"},
)
"""What is not the same for both: their folders neither, nor the hour of the day."""


@dataclass(frozen=True)
class TwoRuns:
    """What became of both."""

    first: Told
    second: Told
    connections: list[str]
    """That were refused, in words."""


def guarded(log: Path) -> dict[str, str]:
    """An environment whose Python processes reach nothing but this computer; a file takes notes."""
    places = os.pathsep.join([str(GUARD), str(ROOT), os.environ.get("PYTHONPATH", "")])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return os.environ | threads | {"PYTHONPATH": places, "HDGAN_TEST_NETWORK_LOG": str(log)}


@pytest.fixture(scope="session")
def two_runs(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> TwoRuns:
    """Both runs, made once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, log = shared / "two-runs", shared / "two-runs.log"
    with FileLock(shared / "two-runs.lock"):
        if not (folder / "second.json").is_file():
            folder.mkdir()
            _run(folder / "first", world.folder, folder / "first.json", log, 0)
            _run(folder / "second", folder / "first" / "world", folder / "second.json", log, 1)
    first, second = (
        Told(**json.loads((folder / f"{name}.json").read_bytes())) for name in ("first", "second")
    )
    return TwoRuns(first, second, log.read_text("utf-8").splitlines() if log.is_file() else [])


def _run(folder: Path, world: Path, answer: Path, log: Path, which: int) -> None:
    places = map(str, (folder, world, answer))
    command = [sys.executable, "-m", "tests.supply.every_verb", *places]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=guarded(log) | DIFFERENCES[which],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE / 2,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
