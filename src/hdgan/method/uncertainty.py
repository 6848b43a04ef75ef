"""How far the members of an ensemble disagree, and which images to drop for it."""

import math
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

_BINS = 2**16


def divergence(
    probabilities: Float[Tensor, "members pixels classes"],
) -> Float[Tensor, " pixels"]:
    """Jensen-Shannon divergence of the members' probabilities, in nats.

    The entropy of their mean less the mean of their entropies: 0 where all agree, at most the
    logarithm of the number of members or of classes, whichever is smaller. It takes
    probabilities, never logits.
    """
    mean = probabilities.mean(dim=0)
    return (_entropy(mean) - _entropy(probabilities).mean(dim=0)).clamp_min(0.0)


def _entropy(probabilities: Float[Tensor, "*shape classes"]) -> Float[Tensor, "*shape"]:
    return torch.special.entr(probabilities).sum(dim=-1)


def largest_divergence(num_members: int, num_classes: int) -> float:
    """What `divergence` cannot exceed, in nats."""
    return math.log(min(num_members, num_classes))


def image_score(uncertainty: Float[np.ndarray, "height width"]) -> float:
    """The mean of the most uncertain tenth of the pixels, in nats (DatasetGAN, section 3)."""
    values = uncertainty.ravel()
    count = num_dropped(values.size, 0.1)
    return float(np.partition(values, values.size - count)[-count:].mean())


class ScoreOfRows:
    """The same of an image that comes some rows at a time, by its histogram.

    Exact but for a pixel's place within a bin: less than a 65,536th of the largest divergence off.
    """

    def __init__(self, largest: float) -> None:
        """Begin an image.

        Args:
            largest: divergence that no pixel exceeds, nats.
        """
        self.scale = (_BINS - 1) / max(largest, 1e-9)
        self.counts = np.zeros(_BINS, dtype=np.int64)
        self.sums = np.zeros(_BINS)

    def add(self, uncertainty: Float[np.ndarray, "rows side"]) -> None:
        """Take in some rows."""
        values = uncertainty.ravel()
        bins = np.clip(values * self.scale, 0, _BINS - 1).astype(np.int64)
        self.counts += np.bincount(bins, minlength=_BINS)
        self.sums += np.bincount(bins, weights=values, minlength=_BINS)

    @property
    def value(self) -> float:
        """The mean of the most uncertain tenth, nats."""
        wanted = num_dropped(int(self.counts.sum()), 0.1)
        counts, sums = self.counts[::-1], self.sums[::-1]
        before = np.cumsum(counts) - counts
        taken = np.clip(wanted - before, 0, counts)
        return float((sums * taken / np.maximum(counts, 1)).sum() / wanted)


def num_dropped(num_items: int, fraction: float) -> int:
    """The ceiling of `fraction * num_items`, exactly: 7 % of 100 are 7, not 8."""
    return math.ceil(Fraction(str(fraction)) * num_items)


def kept_after_filter(
    scores: Float[np.ndarray, " items"], fraction: float
) -> Bool[np.ndarray, " items"]:
    """Which items remain when the most uncertain part is dropped.

    Args:
        scores: one an item; higher is more uncertain.
        fraction: the part to drop, 0 to 1.

    Returns:
        True for exactly `n - ceil(fraction * n)` items. Of equal scores, later items go first.
    """
    kept = np.ones(scores.size, dtype=bool)
    order = np.argsort(scores, kind="stable")
    kept[order[scores.size - num_dropped(scores.size, fraction) :]] = False
    return kept
