"""A pyramid to a label map and its uncertainty, band by band (sections IV and V)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, UInt8
from torch import Tensor

from hdgan.method.features import FeaturePyramid
from hdgan.method.pixel_classifier import PixelClassifier, vote
from hdgan.method.uncertainty import divergence

Decision = Literal["mean", "vote"]
"""The class of highest mean probability, or the one that most members choose.

Of classes with equally many votes, the one of higher mean probability wins.
"""

BAND_BYTES = 128 * 2**20
"""What one band's features and hidden layers may take."""


@dataclass(frozen=True)
class LabelledImage:
    """What an ensemble says of an image."""

    labels: UInt8[np.ndarray, "side side"]
    """The class of each pixel."""

    uncertainty: Float32[np.ndarray, "side side"]
    """Jensen-Shannon divergence of the members, nats."""


def label_image(
    pyramid: FeaturePyramid,
    classifier: PixelClassifier,
    *,
    decision: Decision = "mean",
    band_rows: int | None = None,
) -> LabelledImage:
    """The label map of an image and its uncertainty.

    Args:
        pyramid: the image's features.
        classifier: the ensemble.
        decision: how members are joined.
        band_rows: rows at a time; None takes as many as fit into `BAND_BYTES`. Does not change
            the result.

    Memory grows with the band, apart from the five bytes a pixel that come back.
    """
    side = pyramid.side
    rows = band_rows or rows_in_band(side, classifier)
    labels = np.empty((side, side), dtype=np.uint8)
    uncertainty = np.empty((side, side), dtype=np.float32)
    classifier.eval()
    for first in range(0, side, rows):
        last = min(first + rows, side)
        features = pyramid.band(first, last).flatten(end_dim=1)
        probabilities = classifier.probabilities(features.to(classifier.mean.device))
        labels[first:last] = _plane(decided(probabilities, decision), side)
        uncertainty[first:last] = _plane(divergence(probabilities), side)
    return LabelledImage(labels, uncertainty)


def decided(probabilities: Tensor, decision: Decision) -> Tensor:
    """The class of each pixel, `[members, pixels, classes]` to `[pixels]`."""
    mean = probabilities.mean(dim=0)
    if decision == "mean":
        return mean.argmax(dim=-1)
    # A whole vote counts more than any mean probability, which only settles ties.
    votes = vote(probabilities) * probabilities.shape[0]
    return (votes * 2.0 + mean).argmax(dim=-1)


def rows_in_band(side: int, classifier: PixelClassifier) -> int:
    """How many rows fit into `BAND_BYTES`; at least one."""
    shape = classifier.shape
    numbers = shape.num_channels * 3 + shape.num_members * sum(shape.widths) * 3
    return max(1, BAND_BYTES // (4 * numbers * side))


def _plane(values: Tensor, side: int) -> np.ndarray:
    return values.reshape(-1, side).cpu().numpy()
