"""Pairs drawn by processes, by a cluster and by ranks are those that one process draws."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hdgan.artifacts.pair_set import PairSet
from hdgan.errors import SettingsError
from hdgan.settings.synthesize import SynthesizeSettings, SynthesizeSources
from hdgan.stages.synthesize.run import synthesize
from tests.stages.local_cluster import local_cluster, working_processes
from tests.stages.test_generator_training import ENVIRONMENT, torchrun_command
from tests.stages.test_interruption import files_of
from tests.tiny_world import TinyWorld

NUM_PAIRS = 40
FEW = SynthesizeSettings(num_pairs=NUM_PAIRS, workers=1)

# Slow, so that a process can be killed in mid-run; each pair that is begun is written down.
SLOW = """
import os, time
from pathlib import Path
from hdgan.stages.synthesize.drawing import Drawer
if Drawer._made.__name__ != "slowly":  # a worker of Dask reads this twice
    made = Drawer._made
def slowly(self, row):
    with (Path(os.environ["HDGAN_TEST_LOG"])).open("a") as log:
        log.write(f"{os.getpid()} {row}\\n")
    time.sleep(0.1)
    return made(self, row)
Drawer._made = slowly
"""
PROGRAM = SLOW + "import sys\nfrom hdgan.cli import main\nmain(sys.argv[1:])\n"


@pytest.fixture(scope="module")
def alone(world: TinyWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes."""
    folder = tmp_path_factory.mktemp("alone") / "pairs"
    sources = SynthesizeSources(generator=world.generator)
    synthesize(world.classifier, folder, FEW, sources)
    return folder


def tokens(world: TinyWorld, output: Path, *more: str) -> list[str]:
    """The command that makes the same."""
    places = [str(world.classifier), str(output), "--generator", str(world.generator)]
    return ["synthesize", *places, "--num-pairs", str(NUM_PAIRS), *more]


def assert_same(made: Path, alone: Path) -> None:
    assert files_of(made) == files_of(alone)


def test_processes_make_the_same_bytes(world: TinyWorld, tmp_path: Path, alone: Path) -> None:
    synthesize(
        world.classifier,
        tmp_path / "pairs",
        replace(FEW, workers=2),
        SynthesizeSources(generator=world.generator),
    )

    assert_same(tmp_path / "pairs", alone)


def begun(log: Path) -> list[tuple[int, int]]:
    """Process and row of each pair that was begun, in order."""
    if not log.is_file():
        return []
    lines = log.read_text().splitlines()
    return [(int(pid), int(row)) for pid, row in (line.split() for line in lines)]


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a scheduler with three workers, each begun again by its nanny when it dies."""
    monkeypatch.setenv("HDGAN_TEST_LOG", str(tmp_path / "begun"))
    with local_cluster(tmp_path, 3, SLOW) as address:
        yield address


def kill_twice(process: subprocess.Popen[bytes], log: Path, folder: Path) -> list[int]:
    """Kill two processes of a cluster while they draw: one early, one later."""
    killed: list[int] = []
    while process.poll() is None and len(killed) < 2:
        rows = begun(log)
        busy = [pid for pid, _ in rows[-6:] if pid not in killed]
        if len(rows) >= (5, 20)[len(killed)] and busy and busy[-1] in working_processes(folder):
            os.kill(busy[-1], signal.SIGKILL)
            killed.append(busy[-1])
        time.sleep(0.02)
    return killed


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc to find workers")
def test_a_cluster_whose_workers_are_killed_makes_the_same_bytes(
    world: TinyWorld, tmp_path: Path, alone: Path, cluster: str
) -> None:
    command = tokens(world, tmp_path / "pairs", "--cluster", cluster)
    with subprocess.Popen(
        [sys.executable, "-m", "hdgan", *command], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        killed = kill_twice(process, tmp_path / "begun", tmp_path)
        _, errors = process.communicate(timeout=240)

    assert process.returncode == 0, errors.decode()
    assert len(killed) == 2
    assert_same(tmp_path / "pairs", alone)
    rows = [row for _, row in begun(tmp_path / "begun")]
    # What a killed worker had in hand is all that is done twice: one pair, and those being written.
    assert set(rows) == set(range(NUM_PAIRS))
    assert len(rows) - NUM_PAIRS <= 2 * 6


def run(program: Path, command: Sequence[str], log: Path, *, ranks: bool) -> int:
    """Start the command, kill one of its processes in mid-run, and go on with it."""
    start = torchrun_command(program) if ranks else [sys.executable, str(program)]
    environment = ENVIRONMENT | {"HDGAN_TEST_LOG": str(log)}
    with subprocess.Popen([*start, *command], env=environment, stderr=subprocess.PIPE) as process:
        while process.poll() is None and len(begun(log)) < 12:
            time.sleep(0.02)
        os.kill(begun(log)[-1][0], signal.SIGKILL)
        process.communicate(timeout=240)
    if process.returncode != 0:
        again = subprocess.run([*start, *command], env=environment, capture_output=True, text=True)
        assert again.returncode == 0, again.stderr
    return process.returncode


def test_ranks_make_the_same_bytes_though_one_is_killed(
    world: TinyWorld, tmp_path: Path, alone: Path
) -> None:
    (tmp_path / "slow.py").write_text(PROGRAM, encoding="utf-8")
    command = tokens(world, tmp_path / "pairs")

    code = run(tmp_path / "slow.py", command, tmp_path / "begun", ranks=True)

    assert code != 0
    assert_same(tmp_path / "pairs", alone)
    rows = [row for _, row in begun(tmp_path / "begun")]
    assert set(rows) == set(range(NUM_PAIRS))
    assert len(rows) - NUM_PAIRS <= 2 * 6
    assert len({pid for pid, _ in begun(tmp_path / "begun")}) == 4


def test_ranks_that_find_all_done_say_so(world: TinyWorld, tmp_path: Path) -> None:
    few = ["--num-pairs", "3"]
    command = [*tokens(world, tmp_path / "pairs")[:-2], *few]
    for _ in range(2):
        result = subprocess.run(
            torchrun_command("-m", "hdgan", *command),
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        assert result.stdout.count("pair-set in") == 1
    assert len(PairSet.open(tmp_path / "pairs").all_records()) == 3


def test_two_kinds_of_many_processes_exclude_one_another(world: TinyWorld, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--workers changes nothing for a Dask cluster"):
        replace(FEW, workers=2, cluster="tcp://127.0.0.1:9")

    result = subprocess.run(
        torchrun_command(
            "-m", "hdgan", *tokens(world, tmp_path / "pairs", "--cluster", "tcp://127.0.0.1:9")
        ),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )

    assert result.returncode != 0
    assert "--cluster and torchrun exclude one another" in result.stderr
    assert not (tmp_path / "pairs").exists()
