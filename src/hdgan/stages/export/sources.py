"""What can be exported: pairs, annotated samples, annotated tiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.layouts.file_names import safe_names
from hdgan.artifacts.layouts.labelled_images import LabelledImage
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.pair_set import CARD, PairRecord, PairSet
from hdgan.artifacts.sample_set import SampleRecord, SampleSet
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.artifacts.unfinished import seen_by, seen_together
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap
from hdgan.errors import LabelError, MissingArtifactError, SettingsError, WrongArtifactError
from hdgan.pipeline import Fact
from hdgan.settings.export import ExportSettings
from hdgan.stages.export.dealing import split_of_fold, split_of_seed

Images = TypeVar("Images", SampleSet, TileSet)


@dataclass(frozen=True)
class Source:
    """Labelled images of one artifact. Grows with their number, not with their pixels."""

    artifact: Artifact
    """Where the label maps are."""

    parents: dict[str, str]
    """What the dataset is made from: digest by kind."""

    seen: dict[str, list[int]]
    """Folds that are in it or that what drew it has learned from, by digest of the tile set."""

    class_map: ClassMap
    """The classes, in order."""

    images: list[LabelledImage]
    """In the order of the source."""

    title: str
    """Of a dataset that is given none."""

    card: str
    """What the source says of itself, Markdown."""

    licence: str | None
    """Under which the source may be used, if it says so."""


def source_at(folder: Path, images: Path | None, settings: ExportSettings) -> Source:
    """What is to be exported of an artifact.

    Args:
        folder: a pair set or an annotation set.
        images: of an annotation set: the samples or tiles that were annotated, if they are not
            beside it.
        settings: which images, and what they are for.

    Raises:
        WrongArtifactError: it is of another kind, or `images` is not what was annotated.
        MissingArtifactError: the images are not beside the annotations.
        SettingsError: a choice is for another kind of source, or no image is there.
    """
    kind = Artifact.open(folder).manifest.kind
    if kind == PairSet.kind:
        if images is not None:
            raise SettingsError(
                f"--images is for annotations, but {folder} is a pair-set, which has its own "
                "images. Leave it out."
            )
        source = _pairs(PairSet.open(folder), settings)
    elif kind == AnnotationSet.kind:
        if settings.unsure_above is not None:
            raise SettingsError(
                f"--unsure-above is for pairs, but {folder} was annotated by people and has no "
                "uncertainty. Leave it out."
            )
        source = _annotations(AnnotationSet.open(folder), images, settings)
    else:
        raise WrongArtifactError(
            f"{folder} is of kind {kind}; only a pair-set or an annotation-set can be exported."
        )
    if not source.images:
        raise SettingsError(f"{folder} has no labelled image, so there is nothing to export.")
    return source


def _pairs(pairs: PairSet, settings: ExportSettings) -> Source:
    records = pairs.records()[: settings.limit]
    several = int(pairs.about.get("noise_draws") or 1) > 1
    facts = facts_of([_facts_of_pair(record, with_noise=several) for record in records])
    names = safe_names(record.pair for record in records)
    return Source(
        artifact=pairs,
        parents=pairs.parents,
        seen=seen_by(pairs),
        class_map=pairs.class_map,
        images=[
            LabelledImage(
                name,
                split_of_seed(record.seed, settings),
                partial(_read_pair, pairs, record, settings.unsure_above),
                about,
            )
            for name, record, about in zip(names, records, facts, strict=True)
        ],
        title="Synthetic histology",
        card=pairs.read(CARD).decode(),
        licence=pairs.about.get("licence"),
    )


def _facts_of_pair(record: PairRecord, *, with_noise: bool) -> dict[str, Fact | None]:
    return {
        "seed": record.seed,
        "noise": record.noise if with_noise else None,
        "uncertainty": record.uncertainty,
        "stain": record.stain,
    }


def _read_pair(
    pairs: PairSet, record: PairRecord, unsure_above: float | None
) -> tuple[UInt8[np.ndarray, "side side 3"], LabelMap]:
    labels = pairs.labels(record)
    if unsure_above is not None:
        is_unsure = pairs.uncertainty(record) > unsure_above
        labels = np.where(is_unsure, np.uint8(UNLABELLED), labels)
    return _checked(pairs.image(record), labels, pairs.class_map, record.pair)


def _annotations(annotated: AnnotationSet, images: Path | None, settings: ExportSettings) -> Source:
    records = annotated.records()[: settings.limit]
    if TileSet.kind in annotated.manifest.parents:
        return _annotated_tiles(
            annotated, records, _images_of(annotated, TileSet, images), settings
        )
    samples = _images_of(annotated, SampleSet, images)
    by_name = {record.sample: record for record in samples.records()}
    facts = facts_of([_facts_of_sample(by_name[record.image]) for record in records])
    names = safe_names(record.image for record in records)
    return Source(
        artifact=annotated,
        parents=annotated.parents | samples.parents,
        seen=seen_by(annotated, samples),
        class_map=annotated.class_map,
        images=[
            LabelledImage(
                name,
                record.split or "training",
                partial(_read_sample, annotated, record, samples, by_name[record.image]),
                about,
            )
            for name, record, about in zip(names, records, facts, strict=True)
        ],
        title="Annotated drawings of histology",
        card=_card(records, "drawings of a generator"),
        licence=None,
    )


def _annotated_tiles(
    annotated: AnnotationSet,
    records: Sequence[AnnotationRecord],
    tiles: TileSet,
    settings: ExportSettings,
) -> Source:
    by_name = {record.tile: record for record in tiles.records()}
    chosen = [by_name[record.image] for record in records]
    names = safe_names(record.image for record in records)
    facts = facts_of([_facts_of_tile(tile) for tile in chosen])
    folds = tuple(sorted({tile.fold for tile in chosen}))
    return Source(
        artifact=annotated,
        parents=annotated.parents | tiles.parents,
        seen=seen_together(seen_by(annotated, tiles), tiles.seen_in(folds)),
        class_map=annotated.class_map,
        images=[
            LabelledImage(
                name,
                split_of_fold(tile.fold, settings),
                partial(_read_tile, annotated, record, tiles, tile),
                about,
            )
            for name, record, tile, about in zip(names, records, chosen, facts, strict=True)
        ],
        title="Annotated histology",
        card=_card(records, "tiles of real tissue"),
        licence=None,
    )


def _facts_of_sample(sample: SampleRecord) -> dict[str, Fact | None]:
    return {"source": sample.sample, "seed": sample.seed, "stain": sample.stain}


def _facts_of_tile(tile: TileRecord) -> dict[str, Fact | None]:
    return {
        "source": tile.tile,
        "slide": tile.slide,
        "patient": tile.patient,
        "stain": tile.stain,
        "centre": tile.centre,
        "spacing_um": tile.spacing_um,
        "fold": tile.fold,
    }


def _read_sample(
    annotated: AnnotationSet, record: AnnotationRecord, samples: SampleSet, sample: SampleRecord
) -> tuple[UInt8[np.ndarray, "height width 3"], LabelMap]:
    labels = annotated.labels(record)
    return _checked(samples.image(sample), labels, annotated.class_map, record.image)


def _read_tile(
    annotated: AnnotationSet, record: AnnotationRecord, tiles: TileSet, tile: TileRecord
) -> tuple[UInt8[np.ndarray, "height width 3"], LabelMap]:
    labels = annotated.labels(record)
    return _checked(tiles.image(tile), labels, annotated.class_map, record.image)


def _checked(
    image: UInt8[np.ndarray, "height width 3"], labels: LabelMap, class_map: ClassMap, name: str
) -> tuple[UInt8[np.ndarray, "height width 3"], LabelMap]:
    """The two, if they fit.

    Raises:
        LabelError: sizes differ, or a pixel is of no class.
    """
    if image.shape[:2] != labels.shape:
        raise LabelError(
            f"The label map of {name} is {labels.shape[1]} x {labels.shape[0]} pixels, but its "
            f"image is {image.shape[1]} x {image.shape[0]}. Make the source again."
        )
    class_map.check(labels, f"The label map of {name}")
    return image, labels


def _images_of(annotated: AnnotationSet, kind: type[Images], given: Path | None) -> Images:
    try:
        return parent_of(annotated, kind, given)
    except MissingArtifactError as error:
        if given is not None:
            raise
        raise MissingArtifactError(
            f"{annotated.folder} has label maps, and the {kind.kind} with their images is not in a "
            "folder beside it. Say where it is with --images."
        ) from error


def _card(records: Sequence[AnnotationRecord], what: str) -> str:
    """What annotations say of themselves."""
    people = sorted({record.annotators for record in records if record.annotators})
    minutes = sum(record.minutes or 0.0 for record in records)
    return "\n".join(
        [
            f"{len(records)} {what}, annotated by people.",
            "",
            f"- Annotators: {', '.join(people) or 'not known'}",
            f"- Time: {f'{minutes:.0f} minutes' if minutes else 'not known'}",
            "",
        ]
    )


def facts_of(rows: Sequence[Mapping[str, Fact | None]]) -> list[dict[str, Fact]]:
    """The same without unknown values: each column has one type, and is there for all rows or none.

    A column that is known of no row goes. In one that is known of some, all values become text,
    and what is unknown the empty text.
    """
    known = [
        name for name in (rows[0] if rows else {}) if any(row[name] is not None for row in rows)
    ]
    partly = {name for name in known if any(row[name] is None for row in rows)}
    return [{name: _fact(row[name], as_text=name in partly) for name in known} for row in rows]


def _fact(value: Fact | None, *, as_text: bool) -> Fact:
    if value is None:
        return ""
    return str(value) if as_text else value
