"""Synthetic against annotated label maps, each difference beside what chance would do.

The noise floor of a distance is what it reaches when images are dealt to the two sets by chance
(a permutation test): in 19 of 20 deals it is no larger. It needs no assumption but that, without a
difference, any image might have been in either set. Few images make it high by themselves; so does
a difference that is there, as the images of both sets are dealt.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int32, Int64

from hdgan.method.layout_statistics import BINS_A_DOUBLING, LayoutCounts, size_quantile

SHUFFLES = 999
"""Deals by chance; so many that one more hardly moves the floor."""

CONFIDENCE = 0.95

Statistic = Literal[
    "area_share",
    "area_share_spread",
    "images_with",
    "components_per_megapixel",
    "component_size",
    "adjacency",
    "speckle_index",
]

Distances = Float[np.ndarray, " deals"]
"""Between the two sets for each way to deal the images to them; the first is how they are."""


@dataclass(frozen=True)
class Difference:
    """One statistic of two sets of label maps."""

    statistic: Statistic
    """What is compared."""

    tissue: int | None
    """The class; None of what has no class."""

    synthetic: float
    """The statistic of the synthetic label maps; NaN where there is nothing to measure."""

    annotated: float
    """The same of the annotated ones."""

    distance: float
    """Between the two sets; NaN where a set has nothing to measure."""

    noise_floor: float
    """What chance does not exceed in 19 of 20 deals; NaN if most deals have nothing to measure."""

    @property
    def is_more_than_chance(self) -> bool:
        """Whether the distance is beyond its floor; sums in another order differ by rounding."""
        return self.distance > self.noise_floor * (1 + 1e-9) + 1e-12


@dataclass(frozen=True)
class Deals:
    """Ways to deal images to two sets, the first as they are."""

    first: Float[np.ndarray, "deals images"]
    """1 for an image of the first set, else 0."""

    @classmethod
    def drawn(
        cls, num_first: int, num_second: int, random: np.random.Generator, shuffles: int
    ) -> "Deals":
        """The deal as it is and so many by chance. Memory: eight bytes a deal and image."""
        as_it_is = np.arange(num_first + num_second) < num_first
        rows = [as_it_is, *(random.permutation(as_it_is) for _ in range(shuffles))]
        return cls(np.stack(rows).astype(np.float64))

    def sums(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The sums of values over each set, for each deal."""
        of_first = self.first @ values.astype(np.float64)
        return of_first, values.sum(axis=0) - of_first

    def parts(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same as parts of their total, for each deal; NaN where that is nothing."""
        first, second = (_divided(of, of.sum(axis=1, keepdims=True)) for of in self.sums(values))
        return first, second


@dataclass(frozen=True)
class _Compared:
    """A statistic of both sets, and how far these are apart."""

    first: float
    second: float
    distances: Distances

    @classmethod
    def of(cls, first: np.ndarray, second: np.ndarray) -> "_Compared":
        """Of numbers for each deal."""
        return cls(float(first[0]), float(second[0]), np.abs(first - second))


def differences(
    synthetic: LayoutCounts,
    annotated: LayoutCounts,
    random: np.random.Generator,
    shuffles: int = SHUFFLES,
) -> list[Difference]:
    """Every statistic of two sets; both must have an image with a labelled pixel.

    Sets whose images are not all of one size are compared by the shares alone: how often a class
    is met, and how many components of what size there are, depends on the size of the view.
    """
    first = synthetic.labelled()
    both = first.joined(annotated.labelled())
    deals = Deals.drawn(first.num_images, both.num_images - first.num_images, random, shuffles)
    is_one_size = has_one_size(first, annotated.labelled())
    found = []
    for i in range(both.num_classes):
        found.append(_difference("area_share", i, _means_of(deals, both.shares[:, i])))
        if is_one_size:
            found += _of_objects(deals, both, i)
    found.append(_difference("adjacency", None, _adjacency_of(deals, both.borders)))
    if is_one_size:
        speckles = both.speckles.sum(axis=1)
        compared = _ratios_of(deals, speckles, both.megapixels)
        found.append(_difference("speckle_index", None, compared))
    return found


def has_one_size(synthetic: LayoutCounts, annotated: LayoutCounts) -> bool:
    """Whether all images of both sets are of one size in pixels."""
    return len(np.unique(np.concatenate([synthetic.shapes, annotated.shapes]), axis=0)) <= 1


def _of_objects(deals: Deals, both: LayoutCounts, tissue: int) -> list[Difference]:
    """What can be compared in views of one size only."""
    has = (both.pixels[:, tissue] > 0).astype(np.float64)
    components = both.components[:, tissue]
    compared: list[tuple[Statistic, _Compared]] = [
        ("area_share_spread", _spreads_of(deals, both.shares[:, tissue])),
        ("images_with", _means_of(deals, has)),
        ("components_per_megapixel", _ratios_of(deals, components, both.megapixels)),
        ("component_size", _sizes_of(deals, both.sizes[:, tissue])),
    ]
    return [_difference(name, tissue, values) for name, values in compared]


def _difference(statistic: Statistic, tissue: int | None, compared: _Compared) -> Difference:
    distance = compared.distances
    by_chance = distance[1:][~np.isnan(distance[1:])]
    enough = 2 * by_chance.size > distance.size - 1
    floor = float(np.quantile(by_chance, CONFIDENCE, method="higher")) if enough else np.nan
    return Difference(statistic, tissue, compared.first, compared.second, float(distance[0]), floor)


def _means_of(deals: Deals, values: Float[np.ndarray, " images"]) -> _Compared:
    """Means over the images, and how far they are apart."""
    return _ratios_of(deals, values, np.ones(len(values)))


def _spreads_of(deals: Deals, values: Float[np.ndarray, " images"]) -> _Compared:
    """Standard deviations over the images, and how far they are apart."""
    centred = values - values.mean()
    nums = deals.sums(np.ones(len(values)))
    means, squares = deals.sums(centred), deals.sums(np.square(centred))
    first, second = (
        np.sqrt(np.maximum(square / num - np.square(mean / num), 0.0))
        for num, mean, square in zip(nums, means, squares, strict=True)
    )
    return _Compared.of(first, second)


def _ratios_of(
    deals: Deals,
    part: Float[np.ndarray, " images"] | Int64[np.ndarray, " images"],
    whole: Float[np.ndarray, " images"],
) -> _Compared:
    """Sums over sums, and how far they are apart."""
    parts, wholes = deals.sums(part), deals.sums(whole)
    return _Compared.of(parts[0] / wholes[0], parts[1] / wholes[1])


def _sizes_of(deals: Deals, sizes: Int32[np.ndarray, "images bins"]) -> _Compared:
    """Median sizes, px, and the Wasserstein-1 distance of the logarithms of size, in doublings."""
    used = np.flatnonzero(sizes.any(axis=0))
    span = slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)
    first, second = deals.parts(sizes[:, span])
    is_first = deals.first[0] > 0
    return _Compared(
        size_quantile(sizes[is_first].sum(axis=0), 0.5),
        size_quantile(sizes[~is_first].sum(axis=0), 0.5),
        np.abs(np.cumsum(first - second, axis=1)).sum(axis=1) / BINS_A_DOUBLING,
    )


def _adjacency_of(deals: Deals, borders: Int64[np.ndarray, "images class_pairs"]) -> _Compared:
    """How much of the borders' length would have to lie between other classes."""
    if not borders.any():
        return _Compared(np.nan, np.nan, np.full(len(deals.first), np.nan))
    first, second = deals.parts(borders)
    return _Compared(np.nan, np.nan, 0.5 * np.abs(first - second).sum(axis=1))


def _divided(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, NaN where the whole is nothing."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
