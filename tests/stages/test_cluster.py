"""Tiling on a Dask cluster: a worker that is killed loses nothing, and nothing is done twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hdgan.artifacts.tile_set import TileSet
from hdgan.errors import SettingsError
from hdgan.settings.tile import TileSettings
from hdgan.stages.tile.run import tile
from hdgan.workers import done_by_cluster
from tests.slide_world import tissue_pixels, write_tiff
from tests.stages.local_cluster import local_cluster, working_processes

NUM_SLIDES = 10

# Slow, so that a worker can be killed in mid-run. Workers note each slide that they begin.
SLOW = """
import os, time
from pathlib import Path
from hdgan.artifacts.slides import slide
read = slide.read_scaled
def slowly(*arguments):
    time.sleep(0.02)
    return read(*arguments)
import hdgan.stages.tile.cutting as cutting
cutting.read_scaled = slowly
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    with local_cluster(tmp_path, 2, SLOW) as address:
        yield address


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs /proc to find workers")
def test_a_killed_worker_loses_nothing_and_nothing_is_made_twice(
    cluster: str, tmp_path: Path
) -> None:
    slides = tmp_path / "slides"
    for i in range(NUM_SLIDES):
        write_tiff(slides / f"P{i}.tif", tissue_pixels(600, 400, seed=i))
    settings = ["--side-px", "64", "--num-folds", "2"]
    command = [sys.executable, "-m", "hdgan", "tile", str(slides), str(tmp_path / "made")]
    process = subprocess.Popen(
        [*command, *settings, "--cluster", cluster], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    notes = tmp_path / "made" / ".unfinished" / "slides"
    killed = 0
    for _ in range(1200):
        if not killed and len(list(notes.glob("P*.json"))) >= 2:
            victims = working_processes(tmp_path)
            os.kill(victims[0], signal.SIGKILL)
            killed = victims[0]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 0, errors.decode()
    assert killed
    tile(slides, tmp_path / "here", TileSettings(side_px=64, num_folds=2, workers=1))
    for path in (tmp_path / "here").rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            other = tmp_path / "made" / path.relative_to(tmp_path / "here")
            assert path.read_bytes() == other.read_bytes(), path
    there = {p.relative_to(tmp_path / "made") for p in (tmp_path / "made").rglob("*")}
    here = {p.relative_to(tmp_path / "here") for p in (tmp_path / "here").rglob("*")}
    assert there == here


# As the real one, it keeps a copy: the script is gone as soon as it was handed in.
SBATCH = """#!/bin/sh
cp "$1" "$1.job"
setsid sh "$1.job" > "$1.log" 2>&1 &
echo $!
"""
SCANCEL = """#!/bin/sh
for job in "$@"; do kill -- "-$job" 2>/dev/null; done
exit 0
"""


@pytest.mark.skipif(not Path("/sys/class/net/lo").exists(), reason="needs the interface lo")
def test_slurm_jobs_cut_slides(tmp_path: Path) -> None:
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(script, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    for i in range(2):
        write_tiff(tmp_path / "slides" / f"P{i}.tif", tissue_pixels(200, 150, seed=i))
    described = {
        "CORES": "1",
        "MEMORY": "1GB",
        "INTERFACE": "lo",
        "SCHEDULER_OPTIONS": '{"host": "127.0.0.1", "dashboard_address": null}',
    }
    environment = {f"DASK_JOBQUEUE__SLURM__{name}": value for name, value in described.items()}
    environment |= {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}

    result = subprocess.run(
        [
            *[sys.executable, "-m", "hdgan", "tile", str(tmp_path / "slides")],
            *[str(tmp_path / "made"), "--side-px", "64", "--num-folds", "2"],
            *["--cluster", "slurm", "--workers", "1"],
        ],
        env=os.environ | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert result.returncode == 0, result.stderr
    assert len({record.slide for record in TileSet.open(tmp_path / "made").records()}) == 2


def test_a_cluster_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hdgan.workers.CONNECT_SECONDS", 0.5)

    with pytest.raises(SettingsError, match=r"Nobody answers at --cluster tcp://127.0.0.1:9"):
        list(done_by_cluster(len, ["a"], "tcp://127.0.0.1:9", 1))


def test_slurm_is_missed_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(SettingsError, match=r"--cluster slurm needs the command sbatch"):
        list(done_by_cluster(len, ["a"], "slurm", 1))
