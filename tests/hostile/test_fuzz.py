"""The fuzzing of `scripts/bench fuzz` sees what it should see, and finds nothing in a short run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from hdgan.errors import InputError
from tests.faults.fault_world import make_fault_world
from tests.hostile import limited
from tests.hostile.limited import tried
from tests.hostile.mutations import changed
from tests.hostile.readers import READERS
from tests.tiny_world import TinyWorld

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits are set as Linux has it")

NUM_INPUTS = 300


def refuses() -> None:
    raise InputError("This is refused.")


def fails() -> None:
    raise KeyError("a fault")


def executes() -> None:
    os.system("true")


def hangs() -> None:
    while True:
        time.sleep(0)


def takes_memory() -> None:
    len(bytes(bytearray(3 * 10**8)))


def crashes() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("does", "kind"),
    [
        (lambda: None, "read"),
        (refuses, "refused"),
        (fails, "traceback"),
        (executes, "traceback"),
        (hangs, "hang"),
        (takes_memory, "memory"),
        (crashes, "crash"),
    ],
)
def test_what_a_reader_does_is_seen_and_the_next_input_is_read(
    does: Callable[[], None], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limited, "MOST_SECONDS", 0.5)
    here = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(limited, "MOST_BYTES", here + 2 * 10**8)

    def read(data: bytes) -> None:
        if data == b"2":
            does()

    outcome = tried(lambda: read, lambda number: b"%d" % number, range(5))

    assert outcome.counts[kind] == (5 if kind == "read" else 1)
    assert outcome.counts["read"] == (5 if kind == "read" else 4)
    assert list(outcome.bad) == ([] if kind in ("read", "refused") else [2])


def test_a_change_depends_on_its_own_seed_alone_and_changes_something() -> None:
    right = b'{"classes": [{"name": "a", "colour": "#112233"}]}'
    made = [changed(right, Random(f"{number}")) for number in range(50)]

    assert made == [changed(right, Random(f"{number}")) for number in range(50)]
    assert sum(one != right for one in made) > 40


def test_a_short_run_finds_nothing_to_be_mended(world: TinyWorld, tmp_path: Path) -> None:
    make_fault_world(tmp_path / "world", world.folder)
    state = ["--state", str(tmp_path / "state.json"), "--folder", str(tmp_path)]

    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", "--inputs", str(NUM_INPUTS), *state],
        check=False,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in run.stdout.splitlines()]
    by_name = {row[0]: [int(cell) for cell in row[1:]] for row in rows[2:]}
    assert by_name.keys() == {reader.name for reader in READERS} | {"all"}
    inputs, read, refused, *wrong = by_name["all"]
    assert inputs == read + refused >= NUM_INPUTS
    assert wrong == [0, 0, 0, 0]
    assert all(counts[0] > 0 for counts in by_name.values())
