"""Images with label maps, as pictures of a gallery, and the shares of their classes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from hdgan.class_map import UNLABELLED, ClassMap, LabelMap
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import GalleryPicture, View
from hdgan.report.artifact_page_layers import heat_layer, label_layer, outline_layer, photo
from hdgan.report.charts import share

IMAGE = View("image", ("image",))
OVER = View("labels over image", ("image", "labels"), is_faint=True)
LABELS = View("labels", ("labels",))
OUTLINES = View("outlines", ("image", "outlines"))
UNCERTAINTY = View("uncertainty", ("uncertainty",))

PRESENT = "class present (1% or more)"
"""The filter by class; a class with fewer of a picture's pixels is not called present."""

_LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Labelled:
    """A record with the pixels of its maps."""

    name: str
    labels: LabelMap
    image: UInt8[np.ndarray, "height width 3"] | None = None
    uncertainty: Float[np.ndarray, "height width"] | None = None
    """Nats."""

    notes: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Painter:
    """Makes the layers of labelled images."""

    class_map: ClassMap

    side_px: int
    """Longer side of what it makes."""

    brightest: float = 1.0
    """Uncertainty that is shown brightest, nats."""

    def picture(self, one: Labelled) -> GalleryPicture:
        """The layers that there are; filtered by the classes with 1 % or more of the pixels."""
        layers = {}
        if one.image is not None:
            layers["image"] = photo(one.image, self.side_px)
        layers["labels"] = label_layer(one.labels, self.class_map, self.side_px)
        layers["outlines"] = outline_layer(one.labels, self.class_map, self.side_px)
        if one.uncertainty is not None:
            layers["uncertainty"] = heat_layer(one.uncertainty, self.brightest, self.side_px)
        counts = np.bincount(one.labels.ravel(), minlength=256)
        values = np.flatnonzero(counts >= max(1, _LEAST_SHARE * one.labels.size))
        present = [self.class_map.names[i] for i in values if i < len(self.class_map)]
        if UNLABELLED in values:
            present.append("(unlabelled)")
        shape = (one.labels.shape[0], one.labels.shape[1])
        groups = {**one.groups, PRESENT: present}
        return GalleryPicture(one.name, layers, shape, one.notes, groups, one.numbers)


def views_of(pictures: Sequence[GalleryPicture]) -> list[View]:
    """The ways in which all of these pictures can be looked at."""
    has_images = any("image" in picture.layers for picture in pictures)
    views = [OVER, IMAGE, LABELS, OUTLINES] if has_images else [LABELS, OUTLINES]
    if any("uncertainty" in picture.layers for picture in pictures):
        views.append(UNCERTAINTY)
    return views


def class_shares(maps: Iterable[LabelMap], class_map: ClassMap) -> tuple[dict[str, Fact], float]:
    """The share of each class among the labelled pixels as facts, and the unlabelled share.

    Memory holds one label map at a time.
    """
    counts = np.zeros(256, dtype=np.int64)
    for labels in maps:
        counts += np.bincount(labels.ravel(), minlength=256)
    labelled = counts[: len(class_map)]
    total = max(1, int(labelled.sum()))
    facts: dict[str, Fact] = {
        f"class {name}": f"{share(count / total)} of the labelled pixels"
        for name, count in zip(class_map.names, labelled.tolist(), strict=True)
    }
    return facts, float(counts[UNLABELLED] / max(1, counts.sum()))


def finite(numbers: Mapping[str, float | int | None]) -> dict[str, float]:
    """Those that are numbers."""
    return {
        name: float(value)
        for name, value in numbers.items()
        if value is not None and np.isfinite(value)
    }
