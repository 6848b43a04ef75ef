"""CPU seconds an image of the encoders of quality scores, one thread.

usage: encoders.py [--side-px 256] [--repeats 3]

Random weights of the published sizes; batches of 16 as `hdgan score-generator` makes them; medians
over the repeats, after a first batch.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from hdgan.method.efficientnet_lite import EfficientNetLite0
from hdgan.method.squeezenet import SqueezeNet
from hdgan.method.vision_transformer import TransformerShape, VisionTransformer

BATCH = 16


def transformer(width: int, depth: int) -> VisionTransformer:
    """A vision transformer of the usual proportions for images of 224 px."""
    return VisionTransformer(TransformerShape(width, depth, 4 * width, 16, 14, 1e-6))


ENCODERS: dict[str, Callable[[], nn.Module]] = {
    "SqueezeNet 1.1": SqueezeNet,
    "EfficientNet-Lite0": EfficientNetLite0,
    "ViT-B/16 (as Phikon)": lambda: transformer(768, 12),
    "ViT-L/16 (as UNI)": lambda: transformer(1024, 24),
}


@torch.no_grad()
def seconds(encoder: nn.Module, images: Tensor, repeats: int) -> float:
    """Median CPU seconds an image."""
    encoder(images)
    times = []
    for _ in range(repeats):
        began = time.process_time()
        encoder(images)
        times.append((time.process_time() - began) / len(images))
    return statistics.median(times)


def main() -> None:
    """Print a row an encoder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side-px", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    images = torch.rand(BATCH, 3, chosen.side_px, chosen.side_px) * 2 - 1
    print("| encoder | CPU s an image |")
    print("| --- | --- |")
    for name, make in ENCODERS.items():
        print(f"| {name} | {seconds(make().eval(), images, chosen.repeats):.2f} |", flush=True)


if __name__ == "__main__":
    main()
