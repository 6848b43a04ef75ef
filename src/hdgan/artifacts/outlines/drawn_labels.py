"""Label maps from outlines: what a person drew, pixel by pixel."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from hdgan.artifacts.outlines.outline import Outline, class_key
from hdgan.artifacts.outlines.scan_lines import fill_areas
from hdgan.class_map import AMBIGUOUS, UNLABELLED, ClassMap, LabelMap
from hdgan.errors import LabelError

AMBIGUOUS_NAME = "ambiguous"
"""What files call pixels at which somebody has looked and could not tell."""

UNLABELLED_NAME = "unlabelled"
"""What files may call pixels without a class."""


@dataclass(frozen=True)
class Cut:
    """How a label map lies on the image that was drawn on."""

    x: float = 0.0
    """Its left edge, px of that image."""

    y: float = 0.0
    """Its upper edge, px of that image."""

    across: float = 1.0
    """Px of that image per px of the label map, along x."""

    down: float = 1.0
    """The same along y."""


WHOLE = Cut()
"""A label map of the whole image, at its size."""


class ClassNumbers:
    """The value of each class name, however it is spelled.

    A name that is spelled exactly goes first; else neither case nor spaces around it matter, unless
    that fits two classes. `ambiguous` and `unlabelled` have values of their own, if no class is
    called so.

    Args:
        class_of: value by name; the empty name stands for outlines without class.
    """

    def __init__(self, class_of: Mapping[str, int]) -> None:
        self._exact = dict(class_of)
        keys = Counter(class_key(name) for name in class_of)
        self._loose = {AMBIGUOUS_NAME: AMBIGUOUS, UNLABELLED_NAME: UNLABELLED}
        self._loose |= {
            class_key(name): value for name, value in class_of.items() if keys[class_key(name)] == 1
        }

    def get(self, name: str) -> int | None:
        """The value of a name; None if there is none."""
        return self._exact.get(name, self._loose.get(class_key(name)))

    def unknown(self, names: Iterable[str]) -> dict[str, int]:
        """The names that have no value and how often each comes, in order."""
        return dict(Counter(name for name in names if self.get(name) is None))

    def values(self, names: Sequence[str]) -> list[int]:
        """The value of each name.

        Raises:
            LabelError: one has none.
        """
        unknown = self.unknown(names)
        if unknown:
            raise unknown_classes(unknown, list(self._exact))
        return [self._exact.get(name, self._loose.get(class_key(name), 0)) for name in names]


def class_numbers(class_map: ClassMap) -> dict[str, int]:
    """The number of each class by its name."""
    return {name: number for number, name in enumerate(class_map.names)}


def labels_of(
    outlines: Sequence[Outline],
    class_of: Mapping[str, int],
    height: int,
    width: int,
    cut: Cut = WHOLE,
    background: int = UNLABELLED,
) -> LabelMap:
    """A label map in which each pixel has the class of the last outline that its centre is in.

    Holes show what lies below. What lies outside of the label map does nothing. Memory is that of
    the label map, and of the corners of the largest outline.

    Args:
        outlines: in their order: later ones lie over earlier ones.
        class_of: value by class name, as `ClassNumbers` has it.
        height: of the label map.
        width: of the label map.
        cut: where it lies on the image that the outlines were drawn on.
        background: the value of pixels in no outline.

    Raises:
        LabelError: an outline is of a class that has no value.
    """
    values = ClassNumbers(class_of).values([outline.name for outline in outlines])
    labels: LabelMap = np.full((height, width), background, dtype=np.uint8)
    areas = [outline.area for outline in outlines]
    if cut != WHOLE:
        origin, scale = (cut.x, cut.y), (cut.across, cut.down)
        areas = list(shapely.transform(areas, lambda points: (points - origin) / scale))
    fill_areas(labels, areas, np.array(values, dtype=np.uint8))
    return labels


def unknown_classes(unknown: Mapping[str, int], known: Sequence[str]) -> LabelError:
    """The error that names classes without a value, and what to do.

    Args:
        unknown: how many outlines each has; the empty name stands for those without class.
        known: the classes that there are.
    """
    names = ", ".join(f"{name or 'no class'!r} ({count})" for name, count in unknown.items())
    there = ", ".join(repr(name) for name in known if name)
    unnamed = ", --unnamed CLASS for outlines without class" if "" in unknown else ""
    return LabelError(
        f"Outlines are of classes that are not known: {names[:400]}; the classes are "
        f"{there[:400] or 'none'}. Say what they are with --rename NAME=CLASS{unnamed}, or add "
        "them to the class map."
    )
