"""How drawn images compare with real ones, in the features of an encoder.

Every number depends on the encoder and, some strongly, on how many images there are: compare at
equal numbers, and with the noise floor, the same number between real images and other real ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.distance import cdist

from hdgan.method.frechet import frechet_distance

Features = Float[np.ndarray, "_ dim"]
"""One row an image."""

NEIGHBOURS_OF_PRECISION = 3
"""Neighbours that span an image's surroundings (Kynkaanniemi et al. 2019)."""

NEIGHBOURS_OF_DENSITY = 5
"""The same for density and coverage (Naeem et al. 2020)."""

CHUNK_BYTES = 64 * 2**20
"""Of distances that are held at once where not all are needed."""


@dataclass(frozen=True)
class KernelDistance:
    """Kernel inception distance: mean and standard deviation over the subsets."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class ImageQuality:
    """Scores of one set of drawings against one set of real images."""

    kid: float
    """Squared maximum mean discrepancy, mean over subsets; 0 for equal distributions."""

    kid_deviation: float
    """Standard deviation of that over the subsets."""

    fid: float
    """Frechet distance; falls with the number of images."""

    precision: float
    """Part of the drawings that lie in the surroundings of real images: 1, all look real."""

    recall: float
    """Part of the real images that lie in the surroundings of drawings: 1, all kinds are drawn."""

    density: float
    """Like precision, but counts in how many surroundings; about 1 for equal distributions."""

    coverage: float
    """Part of the real images with a drawing in their surroundings."""


def image_quality(real: Features, drawn: Features, *, seed: int = 0) -> ImageQuality:
    """All scores. Memory grows with reals x drawings."""
    kid = kernel_distance(real, drawn, seed=seed)
    precision, recall = precision_and_recall(real, drawn)
    density, coverage = density_and_coverage(real, drawn)
    fid = frechet_distance(real, drawn)
    return ImageQuality(kid.mean, kid.deviation, fid, precision, recall, density, coverage)


def kernel_distance(
    real: Features, drawn: Features, *, num_subsets: int = 100, subset: int = 1000, seed: int = 0
) -> KernelDistance:
    """Kernel inception distance with the cubic kernel (Binkowski et al. 2018).

    Args:
        real: features of real images.
        drawn: features of drawings.
        num_subsets: how many random subsets are averaged.
        subset: images of each kind in a subset, at most half of the smaller set, so that subsets
            differ.
        seed: which subsets.
    """
    random = np.random.default_rng(seed)
    count = min(subset, max(2, min(len(real), len(drawn)) // 2))
    values = np.array(
        [
            squared_discrepancy(
                real[random.choice(len(real), count, replace=False)],
                drawn[random.choice(len(drawn), count, replace=False)],
            )
            for _ in range(num_subsets)
        ]
    )
    return KernelDistance(float(values.mean()), float(values.std(ddof=1)))


def squared_discrepancy(first: Features, second: Features) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / dim + 1)^3."""

    def kernel(x: Features, y: Features) -> Float[np.ndarray, "_ _"]:
        return (x @ y.T / x.shape[1] + 1.0) ** 3

    def within(x: Features) -> float:
        matrix = kernel(x, x)
        return float((matrix.sum() - np.trace(matrix)) / (len(x) * (len(x) - 1)))

    return within(first) + within(second) - 2.0 * float(kernel(first, second).mean())


def nearest_distances(real: Features, others: Features) -> Float[np.ndarray, " others"]:
    """Distance of each of the other images to the real image that is nearest.

    Drawings that lie much nearer to the training images than unseen real images do are copies.
    """
    distances: Float[np.ndarray, " others"] = cdist(others, real).min(axis=1)
    return distances


def relative_nearness(real: Features, others: Features) -> Float[np.ndarray, " others"]:
    """The same, over the distance of that real image to the next real one.

    Where images are much alike, such as empty ground, all are near, and none is a copy for it.
    """
    distance = cdist(others, real)
    nearest = distance.argmin(axis=1)
    among_real = cdist(real, real)
    # A real image may be there twice; the next one is the next that differs.
    among_real[among_real <= 1e-6 * among_real.max()] = np.inf
    spacing = among_real.min(axis=1)[nearest]
    nearness: Float[np.ndarray, " others"] = distance.min(axis=1) / spacing
    return nearness


def precision_and_recall(real: Features, drawn: Features) -> tuple[float, float]:
    """Part of the drawings near real images, and of the real images near drawings."""
    distance = cdist(real, drawn)
    near_real = distance <= reach(real, NEIGHBOURS_OF_PRECISION)[:, None]
    near_drawn = distance <= reach(drawn, NEIGHBOURS_OF_PRECISION)[None, :]
    return float(near_real.any(axis=0).mean()), float(near_drawn.any(axis=1).mean())


def density_and_coverage(real: Features, drawn: Features) -> tuple[float, float]:
    """In how many real surroundings a drawing lies, and how many of these have a drawing."""
    near: Bool[np.ndarray, "reals drawings"] = (
        cdist(real, drawn) <= reach(real, NEIGHBOURS_OF_DENSITY)[:, None]
    )
    density = near.sum(axis=0).mean() / NEIGHBOURS_OF_DENSITY
    return float(density), float(near.any(axis=1).mean())


def reach(features: Features, neighbours: int) -> Float[np.ndarray, " images"]:
    """Distance of each image to its k-th nearest neighbour in the same set.

    Memory: the features in double precision, and two chunks of distances of 64 MB, or of one row.
    """
    # The nearest of all is the image itself.
    place = min(neighbours, len(features) - 1)
    parts = [
        # A copy, lest the chunk live on.
        np.partition(cdist(features[rows], features), place, axis=1)[:, place].copy()
        for rows in row_chunks(len(features), len(features))
    ]
    return np.concatenate(parts)


def row_chunks(num_rows: int, num_columns: int) -> Iterator[slice]:
    """Consecutive rows of a matrix of doubles, as many at once as `CHUNK_BYTES` hold."""
    step = max(1, CHUNK_BYTES // (8 * max(1, num_columns)))
    for first in range(0, num_rows, step):
        yield slice(first, first + step)
