"""The FIR filter [1, 3, 3, 1] of StyleGAN2: blurring, doubling and halving of images.

All three are linear; each one's gradient is one of the three again, so a second derivative costs
what the first does. Outside the image is zero.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_TAPS = (1.0, 3.0, 3.0, 1.0)


def fir_kernel() -> Float[Tensor, "4 4"]:
    """The outer product of [1, 3, 3, 1] with itself; sums to 1."""
    # Not by `outer`, which takes a second to be imported on the device "meta".
    kernel = torch.tensor([[down * across for across in _TAPS] for down in _TAPS])
    return kernel.div_(kernel.sum())


def blur(
    x: Float[Tensor, "batch channels height width"], *, padding: int, gain: float = 1.0
) -> Float[Tensor, "batch channels new_height new_width"]:
    """`x` filtered; an edge of n pixels becomes `n + 2 * padding - 3`."""
    result: Tensor = _Blur.apply(x, padding, gain)
    return result


def doubled(
    x: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels new_height new_width"]:
    """`x` at twice its size: zeros put in between, filtered, brightness kept."""
    result: Tensor = _Double.apply(x, 4.0)
    return result


def halved(
    x: Float[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels new_height new_width"]:
    """`x` at half its size: filtered, every second pixel kept."""
    result: Tensor = _Halve.apply(x, 1.0)
    return result


class _Blur(torch.autograd.Function):
    """The kernel is symmetric: the adjoint is the same filter with padding turned inside out."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, padding: int, gain: float) -> Tensor:
        ctx.padding, ctx.gain = padding, gain
        return functional.conv2d(x, _depthwise(x, gain), padding=padding, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return _Blur.apply(gradients[0], 3 - ctx.padding, ctx.gain), None, None


class _Double(torch.autograd.Function):
    """The adjoint of `_Halve`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: float) -> Tensor:
        ctx.gain = gain
        return functional.conv_transpose2d(
            x, _depthwise(x, gain), stride=2, padding=1, groups=x.shape[1]
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return _Halve.apply(gradients[0], ctx.gain), None


class _Halve(torch.autograd.Function):
    """The adjoint of `_Double`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: float) -> Tensor:
        ctx.gain = gain
        return functional.conv2d(x, _depthwise(x, gain), stride=2, padding=1, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return _Double.apply(gradients[0], ctx.gain), None


def _depthwise(x: Tensor, gain: float) -> Tensor:
    """The kernel once a channel, as a depthwise convolution wants it."""
    kernel = fir_kernel().to(x) * gain
    return kernel.expand(x.shape[1], 1, 4, 4)
