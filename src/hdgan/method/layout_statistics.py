"""What label maps are made of: areas, components, and which classes border on which.

A component is what connects over sides. Unlabelled pixels take part in nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int, Int32, Int64, UInt8
from scipy import ndimage

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.method.label_quality import SPECKLE_PX

BINS_A_DOUBLING = 8
"""Component sizes are counted in classes of size, so many from one size to its double."""

NUM_BINS = 32 * BINS_A_DOUBLING
"""Enough for a component of a map of 65,535 x 65,535 pixels."""

MEGAPIXEL = 1_000_000


@dataclass(frozen=True)
class LayoutCounts:
    """What was counted in label maps, image by image.

    Memory: about a kilobyte a class and image, whatever the images' size.
    """

    shapes: Int64[np.ndarray, "images 2"]
    """Height and width."""

    pixels: Int64[np.ndarray, "images classes"]
    """Of each class."""

    components: Int64[np.ndarray, "images classes"]
    """Of each class; what the image's edge cuts counts as it is."""

    speckles: Int64[np.ndarray, "images classes"]
    """Components of less than `SPECKLE_PX`."""

    sizes: Int32[np.ndarray, "images classes bins"]
    """Components by class and size: bin i holds those from 2**(i / 8) px on."""

    borders: Int64[np.ndarray, "images class_pairs"]
    """Sides of pixels at which two classes meet, in the order of `class_pairs`."""

    @property
    def num_images(self) -> int:
        """How many label maps were counted."""
        return len(self.pixels)

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return int(self.pixels.shape[1])

    @property
    def megapixels(self) -> Float[np.ndarray, " images"]:
        """Labelled pixels of each image, in millions."""
        return self.pixels.sum(axis=1) / MEGAPIXEL

    @property
    def shares(self) -> Float[np.ndarray, "images classes"]:
        """The part of the labelled pixels that each class has."""
        return self.pixels / self.pixels.sum(axis=1, keepdims=True)

    def labelled(self) -> "LayoutCounts":
        """Those of the images that have a labelled pixel."""
        has = self.pixels.sum(axis=1) > 0
        return LayoutCounts(*(values[has] for values in vars(self).values()))

    def joined(self, other: "LayoutCounts") -> "LayoutCounts":
        """These images and then those."""
        mine, its = vars(self).values(), vars(other).values()
        return LayoutCounts(*(np.concatenate(both) for both in zip(mine, its, strict=True)))


@dataclass(frozen=True)
class ClassLayout:
    """One class in a set of label maps."""

    area_share: float
    """The part of an image's labelled pixels, mean over the images."""

    images_with: float
    """The part of the images that have a pixel of it."""

    components_per_image: float
    """Mean over the images."""

    components_per_megapixel: float
    """All components over all labelled megapixels."""

    speckles_per_megapixel: float
    """The same of components of less than `SPECKLE_PX`."""

    size_px: tuple[float, float, float]
    """A tenth, half, and nine tenths of the components are of at most this size (to 5 %); NaN
    without any."""

    size_by_area_px: float
    """Half of the class's pixels lie in components of at most this size (to 5 %); NaN without."""


def class_pairs(num_classes: int) -> list[tuple[int, int]]:
    """Every two classes, the lower first, in order."""
    return list(combinations(range(num_classes), 2))


def layouts_of(label_maps: Iterable[UInt8[np.ndarray, "_ _"]], num_classes: int) -> LayoutCounts:
    """What is in label maps, which are read one at a time and not kept.

    Memory: about nine bytes a pixel of one label map, and a kilobyte a class and image.

    Raises:
        ValueError: a pixel is of a class beyond `num_classes`.
    """
    return stacked([layout_of(labels, num_classes) for labels in label_maps], num_classes)


def layout_of(labels: LabelMap, num_classes: int) -> LayoutCounts:
    """What is in one label map.

    Raises:
        ValueError: a pixel is of a class beyond `num_classes`.
    """
    pixels = np.bincount(labels.ravel(), minlength=256)[:UNLABELLED]
    if pixels[num_classes:].any():
        raise ValueError("a label map has a class beyond the class map")
    sizes = [component_sizes(labels, i) for i in range(num_classes)]
    return LayoutCounts(
        np.array([labels.shape], dtype=np.int64),
        pixels[None, :num_classes].astype(np.int64),
        np.array([[len(found) for found in sizes]], dtype=np.int64),
        np.array([[(found < SPECKLE_PX).sum() for found in sizes]], dtype=np.int64),
        np.stack([_by_size(found) for found in sizes])[None],
        _borders(labels, num_classes)[None],
    )


