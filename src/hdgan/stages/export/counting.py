"""What the images of a dataset show, counted while they are read for their files."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.layouts.class_totals import ClassNotes, ClassTotals
from hdgan.artifacts.layouts.labelled_images import LabelledImage
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import LabelMap


def counted(
    images: Sequence[LabelledImage], unfinished: UnfinishedArtifact
) -> tuple[list[LabelledImage], Callable[[], ClassTotals]]:
    """The same images, counted as they are read, and what gives the counts of all of them.

    Images that an interrupted run has read are not read again for it.
    """
    # In a folder of its own, which goes if another command takes over what was begun.
    notes = ClassNotes(unfinished.scratch / "classes" / "counts.jsonl")
    noted = [replace(image, read=partial(_read, image, notes)) for image in images]

    def totals() -> ClassTotals:
        for image in noted:
            if not notes.has(image.name):
                image.read()
        return notes.totals()

    return noted, totals


def _read(
    image: LabelledImage, notes: ClassNotes
) -> tuple[UInt8[np.ndarray, "height width 3"], LabelMap]:
    pixels, labels = image.read()
    notes.note(image.name, labels)
    return pixels, labels
