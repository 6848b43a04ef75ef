"""`hdgan segment`: a segmenter and tiles to label maps."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import png_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact, made_once, plain, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.class_map import painted
from hdgan.errors import WrongArtifactError
from hdgan.method.segmenter.network import predicted_labels
from hdgan.pipeline import Made
from hdgan.report.progress import ProgressBar
from hdgan.settings.segment import SegmentSettings


def segment(segmenter: Path, tiles: Path, output: Path, settings: SegmentSettings) -> Made:
    """Predict the label map of every tile of a tile set, or of every sample of a sample set.

    Memory holds one image at a time.

    Raises:
        WrongArtifactError: there is nothing to segment in `tiles`.
        SettingsError: the folds have no tile.
    """
    model = SegmenterFolder.open(segmenter)
    images, reads = _images(tiles, settings)
    order = Order(
        "segmentation", plain(settings), model.parents | images.parents, seen_by(model, images)
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        network = model.network().to(device_named(settings.device))
        with ProgressBar("segment", len(reads), "images") as progress:
            for name, read in reads.items():
                if not unfinished.has(f"labels/{name}.png"):
                    labels = predicted_labels(network, read())
                    unfinished.write(
                        f"colours/{name}.png", png_of(painted(labels, model.class_map))
                    )
                    unfinished.write(f"labels/{name}.png", png_of(labels))
                progress.advance()
        unfinished.write(CLASSES, class_map_bytes(model.class_map))

    made_once(output, order, make)
    return Made("segmentation", output, {"label maps": len(reads)})


def _images(
    folder: Path, settings: SegmentSettings
) -> tuple[Artifact, dict[str, Callable[[], np.ndarray]]]:
    """The artifact with the images, and a way to read each, by name."""
    kind = Artifact.open(folder).manifest.kind
    if kind == TileSet.kind:
        tiles = TileSet.open(folder)
        return tiles, {
            record.tile: partial(tiles.image, record) for record in tiles.records(settings.folds)
        }
    if kind == SampleSet.kind:
        samples = SampleSet.open(folder)
        return samples, {
            record.sample: partial(samples.image, record) for record in samples.records()
        }
    raise WrongArtifactError(
        f"{folder} is of kind {kind}; only images of a tile-set or sample-set can be segmented."
    )
