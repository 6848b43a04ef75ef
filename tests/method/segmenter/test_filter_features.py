"""Filter features against scipy's own names for them."""

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from scipy import ndimage

from hdgan.method.segmenter.filter_features import (
    NUM_CHANNELS,
    REACH_PX,
    SIGMAS_PX,
    filter_features,
)

Image = UInt8[np.ndarray, "height width 3"]
Plane = Float32[np.ndarray, "height width"]


def noise(height: int, width: int, seed: int = 0) -> Image:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (height, width, 3), dtype=np.uint8)


def density_of(image: Image, channel: int) -> Plane:
    density: Plane = -np.log((image[..., channel].astype(np.float32) + 1) / 256)
    return density


def features_of(image: Image, channel: int, sigma: int) -> Float32[np.ndarray, "7 height width"]:
    """The seven filters of a channel at one of the sizes."""
    first = 3 + 7 * (channel * len(SIGMAS_PX) + sigma)
    return np.moveaxis(filter_features(image)[..., first : first + 7], 2, 0)


def eigenvalues(yy: Plane, yx: Plane, xx: Plane) -> Float64[np.ndarray, "2 height width"]:
    """The larger and the smaller one of each pixel's matrix."""
    matrices = np.stack([np.stack([yy, yx], -1), np.stack([yx, xx], -1)], -1).astype(np.float64)
    return np.moveaxis(np.linalg.eigvalsh(matrices)[..., ::-1], 2, 0)


def test_a_pixel_has_its_densities_and_seven_filters_a_colour_and_size() -> None:
    image = noise(20, 33)

    features = filter_features(image)

    assert features.shape == (20, 33, NUM_CHANNELS)
    assert NUM_CHANNELS == 3 + 3 * 4 * 7
    assert np.allclose(features[..., 1], density_of(image, 1), atol=1e-6)


def test_gaussian_laplacian_and_gradient_are_scipys() -> None:
    image = noise(40, 30)
    density = density_of(image, 2)

    for number, sigma in enumerate(SIGMAS_PX):
        smooth, laplacian, gradient, *_ = features_of(image, 2, number)

        assert np.allclose(smooth, ndimage.gaussian_filter(density, sigma), atol=1e-4)
        assert np.allclose(laplacian, ndimage.gaussian_laplace(density, sigma), atol=1e-4)
        assert np.allclose(gradient, ndimage.gaussian_gradient_magnitude(density, sigma), atol=1e-4)


def test_eigenvalues_are_those_of_the_structure_tensor_and_the_hessian() -> None:
    image = noise(24, 24)
    density, sigma = density_of(image, 0), SIGMAS_PX[1]
    y, x = (ndimage.gaussian_filter(density, sigma, order) for order in ((1, 0), (0, 1)))
    tensor = [ndimage.gaussian_filter(a * b, sigma) for a, b in ((y, y), (y, x), (x, x))]
    hessian = [ndimage.gaussian_filter(density, sigma, o) for o in ((2, 0), (1, 1), (0, 2))]

    found = features_of(image, 0, 1)

    assert np.allclose(found[3:5], eigenvalues(*tensor), atol=1e-5)
    assert np.allclose(found[5:7], eigenvalues(*hessian), atol=1e-5)


def test_an_image_without_structure_has_next_to_no_edges() -> None:
    flat = np.full((16, 16, 3), 90, dtype=np.uint8)

    for number in range(len(SIGMAS_PX)):
        # Of scipy's second derivatives, which end at four sigmas, half a hundredth is left.
        assert np.abs(features_of(flat, 1, number)[1:]).max() < 0.011


def test_what_is_further_than_the_reach_does_not_count() -> None:
    image = noise(8, 2 * REACH_PX + 9)
    other = image.copy()
    other[:, REACH_PX + 1 :] = 255 - other[:, REACH_PX + 1 :]

    features, changed = filter_features(image), filter_features(other)

    assert np.array_equal(features[:, 0], changed[:, 0])
    assert not np.array_equal(features[:, 1], changed[:, 1])


def test_the_smallest_images_have_features() -> None:
    assert np.isfinite(filter_features(noise(1, 1))).all()
    assert np.isfinite(filter_features(noise(16, 16))).all()
