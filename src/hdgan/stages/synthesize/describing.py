"""What is said of a pair set beside its counts: checks of its labels, who annotated, uncertainty.

All of it is plain data for `dataset.json`; the numbers have six significant digits.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from hdgan.artifacts.annotation_set import SPLITS, AnnotationSet
from hdgan.class_map import UNLABELLED, ClassMap
from hdgan.method.label_quality import EdgeAlignment, edge_alignment
from hdgan.method.layout_comparison import CONFIDENCE, SHUFFLES, differences, has_one_size
from hdgan.method.layout_statistics import (
    LayoutCounts,
    adjacency,
    class_layouts,
    class_pairs,
    layout_of,
    stacked,
)

MOST_PAIRS = 200
"""Pairs that are checked; more hardly move the numbers."""

MOST_PIXELS = 2**28
"""Of all checked pairs together, for the time it takes: about a second for four million."""

FEWEST_PAIRS = 16
"""Pairs that are checked however large they are."""

NUM_BINS = 20
"""Of the histogram of uncertainty."""

Image = UInt8[np.ndarray, "_ _ 3"]
"""RGB; images of one set may differ in size."""

Labels = UInt8[np.ndarray, "_ _"]
"""The class of each of an image's pixels."""


def num_checked(num_pairs: int, side_px: int) -> int:
    """How many of so many pairs are worth checking."""
    return min(num_pairs, MOST_PAIRS, max(FEWEST_PAIRS, MOST_PIXELS // side_px**2))


def checks_of(
    synthetic: Iterable[tuple[Image, Labels]],
    annotated: Iterable[tuple[Image | None, Labels]],
    class_map: ClassMap,
) -> dict[str, Any]:
    """How the label maps of pairs compare with annotated ones, and how they lie on their images.

    Images are read one at a time; what is kept is a kilobyte a class and image.

    Args:
        synthetic: image and labels of kept pairs, at most `num_checked` of them. Pairs that share a
            latent are hardly two: hand in one of them.
        annotated: the same of annotations; the image is None where it is not at hand.
        class_map: the classes of both.

    Returns:
        Plain data: `num_synthetic` and `num_annotated` label maps with a labelled pixel,
        `same_size`, `layout` of `synthetic` and `annotated` (None without any), the `comparison`
        (None unless there are both), and the `edge_alignment` of each (None without images).
    """
    counts, edges = _looked_at(synthetic, class_map)
    other_counts, other_edges = _looked_at(annotated, class_map)
    has_both = counts.num_images > 0 and other_counts.num_images > 0
    return {
        "num_synthetic": counts.num_images,
        "num_annotated": other_counts.num_images,
        "same_size": has_one_size(counts, other_counts) if has_both else None,
        "layout": {
            "synthetic": _layout(counts, class_map),
            "annotated": _layout(other_counts, class_map),
        },
        "comparison": _comparison(counts, other_counts, class_map) if has_both else None,
        "edge_alignment": {"synthetic": _edges(edges), "annotated": _edges(other_edges)},
    }


def annotation_of(annotations: AnnotationSet) -> dict[str, Any]:
    """Who annotated what, for how long, and the share of each class.

    Returns:
        Plain data: `digest`; `of`, the kind of the images (`sample-set` or `tile-set`); `tiles`,
        and how many of them are in which of the `splits` (those of real tiles are in none);
        `annotators` by name (empty if not known); `minutes` in all (None if not known) of
        `tiles_with_minutes` tiles; `share_of_pixels` of each class in the labelled pixels, and
        `share_unlabelled` of all pixels.
    """
    records = annotations.records()
    pixels = np.zeros(UNLABELLED + 1, dtype=np.int64)
    for record in records:
        pixels += np.bincount(annotations.labels(record).ravel(), minlength=UNLABELLED + 1)
    names = annotations.class_map.names
    minutes = [record.minutes for record in records if record.minutes is not None]
    whole = pixels[: len(names)].sum()
    return {
        "digest": annotations.digest,
        "of": next((k for k in annotations.manifest.parents if k in _IMAGES), None),
        "tiles": len(records),
        "splits": {split: sum(record.split == split for record in records) for split in SPLITS},
        "annotators": sorted(
            {name for record in records for name in (record.annotators or "").split(" + ") if name}
        ),
        "minutes": _number(sum(minutes)) if minutes else None,
        "tiles_with_minutes": len(minutes),
        "share_of_pixels": {
            name: _number(pixels[i] / max(1, whole)) for i, name in enumerate(names)
        },
        "share_unlabelled": _number(pixels[UNLABELLED] / max(1, pixels.sum())),
    }


def uncertainty_histogram(
    scores: Float[np.ndarray, " pairs"], kept: Bool[np.ndarray, " pairs"], largest: float
) -> dict[str, Any]:
    """How many pairs are how uncertain, in even steps up to a round number.

    Args:
        scores: uncertainty of each pair, nats.
        kept: which pairs are in the dataset.
        largest: what no pair can exceed, nats. Most ensembles stay far below it, so the last edge
            is the round number (1, 2 or 5 times a power of ten) that no score exceeds, if lower.

    Returns:
        `edges_nats` (21 numbers), and how many were `drawn` and `kept` in each of the 20 bins.
    """
    highest = float(scores.max(initial=0.0))
    last = min(_round_above(highest), largest) if highest > 0 else largest
    edges = np.linspace(0.0, max(last, highest) or 1.0, NUM_BINS + 1)
    return {
        "edges_nats": [_number(edge) for edge in edges],
        "drawn": np.histogram(scores, edges)[0].tolist(),
        "kept": np.histogram(scores[kept], edges)[0].tolist(),
    }


_IMAGES = ("sample-set", "tile-set")


def _looked_at(
    pairs: Iterable[tuple[Image | None, Labels]], class_map: ClassMap
) -> tuple[LayoutCounts, list[EdgeAlignment]]:
    """What each label map holds, and how it lies on its image if that is at hand."""
    layouts, edges = [], []
    for image, labels in pairs:
        layouts.append(layout_of(labels, len(class_map)))
        if image is not None:
            edges.append(edge_alignment(image, labels))
    return stacked(layouts, len(class_map)).labelled(), edges


def _layout(counts: LayoutCounts, class_map: ClassMap) -> dict[str, Any] | None:
    """The statistics of one set of label maps."""
    if counts.num_images == 0:
        return None
    names = class_map.names
    classes = {}
    for name, layout in zip(names, class_layouts(counts), strict=True):
        classes[name] = {
            "area_share": _number(layout.area_share),
            "images_with": _number(layout.images_with),
            "components_per_image": _number(layout.components_per_image),
            "components_per_megapixel": _number(layout.components_per_megapixel),
            "speckles_per_megapixel": _number(layout.speckles_per_megapixel),
            "component_size_px": dict(
                zip(("p10", "p50", "p90"), map(_number, layout.size_px), strict=True)
            ),
            "component_size_by_area_px": _number(layout.size_by_area_px),
        }
    met = zip(class_pairs(len(names)), adjacency(counts), strict=True)
    return {
        "classes": classes,
        "speckle_index": _number(counts.speckles.sum() / counts.megapixels.sum()),
        "adjacency": [
            {"classes": [names[i], names[j]], "share_of_borders": _number(share)}
            for (i, j), share in met
        ],
        "definitions": LAYOUT_DEFINITIONS,
    }


def _comparison(
    synthetic: LayoutCounts, annotated: LayoutCounts, class_map: ClassMap
) -> dict[str, Any]:
    """Each statistic of both sets, with a distance and what chance does."""
    found = differences(synthetic, annotated, np.random.default_rng(0))
    return {
        "statistics": [
            {
                "statistic": one.statistic,
                "class": None if one.tissue is None else class_map.names[one.tissue],
                "synthetic": _number(one.synthetic),
                "annotated": _number(one.annotated),
                "distance": _number(one.distance),
                "noise_floor": _number(one.noise_floor),
                "more_than_chance": one.is_more_than_chance,
            }
            for one in found
        ],
        "shuffles": SHUFFLES,
        "confidence": CONFIDENCE,
        "definitions": COMPARISON_DEFINITIONS,
    }


def _edges(found: list[EdgeAlignment]) -> dict[str, Any] | None:
    """Means over the images whose label map has a border."""
    of = [edge for edge in found if not math.isnan(edge.auc) and not math.isnan(edge.shifted)]
    if not of:
        return None
    above = np.array([edge.auc - edge.shifted for edge in of])
    error = float(above.std(ddof=1) / math.sqrt(len(of))) if len(of) > 1 else math.nan
    return {
        "images": len(of),
        "auc": _number(float(np.mean([edge.auc for edge in of]))),
        "auc_shifted": _number(float(np.mean([edge.shifted for edge in of]))),
        "above_shifted_standard_error": _number(error),
        "shift_px": of[0].shift_px,
        "definition": EDGE_DEFINITION,
    }


def _number(value: float | np.floating[Any]) -> float | None:
    """The value with six significant digits; None of what is no number."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _round_above(value: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is not below the value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value)


LAYOUT_DEFINITIONS = {
    "area_share": "share of an image's labelled pixels; mean over the images",
    "images_with": "share of the images that have a pixel of the class",
    "components_per_image": "connected over the sides of pixels; what the image's edge cuts counts "
    "as it is; mean over the images",
    "components_per_megapixel": "components of all images / labelled megapixels of all images",
    "speckles_per_megapixel": "the same of components under 30 px",
    "speckle_index": "the same, all classes together",
    "component_size_px": "a tenth, half and nine tenths of the components have at most this size; "
    "exact up to 11 px, to 5 % beyond",
    "component_size_by_area_px": "half of the class's pixels lie in components of at most this "
    "size",
    "adjacency": "share of the length of all borders between classes, counted in sides of pixels "
    "over all images",
}

COMPARISON_DEFINITIONS = {
    "area_share": "share of an image's labelled pixels, mean over the images; distance: the "
    "difference",
    "area_share_spread": "standard deviation of that share over the images; distance: the "
    "difference",
    "images_with": "share of the images that have a pixel of the class; distance: the difference",
    "components_per_megapixel": "components of all images / labelled megapixels; distance: the "
    "difference",
    "component_size": "median size in px; distance: Wasserstein-1 between all sizes, on the scale "
    "of log2(px): by how many doublings a component would have to grow or shrink on average",
    "adjacency": "which classes border on which (shares under layout); distance: total variation, "
    "the share of the borders' length that would have to lie between other classes",
    "speckle_index": "components under 30 px per labelled megapixel, all classes; distance: the "
    "difference",
    "noise_floor": "what the distance does not exceed in 95 % of 999 shuffles that deal the same "
    "images to two sets of the same sizes by chance; of 20 statistics without any difference, one "
    "will exceed it",
}

EDGE_DEFINITION = (
    "The part of all pairs of a pixel on a border of the label map and one elsewhere in which the "
    "image changes more on the border (gradient of the optical density, blurred by 1 px); 0.5 is "
    "chance. auc_shifted: the same with labels shifted by shift_px up, down, left, right. Means "
    "over the images that have a border; of images above 1024 px, their middle"
)
