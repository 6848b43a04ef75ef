"""Fitting an ensemble by gradient matching, and what it writes on the way."""

import time
from collections.abc import Sequence
from functools import cached_property
from math import isnan
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from hdgan.artifacts.arrays import npy_bytes
from hdgan.artifacts.checkpoint import Learning
from hdgan.artifacts.classifier import write_ensemble
from hdgan.artifacts.curves import curve_line, curve_of
from hdgan.artifacts.feature_store import FeatureStore
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import device_named
from hdgan.method.classifier_presets import Recipe, recipe_of
from hdgan.method.features import FeaturePyramid, bytes_of, channels_of, image_and_features
from hdgan.method.fitting import ClassifierEpoch
from hdgan.method.gradient_matching import (
    STRIDE,
    DrawnCrops,
    MatchingPlan,
    MatchingState,
    RealPieces,
    match_gradients,
    new_matching,
)
from hdgan.method.latent import pixels_of, tensor_of, w_of
from hdgan.method.pixel_classifier import PixelClassifier
from hdgan.method.tile_crop import drawn_way, laid
from hdgan.report.progress import ProgressBar, announce, remark
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.stages.train_classifier.ensemble import Described, fresh_classifier
from hdgan.stages.train_classifier.fitting import CHECKPOINT_SECONDS
from hdgan.stages.train_classifier.real_crops import RealCrops

NUM_DRAWINGS, FIRST_DRAWING = 64, 3_000_000_000
"""Drawings that the classifier learns to label, and the seed of the first: far from those of
samples and of pairs."""

FEWEST_DRAWINGS, KEPT_BYTES = 8, 8 * 10**9
"""Large drawings are fewer, down to so many, lest they take more than this on disk."""

TRUNCATION = 0.7
"""Of these drawings: that of pairs."""

NUM_TESTED = 32
"""Pieces of real crops that reports tell of."""


def _words(epoch: ClassifierEpoch) -> str:
    """Where matching stands; of accuracy only if a segmenter has learned to its end."""
    found = epoch.validation_accuracy
    words = f"gradient distance {epoch.loss:.3f}"
    return words if isnan(found) else f"{words}, accuracy on training pixels of tiles {found:.3f}"


