"""Labelled images, of one artifact or of several with the same classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.artifacts.sample_set import SampleRecord, SampleSet
from hdgan.artifacts.seen import Seen, drawings_of
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.class_map import ClassMap
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.settings.train_segmenter import SegmenterSources, TrainSegmenterSettings

LabelledImage = UInt8[np.ndarray, "height width 4"]
"""RGB, and the label map as fourth channel."""


@dataclass(frozen=True)
class ReadImage:
    """A labelled image that is read when it is called, and not kept."""

    place: str
    """What a user finds it by."""

    size: Callable[[], tuple[int, int]]
    """Its height and width, px; asked of a table, or of the first drawing of several."""

    read: Callable[[], LabelledImage]
    """Gives it."""

    def __call__(self) -> LabelledImage:
        """The image with its labels."""
        return self.read()


@dataclass(frozen=True)
class Source:
    """Labelled images of one artifact."""

    artifact: Artifact
    class_map: ClassMap
    seen: Seen
    """What the images are: tiles of some folds, or drawings."""

    reads: list[ReadImage]
    """Each gives one image; nothing is kept."""


def opened(path: Path, settings: TrainSegmenterSettings, sources: SegmenterSources) -> Source:
    """What a segmenter can learn from this artifact.

    Args:
        path: a pair set, or annotated tiles or samples.
        settings: says which folds of annotated tiles.
        sources: where the tile set or the sample set is, if it is not beside its annotations.

    Raises:
        WrongArtifactError: it is of another kind.
        SettingsError: no tile of these folds is annotated.
    """
    kind = Artifact.open(path).manifest.kind
    if kind == PairSet.kind:
        return _from_pairs(PairSet.open(path))
    if kind != AnnotationSet.kind:
        raise WrongArtifactError(
            f"{path} is of kind {kind}; a segmenter learns from a pair-set or an annotation-set."
        )
    annotated = AnnotationSet.open(path)
    if TileSet.kind in annotated.manifest.parents:
        return _from_tiles(annotated, parent_of(annotated, TileSet, sources.tiles), settings)
    return _from_samples(annotated, parent_of(annotated, SampleSet, sources.samples))


def one_class_map(sources: Sequence[Source]) -> ClassMap:
    """The classes that all sources have.

    Raises:
        WrongArtifactError: they have different ones.
    """
    for one in sources[1:]:
        if one.class_map.names != sources[0].class_map.names:
            raise WrongArtifactError(
                f"{one.artifact.folder} has the classes {', '.join(one.class_map.names)}, but "
                f"{sources[0].artifact.folder} has {', '.join(sources[0].class_map.names)}. "
                "Sources that are mixed need the same class map."
            )
    return sources[0].class_map


def parents_of(sources: Sequence[Source]) -> dict[str, str]:
    """Digests by kind; a second source of a kind is numbered."""
    parents: dict[str, str] = {}
    for one in sources:
        kind = one.artifact.manifest.kind
        count = sum(1 for name in parents if name.split(" ")[0] == kind)
        parents[kind if count == 0 else f"{kind} {count + 1}"] = one.artifact.digest
    return parents


def chosen(sources: Sequence[Source], settings: TrainSegmenterSettings) -> list[list[ReadImage]]:
    """The images to learn from, by source: so many of the first as are wanted, and all others.

    Raises:
        SettingsError: more are wanted than there are.
    """
    reads = sources[0].reads
    others = [one.reads for one in sources[1:]]
    wanted = settings.num_images
    if wanted is None:
        return [reads, *others]
    if wanted > len(reads):
        raise SettingsError(
            f"--num-images is {wanted}, but {sources[0].artifact.folder} has {len(reads)} labelled "
            "images to learn from. Ask for fewer, or leave the option out for all."
        )
    random = np.random.default_rng([settings.seed if settings.draw is None else settings.draw, 5])
    places = sorted(random.choice(len(reads), size=wanted, replace=False))
    return [[reads[i] for i in places], *others]


def _from_pairs(pairs: PairSet) -> Source:
    def read(record: PairRecord) -> LabelledImage:
        return _with_labels(pairs.image(record), pairs.labels(record))

    records = pairs.records()
    size = _size_of_all(lambda: pairs.image(records[0]))
    reads = [
        ReadImage(str(pairs.folder / record.image), size, partial(read, record))
        for record in records
    ]
    return Source(pairs, pairs.class_map, _drawings(pairs, records), reads)


def _from_tiles(
    annotated: AnnotationSet, tiles: TileSet, settings: TrainSegmenterSettings
) -> Source:
    tile_of = {record.tile: record for record in tiles.records(settings.folds)}
    records = [record for record in annotated.records() if record.image in tile_of]
    if not records:
        raise SettingsError(
            f"{annotated.folder} has no annotated tile in folds {list(settings.folds)}."
        )

    def read(record: AnnotationRecord) -> LabelledImage:
        return _with_labels(tiles.image(tile_of[record.image]), annotated.labels(record))

    def size(tile: TileRecord) -> tuple[int, int]:
        return tile.height, tile.width

    reads = [
        ReadImage(str(tiles.folder / tile.image), partial(size, tile), partial(read, record))
        for record in records
        for tile in (tile_of[record.image],)
    ]
    return Source(annotated, annotated.class_map, tiles.seen_in(settings.folds), reads)


def _from_samples(annotated: AnnotationSet, samples: SampleSet) -> Source:
    by_name = {record.sample: record for record in samples.records()}

    def read(record: AnnotationRecord) -> LabelledImage:
        return _with_labels(samples.image(by_name[record.image]), annotated.labels(record))

    records = annotated.records("training")
    size = _size_of_all(lambda: samples.image(by_name[records[0].image]))
    reads = [
        ReadImage(str(samples.folder / by_name[record.image].image), size, partial(read, record))
        for record in records
    ]
    seen = _drawings(samples, [by_name[record.image] for record in records])
    return Source(annotated, annotated.class_map, seen, reads)


def _drawings(
    drawn: PairSet | SampleSet, records: Sequence[PairRecord] | Sequence[SampleRecord]
) -> Seen:
    """What is learned from if these are; nothing if nobody says which generator drew them."""
    generator = drawn.manifest.parents.get(GeneratorFolder.kind)
    return Seen() if generator is None else drawings_of(generator, [row.seed for row in records])


def _size_of_all(
    first: Callable[[], UInt8[np.ndarray, "height width 3"]],
) -> Callable[[], tuple[int, int]]:
    """The size of drawings of one generator, which are all as large as the first; read once."""

    @cache
    def size() -> tuple[int, int]:
        height, width, _ = first().shape
        return height, width

    return size


def _with_labels(
    image: UInt8[np.ndarray, "height width 3"], labels: UInt8[np.ndarray, "height width"]
) -> LabelledImage:
    return np.concatenate([image, labels[..., None]], axis=2)
