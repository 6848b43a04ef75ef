"""Which of a tile's painted pixels are learned from while it is being painted.

Every pixel has a place in an order that only its tile's seed decides. So one more stroke adds its
own pixels and moves few others, and a prediction does not flicker.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8, UInt64

from hdgan.class_map import UNLABELLED, LabelMap

TILE_PIXELS = 1000
"""Pixels that are drawn of a tile, at most: as many of each class."""

ALL_PIXELS = 4000
"""Pixels that are learned from, at most, of all tiles together."""

ALL_ANCHORS = 1000
"""Pixels of painted tiles on which nothing is painted, at most, that hold a correction back."""

CELLS = 16
"""A tile is cut into so many cells a side, whose pixels are left out or counted twice together:
neighbours say the same."""


@dataclass(frozen=True)
class PaintedPixels:
    """Some painted pixels of one tile, and some of the others."""

    rows: Int64[np.ndarray, " pixels"]
    """Row in the tile."""

    columns: Int64[np.ndarray, " pixels"]
    """Column in the tile."""

    classes: UInt8[np.ndarray, " pixels"]
    """What the pixel was painted; `UNLABELLED` where it holds back."""

    ranks: Int64[np.ndarray, " pixels"]
    """Place among the pixels of its class, from 0: fewer are the first of these."""

    shares: Float32[np.ndarray, "pixels members"]
    """How much each member of an ensemble learns from the pixel: 1 on average."""

    def first(self, per_class: int, anchors: int = 0) -> Bool[np.ndarray, " pixels"]:
        """Which pixels remain if each class has so many at most, and what is not painted these."""
        return self.ranks < np.where(self.classes == UNLABELLED, anchors, per_class)


def painted_pixels(
    labels: LabelMap, num_classes: int, num_members: int, seed: int, *, has_anchors: bool = False
) -> PaintedPixels:
    """Up to `TILE_PIXELS` of a tile's painted pixels; the same map and seed give the same.

    Args:
        labels: values from `num_classes` up are not learned from.
        num_classes: how many there are.
        num_members: who learns from them.
        seed: of the tile.
        has_anchors: whether up to `ALL_ANCHORS` others are added; none where nothing is painted.
    """
    height, width = labels.shape
    flat = labels.ravel()
    places = np.flatnonzero(flat < num_classes)
    present = np.unique(flat[places])
    most = TILE_PIXELS // max(1, present.size)
    parts = [_first(places[flat[places] == index], most, seed) for index in present]
    classes = [np.full(part.size, index) for part, index in zip(parts, present, strict=True)]
    if has_anchors and parts:
        parts.append(_first(np.flatnonzero(flat >= num_classes), ALL_ANCHORS, seed))
        classes.append(np.full(parts[-1].size, UNLABELLED))
    rows, columns = np.divmod(_joined(parts), width)
    table = np.random.default_rng(seed).exponential(size=(CELLS, CELLS, num_members))
    shares = table[rows * CELLS // height, columns * CELLS // width].astype(np.float32)
    ranks = _joined([np.arange(part.size) for part in parts])
    return PaintedPixels(rows, columns, _joined(classes).astype(np.uint8), ranks, shares)


def _joined(parts: list[np.ndarray]) -> Int64[np.ndarray, " pixels"]:
    return np.concatenate([np.empty(0, np.int64), *parts])


def pixels_per_class(num_tiles: int, num_classes: int) -> int:
    """How many pixels of a class each tile may give, so that all give `ALL_PIXELS` at most."""
    return max(1, ALL_PIXELS // max(1, num_tiles * num_classes))


def _first(
    places: Int64[np.ndarray, " painted"], count: int, seed: int
) -> Int64[np.ndarray, " pixels"]:
    """The `count` places that come first in the tile's order."""
    order = np.argsort(_scattered(places, seed), kind="stable")
    return places[order[:count]]


def _scattered(places: Int64[np.ndarray, " painted"], seed: int) -> UInt64[np.ndarray, " painted"]:
    """A number for each place that looks random: the finaliser of SplitMix64 (Steele 2014)."""
    start = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    mixed = (places.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + start
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))
