"""CPU seconds, memory and disk of one labelled drawing: ours, and the papers' way.

usage: labelling.py [--rows SIDE:MEMBERS:BLOCKS:WAY ...] [--chunk 65536]

Channel base 32768, at most 512 channels, widths 128 and 32, five classes, random weights, constant
noise, one thread, each row in a fresh process. A row is an image with its label map and its
uncertainty, once, without writing a file. BLOCKS is how many of the last blocks are read, 0 all.

Ours: `method/labelled_drawing.py`; as `context` with a context head; as `written` its image, label
map and uncertainty map also go to tiled TIFF files, band by band (`artifacts/pair_files.py`). The
rival (`stacked`) is what papers of this family do: every feature map of the whole image enlarged to
the image's size, stacked in half precision in a memory-mapped file in the system's temporary folder
(TMPDIR), and its pixels given to each member's perceptron in turn, so many at a time.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hdgan.artifacts.order import Order
from hdgan.artifacts.pair_files import PairFiles
from hdgan.artifacts.pair_set import PairRecord
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.method.context_head import ContextHead, context_shape_of
from hdgan.method.features import channels_of
from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.latent import w_of
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.uncertainty import divergence, largest_divergence

ROWS = ("512:10:0:ours", "512:10:0:stacked", "1024:1:5:ours", "1024:10:0:ours", "4096:1:0:ours")
"""What is measured unless the user says otherwise; 4096:10:0:ours takes two minutes."""


def megabytes() -> float:
    """The largest memory that this process has held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def networks(side: int, members: int, num_blocks: int | None) -> tuple[Generator, PixelClassifier]:
    """Both with random weights."""
    torch.manual_seed(0)
    generator = Generator(NetworkShape(side)).eval().requires_grad_(requires_grad=False)
    for layer in generator.synthesis.convolutions:
        layer.noise_strength.fill_(0.1)
    shape = ClassifierShape(channels_of(generator.shape, num_blocks), 5, members)
    return generator, PixelClassifier(shape).eval().requires_grad_(requires_grad=False)


def ours(generator: Generator, classifier: PixelClassifier, num_blocks: int | None) -> int:
    """Label one drawing in bands; bytes on disk."""
    labelled = LabelledGenerator(generator, classifier, num_blocks)
    for _band in labelled.bands(w_of(generator, 0, 0.7)):
        pass
    return 0


def with_context(generator: Generator, members: int, num_blocks: int | None) -> int:
    """The same with a context head, whose map the ensemble reads too; bytes on disk."""
    shape = context_shape_of(generator.shape, num_blocks, 5)
    if shape is None:
        raise SystemExit("None of these blocks is small enough for a context head.")
    channels = channels_of(generator.shape, num_blocks) + shape.widths[1]
    classifier = PixelClassifier(ClassifierShape(channels, 5, members)).eval()
    head = ContextHead(shape).eval().requires_grad_(requires_grad=False)
    labelled = LabelledGenerator(
        generator, classifier.requires_grad_(requires_grad=False), num_blocks, context=head
    )
    for _band in labelled.bands(w_of(generator, 0, 0.7)):
        pass
    return 0


def written(generator: Generator, classifier: PixelClassifier, num_blocks: int | None) -> int:
    """The same into tiled files; bytes on disk."""
    labelled = LabelledGenerator(generator, classifier, num_blocks)
    num_classes, side = classifier.shape.num_classes, generator.shape.resolution
    largest = largest_divergence(classifier.shape.num_members, num_classes)
    record = PairRecord(pair="p", row=0, seed=0, uncertainty=0.0, kept=True, ending="tif")
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch:
        unfinished = UnfinishedArtifact(Path(scratch), Order("pair-set", {}, {}))
        files = PairFiles(num_classes, largest)
        files.write_bands(unfinished.folder, record, labelled.bands(w_of(generator, 0, 0.7)), side)
        return sum(path.stat().st_size for path in Path(scratch).rglob("*.tif"))


def stacked(
    generator: Generator, classifier: PixelClassifier, num_blocks: int | None, chunk: int
) -> int:
    """Enlarge, stack, and ask each member in turn; bytes on disk."""
    side, network = generator.shape.resolution, generator.synthesis
    ws = generator.styles(w_of(generator, 0, 0.7))
    outputs = list(network.blocks(ws, network.constant_noise()))
    maps = [own for output in outputs[-(num_blocks or len(outputs)) :] for own in output.maps]
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch:
        shape = (classifier.shape.num_channels, side * side)
        stack = np.memmap(Path(scratch) / "features", np.float16, "w+", shape=shape)
        first = 0
        for feature_map in maps:
            large = functional.interpolate(feature_map, (side, side), mode="bilinear")
            stack[first : first + large.shape[1]] = large[0].flatten(1).half().numpy()
            first += large.shape[1]
        for start in range(0, side * side, chunk):
            pixels = torch.from_numpy(stack[:, start : start + chunk].T.astype(np.float32))
            probabilities = torch.stack(
                [of_member(classifier, i, pixels) for i in range(classifier.shape.num_members)]
            )
            probabilities.mean(dim=0).argmax(dim=1)
            divergence(probabilities)
        return stack.nbytes


def of_member(classifier: PixelClassifier, i: int, pixels: Tensor) -> Tensor:
    """What one member thinks of pixels, layer by layer."""
    x = (pixels - classifier.mean) / classifier.deviation
    for layer in range(2):
        weight, bias = (classifier.get_parameter(f"{n}{layer}")[i] for n in ("weight", "bias"))
        x = functional.relu(torch.addmm(bias, x, weight))
        x = functional.batch_norm(
            x,
            classifier.get_buffer(f"running_mean{layer}")[i, 0],
            classifier.get_buffer(f"running_variance{layer}")[i, 0],
            classifier.get_parameter(f"gain{layer}")[i, 0],
            classifier.get_parameter(f"shift{layer}")[i, 0],
        )
    logits = torch.addmm(
        classifier.get_parameter("bias2")[i], x, classifier.get_parameter("weight2")[i]
    )
    return torch.softmax(logits, dim=1)


def measured(row: str, chunk: int) -> str:
    """The line of the table."""
    side, members, blocks, way = row.split(":")
    torch.set_num_threads(1)
    num_blocks = int(blocks) or None
    generator, classifier = networks(int(side), int(members), num_blocks)
    start, began = megabytes(), time.process_time()
    if way == "context":
        disk = with_context(generator, int(members), num_blocks)
    elif way in ("ours", "written"):
        disk = (ours if way == "ours" else written)(generator, classifier, num_blocks)
    else:
        disk = stacked(generator, classifier, num_blocks, chunk)
    seconds = time.process_time() - began
    read = "all" if num_blocks is None else f"last {num_blocks}"
    return (
        f"| {side} | {members} | {read} | {way} | {seconds:.1f} | {megabytes() - start:.0f} | "
        f"{megabytes():.0f} | {disk / 1e6:.0f} |"
    )


def main() -> None:
    """Print a row an image and way to label it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", default=list(ROWS))
    parser.add_argument("--chunk", type=int, default=65536, help="pixels at a time, stacked")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.row:
        print(measured(chosen.row, chosen.chunk))
        return
    print("| px | members | blocks | way | CPU s | MB over the start | MB | MB on disk |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for row in chosen.rows:
        own = ["--row", row, "--chunk", str(chosen.chunk)]
        subprocess.run([sys.executable, "-m", "benchmarks.labelling", *own], check=True)


if __name__ == "__main__":
    main()
