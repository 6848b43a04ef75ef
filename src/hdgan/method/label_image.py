"""A pyramid to a label map and its uncertainty (sections IV and V)."""

import numpy as np
import torch
from torch import Tensor

from hdgan.method.decision import Decision
from hdgan.method.features import FeaturePyramid
from hdgan.method.known_rows import KnownRows
from hdgan.method.labelling import LabelledRows, Labeller, MapSizes
from hdgan.method.labelling_work import Work
from hdgan.method.lattice import Span
from hdgan.method.pixel_classifier import PixelClassifier, vote
from hdgan.method.uncertainty import divergence


def label_image(
    pyramid: FeaturePyramid,
    classifier: PixelClassifier,
    *,
    decision: Decision = "mean",
    work: Work | None = None,
) -> LabelledRows:
    """The label map of an image and its uncertainty.

    Args:
        pyramid: the image's features.
        classifier: the ensemble.
        decision: how members are joined.
        work: size of the pieces; None takes what suits the device. Does not change the result.

    Memory is a tile's hidden values and the sum of the coarse maps (`Work.coarse_px`), apart
    from the five bytes a pixel that come back. Agrees with `label_image_plainly` to rounding.
    """
    labeller = Labeller(
        classifier,
        MapSizes(
            [len(feature_map) for feature_map in pyramid.maps],
            [feature_map.shape[-1] for feature_map in pyramid.maps],
            pyramid.side,
        ),
        decision=decision,
        work=work,
    )
    return label_with(labeller, pyramid)


def label_with(labeller: Labeller, pyramid: FeaturePyramid) -> LabelledRows:
    """The label map of an image by a labeller that was made for such images."""
    known: dict[int, KnownRows] = {}
    for feature_map in pyramid.maps:
        rows = known.setdefault(len(feature_map), KnownRows(len(feature_map), []))
        # A copy of a memory map, which torch would warn of as it cannot be written.
        held = feature_map if feature_map.flags.writeable else feature_map.copy()
        rows.maps.append(torch.from_numpy(held))
    labeller.begin(known)
    return labeller.rows(Span(0, pyramid.side - 1))


@torch.no_grad()
def label_image_plainly(
    pyramid: FeaturePyramid,
    classifier: PixelClassifier,
    *,
    decision: Decision = "mean",
    band_rows: int = 16,
) -> LabelledRows:
    """The same by the definition: features of each pixel to each member's three layers.

    For tests and comparisons; `band_rows` rows at a time.
    """
    side = pyramid.side
    labels = np.empty((side, side), dtype=np.uint8)
    uncertainty = np.empty((side, side), dtype=np.float32)
    classifier.eval()
    for first in range(0, side, band_rows):
        last = min(first + band_rows, side)
        features = pyramid.band(first, last).flatten(end_dim=1)
        probabilities = classifier.probabilities(features.to(classifier.mean))
        labels[first:last] = _plane(decided(probabilities, decision), side)
        uncertainty[first:last] = _plane(divergence(probabilities), side)
    return LabelledRows(labels, uncertainty)


def decided(probabilities: Tensor, decision: Decision) -> Tensor:
    """The class of each pixel, `[members, pixels, classes]` to `[pixels]`."""
    mean = probabilities.mean(dim=0)
    if decision == "mean":
        return mean.argmax(dim=-1)
    # A whole vote counts more than any mean probability, which only settles ties.
    votes = vote(probabilities) * probabilities.shape[0]
    return (votes * 2.0 + mean).argmax(dim=-1)


def _plane(values: Tensor, side: int) -> np.ndarray:
    return values.reshape(-1, side).cpu().numpy()
