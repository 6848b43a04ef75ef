"""Seconds to a first classifier, and training pixels a second beside what arithmetic allows.

usage: fitting.py [--side 1024] [--threads 2]

A generator with random weights (channel base 32768, at most 512 channels), 16 annotated drawings
for training and 4 for validation, five classes by brightness. A row is `hdgan train-classifier` as
a whole: drawing the features, keeping them on disk, fitting; without the context head, whose own
fit would blur the pace of the ensemble's steps. That pace comes next, from two runs of different
length, beside the floor: the products that a step cannot do without (forward, and twice as many
backward) at the rate of one large product on the same threads.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from hdgan.artifacts.annotation_set import class_map_bytes
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.writing import write_atomically
from hdgan.class_map import KIDNEY
from hdgan.method.classifier_presets import recipe_of
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.import_generator import ImportGeneratorSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.import_generator import import_generator
from hdgan.stages.sample import sample
from hdgan.stages.train_classifier.run import train_classifier

SPLIT = (16, 4, 1)
FEW, MANY = 100, 300
"""Steps of the two runs whose difference is the pace."""


def annotated(folder: Path, side: int) -> Path:
    """An annotation set of drawings of a random generator."""
    torch.manual_seed(0)
    network = Generator(NetworkShape(side))
    save_file(network.state_dict(), folder / "network.safetensors")
    import_generator(
        folder / "network.safetensors", folder / "generator", ImportGeneratorSettings()
    )
    drawn = SampleSettings(num_samples=sum(SPLIT), select=0)
    sample(folder / "generator", folder / "samples", drawn)
    samples = SampleSet.open(folder / "samples")
    greys = {record.sample: samples.image(record).mean(axis=-1) for record in samples.records()}
    parts = np.quantile(np.stack([grey[::8, ::8] for grey in greys.values()]), (0.2, 0.4, 0.6, 0.8))
    for record in samples.records():
        labels = np.digitize(greys[record.sample], parts).astype(np.uint8)
        write_atomically(folder / "labels" / f"{record.sample}.png", png_of(labels))
    write_atomically(folder / "classes.json", class_map_bytes(KIDNEY))
    import_annotations(
        folder / "samples",
        folder / "labels",
        folder / "annotations",
        ImportAnnotationsSettings(split=SPLIT),
        folder / "classes.json",
    )
    return folder / "annotations"


def fitted(annotations: Path, name: str, settings: TrainClassifierSettings) -> tuple[float, float]:
    """Seconds and CPU seconds of one fit."""
    wall, cpu = time.monotonic(), time.process_time()
    train_classifier(annotations, annotations.parent / name, settings)
    return time.monotonic() - wall, time.process_time() - cpu


def products_a_second() -> float:
    """Multiplications with an addition of one large product in single precision."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    times = []
    for _ in range(5):
        began = time.monotonic()
        torch.mm(a, b)
        times.append(time.monotonic() - began)
    return 2048**3 / min(times)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch:
        annotations = annotated(Path(scratch), chosen.side)
        print("| preset | seconds | CPU s | accuracy on validation pixels |")
        print("| --- | --- | --- | --- |", flush=True)
        linear = TrainClassifierSettings(preset="linear")
        default = TrainClassifierSettings(context=False)
        few, many = (replace(default, steps=steps) for steps in (FEW, MANY))
        times = {}
        for name, settings in {
            "linear": linear,
            f"default, {FEW} steps": few,
            f"default, {MANY} steps": many,
        }.items():
            times[name] = fitted(annotations, name, settings)
            made = ClassifierFolder.open(annotations.parent / name)
            accuracy = made.curves()[-1].validation_accuracy
            wall, cpu = times[name]
            print(f"| {name} | {wall:.0f} | {cpu:.0f} | {accuracy:.3f} |", flush=True)
        recipe = recipe_of(default)
        first, second = (times[f"default, {steps} steps"][0] for steps in (FEW, MANY))
        pixels = recipe.num_members * recipe.plan.batch * (MANY - FEW)
        pace = pixels / (second - first)
        wide, narrow = recipe.widths
        channels = made.text.num_channels
        each = 3 * (channels * wide + wide * narrow + narrow * len(KIDNEY))
        floor = products_a_second() / each
        print(
            f"\n{pace:,.0f} training pixels a second ({channels} features each); arithmetic alone "
            f"would allow {floor:,.0f}, {floor / pace:.1f} times as many"
        )


if __name__ == "__main__":
    main()
