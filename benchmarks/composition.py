"""Targeted composition: what a pair costs that holds ten times as much of a rare class.

usage: composition.py [--rare lumen|capsule] [--share 0.03] [--pairs 24] [--natural 300]
                      [--pilot 128] [--picture FILE.png] [--classifier FOLDER]

On the shipped generator `kidney` with an ensemble fitted to its 36 annotated drawings (four
members, 300 steps; or one that is given). The rare class is cut out of its label maps by rule, so
that its size is known to the pixel, and never told to the probe in any other way:

`lumen`: whitespace more than 8 px from its edge, the middle of wide lumina and of torn tissue.
`capsule`: whitespace within 2 px of a glomerulus of 300 px or more, the space around the tuft and
the gaps in it. Hardly any image has 3 per cent of it.

Natural images have seeds of their own, neither the pilot's nor the pairs'. Plain rejection draws
and labels until an image has enough; what it costs is worked out from how many natural images do.
Distances of images: root mean square of the grey levels, between all two of a kind, images shrunk
eight times; of latents: to the next of its kind, and to the mean of all. CPU seconds are those of
this process, one thread.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from benchmarks.page_correction import annotated
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr
from torch import Tensor

from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.shipped import shipped_or
from hdgan.class_map import LabelMap
from hdgan.method.coarse_look import Probe, coarse_look, counted, pilot_of
from hdgan.method.composition import Finder, Found, SearchChoices
from hdgan.method.labelled_drawing import LabelledDrawing, LabelledGenerator
from hdgan.method.latent import w_of
from hdgan.method.stylegan.synthesis import Noise
from hdgan.report.grids import grid
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.train_classifier.run import train_classifier

WHITESPACE, GLOMERULUS, RARE = 0, 2, 3
"""Classes of the kidney drawings; the rare one comes after them."""

NUM_CLASSES = 4

RARE_COLOUR = np.array([213, 94, 0], dtype=np.uint8)

SEEDS = {"natural": 5_000_000, "pilot": 6_000_000, "pairs": 1_000_000}
"""Of the first image of each kind."""

WAYS = ("first", "rejection", "search", "missed")

SHRUNK = 8
"""Pixels of an image to one of those whose distances are measured."""

COLUMNS = 12
"""Of the picture."""


def rare_pixels(labels: LabelMap, rare: str) -> Bool[np.ndarray, "height width"]:
    """Where a label map has the rare class."""
    whitespace = labels == WHITESPACE
    if rare == "lumen":
        return np.asarray(ndimage.distance_transform_edt(whitespace) > 8)
    regions, _ = ndimage.label(labels == GLOMERULUS)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    glomeruli = (sizes >= 300)[regions]
    if not glomeruli.any():
        return np.zeros_like(whitespace)
    return np.asarray(whitespace & (ndimage.distance_transform_edt(~glomeruli) <= 2))


class RareLabels(LabelledGenerator):
    """Labels as the ensemble's, with the rare class cut out. Below 512 px only."""

    rare = "lumen"

    def bands(
        self, w: Float[Tensor, "1 w_dim"], noise: Noise | None = None
    ) -> Iterator[LabelledDrawing]:
        """The whole drawing."""
        for part in super().bands(w, noise):
            labels = part.labels.copy()
            labels[rare_pixels(part.labels, self.rare)] = RARE
            yield LabelledDrawing(part.pixels, labels, part.uncertainty)


def labelled_kidney(folder: Path, classifier: Path | None, rare: str) -> RareLabels:
    """The shipped generator with an ensemble, which is fitted in `folder` if none is given."""
    if classifier is None:
        annotated(folder)
        settings = TrainClassifierSettings(steps=300, num_members=4, device="cpu")
        train_classifier(folder / "annotations", folder / "classifier", settings)
        classifier = folder / "classifier"
    ensemble = ClassifierFolder.open(classifier)
    labelled = RareLabels(
        GeneratorFolder.open(shipped_or(Path("kidney"))).generator(),
        ensemble.classifier(),
        ensemble.text.num_blocks,
        context=ensemble.context(),
        decision=ensemble.decision,
    )
    labelled.rare = rare
    return labelled


