"""What the page is told, as plain data."""

import numpy as np

from hdgan.artifacts.annotation_history import ReadingHead
from hdgan.class_map import AMBIGUOUS, UNLABELLED, ClassMap

Record = dict[str, object]
"""As JSON has it."""


def num_labelled(head: ReadingHead) -> int:
    """Pixels that have a class."""
    return int(head.counts[:AMBIGUOUS].sum())


def reading_record(
    reading: int, head: ReadingHead | None, seconds: float, class_map: ClassMap
) -> Record:
    """What the page is told of a reading."""
    if head is None:
        nothing = np.zeros(256, dtype=np.int64)
        nothing[UNLABELLED] = 1
        head = ReadingHead(0, nothing, ())
    parts = head.counts / head.counts.sum()
    return {
        "reading": reading,
        "revision": head.revision,
        "labelled": float(parts[:AMBIGUOUS].sum()),
        "ambiguous": float(parts[AMBIGUOUS]),
        "areas": [float(part) for part in parts[: len(class_map)]],
        "authors": list(head.authors),
        "minutes": seconds / 60,
    }
