"""How far the members of an ensemble disagree, and which images to drop for it."""

import math
from fractions import Fraction

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor


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
