"""Which samples to annotate: few, and as different from one another as the whole set is."""

import math
import warnings

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.vq import kmeans2

UNCERTAIN_SHARE = 0.5
"""Part of the samples, the most uncertain, among which a second round chooses."""


def uncertain_and_diverse(
    features: Float[np.ndarray, "samples channels"],
    uncertainty: Float[np.ndarray, " samples"],
    num_chosen: int,
    *,
    seed: int,
) -> Int[np.ndarray, " chosen"]:
    """`diverse`, among the more uncertain half of the samples: what teaches a classifier most.

    The most uncertain alone would be many of one kind.

    Args:
        features: one row a sample, pooled over its pixels.
        uncertainty: of each sample.
        num_chosen: how many; at most the number of samples.
        seed: where k-means begins.

    Returns:
        Rows of `features`, the most uncertain first; none twice.
    """
    count = max(num_chosen, math.ceil(UNCERTAIN_SHARE * len(features)))
    order = np.argsort(-uncertainty, kind="stable")[:count]
    chosen = order[diverse(features[order], num_chosen, seed=seed)]
    return chosen[np.argsort(-uncertainty[chosen], kind="stable")]


def diverse(
    features: Float[np.ndarray, "samples channels"], num_chosen: int, *, seed: int
) -> Int[np.ndarray, " chosen"]:
    """One sample for each k-means cluster: the one nearest to its centre.

    Args:
        features: one row a sample, pooled over its pixels.
        num_chosen: how many; at most the number of samples.
        seed: where k-means begins.

    Returns:
        Rows of `features`, those of large clusters first; none twice.
    """
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    if len(np.unique(scaled, axis=0)) <= num_chosen:
        # A generator that draws hardly more than this: every different sample, then repetitions.
        _, firsts = np.unique(scaled, axis=0, return_index=True)
        others = np.setdiff1d(np.arange(len(scaled)), firsts)
        return np.concatenate([np.sort(firsts), others])[:num_chosen]
    with warnings.catch_warnings():
        # An empty cluster keeps its last centre, which still names a sample.
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        centres, cluster = kmeans2(scaled, num_chosen, minit="++", rng=np.random.default_rng(seed))
    sizes = np.bincount(cluster, minlength=num_chosen)
    chosen: list[int] = []
    for k in np.argsort(-sizes, kind="stable"):
        distance = np.square(scaled - centres[k]).sum(axis=1)
        distance[chosen] = np.inf
        chosen.append(int(distance.argmin()))
    return np.array(chosen)
