"""`hdgan train-segmenter`: labelled images, and maybe unlabelled tiles, to a segmenter."""

from dataclasses import dataclass
from pathlib import Path

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.encoder_file import INSTALLED
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.seen import seen_together
from hdgan.artifacts.segmenter import CURVES, SegmenterFolder
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.class_map import ClassMap
from hdgan.errors import SettingsError
from hdgan.method.segmenter.forest import ForestShape
from hdgan.pipeline import Fact, Made
from hdgan.settings.train_segmenter import (
    PIXEL_METHODS,
    UNLABELLED_METHODS,
    SegmenterSources,
    TrainSegmenterSettings,
)
from hdgan.stages.train_segmenter.crops import Crops, Labelled, Unlabelled
from hdgan.stages.train_segmenter.pixel_methods import fit_pixel_method, inner_encoder
from hdgan.stages.train_segmenter.sources import (
    ReadImage,
    Source,
    chosen,
    one_class_map,
    opened,
    parents_of,
)
from hdgan.stages.train_segmenter.training import fit_network, plan_of


def train_segmenter(
    source: Path,
    output: Path,
    settings: TrainSegmenterSettings,
    also: tuple[Path, ...] = (),
    sources: SegmenterSources | None = None,
) -> Made:
    """Train a segmenter; goes on where an interrupted run of the same command stopped.

    Args:
        source: a pair set, or annotated tiles or samples.
        output: where the segmenter goes.
        settings: how it is trained.
        also: further sources of the same classes.
        sources: unlabelled tiles, the encoder, and where the annotated tiles or samples are.

    Memory: a batch's feature maps (with a teacher, of twice as many crops), and up to 2 GB each of
    decoded labelled images and unlabelled tiles.

    Raises:
        WrongArtifactError: the sources have different classes.
        SettingsError: a choice that cannot work, or that the method has no use for.
        ImageError: an image is smaller than a crop.
        EncoderError: the encoder cannot be read.
    """
    sources = sources or SegmenterSources()
    _check(settings, sources)
    task = _Task.of((source, *also), settings, sources)
    made_once(output, task.order, task.make)
    return Made("segmenter", output, task.facts | _ending(SegmenterFolder.open(output)))


@dataclass(frozen=True)
class _Task:
    """All that is known before anything is computed."""

    settings: TrainSegmenterSettings
    class_map: ClassMap
    order: Order
    reads: list[list[ReadImage]]
    """Labelled images, by source."""

    unlabelled: Unlabelled | None
    encoder: Path | None

    @classmethod
    def of(
        cls, paths: tuple[Path, ...], settings: TrainSegmenterSettings, sources: SegmenterSources
    ) -> "_Task":
        """What is to be made of what these folders hold."""
        labelled = [opened(path, settings, sources) for path in paths]
        unlabelled = (
            None
            if sources.unlabelled is None
            else Unlabelled(TileSet.open(sources.unlabelled), settings.folds)
        )
        encoder = None
        if settings.method == "frozen-features":
            encoder = sources.encoder or Path(INSTALLED)
        return cls(
            settings,
            one_class_map(labelled),
            _order(settings, labelled, unlabelled, encoder),
            chosen(labelled, settings),
            unlabelled,
            encoder,
        )

    @property
    def facts(self) -> dict[str, Fact]:
        """What is said of it."""
        facts: dict[str, Fact] = {
            "method": self.settings.method,
            "labelled images": sum(map(len, self.reads)),
        }
        if self.unlabelled is not None:
            facts["unlabelled tiles"] = len(self.unlabelled.records)
        return facts | {"classes": ", ".join(self.class_map.names)}

    def make(self, unfinished: UnfinishedArtifact) -> None:
        """Fill the artifact."""
        device = device_named(self.settings.device)
        reads = [read for one in self.reads for read in one]
        if self.settings.method in PIXEL_METHODS:
            lines = fit_pixel_method(
                unfinished, self.settings, self.class_map, reads, self.encoder, device
            )
        else:
            plan = plan_of(self.settings, reads)
            labelled = Labelled(self.reads, plan, equal_sources=self.settings.equal_sources)
            crops = Crops(labelled, self.unlabelled, device)
            lines = fit_network(unfinished, self.settings, len(self.class_map), crops)
        unfinished.write(CURVES, "".join(f"{line}\n" for line in lines).encode())
        unfinished.write(CLASSES, class_map_bytes(self.class_map))


def _check(settings: TrainSegmenterSettings, sources: SegmenterSources) -> None:
    method = settings.method
    if settings.crop_px is not None and settings.crop_px % 8:
        raise SettingsError(
            f"--crop-px is {settings.crop_px}; it must divide by 8 and be 16 or more, because the "
            "U-Net halves its image three times."
        )
    if method in UNLABELLED_METHODS and sources.unlabelled is None:
        raise SettingsError(
            f"--method {method} learns from unlabelled tiles, too; name a tile set of them with "
            "--unlabelled."
        )
    if method not in UNLABELLED_METHODS and sources.unlabelled is not None:
        raise SettingsError(
            f"--method {method} has no use for --unlabelled. Leave it out, or choose one of "
            f"{', '.join(UNLABELLED_METHODS)}."
        )
    if method != "frozen-features" and sources.encoder is not None:
        raise SettingsError(
            f"--method {method} has no use for --encoder; only frozen-features has. Leave it out."
        )


def _order(
    settings: TrainSegmenterSettings,
    labelled: list[Source],
    unlabelled: Unlabelled | None,
    encoder: Path | None,
) -> Order:
    """What is to be made, with everything that it has seen: leaks are found by that."""
    parents = parents_of(labelled)
    seen = [seen_by(*(one.artifact for one in labelled)), *(one.seen for one in labelled)]
    if unlabelled is not None:
        tiles = unlabelled.tile_set
        parents[tiles.kind] = tiles.digest
        seen += [seen_by(tiles), tiles.seen_in(settings.folds)]
    if encoder is not None:
        parents["encoder"] = inner_encoder(encoder).digest
    return Order("segmenter", plain(settings), parents, seen_together(*seen))


def _ending(segmenter: SegmenterFolder) -> dict[str, Fact]:
    """Where training ended, of methods that take steps."""
    curves = segmenter.curves()
    if not curves:
        return {}
    what = "trees" if isinstance(segmenter.shape, ForestShape) else "steps"
    return {what: curves[-1].steps, "loss at the end": round(curves[-1].loss, 4)}
