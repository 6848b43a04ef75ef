"""What an export takes from an artifact: its labelled images, and what is known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.layouts.labelled_images import LabelledImage
from hdgan.artifacts.seen import Seen
from hdgan.class_map import ClassMap, LabelMap
from hdgan.errors import LabelError
from hdgan.pipeline import Fact


@dataclass(frozen=True)
class Source:
    """Labelled images of one artifact. Grows with their number, not with their pixels."""

    artifact: Artifact
    """Where the label maps are."""

    parents: dict[str, str]
    """What the dataset is made from: digest by kind."""

    seen: Seen
    """Real tiles that are in it, and everything that what drew it has learned from."""

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

    largest_uncertainty_nats: float | None = None
    """What 255 stands for in the images' uncertainty maps; None if they have none."""


def fitting(
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