def stacked(layouts: Sequence[LayoutCounts], num_classes: int) -> LayoutCounts:
    """Those of many images as one, also of none."""
    counts = np.zeros((0, num_classes), dtype=np.int64)
    none = LayoutCounts(
        shapes=np.zeros((0, 2), dtype=np.int64),
        pixels=counts,
        components=counts,
        speckles=counts,
        sizes=np.zeros((0, num_classes, NUM_BINS), dtype=np.int32),
        borders=np.zeros((0, len(class_pairs(num_classes))), dtype=np.int64),
    )
    columns = zip(*(vars(layout).values() for layout in (none, *layouts)), strict=True)
    return LayoutCounts(*(np.concatenate(column) for column in columns))


def component_sizes(labels: LabelMap, tissue: int) -> Int64[np.ndarray, " components"]:
    """Pixels of each component of a class."""
    mask = labels == tissue
    if not mask.any():
        return np.zeros(0, dtype=np.int64)
    regions, count = ndimage.label(mask)
    return np.bincount(regions.ravel(), minlength=count + 1)[1:].astype(np.int64)


def class_layouts(counts: LayoutCounts) -> list[ClassLayout]:
    """Each class in the images that have a labelled pixel, in order; there must be one."""
    of = counts.labelled()
    area = float(of.megapixels.sum())
    return [
        ClassLayout(
            float(of.shares[:, i].mean()),
            float((of.pixels[:, i] > 0).mean()),
            float(of.components[:, i].mean()),
            float(of.components[:, i].sum() / area),
            float(of.speckles[:, i].sum() / area),
            _three(of.sizes[:, i].sum(axis=0)),
            size_quantile(of.sizes[:, i].sum(axis=0) * BIN_PX, 0.5),
        )
        for i in range(of.num_classes)
    ]


def adjacency(counts: LayoutCounts) -> Float[np.ndarray, " class_pairs"]:
    """The part of the length of all borders at which each two classes meet; NaN without any."""
    total = counts.borders.sum(axis=0)
    return np.divide(total, total.sum(), out=np.full(total.shape, np.nan), where=total.sum() > 0)


def size_quantile(
    by_size: Int[np.ndarray, " bins"] | Float[np.ndarray, " bins"], part: float
) -> float:
    """The size in px that this part of what was counted by size does not exceed; NaN of none."""
    reached = np.cumsum(by_size)
    if reached[-1] == 0:
        return float("nan")
    return float(BIN_PX[np.searchsorted(reached, part * reached[-1])])


def _three(by_size: Int64[np.ndarray, " bins"]) -> tuple[float, float, float]:
    return size_quantile(by_size, 0.1), size_quantile(by_size, 0.5), size_quantile(by_size, 0.9)


def _by_size(sizes: Int64[np.ndarray, " components"]) -> Int32[np.ndarray, " bins"]:
    bins = np.floor(np.log2(sizes) * BINS_A_DOUBLING).astype(np.int64)
    return np.bincount(bins, minlength=NUM_BINS).astype(np.int32)


def _bin_px() -> Float[np.ndarray, " bins"]:
    """What stands for the sizes of each bin: between its smallest and largest whole number."""
    edges = 2.0 ** (np.arange(NUM_BINS + 1) / BINS_A_DOUBLING)
    least, most = np.ceil(edges[:-1]), np.ceil(edges[1:]) - 1
    return np.sqrt(least * np.maximum(least, most))


BIN_PX = _bin_px()
"""Size of each bin, px: exact up to 11 px, and to 5 % beyond."""


def _borders(labels: LabelMap, num_classes: int) -> Int64[np.ndarray, " class_pairs"]:
    """How many sides of pixels lie between each two classes."""
    met = np.zeros((num_classes, num_classes), dtype=np.int64)
    for one, next_to_it in ((labels[:-1], labels[1:]), (labels[:, :-1], labels[:, 1:])):
        differs = (one != next_to_it) & (one != UNLABELLED) & (next_to_it != UNLABELLED)
        codes = one[differs].astype(np.int64) * num_classes + next_to_it[differs]
        met += np.bincount(codes, minlength=num_classes**2).reshape(met.shape)
    both = met + met.T
    return np.array([both[pair] for pair in class_pairs(num_classes)], dtype=np.int64)
