"""CPU seconds an image of a full training step of the generator, with lazy terms amortised.

usage: training.py [--threads 1 2] [--ticks 3] [--only NAME] [--precision bfloat16]

One step is generator and discriminator with their regularisations in the published rhythm (path
length every 4th, R1 every 16th step), batch 8; a tick is 16 steps. Medians over the ticks,
each row in a fresh process.
"""

import argparse
import resource
import statistics
import time
from dataclasses import dataclass, replace
from multiprocessing import get_context

import torch

from hdgan.method.stylegan.augment import groups_named
from hdgan.method.stylegan.plan import TrainingPlan
from hdgan.method.stylegan.precision import CLAMP
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.training import Reals, new_state, train_generator

BATCH = 8


@dataclass(frozen=True)
class Row:
    """A network to train."""

    name: str
    resolution: int
    channel_base: int
    channel_max: int = 512
    dim: int = 512
    strength: float = 0.0
    augment: str = "none"


ROWS = (
    Row("usual", 32, 4096),
    Row("usual", 64, 4096),
    Row("usual", 128, 4096),
    Row("usual", 256, 4096),
    Row("wide", 32, 16384),
    Row("wide", 64, 16384),
    Row("small, flips and colour", 64, 1024, 64, 64, 0.3, "flips-and-colour"),
    Row("small, flips and colour", 128, 1024, 64, 64, 0.3, "flips-and-colour"),
    Row("small, whole ADA", 64, 1024, 64, 64, 0.3, "both"),
    Row("small, whole ADA", 128, 1024, 64, 64, 0.3, "both"),
)


def measured(
    row: Row, threads: int, ticks: int, half: str | None = None, *, channels_last: bool = True
) -> tuple[float, float, float]:
    """Median CPU and wall seconds an image, and the process's peak memory in MB."""
    torch.set_num_threads(threads)
    plan = TrainingPlan(
        images=10**9,
        batch=BATCH,
        learning_rate=0.0025,
        gamma=1.0,
        ema_images=10_000.0,
        ema_ramp=None,
        tick_batches=16,
        augment=groups_named(row.augment),
        half=half,
    )
    shape = NetworkShape(
        row.resolution, row.channel_base, row.channel_max, row.dim, row.dim, mapping_layers=2
    )
    if half is not None:
        shape = replace(shape, clamp=CLAMP)
    state = new_state(shape, plan, torch.device("cpu"))
    state.adaptation.strength = row.strength
    reals = torch.randn(BATCH, 3, row.resolution, row.resolution)
    if channels_last:
        reals = reals.contiguous(memory_format=torch.channels_last)

    def real_images(_: int, part: slice) -> Reals:
        return Reals(reals[part])

    # The first step has both penalties: memory is taken, and the convolutions are chosen.
    next(train_generator(state, replace(plan, tick_batches=1), real_images))
    state.batches = 0
    loop = train_generator(state, plan, real_images)
    cpu, wall = [], []
    for _ in range(ticks):
        began = time.process_time(), time.perf_counter()
        next(loop)
        cpu.append((time.process_time() - began[0]) / plan.tick_batches / BATCH)
        wall.append((time.perf_counter() - began[1]) / plan.tick_batches / BATCH)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return statistics.median(cpu), statistics.median(wall), peak


def main() -> None:
    """Print a row a network and number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--ticks", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    chosen = parser.parse_args()
    half = None if chosen.precision == "float32" else chosen.precision
    print("| network | px | channel base | threads | CPU s an image | wall s an image | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in ROWS:
        if chosen.only not in row.name:
            continue
        for threads in chosen.threads:
            with get_context("spawn").Pool(1) as pool:
                cpu, wall, peak = pool.apply(measured, (row, threads, chosen.ticks, half))
            print(
                f"| {row.name} | {row.resolution} | {row.channel_base} | {threads} "
                f"| {cpu:.3f} | {wall:.3f} | {peak:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
