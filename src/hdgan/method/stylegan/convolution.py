"""Convolutions that stay cheap when they are differentiated twice.

R1 and path-length regularisation differentiate a gradient. PyTorch's own second derivative of a
convolution runs through slow grouped kernels on the CPU. A convolution is bilinear, so three maps
that are closed under differentiation suffice: output from (input, weight), input from (output,
weight), weight from (input, output). Each one's gradients are the other two.
"""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_NOT_TRANSPOSED = False


def convolve(
    x: Float[Tensor, "batch inputs height width"],
    weight: Float[Tensor, "outputs inputs kernel kernel"],
    *,
    stride: int = 1,
    padding: int = 0,
) -> Float[Tensor, "batch outputs new_height new_width"]:
    """The correlation of `x` with `weight`, as `torch.nn.functional.conv2d` gives it."""
    result: Tensor = _Convolution.apply(x, weight, stride, padding)
    return result


def convolve_transposed(
    x: Float[Tensor, "batch inputs height width"],
    weight: Float[Tensor, "outputs inputs kernel kernel"],
    *,
    stride: int,
) -> Float[Tensor, "batch outputs new_height new_width"]:
    """`x` with `stride - 1` zeros between its pixels, convolved with `weight`, at full extent.

    The kernel is turned by 180 degrees against `convolve`; n pixels become
    `stride * (n - 1) + kernel`.
    """
    kernel = weight.shape[-1]
    height, width = ((n - 1) * stride + kernel for n in x.shape[-2:])
    size = (x.shape[0], weight.shape[0], height, width)
    result: Tensor = _InputGradient.apply(x, weight.transpose(0, 1), size, stride, 0)
    return result


class _Convolution(torch.autograd.Function):
    """(input, weight) -> output."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(x, weight, stride=stride, padding=padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        how = (ctx.stride, ctx.padding)
        to_x = to_weight = None
        if ctx.needs_input_grad[0]:
            to_x = _InputGradient.apply(gradient, weight, x.shape, *how)
        if ctx.needs_input_grad[1]:
            to_weight = _WeightGradient.apply(x, gradient, weight.shape, *how)
        return to_x, to_weight, None, None


class _InputGradient(torch.autograd.Function):
    """(output, weight) -> input: the adjoint of the convolution for a given weight."""

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, weight: Tensor, size: Sequence[int], stride: int, padding: int
    ) -> Tensor:
        ctx.save_for_backward(y, weight)
        ctx.stride, ctx.padding = stride, padding
        kernel = weight.shape[-1]
        extra = [
            full - ((found - 1) * stride - 2 * padding + kernel)
            for full, found in zip(size[-2:], y.shape[-2:], strict=True)
        ]
        return functional.conv_transpose2d(
            y, weight, stride=stride, padding=padding, output_padding=extra
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = gradients
        y, weight = ctx.saved_tensors
        how = (ctx.stride, ctx.padding)
        to_y = to_weight = None
        if ctx.needs_input_grad[0]:
            to_y = _Convolution.apply(gradient, weight, *how)
        if ctx.needs_input_grad[1]:
            to_weight = _WeightGradient.apply(gradient, y, weight.shape, *how)
        return to_y, to_weight, None, None, None


class _WeightGradient(torch.autograd.Function):
    """(input, output) -> weight: the adjoint of the convolution for a given input."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, size: Sequence[int], stride: int, padding: int
    ) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.stride, ctx.padding = stride, padding
        how = ([stride] * 2, [padding] * 2, [1, 1], _NOT_TRANSPOSED, [0, 0], 1)
        shaped_like_weight = x.new_empty(()).expand(size)
        wanted = [False, True, False]
        result: Tensor = torch.ops.aten.convolution_backward(
            y, x, shaped_like_weight, None, *how, wanted
        )[1]
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = gradients
        x, y = ctx.saved_tensors
        how = (ctx.stride, ctx.padding)
        to_x = to_y = None
        if ctx.needs_input_grad[0]:
            to_x = _InputGradient.apply(y, gradient, x.shape, *how)
        if ctx.needs_input_grad[1]:
            to_y = _Convolution.apply(x, gradient, *how)
        return to_x, to_y, None, None, None
