"""Labelled images on their way into a layout that other programs read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import Split
from hdgan.artifacts.layouts.class_totals import ClassTotals
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import ClassMap, LabelMap
from hdgan.pipeline import Fact

Read = Callable[[], tuple[UInt8[np.ndarray, "height width 3"], LabelMap]]
"""Gives an image, RGB, with the class of each pixel, 255 = unlabelled."""


SHORT_SPLITS: dict[Split, str] = {"training": "train", "validation": "validation", "test": "test"}
"""The splits as readers on the Hugging Face hub and elsewhere call them."""


@dataclass(frozen=True)
class LabelledImage:
    """One image and what is known of it; its pixels are read when they are asked for."""

    name: str
    """Unique in the dataset, and fit for a file name."""

    split: Split
    """What it is for."""

    read: Read
    """Reads it; nothing is kept."""

    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What the dataset's table says of it: seed, uncertainty, stain. All images have the same."""

    uncertainty: Callable[[], UInt8[np.ndarray, "height width"]] | None = None
    """Reads how unsure each of its pixels is, grey; all images of a dataset have it, or none."""


@dataclass(frozen=True)
class LabelledImages:
    """A dataset before it has a layout."""

    class_map: ClassMap
    """The classes, in order."""

    images: Sequence[LabelledImage]
    """In the order of writing."""

    title: str
    """Of the dataset."""

    card: str
    """What it is, for people: Markdown."""

    licence: str | None = None
    """Under which it may be used, as its maker says it."""

    largest_uncertainty_nats: float | None = None
    """What 255 stands for in uncertainty maps."""

    totals: Callable[[], ClassTotals] | None = None
    """Gives the pixels of each class when all images are written; None if nobody counts them."""

    def of(self, split: Split) -> list[LabelledImage]:
        """Those of one split."""
        return [image for image in self.images if image.split == split]


@runtime_checkable
class Layout(Protocol):
    """A way to lay a dataset out in files."""

    def write(
        self, dataset: LabelledImages, unfinished: UnfinishedArtifact, written: Callable[[], None]
    ) -> None:
        """Fill the folder; files that an interrupted run has written are not written again.

        Args:
            dataset: what is written.
            unfinished: the folder.
            written: is called once for each image.

        Raises:
            StorageError: the disk is full or read-only.
            SettingsError: the layout cannot hold this dataset, or needs a package.
        """
        ...
