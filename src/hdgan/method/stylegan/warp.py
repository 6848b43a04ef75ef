"""Affine warps of images as StyleGAN2-ADA does them: reflected borders, twofold oversampling.

An image is continued by its mirror image, brought to twice its size by a wavelet's low-pass,
sampled bilinearly where the map points, and brought back by the same low-pass (StyleGAN2-ADA,
appendix B). The map is fixed, so the warp is linear in the image; its gradient is its adjoint.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
"""The low-pass of the symlet of order 6 (Daubechies, Ten Lectures on Wavelets); sums to sqrt(2)."""

_BILINEAR, _ZEROS, _EDGES_AT_CENTRES = 0, 0, False
"""What PyTorch's kernel calls the way that `grid_sample` is called here."""

_REACH = len(SYM6) // 2
"""How far from a pixel the filters look, in pixels."""

Maps = Float[Tensor, "batch 3 3"]
"""Where each pixel of the result comes from, an image a matrix.

On (x, y, 1), in pixels from the middle of the image, x to the right, y down.
"""


def warped(
    images: Float[Tensor, "batch channels side side"], maps: Maps
) -> Float[Tensor, "batch channels side side"]:
    """Each image under its map.

    Memory grows with how far the maps reach beyond the images: at most (3 x side)^2 pixels, four
    times over, an image.
    """
    side = images.shape[-1]
    margin = _margin(maps, side)
    padded = functional.pad(images, [margin] * 4, mode="reflect")
    large = _oversampled(padded)
    grid = _grid(maps.to(images.dtype), 2 * side + len(SYM6) - 2, large.shape[-1])
    sampled: Tensor = _Sample.apply(large, grid)
    return _undersampled(sampled)


def _margin(maps: Maps, side: int) -> int:
    """How many pixels of the continued image the maps need, at most all of its mirror image."""
    edge = (side - 1) / 2
    corners = maps.new_tensor([[x, y, 1.0] for x in (-edge, edge) for y in (-edge, edge)])
    reached = float((maps[:, :2] @ corners.t()).abs().max()) - edge
    # Filters look beyond the corners; so do the pixels around the result that its filter needs.
    return max(0, min(int(reached) + 1 + 2 * _REACH, side - 1))


def _grid(maps: Maps, wanted: int, given: int) -> Float[Tensor, "batch wanted wanted 2"]:
    """Sampling places for a result of `wanted` pixels in an image of `given`, both oversampled."""
    # The filter's middle lies a quarter of a pixel beside the pixel's.
    beside = maps.new_full((2,), -0.25)
    shift = maps[:, :2, 2] + beside - maps[:, :2, :2] @ beside
    # Coordinates of a grid run from -1 to 1 over each image.
    theta = torch.cat([maps[:, :2, :2] * (wanted / given), shift[:, :, None] * (4.0 / given)], 2)
    size = [maps.shape[0], 1, wanted, wanted]
    return functional.affine_grid(theta, size, align_corners=False)


def _filter(x: Tensor) -> Tensor:
    taps = x.new_tensor(SYM6)
    return taps / taps.sum()


def _oversampled(x: Tensor) -> Tensor:
    """Twice the size: zeros put in between, filtered along both axes."""
    channels = x.shape[1]
    for axis in (2, 3):
        shape = [1, 1, 1, 1]
        shape[axis] = len(SYM6)
        kernel = (2.0 * _filter(x)).reshape(shape).expand(channels, -1, -1, -1)
        stride, padding = [1, 1], [0, 0]
        stride[axis - 2], padding[axis - 2] = 2, _REACH - 1
        x = functional.conv_transpose2d(x, kernel, stride=stride, padding=padding, groups=channels)
    return x


def _undersampled(x: Tensor) -> Tensor:
    """Half the size: filtered along both axes, every second pixel kept."""
    channels = x.shape[1]
    for axis in (2, 3):
        shape = [1, 1, 1, 1]
        shape[axis] = len(SYM6)
        kernel = _filter(x).reshape(shape).expand(channels, -1, -1, -1)
        stride = [1, 1]
        stride[axis - 2] = 2
        x = functional.conv2d(x, kernel, stride=stride, groups=channels)
    return x


class _Sample(torch.autograd.Function):
    """Bilinear sampling at fixed places; outside the image is zero. Linear in the image."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = x.shape
        return functional.grid_sample(
            x, grid, mode="bilinear", padding_mode="zeros", align_corners=False
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (grid,) = ctx.saved_tensors
        return _Spread.apply(gradients[0], grid, ctx.size), None


class _Spread(torch.autograd.Function):
    """The adjoint of `_Sample`."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        image = y.new_empty(()).expand(size)
        result: Tensor = torch.ops.aten.grid_sampler_2d_backward(
            y, image, grid, _BILINEAR, _ZEROS, _EDGES_AT_CENTRES, [True, False]
        )[0]
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (grid,) = ctx.saved_tensors
        return _Sample.apply(gradients[0], grid), None, None
