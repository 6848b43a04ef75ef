"""`hdgan train-segmenter`: pairs, annotated tiles, or both to a U-Net."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from hdgan.artifacts.annotation_set import (
    CLASSES,
    AnnotationRecord,
    AnnotationSet,
    class_map_bytes,
)
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.checkpoint import (
    network_tensors,
    optimizer_tensors,
    read_checkpoint,
    restore_network,
    restore_optimizer,
    write_checkpoint,
)
from hdgan.artifacts.curves import curve_line
from hdgan.artifacts.decoded import Decoded
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmenter import CURVES, SegmenterFolder, write_segmenter
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import (
    Order,
    UnfinishedArtifact,
    made_once,
    plain,
    seen_by,
    seen_together,
)
from hdgan.artifacts.weights import device_named
from hdgan.class_map import ClassMap
from hdgan.errors import ImageError, SettingsError, WrongArtifactError
from hdgan.method.segmenter.network import SegmenterShape, unet
from hdgan.method.segmenter.training import (
    LabelledCrops,
    SegmenterPlan,
    SegmenterState,
    changed_crop,
    new_segmenter_state,
)
from hdgan.method.segmenter.training import (
    train_segmenter as training_ticks,
)
from hdgan.pipeline import Made
from hdgan.report.progress import ProgressBar
from hdgan.settings.train_segmenter import TrainSegmenterSettings

CHECKPOINT_SECONDS = 30.0
"""Time between two checkpoints: what a kill may cost."""


@dataclass(frozen=True)
class Source:
    """Labelled images of one artifact."""

    artifact: Artifact
    class_map: ClassMap
    seen: dict[str, list[int]]
    reads: list[Callable[[], np.ndarray]]
    """Each gives one image with its label map as fourth channel, `[height, width, 4]`."""


def train_segmenter(
    source: Path,
    output: Path,
    settings: TrainSegmenterSettings,
    also: tuple[Path, ...] = (),
    tiles: Path | None = None,
) -> Made:
    """Train a U-Net; goes on where an interrupted run of the same command stopped.

    Args:
        source: a pair set, or annotated tiles or samples.
        output: where the segmenter goes.
        settings: how it is trained.
        also: further sources of the same classes; all images together are one pool.
        tiles: the tile set of annotated tiles, if it is not beside them.

    Memory: a batch's feature maps, and up to 2 GB of decoded images.

    Raises:
        WrongArtifactError: the sources have different classes.
        SettingsError: a fold or number that cannot work.
        ImageError: an image is smaller than a crop.
    """
    sources = [_opened(path, settings, tiles) for path in (source, *also)]
    class_map = _one_class_map(sources)
    _check(settings)
    seen = seen_together(
        seen_by(*(one.artifact for one in sources)), *(one.seen for one in sources)
    )
    order = Order("segmenter", plain(settings), _parents(sources), seen)
    reads = _chosen([read for one in sources for read in one.reads], settings)

    def make(unfinished: UnfinishedArtifact) -> None:
        _Run(unfinished, settings, class_map, reads).complete()

    made_once(output, order, make)
    made = SegmenterFolder.open(output)
    return Made(
        "segmenter",
        output,
        {
            "labelled images": len(reads),
            "classes": ", ".join(class_map.names),
            "steps": settings.steps,
            "loss at the end": round(made.curves()[-1].loss, 4),
        },
    )


def _check(settings: TrainSegmenterSettings) -> None:
    if settings.crop_px is not None and settings.crop_px % 8:
        raise SettingsError(
            f"--crop-px is {settings.crop_px}; it must divide by 8 and be 16 or more, because the "
            "U-Net halves its image three times."
        )


def _parents(sources: list[Source]) -> dict[str, str]:
    """Digests by kind; a second source of a kind is numbered."""
    parents: dict[str, str] = {}
    for one in sources:
        kind = one.artifact.manifest.kind
        count = sum(1 for name in parents if name.split(" ")[0] == kind)
        parents[kind if count == 0 else f"{kind} {count + 1}"] = one.artifact.digest
    return parents


def _one_class_map(sources: list[Source]) -> ClassMap:
    for one in sources[1:]:
        if one.class_map.names != sources[0].class_map.names:
            raise WrongArtifactError(
                f"{one.artifact.folder} has the classes {', '.join(one.class_map.names)}, but "
                f"{sources[0].artifact.folder} has {', '.join(sources[0].class_map.names)}. "
                "Sources that are mixed need the same class map."
            )
    return sources[0].class_map


def _opened(path: Path, settings: TrainSegmenterSettings, tiles: Path | None) -> Source:
    kind = Artifact.open(path).manifest.kind
    if kind == PairSet.kind:
        return _from_pairs(PairSet.open(path))
    if kind != AnnotationSet.kind:
        raise WrongArtifactError(
            f"{path} is of kind {kind}; a segmenter learns from a pair-set or an annotation-set."
        )
    annotated = AnnotationSet.open(path)
    if TileSet.kind in annotated.manifest.parents:
        return _from_tiles(annotated, parent_of(annotated, TileSet, tiles), settings)
    return _from_samples(annotated, parent_of(annotated, SampleSet))


def _from_pairs(pairs: PairSet) -> Source:
    def read(record: PairRecord) -> np.ndarray:
        return _with_labels(pairs.image(record), pairs.labels(record))

    return Source(pairs, pairs.class_map, {}, [partial(read, record) for record in pairs.records()])


def _from_tiles(
    annotated: AnnotationSet, tiles: TileSet, settings: TrainSegmenterSettings
) -> Source:
    tile_of = {record.tile: record for record in tiles.records(settings.folds)}
    chosen = [record for record in annotated.records() if record.image in tile_of]
    if not chosen:
        raise SettingsError(
            f"{annotated.folder} has no annotated tile in folds {list(settings.folds)}."
        )

    def read(record: AnnotationRecord) -> np.ndarray:
        return _with_labels(tiles.image(tile_of[record.image]), annotated.labels(record))

    return Source(
        annotated,
        annotated.class_map,
        tiles.seen_in(settings.folds),
        [partial(read, record) for record in chosen],
    )


def _from_samples(annotated: AnnotationSet, samples: SampleSet) -> Source:
    by_name = {record.sample: record for record in samples.records()}

    def read(record: AnnotationRecord) -> np.ndarray:
        return _with_labels(samples.image(by_name[record.image]), annotated.labels(record))

    return Source(
        annotated,
        annotated.class_map,
        {},
        [partial(read, record) for record in annotated.records("training")],
    )


def _with_labels(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.concatenate([image, labels[..., None]], axis=2)


def _chosen(
    reads: list[Callable[[], np.ndarray]], settings: TrainSegmenterSettings
) -> list[Callable[[], np.ndarray]]:
    """As many of the images as are wanted, drawn at random."""
    wanted = len(reads) if settings.num_images is None else settings.num_images
    if not 1 <= wanted <= len(reads):
        raise SettingsError(
            f"--num-images is {wanted}, but there are {len(reads)} labelled images."
        )
    if settings.num_images is None:
        return reads
    random = np.random.default_rng([settings.seed, 5])
    return [reads[i] for i in sorted(random.choice(len(reads), size=wanted, replace=False))]


def _fitting_crop(image: np.ndarray) -> int:
    """The largest side up to 128 that divides by 8 and fits into an image, but at least 16."""
    return max(16, min(128, min(image.shape[:2]) // 8 * 8))


class _Run:
    """A training that writes what it reaches into its artifact."""

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        settings: TrainSegmenterSettings,
        class_map: ClassMap,
        reads: list[Callable[[], np.ndarray]],
    ) -> None:
        self.unfinished, self.class_map = unfinished, class_map
        self.device = device_named(settings.device)
        self.shape = SegmenterShape(len(class_map), settings.width)
        self.plan = SegmenterPlan(
            steps=settings.steps,
            batch=settings.batch,
            crop_px=settings.crop_px or _fitting_crop(reads[0]()),
            learning_rate=settings.learning_rate,
            stain_jitter=settings.stain_jitter,
            seed=settings.seed,
        )
        self.images = Decoded(lambda i: self._checked(reads[i]()))
        self.num_images = len(reads)

    def complete(self) -> None:
        """Train to the end, and write the artifact's files."""
        network = unet(self.shape, seed=self.plan.seed).to(self.device)
        state = new_segmenter_state(network, self.plan)
        lines = self._restored(state)
        saved = time.monotonic()
        with ProgressBar("train-segmenter", self.plan.steps, "steps", done=state.steps) as progress:
            for tick in training_ticks(state, self.plan, self._crops):
                lines.append(curve_line(tick))
                progress.reach(tick.steps, f"loss {tick.loss:.3f}")
                if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                    self._save(state, lines)
                    saved = time.monotonic()
        self.unfinished.write(CURVES, "".join(f"{line}\n" for line in lines).encode())
        self.unfinished.write(CLASSES, class_map_bytes(self.class_map))
        write_segmenter(self.unfinished, network, self.shape)

    def _checked(self, image: np.ndarray) -> np.ndarray:
        if min(image.shape[:2]) < self.plan.crop_px:
            raise ImageError(
                f"A labelled image is {image.shape[1]} x {image.shape[0]} pixels, smaller than a "
                f"crop of {self.plan.crop_px}. Lower --crop-px."
            )
        return image

    def _crops(self, step: int) -> LabelledCrops:
        """The crops of a step."""
        random = np.random.default_rng([self.plan.seed, 6, step])
        chosen = random.integers(0, self.num_images, size=self.plan.batch)
        crops = [
            changed_crop(
                self.images[int(i)][..., :3], self.images[int(i)][..., 3], self.plan, random
            )
            for i in chosen
        ]
        images = torch.from_numpy(np.stack([image for image, _ in crops])).permute(0, 3, 1, 2)
        labels = torch.from_numpy(np.stack([labels for _, labels in crops]).astype(np.int64))
        return LabelledCrops(images.to(self.device), labels.to(self.device))

    def _save(self, state: SegmenterState, lines: list[str]) -> None:
        write_checkpoint(
            self.unfinished,
            {
                **network_tensors("network", state.network),
                **optimizer_tensors("optimizer", state.optimizer, state.network),
            },
            {"steps": state.steps, "curves": lines},
        )

    def _restored(self, state: SegmenterState) -> list[str]:
        """Go back to the last checkpoint, if there is one; the curves until there come back."""
        checkpoint = read_checkpoint(self.unfinished)
        if checkpoint is None:
            return []
        tensors, about = checkpoint
        restore_network("network", state.network, tensors)
        restore_optimizer("optimizer", state.optimizer, state.network, tensors)
        state.steps = about["steps"]
        return list(about["curves"])
