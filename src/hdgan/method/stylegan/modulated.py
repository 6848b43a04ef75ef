"""Layers whose weights are scaled by the style: the convolution and the step to RGB."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.stylegan.convolution import convolve, convolve_transposed
from hdgan.method.stylegan.mapping import GAIN, LEAK, FullyConnected
from hdgan.method.stylegan.resample import blur, fir_kernel


class StyledConvolution(nn.Module):
    """A 3 x 3 convolution modulated by w, with noise, bias and leaky ReLU.

    The style scales the input channels and the demodulation the output channels, so that one
    convolution serves the whole batch. Scaling the weights of each image instead is the same
    function (`weights_of` gives them; a test compares).
    """

    noise_const: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        w_dim: int,
        resolution: int,
        *,
        doubles: bool = False,
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.resolution = resolution
        self.doubles = doubles
        self.clamp = clamp
        self.affine = FullyConnected(w_dim, inputs, bias_start=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", torch.randn(resolution, resolution))
        self.register_buffer("resample_filter", fir_kernel())

    def forward(
        self,
        x: Float[Tensor, "batch inputs height width"],
        w: Float[Tensor, "batch w_dim"],
        noise: Float[Tensor, "noises 1 resolution resolution"] | None,
    ) -> Float[Tensor, "batch outputs resolution resolution"]:
        """The activated feature map. `noise` holds one map an image, or one for all."""
        style: Tensor = self.affine(w)
        weight: Tensor = self.weight
        if x.dtype == torch.float16:
            style, weight = _kept_in_range(style, weight)
        y = self._convolved(x * style[:, :, None, None].to(x.dtype), weight.to(x.dtype))
        scale = (demodulation(style, weight) * GAIN)[:, :, None, None].to(x.dtype)
        y = torch.addcmul((self.bias * GAIN)[:, None, None].to(x.dtype), y, scale)
        if noise is not None:
            y = y.add_((noise * (self.noise_strength * GAIN)).to(x.dtype))
        y = functional.leaky_relu_(y, LEAK)
        return y if self.clamp is None else y.clamp(-self.clamp, self.clamp)

    def weights_of(
        self, w: Float[Tensor, "batch w_dim"]
    ) -> Float[Tensor, "batch outputs inputs 3 3"]:
        """The modulated and demodulated weights, an image at a time: the plain definition."""
        style = self.affine(w)
        weight = self.weight[None] * style[:, None, :, None, None]
        return weight * torch.rsqrt(weight.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8)

    def _convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.doubles:
            return blur(convolve_transposed(x, weight, stride=2), padding=1, gain=4.0)
        return convolve(x, weight, padding=1)


def demodulation(
    style: Float[Tensor, "batch inputs"], weight: Float[Tensor, "outputs inputs 3 3"]
) -> Float[Tensor, "batch outputs"]:
    """What brings each output channel of each image back to unit variance."""
    energy = weight.square().sum(dim=(2, 3))
    return torch.rsqrt(style.square() @ energy.t() + 1e-8)


def _kept_in_range(style: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Style and weight divided by their largest numbers, lest half precision overflows.

    Demodulation undoes both divisions (StyleGAN2-ADA, section on mixed precision).
    """
    largest = weight.abs().amax(dim=(1, 2, 3), keepdim=True)
    return (
        style / style.abs().amax(dim=1, keepdim=True),
        weight / (largest * math.sqrt(weight[0].numel())),
    )


class ToRGB(nn.Module):
    """A modulated 1 x 1 convolution to three channels, neither demodulated nor activated."""

    def __init__(self, inputs: int, w_dim: int, *, clamp: float | None = None) -> None:
        super().__init__()
        self.clamp = clamp
        self.affine = FullyConnected(w_dim, inputs, bias_start=1.0)
        self.weight = nn.Parameter(torch.randn(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.style_gain = 1.0 / math.sqrt(inputs)

    def forward(
        self, x: Float[Tensor, "batch inputs height width"], w: Float[Tensor, "batch w_dim"]
    ) -> Float[Tensor, "batch 3 height width"]:
        """What this block adds to the image."""
        style = (self.affine(w) * self.style_gain).to(x.dtype)
        rgb = convolve(x * style[:, :, None, None], self.weight.to(x.dtype))
        rgb = rgb + self.bias[:, None, None].to(x.dtype)
        return rgb if self.clamp is None else rgb.clamp(-self.clamp, self.clamp)
