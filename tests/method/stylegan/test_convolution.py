"""Convolutions and resampling against PyTorch's own and against scipy."""

import numpy as np
import pytest
import torch
from scipy import signal
from torch.nn import functional

from hdgan.method.stylegan.convolution import convolve, convolve_transposed
from hdgan.method.stylegan.resample import blur, doubled, fir_kernel, halved

DOUBLE = torch.float64


def random_tensor(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=DOUBLE).requires_grad_()


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (2, 0), (2, 1)])
def test_a_convolution_is_that_of_pytorch(stride: int, padding: int) -> None:
    x, weight = random_tensor(2, 3, 7, 7), random_tensor(4, 3, 3, 3, seed=1)

    ours = convolve(x, weight, stride=stride, padding=padding)

    assert torch.allclose(ours, functional.conv2d(x, weight, stride=stride, padding=padding))


def test_a_transposed_convolution_spreads_each_pixel_by_the_kernel() -> None:
    x, weight = random_tensor(2, 3, 5, 4), random_tensor(4, 3, 3, 3, seed=1)

    ours = convolve_transposed(x, weight, stride=2).detach().numpy()

    apart = np.zeros((2, 3, 9, 7))
    apart[:, :, ::2, ::2] = x.detach().numpy()
    for image, output in np.ndindex(2, 4):
        kernels = weight[output].detach().numpy()
        wanted = sum(signal.convolve2d(apart[image, i], kernels[i]) for i in range(3))
        assert np.allclose(ours[image, output], wanted)


@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 0)])
def test_a_convolution_is_right_when_differentiated_twice(stride: int, padding: int) -> None:
    x, weight = random_tensor(1, 2, 5, 5), random_tensor(2, 2, 3, 3, seed=1)

    def run(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return convolve(x, weight, stride=stride, padding=padding)

    assert torch.autograd.gradcheck(run, (x, weight))
    assert torch.autograd.gradgradcheck(run, (x, weight))


def test_a_transposed_convolution_is_right_when_differentiated_twice() -> None:
    x, weight = random_tensor(1, 2, 3, 3), random_tensor(2, 2, 3, 3, seed=1)

    def run(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return convolve_transposed(x, weight, stride=2)

    assert torch.autograd.gradcheck(run, (x, weight))
    assert torch.autograd.gradgradcheck(run, (x, weight))


def test_the_filter_sums_to_one() -> None:
    assert float(fir_kernel().sum()) == 1.0


def test_a_blurred_image_is_that_of_scipy() -> None:
    x = random_tensor(1, 1, 6, 6).detach()

    blurred = blur(x, padding=2)

    kernel = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    assert np.allclose(blurred[0, 0], signal.convolve2d(np.pad(x[0, 0], 2), kernel, "valid"))


def test_a_doubled_image_is_zeros_put_in_between_and_filtered() -> None:
    x = random_tensor(1, 1, 5, 5).detach()

    spread = np.zeros((10, 10))
    spread[::2, ::2] = x[0, 0]
    kernel = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64 * 4
    padded = np.pad(spread, ((2, 1), (2, 1)))
    assert np.allclose(doubled(x)[0, 0], signal.convolve2d(padded, kernel, "valid"))


def test_a_halved_image_is_filtered_and_every_second_pixel_kept() -> None:
    x = random_tensor(1, 1, 6, 6).detach()

    kernel = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    filtered = signal.convolve2d(np.pad(x[0, 0], 1), kernel, "valid")
    assert np.allclose(halved(x)[0, 0], filtered[::2, ::2])


@pytest.mark.parametrize("resample", [doubled, halved])
def test_resampling_is_right_when_differentiated_twice(resample) -> None:  # type: ignore[no-untyped-def]
    x = random_tensor(1, 2, 4, 4)

    assert torch.autograd.gradcheck(resample, (x,))
    assert torch.autograd.gradgradcheck(resample, (x,))
