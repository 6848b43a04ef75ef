"""From a history of strokes to an annotation set."""

import shutil
from functools import reduce

import numpy as np

from hdgan.artifacts.annotation_history import AnnotationHistory, ReadingHead
from hdgan.artifacts.annotation_set import (
    ANNOTATIONS,
    CLASSES,
    HISTORY,
    SPLITS,
    AnnotationRecord,
    class_map_bytes,
)
from hdgan.artifacts.images import png_of
from hdgan.artifacts.label_images import without_mark
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.writing import renamed_when_whole
from hdgan.class_map import AMBIGUOUS, UNLABELLED, LabelMap
from hdgan.errors import LabelError
from hdgan.pipeline import Fact
from hdgan.settings.annotate import AnnotateSettings
from hdgan.stages.annotate.beginning import with_lineage
from hdgan.web.desk import Desk
from hdgan.web.records import num_labelled


def write_annotation_set(
    unfinished: UnfinishedArtifact, desk: Desk, settings: AnnotateSettings
) -> dict[str, Fact]:
    """Make the folder a whole annotation set; what is in it comes back.

    Memory: one tile's readings at a time.

    Raises:
        LabelError: the readings agree on nothing.
    """
    shutil.rmtree(unfinished.folder / "labels", ignore_errors=True)  # of a try that failed
    splits, heads = desk.splits(), desk.history.heads()
    seconds = desk.history.seconds()
    rows = []
    for tile, split in splits.items():
        readings = sorted(
            reading
            for (name, reading), head in heads.items()
            if name == tile and num_labelled(head)
        )
        labels = without_mark(
            _agreed(desk.history, tile, readings if settings.reading == "agreed" else [1]),
            desk.class_map,
        )
        if (labels == UNLABELLED).all():
            continue
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
    if not rows:
        raise LabelError("No pixel is left on which the readings agree. Write the first readings.")
    unfinished.write(CLASSES, class_map_bytes(desk.class_map))
    unfinished.write(ANNOTATIONS, table_bytes(rows, AnnotationRecord))
    with renamed_when_whole(unfinished.folder / HISTORY) as copy:
        desk.history.copy_to(copy)
    order = with_lineage(unfinished.order, desk.history.facts())
    UnfinishedArtifact(unfinished.folder, order).finish()
    left_out = {"tiles left out, nothing agreed": len(splits) - len(rows)}
    return facts_of(rows) | (left_out if len(splits) > len(rows) else {})


def facts_of(rows: list[AnnotationRecord]) -> dict[str, Fact]:
    """What is in an annotation set, for people."""
    facts: dict[str, Fact] = {"label maps": len(rows)}
    splits = [row.split for row in rows if row.split]
    if splits:
        facts["for " + " / ".join(SPLITS)] = " / ".join(str(splits.count(s)) for s in SPLITS)
    minutes = sum(row.minutes or 0.0 for row in rows)
    facts["minutes of annotation"] = round(minutes, 1)
    return facts


def _agreed(history: AnnotationHistory, tile: str, readings: list[int]) -> LabelMap:
    """The label map of a reading, or what several agree on."""
    maps = (history.labels(tile, reading) for reading in readings)
    return reduce(lambda one, other: np.where(one == other, one, np.uint8(UNLABELLED)), maps)


def _part(head: ReadingHead, value: int) -> float:
    return float(head.counts[value] / head.counts.sum())
