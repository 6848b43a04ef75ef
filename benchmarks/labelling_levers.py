"""What each lever of labelling is worth: CPU seconds without it, over those with all.

usage: labelling_levers.py [--side 1024] [--members 10] [--repeats 3]

The maps of a network of channel base 32768, all blocks, random numbers, widths 128 and 32, five
classes, one thread; labels and uncertainty of one image, without drawing it. Every way labels the
image as the others do; they take turns, and medians are compared.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from hdgan.method.features import channels_by_map, sides_by_map
from hdgan.method.known_rows import KnownRows
from hdgan.method.labelling import Labeller, MapSizes
from hdgan.method.labelling_work import Work, cheapest
from hdgan.method.lattice import Span
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.stylegan.shape import NetworkShape

WIDTHS = (128, 32)


class Image:
    """The maps of one image, and what labels it."""

    def __init__(self, side: int, members: int) -> None:
        shape = NetworkShape(side)
        self.sides, self.channels = sides_by_map(shape), channels_by_map(shape)
        torch.manual_seed(0)
        self.maps = [
            torch.randn(size, size, count).half()
            for size, count in zip(self.sides, self.channels, strict=True)
        ]
        self.side, self.members = side, members
        self.classifier = self.ensemble(members)

    def ensemble(self, members: int) -> PixelClassifier:
        """Random perceptrons."""
        shape = ClassifierShape(sum(self.channels), 5, members, widths=WIDTHS)
        return PixelClassifier(shape).eval().requires_grad_(requires_grad=False)

    @property
    def work(self) -> Work:
        """The pieces that are chosen by themselves."""
        sizes: dict[int, int] = {}
        for size, count in zip(self.sides, self.channels, strict=True):
            sizes[size] = sizes.get(size, 0) + count
        width = self.members * WIDTHS[0]
        return cheapest(sizes, self.side, width, torch.device("cpu"))

    def label(self, classifier: PixelClassifier, work: Work) -> None:
        """Label the whole image."""
        known: dict[int, KnownRows] = {}
        for size, feature_map in zip(self.sides, self.maps, strict=True):
            known.setdefault(size, KnownRows(size, [])).maps.append(feature_map)
        sizes = MapSizes(self.sides, self.channels, self.side)
        labeller = Labeller(classifier, sizes, work=work)
        labeller.begin(known)
        labeller.rows(Span(0, self.side - 1))

    def ways(self) -> dict[str, Callable[[], None]]:
        """Each without one lever."""
        work, one = self.work, self.ensemble(1)
        num_levels = len(set(self.sides))

        def one_by_one() -> None:
            for _ in range(self.members):
                self.label(one, work)

        return {
            "all levers": lambda: self.label(self.classifier, work),
            "lattices: every map is enlarged before the first layer": lambda: self.label(
                self.classifier, replace(work, num_narrow=num_levels)
            ),
            "narrow maps enlarged first: all but the finest on lattices": lambda: self.label(
                self.classifier, replace(work, num_narrow=1)
            ),
            "all members in one product: one after another": one_by_one,
            "pieces that fit the cache: squares of 64 pixels": lambda: self.label(
                self.classifier, replace(work, tile_px=64, chunk_px=64)
            ),
        }


def main() -> None:
    """Print a row a lever."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--members", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    image = Image(chosen.side, chosen.members)
    ways = image.ways()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(chosen.repeats):
        for name, way in ways.items():
            began = time.process_time()
            way()
            times[name].append(time.process_time() - began)
    whole = statistics.median(times["all levers"])
    print(f"{image.work}; {whole:.1f} CPU s with all levers\n")
    print("| without | ratio |")
    print("| --- | --- |")
    for name, seconds in times.items():
        if name != "all levers":
            print(f"| {name} | {statistics.median(seconds) / whole:.2f} |")


if __name__ == "__main__":
    main()
