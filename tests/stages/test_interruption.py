"""Killed at random moments and run again, a command makes what it makes undisturbed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hdgan.artifacts.manifest import MANIFEST
from tests.tiny_world import TinyWorld

# Checkpoints come at every tick, so that a kill finds one at any moment.
PROGRAM = """
import importlib, sys
for stage in ("train_generator", "train_classifier.fitting", "train_segmenter.training"):
    importlib.import_module(f"hdgan.stages.{stage}").CHECKPOINT_SECONDS = 0.0
import dataclasses
from hdgan.method.stylegan.plan import TrainingPlan
from hdgan.stages import train_generator
planned = train_generator.planned
def with_short_ticks(*arguments, **keywords):
    shape, plan = planned(*arguments, **keywords)
    return shape, dataclasses.replace(plan, tick_batches=2)
train_generator.planned = with_short_ticks
from hdgan.cli import main
main(sys.argv[1:])
"""

COMMANDS = {
    "tile": ["drawn/images", "OUT", "--patient-pattern", "^(patient[0-9]+)_"],
    "train-generator": [
        *["tiles", "OUT", "--resolution", "16", "--kimg", "1", "--preset", "small"],
        *["--channel-base", "128", "--channel-max", "8", "--latent-dim", "8"],
        *["--path-length-weight", "2", "--snapshot-kimg", "0.2"],
    ],
    "sample": ["generator", "OUT", "--num-samples", "300", "--select", "5"],
    "train-classifier": [
        *["annotations", "OUT", "--steps", "600", "--batch", "64", "--num-members", "4"],
    ],
    "synthesize": ["classifier", "OUT", "--num-pairs", "120"],
    "train-segmenter": ["pairs", "OUT", "--steps", "200", "--batch", "4", "--crop-px", "16"],
    "train-segmenter by fixmatch": [
        *["pairs", "OUT", "--steps", "100", "--batch", "4", "--crop-px", "16"],
        *["--method", "fixmatch", "--threshold", "0.5", "--unlabelled", "tiles"],
    ],
    "train-segmenter by mixmatch": [
        *["truth", "OUT", "--steps", "100", "--batch", "4", "--crop-px", "16", "--also", "pairs"],
        *["--method", "mixmatch", "--unlabelled", "tiles", "--cut-mix", "0.5", "--equal-sources"],
    ],
    "segment": ["segmenter", "tiles", "OUT"],
}


def start(world: TinyWorld, verb: str, output: Path) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    tokens = [
        str(output)
        if token == "OUT"
        else str(world.folder / token)
        if (world.folder / token).exists()
        else token
        for token in COMMANDS[verb]
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, verb.split()[0], *tokens],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def count_of(folder: Path) -> int:
    """How many entries there are below a folder, which may change meanwhile: none is read."""
    return sum(len(folders) + len(files) for _, folders, files in os.walk(folder))


def finished(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()


def killed_while_working(
    process: subprocess.Popen[bytes], output: Path, moment: random.Random
) -> bool:
    """Wait until the run writes, then a random while, and kill it; False if it was done first."""
    before = count_of(output)
    while process.poll() is None:
        # A new folder begins with its scratch folder and two files in it.
        if count_of(output) > (before or 3):
            break
        time.sleep(0.005)
    time.sleep(moment.random() * 0.6)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return not (output / MANIFEST).is_file()


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_killed_command_goes_on_to_the_same_bytes(
    world: TinyWorld, tmp_path: Path, verb: str
) -> None:
    moment = random.Random(verb)
    shutil.copytree(world.folder, tmp_path / "world")
    copy = TinyWorld(tmp_path / "world")
    undisturbed, disturbed = tmp_path / "world" / "whole", tmp_path / "world" / "killed"
    finished(start(copy, verb, undisturbed))

    kills = 0
    for _ in range(3):
        if not killed_while_working(start(copy, verb, disturbed), disturbed, moment):
            break
        kills += 1
    finished(start(copy, verb, disturbed))

    assert kills >= (0 if verb in ("tile", "segment") else 1)
    wanted, found = files_of(undisturbed), files_of(disturbed)
    assert set(found) == set(wanted)
    assert [name for name in wanted if found[name] != wanted[name]] == []


def test_finished_work_is_not_done_again(world: TinyWorld, tmp_path: Path) -> None:
    shutil.copytree(world.folder, tmp_path / "world")
    copy = TinyWorld(tmp_path / "world")
    output = tmp_path / "world" / "out"
    process = start(copy, "synthesize", output)
    while len(list(output.glob(".unfinished/pairs/*.json"))) < 10:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = [path.stem for path in output.glob(".unfinished/pairs/*.json")]
    before = {name: (output / "images" / f"{name}.png").stat().st_mtime_ns for name in done}

    finished(start(copy, "synthesize", output))

    kept = [name for name in done if (output / "images" / f"{name}.png").exists()]
    assert len(kept) > 5
    for name in kept:
        assert (output / "images" / f"{name}.png").stat().st_mtime_ns == before[name]