def num_drawings_of(bytes_a_drawing: int) -> int:
    """How many drawings are matched, of which each takes so much on disk."""
    return max(FEWEST_DRAWINGS, min(NUM_DRAWINGS, KEPT_BYTES // bytes_a_drawing))


class Matching:
    """A matching that writes what it reaches into its artifact.

    Disk: the feature maps of `num_drawings_of` drawings at native resolution in half precision, and
    their pixels, freed at the end: `KEPT_BYTES`, or `FEWEST_DRAWINGS` of 1.1 GB each at 4096 px.
    Memory: the real crops, a step's pieces, and while drawing, one drawing's maps.
    """

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        settings: TrainClassifierSettings,
        crops: RealCrops,
        generator: GeneratorFolder,
    ) -> None:
        self.unfinished, self.crops, self.generator = unfinished, crops, generator
        self.recipe: Recipe = recipe_of(settings).for_blocks(len(generator.shape.resolutions))
        self.device = device_named(settings.device)
        self.store = FeatureStore(unfinished)
        side = generator.shape.resolution
        default = MatchingPlan()
        self.plan = MatchingPlan(
            steps=settings.steps or default.steps,
            learning_rate=settings.learning_rate or default.learning_rate,
            crop_px=min(default.crop_px, side),
            seed=settings.seed,
        )
        names = crops.class_map.names
        self.by_object = [names.index(name) for name in settings.object_vote]
        self.bytes_a_drawing = bytes_of(generator.shape, self.recipe.num_blocks) + 3 * side**2
        count = num_drawings_of(self.bytes_a_drawing)
        self.drawings = [f"d{i:06d}" for i in range(count)]
        self.real = crops.all()

    def complete(self) -> None:
        """Draw, match, and write the artifact's files."""
        count = len(self.drawings)
        announce("train-classifier", disk_bytes=self.bytes_a_drawing * count)
        if count < NUM_DRAWINGS:
            remark(
                "train-classifier",
                f"drawings are large: {count} rather than {NUM_DRAWINGS} are matched",
            )
        self._draw()
        state = new_matching(self._fresh(), self.plan)
        lines = self._restored(state)
        saved = time.monotonic()
        steps = self.plan.steps
        with ProgressBar("train-classifier", steps, "steps", done=state.steps) as progress:
            for epoch in match_gradients(state, self.plan, self._drawn, self._pieces):
                lines.append(curve_line(epoch))
                progress.reach(epoch.steps, _words(epoch))
                if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                    _learning(state).save(self.unfinished, state.steps, lines)
                    saved = time.monotonic()
        learned = {crop.tile for crop in self.real}
        described = Described(self.crops.class_map, self.crops.split_table(learned), lines)
        described.write(self.unfinished)
        write_ensemble(
            self.unfinished,
            state.classifier,
            self.recipe.num_blocks,
            self.recipe.decision,
            by_object=self.by_object,
        )

    def _fresh(self) -> PixelClassifier:
        return fresh_classifier(
            self.recipe,
            len(self.crops.class_map),
            channels_of(self.generator.shape, self.recipe.num_blocks),
            (self._pyramids[name] for name in self.drawings),
        ).to(self.device)

    @cached_property
    def _pyramids(self) -> dict[str, FeaturePyramid]:
        return {name: self.store.read(name) for name in self.drawings}

    def _path(self, name: str) -> Path:
        return self.unfinished.scratch / "drawings" / f"{name}.npy"

    @cached_property
    def _images(self) -> dict[str, np.ndarray]:
        return {name: np.load(self._path(name), mmap_mode="r") for name in self.drawings}

    def _draw(self) -> None:
        """Draw what is to be labelled, and keep pixels and feature maps on disk."""
        network = self.generator.generator().to(self.device)
        with ProgressBar("features", len(self.drawings), "images") as progress:
            for i, name in enumerate(self.drawings):
                if not (self.store.has(name) and self._path(name).is_file()):
                    w = w_of(network, FIRST_DRAWING + i, TRUNCATION)
                    image, pyramid = image_and_features(network, w, self.recipe.num_blocks)
                    pixels = npy_bytes(pixels_of(image))
                    self.unfinished.write_scratch(f"drawings/{name}.npy", pixels)
                    self.store.write(name, pyramid)
                progress.advance()

    def _drawn(self, step: int) -> DrawnCrops:
        """A piece of a drawing for each member."""
        random = np.random.default_rng([self.plan.seed, 8, step])
        side, piece = self.generator.shape.resolution, self.plan.crop_px
        images, features = [], []
        for _ in range(self.recipe.num_members):
            name = self.drawings[int(random.integers(len(self.drawings)))]
            y, x = (int(place) for place in random.integers(0, side - piece + 1, size=2))
            rows, columns = np.mgrid[y : y + piece : STRIDE, x : x + piece : STRIDE].reshape(2, -1)
            images.append(tensor_of(np.array(self._images[name][y : y + piece, x : x + piece])))
            features.append(torch.from_numpy(self._pyramids[name].at(rows, columns)))
        return DrawnCrops(
            torch.stack(images).to(self.device), torch.stack(features).to(self.device)
        )

    def _pieces(self, step: int) -> RealPieces:
        """Pieces of real crops, turned and flipped at random; those of step -1 are to test on."""
        random = np.random.default_rng([self.plan.seed, 9, step + 1])
        count = NUM_TESTED if step < 0 else self.plan.num_real
        pieces = [self._piece(random) for _ in range(count)]
        images: Sequence[UInt8[np.ndarray, "side side 3"]] = [piece[..., :3] for piece in pieces]
        labels = np.stack([piece[..., 3] for piece in pieces]).astype(np.int64)
        return RealPieces(
            torch.stack([tensor_of(image) for image in images]).to(self.device),
            torch.from_numpy(labels).to(self.device),
        )

    def _piece(self, random: np.random.Generator) -> UInt8[np.ndarray, "side side 4"]:
        crop = self.real[int(random.integers(len(self.real)))]
        piece = self.plan.crop_px
        y, x = (int(place) for place in random.integers(0, self.crops.side_px - piece + 1, size=2))
        both = np.concatenate([crop.image, crop.labels[..., None]], axis=2)
        way = drawn_way("any", random)
        return np.ascontiguousarray(laid(both[y : y + piece, x : x + piece], way))

    def _restored(self, state: MatchingState) -> list[str]:
        """Go back to the last checkpoint, if there is one; the curves until there come back."""
        state.steps, lines = _learning(state).restored(self.unfinished)
        if lines:
            (last,) = curve_of(lines[-1].encode(), ClassifierEpoch, "checkpoint")
            state.tested = (last.validation_loss, last.validation_accuracy)
        return lines


def _learning(state: MatchingState) -> Learning:
    """What learns now: a segmenter makes place for a fresh one now and then."""
    return Learning(
        {"classifier": state.classifier, "segmenter": state.segmenter},
        {
            "optimizer": (state.optimizer, state.classifier),
            "rate": (state.segmenter_optimizer, state.segmenter),
        },
    )
