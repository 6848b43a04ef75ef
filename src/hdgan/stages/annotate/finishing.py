"""From a history of strokes to an annotation set."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

import numpy as np

from hdgan.artifacts.annotation_history import AnnotationHistory, ReadingHead
from hdgan.artifacts.annotation_set import (
    ANNOTATIONS,
    CLASSES,
    HISTORY,
    AnnotationRecord,
    class_map_bytes,
)
from hdgan.artifacts.images import png_of
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact, seen_together
from hdgan.class_map import AMBIGUOUS, UNLABELLED, LabelMap
from hdgan.pipeline import Fact
from hdgan.settings.annotate import AnnotateSettings
from hdgan.web.dealing import SPLITS
from hdgan.web.desk import Desk

CLASSIFIER = "classifier"
"""The fact of a history that names the last classifier that helped: its digest."""

SEEN = "seen"
"""The fact that says what all classifiers that helped had learned from."""


def write_annotation_set(
    unfinished: UnfinishedArtifact, desk: Desk, settings: AnnotateSettings
) -> dict[str, Fact]:
    """Make the folder a whole annotation set; what is in it comes back.

    Memory: one tile's readings at a time.
    """
    shutil.rmtree(unfinished.folder / "labels", ignore_errors=True)  # of a try that failed
    splits, heads = desk.splits(), desk.history.heads()
    seconds = desk.history.seconds()
    rows = []
    for tile, split in splits.items():
        readings = sorted(reading for name, reading in heads if name == tile)
        labels = _written(desk.history, tile, readings if settings.reading == "agreed" else [1])
        head = heads[tile, 1]
        row = AnnotationRecord(
            image=tile,
            split=split if desk.goal else None,
            annotators=" + ".join(sorted({a for r in readings for a in heads[tile, r].authors})),
            minutes=round(sum(seconds.get((tile, r), 0.0) for r in readings) / 60, 2),
            revision=head.revision,
            ambiguous=round(_part(head, AMBIGUOUS), 6),
        )
        unfinished.write(row.labels, png_of(labels))
        rows.append(row)
    unfinished.write(CLASSES, class_map_bytes(desk.class_map))
    unfinished.write(ANNOTATIONS, table_bytes(rows, AnnotationRecord))
    copy = unfinished.scratch / "copy.sqlite3"
    copy.unlink(missing_ok=True)
    desk.history.copy_to(copy)
    unfinished.write(HISTORY, copy.read_bytes())
    copy.unlink()
    _with_helpers(unfinished, desk.history.facts()).finish()
    return facts_of(rows)


def facts_of(rows: list[AnnotationRecord]) -> dict[str, Fact]:
    """What is in an annotation set, for people."""
    facts: dict[str, Fact] = {"label maps": len(rows)}
    splits = [row.split for row in rows if row.split]
    if splits:
        facts["for " + " / ".join(SPLITS)] = " / ".join(str(splits.count(s)) for s in SPLITS)
    minutes = sum(row.minutes or 0.0 for row in rows)
    facts["minutes of annotation"] = round(minutes, 1)
    return facts


def _written(history: AnnotationHistory, tile: str, readings: list[int]) -> LabelMap:
    """The label map that is written: that of one reading, or what all of them agree on."""
    maps = (history.labels(tile, reading) for reading in readings)
    agreed = reduce(lambda one, other: np.where(one == other, one, UNLABELLED), maps)
    return np.where(agreed == AMBIGUOUS, UNLABELLED, agreed).astype(np.uint8)


def _part(head: ReadingHead, value: int) -> float:
    return float(head.counts[value] / head.counts.sum())


def _with_helpers(unfinished: UnfinishedArtifact, facts: Mapping[str, str]) -> UnfinishedArtifact:
    """The same folder, whose manifest names the classifiers that helped."""
    order = unfinished.order
    if CLASSIFIER in facts:
        seen = seen_together(order.seen, json.loads(facts[SEEN]))
        parents = order.parents | {CLASSIFIER: facts[CLASSIFIER]}
        order = replace(order, parents=parents, seen=seen)
    return UnfinishedArtifact(unfinished.folder, order)
