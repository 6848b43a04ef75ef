"""`hdgan segment`: a segmenter and tiles, samples or slides to label maps."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED
from hdgan.artifacts.order import Order
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.class_map import painted
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.method.segmenter.network import predicted_labels
from hdgan.pipeline import Made
from hdgan.report.progress import ProgressBar
from hdgan.settings.segment import SegmentSettings
from hdgan.stages.segment.slides import segment_slides


def segment(segmenter: Path, tiles: Path, output: Path, settings: SegmentSettings) -> Made:
    """Predict the label map of every tile, sample or slide.

    Of tiles and samples, memory holds one image at a time; of slides, what `segment_slides` says.

    Args:
        segmenter: a segmenter.
        tiles: a tile set, a sample set, a slide, or a folder of slides or images.
        output: where the segmentation goes.
        settings: how it is predicted.

    Raises:
        WrongArtifactError: there is nothing to segment in `tiles`.
        SettingsError: the folds have no tile, or a choice is for other images than these.
        ImageError: a slide cannot be read.
    """
    model = SegmenterFolder.open(segmenter)
    if _are_slides(tiles):
        return segment_slides(model, tiles, output, settings)
    return _segment_tiles(model, tiles, output, settings)


def _are_slides(path: Path) -> bool:
    """Whether a path is a file, or a folder that no verb has written or is writing."""
    is_artifact = (path / MANIFEST).is_file() or (path / UNFINISHED).is_dir()
    return path.is_file() or (path.is_dir() and not is_artifact)


def _segment_tiles(
    model: SegmenterFolder, tiles: Path, output: Path, settings: SegmentSettings
) -> Made:
    """Predict the label map of every tile or sample."""
    _refuse_choices_for_slides(tiles, settings)
    images, reads = _images(tiles, settings)
    choices = {"folds": settings.folds and list(settings.folds), "device": settings.device}
    order = Order("segmentation", choices, model.parents | images.parents, seen_by(model, images))

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


def _refuse_choices_for_slides(tiles: Path, settings: SegmentSettings) -> None:
    """Do nothing if no choice is made that tiles cannot follow.

    Raises:
        SettingsError: one is.
    """
    for name in ("to_spacing_um", "spacing_um", "min_area_um2"):
        if getattr(settings, name) is not None:
            raise SettingsError(
                f"--{name.replace('_', '-')} is for slides, but {tiles} is an artifact: its images "
                "are segmented as they are. Leave it out, or give the slides themselves."
            )


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
        f"{folder} is of kind {kind}; only images of a tile-set or sample-set, or slides, can be "
        "segmented."
    )
