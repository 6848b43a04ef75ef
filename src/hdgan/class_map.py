"""Tissue classes, their order and colours, and what a label map is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from hdgan.errors import ClassMapError, LabelError

UNLABELLED = 255
"""The value of a pixel that nobody has labelled; it takes part in nothing."""

AMBIGUOUS = 254
"""On the annotation page, the value of a pixel of which a person could not tell the class. Outside
of its history such pixels are unlabelled."""

LabelMap = UInt8[np.ndarray, "height width"]
"""The class of each pixel as its position in the class map, or `UNLABELLED`."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class TissueClass:
    """A kind of tissue and the colour it is shown in."""

    name: str
    """As people read it."""

    colour: str
    """`#rrggbb`."""

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as numbers from 0 to 255."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return red, green, blue


@dataclass(frozen=True)
class ClassMap:
    """Tissue classes in order: a class's number is its position."""

    classes: tuple[TissueClass, ...]
    """From class 0 on."""

    def __post_init__(self) -> None:
        """Refuse maps in which a pixel would be ambiguous.

        Raises:
            ClassMapError: no class, too many, or one name or colour twice.
        """
        names = self.names
        if not 1 <= len(names) <= UNLABELLED:
            raise ClassMapError(
                f"A class map of {len(names)} classes cannot be used: it needs 1 to {UNLABELLED}."
            )
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ClassMapError(
                f"The class map names {sorted(twice)[0]!r} twice; give each class its own name."
            )
        colours = [tissue.colour.lower() for tissue in self.classes]
        for i, colour in enumerate(colours):
            if colour in colours[:i]:
                raise ClassMapError(
                    f"Classes {names[colours.index(colour)]!r} and {names[i]!r} have the same "
                    f"colour {colour}; give each its own."
                )
        for tissue in self.classes:
            if not _COLOUR.fullmatch(tissue.colour):
                raise ClassMapError(
                    f"The colour {tissue.colour!r} of class {tissue.name!r} is not of the form "
                    "#rrggbb."
                )

    def __len__(self) -> int:
        """How many classes there are."""
        return len(self.classes)

    @property
    def names(self) -> list[str]:
        """The names, in order."""
        return [tissue.name for tissue in self.classes]

    @property
    def palette(self) -> UInt8[np.ndarray, "classes 3"]:
        """The colours, in order."""
        return np.array([tissue.rgb for tissue in self.classes], dtype=np.uint8)

    @classmethod
    def from_records(cls, records: Sequence[dict[str, str]]) -> "ClassMap":
        """The class map that `to_records` wrote."""
        return cls(tuple(TissueClass(record["name"], record["colour"]) for record in records))

    def to_records(self) -> list[dict[str, str]]:
        """Name and colour of each class, in order, as plain data."""
        return [{"name": tissue.name, "colour": tissue.colour} for tissue in self.classes]

    def check(self, labels: LabelMap, name: str) -> None:
        """Do nothing if every pixel is a class of this map or unlabelled.

        Args:
            labels: the label map.
            name: what the error calls it.

        Raises:
            LabelError: a pixel is of a class that this map does not have.
        """
        counts = np.zeros(256, dtype=np.int64)
        for rows in np.array_split(labels, max(1, labels.size // 2**22)):
            counts += np.bincount(rows.ravel(), minlength=256)
        strange = [int(i) for i in np.flatnonzero(counts[:UNLABELLED]) if i >= len(self)]
        if strange:
            raise LabelError(
                f"{name} has {counts[strange[0]]} pixels of class {strange[0]}, but the class map "
                f"ends at {len(self) - 1} ({self.names[-1]!r}). Add the class to the class map, or "
                f"write {UNLABELLED} where a pixel is unlabelled."
            )


def painted(labels: LabelMap, class_map: ClassMap) -> UInt8[np.ndarray, "height width 3"]:
    """The label map in the colours of its classes; unlabelled pixels are black."""
    table = np.zeros((256, 3), dtype=np.uint8)
    table[: len(class_map)] = class_map.palette
    return table[labels]


KIDNEY = ClassMap(
    (
        TissueClass("whitespace", "#f0e442"),
        TissueClass("cortical tubulointerstitium", "#56b4e9"),
        TissueClass("glomerulus", "#009e73"),
        TissueClass("arteriole", "#e69f00"),
        TissueClass("artery", "#d55e00"),
    )
)
"""The five classes of the paper; colour-blind readers can tell the colours apart (Okabe, Ito)."""
