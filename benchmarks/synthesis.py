"""Pairs a minute, where the time goes, two processes beside one, and memory over many pairs.

usage: synthesis.py [--rows SIDE:PAIRS[:MEMBERS] ...] [--many 10000] [--device cpu]

A generator of the usual widths (channel base 32768, at most 512 channels) with random weights, five
classes, an ensemble of ten members (a row may say another number) that reads the later half of the
blocks. Every number is of `hdgan synthesize` itself, files and all, each run in a fresh process; it
writes PNG files, on the disk of the system's temporary folder (TMPDIR).

Pairs a minute: of one process and of one for each core, between the first pair of each and the last
of all, so without the start, which is a column of its own. The share of the time: of one process
with one thread, what it spent in the generator, in labelling, and waiting for files to be written;
the rest of encoding and writing is done by threads meanwhile. The floor is the generator alone,
drawing the same latents and keeping nothing.

Memory: the largest of a process that makes a hundred pairs of 16 px, and of one that makes many.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.classifier import ClassifierFolder, write_ensemble
from hdgan.artifacts.generator import GeneratorFolder, write_network
from hdgan.artifacts.order import Order
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.class_map import KIDNEY
from hdgan.method.features import channels_of
from hdgan.method.latent import image_of, w_of
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator

ROWS = ("256:30", "1024:6", "4096:4")
MANY = 10_000
MEMBERS = 10

# The verb, and where its own time went: it tells on standard output when it is done.
TIMED = """
import json, sys, time
from pathlib import Path
from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.stylegan import bands
from hdgan.stages.synthesize import drawing
spent = {"drawing": 0.0, "waiting": 0.0}
def timed(owner, name, key):
    inner = getattr(owner, name)
    def outer(*arguments, **keywords):
        began = time.perf_counter()
        try:
            return inner(*arguments, **keywords)
        finally:
            spent[key] += time.perf_counter() - began
    setattr(owner, name, outer)
timed(drawing.Drawer, "_made", "drawing")
timed(drawing.Future, "result", "waiting")
from hdgan.cli import main
main(sys.argv[1:])
print(json.dumps(spent))
"""

MEMORY = """
import sys
from pathlib import Path
from hdgan.cli import main
main(sys.argv[1:])
lines = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))
"""


def write_artifacts(folder: Path, shape: NetworkShape, members: int) -> None:
    """A generator and a classifier with random weights, as artifacts."""
    torch.manual_seed(0)
    generator = Generator(shape).eval().requires_grad_(requires_grad=False)
    num_blocks = (len(shape.resolutions) + 1) // 2
    ensemble = ClassifierShape(channels_of(shape, num_blocks), len(KIDNEY), members)
    classifier = PixelClassifier(ensemble).eval().requires_grad_(requires_grad=False)

    def fill_generator(unfinished: UnfinishedArtifact) -> None:
        write_network(unfinished, generator)
        unfinished.write("progress.jsonl", b"")
        unfinished.finish()

    def fill_classifier(unfinished: UnfinishedArtifact) -> None:
        write_ensemble(unfinished, classifier, num_blocks, "mean")
        unfinished.write(CLASSES, class_map_bytes(KIDNEY))
        unfinished.write("curves.jsonl", b"")
        unfinished.finish()

    made_once(folder / "generator", Order("generator", {}, {}), fill_generator)
    parents = GeneratorFolder.open(folder / "generator").parents
    made_once(folder / "classifier", Order("classifier", {}, parents), fill_classifier)
    ClassifierFolder.open(folder / "classifier").classifier()


def command(folder: Path, output: str, pairs: int, *more: str) -> list[str]:
    """The verb's tokens."""
    return [
        *["synthesize", str(folder / "classifier"), str(folder / output)],
        *["--num-pairs", str(pairs), "--drop-fraction", "0", *more],
    ]


def run(program: str, tokens: list[str]) -> str:
    """What a program prints last, in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", program, *tokens], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout.splitlines()[-1]


def pace(folder: Path, output: str, num_workers: int) -> float:
    """Pairs a minute, by the times of the files: without each process's first, and the start."""
    times = sorted(path.stat().st_mtime for path in (folder / output / "images").iterdir())
    return 60 * (len(times) - num_workers) / (times[-1] - times[num_workers - 1])


def floor_seconds(folder: Path, pairs: int, device: str) -> float:
    """Of the generator alone, a pair."""
    torch.set_num_threads(1)
    generator = GeneratorFolder.open(folder / "generator").generator().to(device)
    image_of(generator, w_of(generator, 0, 0.7))
    began = time.perf_counter()
    for seed in range(pairs):
        image_of(generator, w_of(generator, seed, 0.7))
    return (time.perf_counter() - began) / pairs


def speed(side: int, pairs: int, members: int, device: str) -> None:
    """A row of the table of speeds."""
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch:
        folder = Path(scratch)
        write_artifacts(folder, NetworkShape(side), members)
        floor = floor_seconds(folder, max(2, pairs // 4), device)
        began = time.perf_counter()
        more = ["--device", device]
        spent = json.loads(run(TIMED, command(folder, "one", pairs, "--workers", "1", *more)))
        whole = time.perf_counter() - began
        one = pace(folder, "one", 1)
        cores = len(os.sched_getaffinity(0))
        all_cores = float("nan")
        if device == "cpu":
            run(MEMORY, command(folder, "all", pairs, "--workers", str(cores), *more))
            all_cores = pace(folder, "all", cores)
    busy = spent["drawing"] + spent["waiting"]
    generator = min(1.0, floor * pairs / busy)
    print(
        f"{side:>5} {pairs:>6} {members:>7} {one:>9.1f} {all_cores:>10.1f} {all_cores / one:>6.2f} "
        f"{60 / floor:>9.1f} {generator:>10.0%} {spent['drawing'] / busy - generator:>9.0%} "
        f"{spent['waiting'] / busy:>8.0%} {whole - 60 * pairs / one:>8.1f}",
        flush=True,
    )


def memory(many: int) -> None:
    """A hundred pairs, and many."""
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch:
        folder = Path(scratch)
        shape = NetworkShape(16, 128, 8, z_dim=8, w_dim=512, mapping_layers=2)
        write_artifacts(folder, shape, 2)
        for count, files in ((100, "png"), (many, "png"), (many, "shards")):
            more = ["--workers", "1", "--files", files]
            megabytes = float(run(MEMORY, command(folder, f"{count}-{files}", count, *more)))
            print(f"{count:>7} pairs, --files {files:<7} {megabytes:>8.0f} MB at most", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", default=ROWS)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.rows:
        print(
            f"{'px':>5} {'pairs':>6} {'members':>7} {'one/min':>9} {'cores/min':>10} {'ratio':>6} "
            f"{'floor/min':>9} {'generator':>10} {'labels':>9} {'waiting':>8} {'start s':>8}"
        )
    for row in options.rows:
        side, pairs, *members = map(int, row.split(":"))
        speed(side, pairs, members[0] if members else MEMBERS, options.device)
    if options.many:
        memory(options.many)


if __name__ == "__main__":
    main()