@dataclass(frozen=True)
class Images:
    """Some images of one kind."""

    w: Float[np.ndarray, "images w_dim"]
    pixels: UInt8[np.ndarray, "images side side 3"]
    labels: UInt8[np.ndarray, "images side side"]
    seconds: float
    """CPU seconds that all took."""

    @property
    def shares(self) -> Float[np.ndarray, "images classes"]:
        """The part of its pixels that each class has, by image."""
        return np.array([counted([labels], NUM_CLASSES) for labels in self.labels])

    def chosen(self, which: Bool[np.ndarray, " images"]) -> "Images":
        """Some of them."""
        return Images(self.w[which], self.pixels[which], self.labels[which], 0.0)

    def shrunk(self) -> Float[np.ndarray, "images numbers"]:
        """Each image as a row of few numbers."""
        count, side, *_ = self.pixels.shape
        cells = self.pixels.reshape(count, side // SHRUNK, SHRUNK, side // SHRUNK, SHRUNK, 3)
        return cells.mean(axis=(2, 4)).reshape(count, -1)


def natural_images(labelled: RareLabels, count: int) -> Images:
    """Images as they come."""
    began = time.process_time()
    latents = [w_of(labelled.generator, SEEDS["natural"] + i, 0.7) for i in range(count)]
    return images_of(latents, [labelled.drawing(w) for w in latents], began)


def images_of(
    latents: Sequence[Tensor], drawings: Sequence[LabelledDrawing], began: float
) -> Images:
    """Latents with their drawings, and the time since they were begun."""
    return Images(
        np.array([w[0].numpy() for w in latents]),
        np.array([drawing.pixels for drawing in drawings]),
        np.array([drawing.labels for drawing in drawings]),
        time.process_time() - began,
    )


def print_probe(labelled: RareLabels, probe: Probe, natural: Images) -> None:
    """How well guesses rank the natural images, which the pilot does not have, and their cost."""
    began = time.process_time()
    looks = np.array([coarse_look(labelled.generator, torch.tensor(w)[None]) for w in natural.w])
    look_seconds = (time.process_time() - began) / len(looks)
    draw_seconds = natural.seconds / len(looks)
    truth = natural.shares[:, RARE]
    print(f"A draw takes {draw_seconds * 1e3:.0f} ms, a coarse look {look_seconds * 1e3:.1f} ms.\n")
    print("| guess from | rank correlation | best twentieth among the first tenth |")
    print("| --- | --- | --- |")
    for name, guess, inputs in (
        ("w", probe.glance, natural.w),
        ("coarse blocks", probe.look, looks),
    ):
        guessed = guess.roots(inputs)[:, RARE]
        best = np.argsort(-truth)[: len(truth) // 20]
        ahead = np.argsort(-guessed)[: len(truth) // 10]
        part = len(np.intersect1d(best, ahead)) / max(1, len(best))
        print(f"| {name} | {spearmanr(guessed, truth)[0]:.2f} | {part * 100:.0f} % |")


def print_cost(found: Sequence[Found], seconds: float, natural: Images, share: float) -> None:
    """What a kept pair costs, beside plain rejection."""
    kept = [one for one in found if one.way != "missed"]
    count = max(1, len(kept))
    had = int((natural.shares[:, RARE] >= share).sum())
    num_natural = len(natural.w)
    draw_seconds = natural.seconds / num_natural
    plain = num_natural / max(1, had)
    bound = "" if had else "more than "
    print("\n| | targeted | plain rejection |")
    print("| --- | --- | --- |")
    print(f"| pairs | {len(found)}, kept {len(kept)} | {had} of {num_natural} have enough |")
    mean_kept = np.mean([one.shares[RARE] for one in kept]) if kept else float("nan")
    mean_natural = natural.shares[:, RARE].mean()
    print(f"| share of the class | {mean_kept:.2%} | {mean_natural:.2%} by nature |")
    for name in ("glances", "looks", "draws"):
        each = sum(getattr(one, name) for one in found) / count
        beside = f"{bound}{plain:.0f}" if name == "draws" else "-"
        print(f"| {name} a kept pair | {each:.1f} | {beside} |")
    print(f"| CPU s a kept pair | {seconds / count:.2f} | {bound}{plain * draw_seconds:.2f} |")
    for way in WAYS:
        ones = [one for one in found if one.way == way]
        mean = [np.mean([getattr(one, n) for one in ones] or [0]) for n in ("looks", "draws")]
        print(f"| {way} | {len(ones)} ({mean[0]:.0f} looks, {mean[1]:.1f} draws each) | - |")


def print_variety(kinds: dict[str, Images], probe: Probe) -> None:
    """How different images of each kind are from one another."""
    print("\n| images | number | distance of two | w: to the next | w: to the mean |")
    print("| --- | --- | --- | --- | --- |")
    for name, images in kinds.items():
        if len(images.w) < 2:
            continue
        rows = images.shrunk()
        apart = pdist(rows).mean() / np.sqrt(rows.shape[1])
        among = cdist(images.w, images.w) + np.diag(np.full(len(images.w), np.inf))
        far = np.linalg.norm(images.w - probe.centre, axis=1)
        print(
            f"| {name} | {len(images.w)} | {apart:.1f} | {among.min(axis=1).mean():.2f} | "
            f"{far.mean():.2f}, at most {far.max():.2f} |"
        )


def picture(found: Sequence[Found], natural: Images) -> UInt8[np.ndarray, "height width 3"]:
    """Natural images and two rows of found ones, each above itself with the rare class coloured."""
    drawings = [one.drawing for one in found if one.drawing is not None]
    own = list(zip(natural.pixels, natural.labels, strict=True))
    ones = [(drawing.pixels, drawing.labels) for drawing in drawings]
    blank = np.full_like(natural.pixels[0], 255)
    tiles: list[np.ndarray] = []
    for row in (own[:COLUMNS], ones[:COLUMNS], ones[COLUMNS : 2 * COLUMNS]):
        painted = [
            np.where((labels == RARE)[..., None], RARE_COLOUR, pixels) for pixels, labels in row
        ]
        blanks = [blank] * (COLUMNS - len(row))
        tiles += [*(pixels for pixels, _ in row), *blanks, *painted, *blanks]
    return grid(tiles, columns=COLUMNS)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rare", choices=("lumen", "capsule"), default="lumen")
    parser.add_argument("--share", type=float, default=0.03)
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--natural", type=int, default=300)
    parser.add_argument("--pilot", type=int, default=128)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--classifier", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        labelled = labelled_kidney(Path(folder), chosen.classifier, chosen.rare)
    natural = natural_images(labelled, max(2, chosen.natural))
    began = time.process_time()
    seeds = range(SEEDS["pilot"], SEEDS["pilot"] + chosen.pilot)
    probe = Probe.fit(pilot_of(labelled, seeds, 0.7, num_classes=NUM_CLASSES))
    print(f"The pilot takes {time.process_time() - began:.0f} CPU s, once for all pairs.")
    print_probe(labelled, probe, natural)
    finder = Finder(labelled, probe, {RARE: chosen.share}, SearchChoices())
    began = time.process_time()
    found = [finder.found(SEEDS["pairs"] + i) for i in range(chosen.pairs)]
    print_cost(found, time.process_time() - began, natural, chosen.share)
    kept = [(one.w, one.drawing, one.way) for one in found if one.drawing is not None]
    kinds = {
        "natural": natural.chosen(np.arange(len(natural.w)) < max(2, len(kept))),
        "natural that have half of it": natural.chosen(natural.shares[:, RARE] >= chosen.share / 2),
        "natural that have enough": natural.chosen(natural.shares[:, RARE] >= chosen.share),
    }
    for name, ways in (("kept", WAYS), ("of these found by search", ("search",))):
        ones = [(w, drawing) for w, drawing, way in kept if way in ways]
        if ones:
            kinds[name] = images_of([w for w, _ in ones], [d for _, d in ones], began)
    print_variety(kinds, probe)
    if chosen.picture is not None:
        chosen.picture.write_bytes(png_of(picture(found, natural)))


if __name__ == "__main__":
    main()
