"""Whether one drawing lies among real tiles: the realism score of single images.

Kynkaanniemi et al. 2019, "Improved precision and recall metric for assessing generative models",
section 5. Like all such scores it depends on the encoder and on the real tiles that there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int
from scipy.spatial.distance import cdist

from hdgan.errors import SettingsError
from hdgan.method.image_quality import Features, reach, row_chunks

NEIGHBOURS = 3
"""Neighbours that span a real tile's surroundings, as in the paper."""


@dataclass(frozen=True)
class RealSupport:
    """The surroundings of real tiles in the features of an encoder.

    Memory: the features in double precision; a question takes two chunks of 64 MB more at most, or
    two rows of distances.
    """

    features: Float64[np.ndarray, "reals dim"]
    """One row a real tile."""

    radii: Float64[np.ndarray, " reals"]
    """Distance of each to its k-th nearest among the others."""

    @classmethod
    def fit(cls, features: Features, k: int = NEIGHBOURS) -> "RealSupport":
        """The support of these real tiles. Time grows with their number squared.

        Raises:
            SettingsError: there are fewer than k + 1.
        """
        if len(features) < k + 1:
            raise SettingsError(
                f"Realism needs {k + 1} real tiles at least, each with {k} neighbours; found are "
                f"{len(features)}. Give more or larger tiles."
            )
        exact = features.astype(np.float64)
        return cls(exact, reach(exact, k))

    def realism(self, images: Features) -> Float64[np.ndarray, " images"]:
        """The largest of radius / distance over real tiles: 1 or more is inside their support.

        Real tiles whose radius exceeds the median are left out: those that lie apart from the
        others have large surroundings, which would take in anything. An image that equals a real
        tile has infinity, or 1 where that tile's radius is 0.
        """
        radii = np.where(self.radii <= np.median(self.radii), self.radii, -np.inf)
        parts = []
        for distances in _distances(images, self.features):
            with np.errstate(divide="ignore", invalid="ignore"):
                ratios = radii / distances
            ratios[np.isnan(ratios)] = 1.0
            parts.append(ratios.max(axis=1))
        return np.concatenate([np.empty(0), *parts])

    def nearest(
        self, images: Features
    ) -> tuple[Int[np.ndarray, " images"], Float64[np.ndarray, " images"]]:
        """The row of the nearest real tile of all, and how far away it is; of equals the first."""
        indices, nearest = [np.empty(0, dtype=np.intp)], [np.empty(0)]
        for distances in _distances(images, self.features):
            indices.append(distances.argmin(axis=1))
            nearest.append(distances.min(axis=1))
        return np.concatenate(indices), np.concatenate(nearest)


def closest(distances: Float[np.ndarray, " images"], count: int) -> Int[np.ndarray, " chosen"]:
    """The images of least distance, nearest first; of equals the first."""
    return np.argsort(distances, kind="stable")[:count]


def _distances(
    images: Features, reals: Float64[np.ndarray, "reals dim"]
) -> Iterator[Float64[np.ndarray, "chunk reals"]]:
    """Distances of some images to all real tiles, chunk by chunk."""
    for rows in row_chunks(len(images), len(reals)):
        yield cdist(images[rows], reals)
