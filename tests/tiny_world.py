"""A whole pipeline small enough for a test: 16-pixel tiles, a generator of a few channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from recipes.ship_generator import main as ship

from hdgan.artifacts.annotation_set import class_map_bytes
from hdgan.artifacts.images import png_of
from hdgan.class_map import KIDNEY
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.squeezenet import SqueezeNet
from hdgan.settings.evaluate import EvaluateSettings
from hdgan.settings.import_annotations import ImportAnnotationsSettings
from hdgan.settings.sample import SampleSettings
from hdgan.settings.score_generator import ScoreGeneratorSettings
from hdgan.settings.segment import SegmentSettings
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.settings.tile import TileSettings
from hdgan.settings.train_classifier import TrainClassifierSettings
from hdgan.settings.train_generator import TrainGeneratorSettings
from hdgan.settings.train_segmenter import TrainSegmenterSettings
from hdgan.stages.evaluate.run import evaluate
from hdgan.stages.import_annotations import import_annotations
from hdgan.stages.sample import sample
from hdgan.stages.score_generator import score_generator
from hdgan.stages.segment.run import segment
from hdgan.stages.synthesize.run import synthesize
from hdgan.stages.tile.run import tile
from hdgan.stages.train_classifier.run import train_classifier
from hdgan.stages.train_generator import train_generator
from hdgan.stages.train_segmenter.run import train_segmenter

SIDE = 16
NUM_PATIENTS = 10

TILE = TileSettings(patient_pattern="^(patient[0-9]+)_")
TRAIN_GENERATOR = TrainGeneratorSettings(
    resolution=SIDE,
    kimg=0.256,
    preset="small",
    batch=8,
    channel_base=128,
    channel_max=8,
    latent_dim=8,
    learning_rate=0.005,
    style_mixing=0.9,
    noise=True,
    threads=1,
    snapshot_kimg=0.1,
)
SAMPLE = SampleSettings(num_samples=12, select=9)
IMPORT = ImportAnnotationsSettings(only="suggested")
TRAIN_CLASSIFIER = TrainClassifierSettings(steps=60, batch=64, num_members=3)
SYNTHESIZE = SynthesizeSettings(num_pairs=10)
TRAIN_SEGMENTER = TrainSegmenterSettings(steps=10, batch=2, crop_px=16, width=4)


def draw_tiles(folder: Path, count: int = 20) -> None:
    """Phantom tiles in `folder/images` with their label maps in `folder/labels`."""
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for i in range(count):
        patient = i % NUM_PATIENTS
        phantom = draw_phantom(SIDE, "rose", patient=patient, seed=i)
        name = f"patient{patient}_{i:03d}.png"
        (folder / "images" / name).write_bytes(png_of(phantom.image))
        (folder / "labels" / name).write_bytes(png_of(phantom.labels))


def paint_samples(samples: Path, folder: Path, names: Sequence[str]) -> None:
    """Label maps of samples by a rule that any image satisfies: brightness decides the class."""
    from hdgan.artifacts.sample_set import SampleSet

    sample_set = SampleSet.open(samples)
    folder.mkdir(parents=True, exist_ok=True)
    for record in sample_set.records():
        if record.sample in names:
            labels = brightness_classes(sample_set.image(record))
            (folder / f"{record.sample}.png").write_bytes(png_of(labels))


def brightness_classes(image: UInt8[np.ndarray, "side side 3"]) -> UInt8[np.ndarray, "side side"]:
    """Class 0 to 4 by the rank of each pixel's brightness in its image."""
    brightness = image.astype(np.int64).sum(axis=2)
    rank = brightness.ravel().argsort(kind="stable").argsort(kind="stable")
    return (rank * 5 // rank.size).reshape(brightness.shape).astype(np.uint8)


@dataclass(frozen=True)
class TinyWorld:
    """Where everything is."""

    folder: Path

    @classmethod
    def made_in(cls, folder: Path) -> "TinyWorld":
        """Run every stage once."""
        world = cls(folder)
        draw_tiles(folder / "drawn")
        (folder / "classes.json").write_bytes(class_map_bytes(KIDNEY))
        tile(folder / "drawn" / "images", world.tiles, TILE)
        import_annotations(
            world.tiles, folder / "drawn" / "labels", world.truth, IMPORT, world.classes
        )
        train_generator(world.tiles, world.generator, TRAIN_GENERATOR)
        sample(world.generator, world.samples, SAMPLE)
        paint_samples(world.samples, world.painted, [f"s{i:06d}" for i in range(12)])
        import_annotations(world.samples, world.painted, world.annotations, IMPORT, world.classes)
        train_classifier(world.annotations, world.classifier, TRAIN_CLASSIFIER)
        evaluate(world.classifier, world.annotations, world.evaluation, EvaluateSettings())
        synthesize(world.classifier, world.pairs, SYNTHESIZE)
        train_segmenter(world.pairs, world.segmenter, TRAIN_SEGMENTER)
        segment(world.segmenter, world.tiles, world.segmentation, SegmentSettings(folds=(0,)))
        return world

    @property
    def classes(self) -> Path:
        """The class map's file."""
        return self.folder / "classes.json"

    @property
    def tiles(self) -> Path:
        """The tile set."""
        return self.folder / "tiles"

    @property
    def truth(self) -> Path:
        """The annotation set of the tiles."""
        return self.folder / "truth"

    @property
    def generator(self) -> Path:
        """The generator."""
        return self.folder / "generator"

    @property
    def samples(self) -> Path:
        """The sample set."""
        return self.folder / "samples"

    @property
    def painted(self) -> Path:
        """Label maps of all samples, as files."""
        return self.folder / "painted"

    @property
    def annotations(self) -> Path:
        """The annotation set of the samples."""
        return self.folder / "annotations"

    @property
    def classifier(self) -> Path:
        """The classifier."""
        return self.folder / "classifier"

    @property
    def evaluation(self) -> Path:
        """The evaluation of the classifier."""
        return self.folder / "evaluation"

    @property
    def pairs(self) -> Path:
        """The pair set."""
        return self.folder / "pairs"

    @property
    def segmenter(self) -> Path:
        """The segmenter."""
        return self.folder / "segmenter"

    @property
    def segmentation(self) -> Path:
        """Label maps predicted for the tiles of fold 0."""
        return self.folder / "segmentation"


def write_encoder(path: Path) -> None:
    """SqueezeNet with random weights, under the names that its file has."""
    random = np.random.default_rng(0)
    arrays = {}
    for name, tensor in SqueezeNet().state_dict().items():
        stored = name.replace(".weight", ".kernel").replace(".", "/")
        array = random.normal(scale=0.1, size=tuple(tensor.shape)).astype(np.float32)
        arrays[stored] = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
    np.savez(path, **arrays)  # type: ignore[arg-type]


CARD = """# Phantom kidney

Draws phantoms.

## Data

Tiles that were drawn by rule.

## Licence

Apache-2.0.

## Annotation

Brightness decides the class.

## Limits

- It is tiny.

## Use

For tests.
"""
"""What a person would say of the tiny world's generator."""


def ship_generator(world: TinyWorld, work: Path, output: Path) -> None:
    """Score the world's generator in `work`, and write what is shipped of it."""
    write_encoder(work / "squeezenet.npz")
    few = ScoreGeneratorSettings(num_images=24, num_nearest=2, snapshots=False)
    score_generator(world.generator, world.tiles, work / "squeezenet.npz", work / "quality", few)
    (work / "card.md").write_text(CARD)
    places = (world.generator, work / "quality", world.annotations, work / "card.md", output)
    ship([str(place) for place in places])
