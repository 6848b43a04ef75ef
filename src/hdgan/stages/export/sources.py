"""What can be exported: pairs, annotated samples, annotated tiles."""

from collections.abc import Sequence
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
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleRecord, SampleSet
from hdgan.artifacts.seen import seen_together
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.artifacts.unfinished import seen_by
from hdgan.class_map import LabelMap
from hdgan.errors import MissingArtifactError, SettingsError, WrongArtifactError
from hdgan.pipeline import Fact
from hdgan.settings.export import ExportSettings
from hdgan.stages.export.dealing import split_of_fold
from hdgan.stages.export.pairs import source_of_pairs
from hdgan.stages.export.source import Source, facts_of, fitting

Images = TypeVar("Images", SampleSet, TileSet)


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
        source = source_of_pairs(PairSet.open(folder), settings)
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


def _annotations(annotated: AnnotationSet, images: Path | None, settings: ExportSettings) -> Source:
    records = annotated.records()[: settings.limit]
    is_of_tiles = TileSet.kind in annotated.manifest.parents
    _check(annotated, settings, is_of_tiles=is_of_tiles)
    if is_of_tiles:
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


def _check(annotated: AnnotationSet, settings: ExportSettings, *, is_of_tiles: bool) -> None:
    """Refuse ways of dealing that are for other sources."""
    names = ["validation", "test"]
    if not is_of_tiles:
        names += ["validation_folds", "test_folds"]
    for name in names:
        if getattr(settings, name) is not None:
            option = f"--{name.replace('_', '-')}"
            whom = "annotated tiles" if name.endswith("_folds") else "pairs"
            what = (
                f"annotated tiles, which go by their folds. Use {option}-folds instead"
                if is_of_tiles
                else "annotated samples, which keep the splits that they have. Leave it out"
            )
            raise SettingsError(f"{option} is for {whom}, but {annotated.folder} holds {what}.")


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
    return fitting(samples.image(sample), labels, annotated.class_map, record.image)


def _read_tile(
    annotated: AnnotationSet, record: AnnotationRecord, tiles: TileSet, tile: TileRecord
) -> tuple[UInt8[np.ndarray, "height width 3"], LabelMap]:
    labels = annotated.labels(record)
    return fitting(tiles.image(tile), labels, annotated.class_map, record.image)


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
