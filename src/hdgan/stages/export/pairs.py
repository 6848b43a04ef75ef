"""Pairs of a pair set, on their way into a dataset."""

from functools import partial

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.layouts.class_totals import counts_of_values, percent
from hdgan.artifacts.layouts.file_names import safe_names
from hdgan.artifacts.layouts.labelled_images import LabelledImage
from hdgan.artifacts.pair_set import CARD, PairRecord, PairSet
from hdgan.artifacts.unfinished import seen_by
from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.errors import SettingsError
from hdgan.pipeline import Fact
from hdgan.settings.export import ExportSettings
from hdgan.stages.export.dealing import split_of_seed
from hdgan.stages.export.source import Source, facts_of, fitting

NUM_TRIED = 32
"""Pairs whose uncertainty maps are looked at before the work begins."""

WISHED = 0.01
"""A part of the pixels that is worth leaving out: for it a threshold is proposed."""


def source_of_pairs(pairs: PairSet, settings: ExportSettings) -> Source:
    """The kept pairs, as far as they are wanted.

    Raises:
        SettingsError: a choice is for annotated tiles, or no pixel can be as unsure as asked for.
    """
    _check(pairs, settings)
    records = pairs.records()[: settings.limit]
    several = int(pairs.about.get("noise_draws") or 1) > 1
    facts = facts_of([_facts_of_pair(record, with_noise=several) for record in records])
    names = safe_names(record.pair for record in records)
    # A single classifier is never unsure: its maps are black.
    largest = float(pairs.about["largest_uncertainty_nats"]) or None
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
                partial(grey_uncertainty, pairs, record) if largest else None,
            )
            for name, record, about in zip(names, records, facts, strict=True)
        ],
        title="Synthetic histology",
        card=pairs.read(CARD).decode(),
        licence=pairs.about.get("licence"),
        largest_uncertainty_nats=largest,
    )


def grey_uncertainty(pairs: PairSet, record: PairRecord) -> UInt8[np.ndarray, "side side"]:
    """A pair's uncertainty map as its file has it: 255 is the largest uncertainty of the set."""
    largest = float(pairs.about["largest_uncertainty_nats"])
    steps = pairs.uncertainty(record)
    # In place: such an array takes eight bytes a pixel.
    steps *= 255 / largest
    return np.rint(steps, out=steps).astype(np.uint8)


def doubt_about(source: Source, threshold_nats: float) -> str | None:
    """A warning if no pixel of a few pairs is above the threshold, with one that leaves some out.

    Args:
        source: pairs that have uncertainty maps.
        threshold_nats: pixels above it are to be unlabelled.
    """
    largest = source.largest_uncertainty_nats
    maps = [one.uncertainty for one in source.images[:: -(-len(source.images) // NUM_TRIED)]]
    counts = np.zeros(256, dtype=np.int64)
    for grey_of_pair in maps:
        if grey_of_pair is not None:
            counts += counts_of_values(grey_of_pair())
    nats = np.arange(256) * ((largest or 0.0) / 255)
    if counts[nats > threshold_nats].any():
        return None
    parts = np.cumsum(counts[::-1])[::-1] / counts.sum()
    grey = max(1, int(np.flatnonzero(parts >= WISHED)[-1]))
    return (
        f"warning: no pixel of {len(maps)} pairs that were looked at has an uncertainty above "
        f"{threshold_nats:g} nats, so --unsure-above {threshold_nats:g} will change little or "
        f"nothing. Above {(nats[grey] + nats[grey - 1]) / 2:.3g} nats are "
        f"{percent(float(parts[grey]))} of their pixels."
    )


def _check(pairs: PairSet, settings: ExportSettings) -> None:
    """Refuse what is for annotated tiles, and a threshold that no pixel can exceed."""
    for name, value in (
        ("--validation-folds", settings.validation_folds),
        ("--test-folds", settings.test_folds),
    ):
        if value is not None:
            raise SettingsError(
                f"{name} is for annotated tiles, but {pairs.folder} is a pair-set, whose pairs are "
                f"dealt by their seeds. Use {name.removesuffix('-folds')} instead."
            )
    largest = float(pairs.about["largest_uncertainty_nats"])
    if settings.unsure_above is not None and settings.unsure_above >= largest:
        reason = (
            f"the largest uncertainty that a pixel of it can have is {largest:.4f} nats. Lower it"
            if largest
            else "its uncertainty maps are empty, as those of a single classifier are. Leave it out"
        )
        raise SettingsError(
            f"--unsure-above {settings.unsure_above:g} would change nothing of {pairs.folder}: "
            f"{reason}."
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
    return fitting(pairs.image(record), labels, pairs.class_map, record.pair)
