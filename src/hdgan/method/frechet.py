"""The Frechet distance between two sets of features, each taken for a normal distribution."""

import numpy as np
from jaxtyping import Float
from scipy import linalg


def frechet_distance(
    real: Float[np.ndarray, "reals dim"], drawn: Float[np.ndarray, "drawings dim"]
) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); 0 for equal sets (Heusel et al. 2017).

    It is too high for small sets, the more the larger `dim`; compare only at equal numbers.
    """
    first, second = (np.cov(one, rowvar=False).reshape(one.shape[1], -1) for one in (real, drawn))
    # The root's trace is that of a symmetric matrix, whose eigenvalues are safe to compute.
    root = _root(first)
    values = linalg.eigvalsh(root @ second @ root)
    cross = float(np.sqrt(np.clip(values, 0.0, None)).sum())
    apart = float(np.square(real.mean(axis=0) - drawn.mean(axis=0)).sum())
    return max(0.0, apart + float(np.trace(first) + np.trace(second)) - 2.0 * cross)


def _root(matrix: Float[np.ndarray, "dim dim"]) -> Float[np.ndarray, "dim dim"]:
    """The symmetric square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = linalg.eigh(matrix)
    root: Float[np.ndarray, "dim dim"] = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    return root
