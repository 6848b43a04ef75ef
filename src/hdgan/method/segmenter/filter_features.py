"""What a pixel classifier of QuPath or ilastik sees of a pixel: filters at several sizes.

Filters are of optical density, in which stains add up (Beer and Lambert), of each colour channel.
Beyond the image lies its reflection.
"""

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import ndimage

SIGMAS_PX = (0.7, 1.6, 3.5, 8.0)
"""Of the Gaussians: from the grain of a nucleus to its surroundings. ilastik offers 0.3 to 10,
each about twice the one before."""

REACH_PX = 64
"""Pixels further away than this do not count: twice four sigmas of the widest Gaussian, since the
structure tensor is smoothed twice."""

_EACH = 7

NUM_CHANNELS = 3 * (1 + _EACH * len(SIGMAS_PX))
"""Features a pixel."""

_Plane = Float32[np.ndarray, "height width"]


def filter_features(
    image: UInt8[np.ndarray, "height width 3"],
) -> Float32[np.ndarray, "height width channels"]:
    """The features of each pixel.

    Of each colour channel its optical density, and for each of `SIGMAS_PX` its Gaussian, Laplacian
    of Gaussian, gradient magnitude, and the larger and the smaller eigenvalue of the structure
    tensor (smoothed by the same sigma) and of the Hessian.

    Memory: 348 bytes a pixel.
    """
    density = -np.log((image.astype(np.float32) + 1.0) / 256.0)
    features = np.empty((*image.shape[:2], NUM_CHANNELS), dtype=np.float32)
    features[..., :3] = density
    first = 3
    for channel in range(3):
        plane = np.ascontiguousarray(density[..., channel])
        for sigma in SIGMAS_PX:
            for offset, filtered in enumerate(_filtered(plane, sigma)):
                features[..., first + offset] = filtered
            first += _EACH
    return features


def _filtered(plane: _Plane, sigma: float) -> tuple[_Plane, ...]:
    """The filters of one channel at one size, in the order in which they are described."""
    down = [_along(plane, sigma, 0, order) for order in range(3)]
    smooth, x, xx = (_along(down[0], sigma, 1, order) for order in range(3))
    y, xy = (_along(down[1], sigma, 1, order) for order in range(2))
    yy = _along(down[2], sigma, 1, 0)
    tensor = (ndimage.gaussian_filter(product, sigma) for product in (x * x, x * y, y * y))
    return smooth, xx + yy, np.hypot(x, y), *_eigenvalues(*tensor), *_eigenvalues(xx, xy, yy)


def _along(plane: _Plane, sigma: float, axis: int, order: int) -> _Plane:
    """A derivative of a Gaussian along one axis."""
    filtered: _Plane = ndimage.gaussian_filter1d(plane, sigma, axis=axis, order=order)
    return filtered


def _eigenvalues(xx: _Plane, xy: _Plane, yy: _Plane) -> tuple[_Plane, _Plane]:
    """The larger and the smaller eigenvalue of a symmetric matrix at each pixel."""
    middle, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return middle + spread, middle - spread
