"""The discriminator: a residual network that scores an image as real (high) or drawn (low)."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.stylegan.convolution import convolve
from hdgan.method.stylegan.mapping import GAIN, LEAK, FullyConnected, MappingNetwork
from hdgan.method.stylegan.resample import blur, fir_kernel, halved
from hdgan.method.stylegan.shape import NetworkShape

STAIN_LAYERS = 8
"""Layers from a stain to the direction that it is judged along, as published."""


class EqualisedConvolution(nn.Module):
    """A convolution with equalised learning rate that may halve its image."""

    bias: Tensor | None

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        halves: bool = False,
        plain: bool = False,
        clamp: float | None = None,
    ) -> None:
        """`plain`: neither bias nor activation, as on the way past a residual block."""
        super().__init__()
        self.clamp = clamp
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = None if plain else nn.Parameter(torch.zeros(outputs))
        self.weight_gain = 1.0 / math.sqrt(inputs * kernel * kernel)
        self.halves = halves
        self.register_buffer("resample_filter", fir_kernel())

    def forward(
        self, x: Float[Tensor, "batch inputs height width"], *, gain: float = 1.0
    ) -> Float[Tensor, "batch outputs new_height new_width"]:
        """The layer's output times `gain`."""
        if self.bias is None:
            return self._convolved(x, self.weight_gain * gain)
        y = self._convolved(x, self.weight_gain * GAIN * gain)
        bias = (self.bias * (GAIN * gain)).to(y.dtype)
        y = functional.leaky_relu(y + bias[:, None, None], LEAK)
        return y if self.clamp is None else y.clamp(-self.clamp * gain, self.clamp * gain)

    def _convolved(self, x: Tensor, gain: float) -> Tensor:
        weight = (self.weight * gain).to(x.dtype)
        if not self.halves:
            return convolve(x, weight, padding=weight.shape[-1] // 2)
        if weight.shape[-1] == 1:
            return convolve(halved(x), weight)
        return convolve(blur(x, padding=2), weight, stride=2)


class DiscriminatorBlock(nn.Module):
    """Two convolutions and a way past them, to half the resolution."""

    def __init__(self, shape: NetworkShape, resolution: int) -> None:
        super().__init__()
        self.resolution = resolution
        self.precision: torch.dtype | None = None
        channels, outputs = shape.channels(resolution), shape.channels(resolution // 2)
        self.register_buffer("resample_filter", fir_kernel())
        if resolution == shape.resolution:
            self.fromrgb = EqualisedConvolution(3, channels, kernel=1, clamp=shape.clamp)
        self.conv0 = EqualisedConvolution(channels, channels, kernel=3, clamp=shape.clamp)
        self.conv1 = EqualisedConvolution(
            channels, outputs, kernel=3, halves=True, clamp=shape.clamp
        )
        self.skip = EqualisedConvolution(channels, outputs, kernel=1, halves=True, plain=True)

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch outputs half_height half_width"]:
        """The block's output. The first block takes an image."""
        x = x.to(self.precision or self.conv0.weight.dtype)
        if hasattr(self, "fromrgb"):
            x = self.fromrgb(x)
        past: Tensor = self.skip(x, gain=math.sqrt(0.5))
        through: Tensor = self.conv1(self.conv0(x), gain=math.sqrt(0.5))
        return past + through


class DiscriminatorHead(nn.Module):
    """From 4 x 4 features to one score; sees how much the images of a group differ."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        channels = shape.channels(4)
        self.minibatch_group = shape.minibatch_group
        self.conv = EqualisedConvolution(channels + 1, channels, kernel=3)
        self.fc = FullyConnected(channels * 16, channels, activated=True)
        self.out = FullyConnected(channels, channels if shape.stains else 1)

    def forward(
        self,
        x: Float[Tensor, "batch channels 4 4"],
        wanted: Float[Tensor, "batch channels"] | None = None,
    ) -> Float[Tensor, " batch"]:
        """One score an image; with a direction `wanted` of each, how far it goes that way."""
        x = self.conv(with_spread(x.to(self.conv.weight.dtype), self.minibatch_group))
        score: Tensor = self.out(self.fc(x.flatten(start_dim=1)))
        if wanted is None:
            return score[:, 0]
        return (score * wanted).sum(dim=1) / math.sqrt(wanted.shape[1])


class Discriminator(nn.Module):
    """Blocks named `b{resolution}` down to `b4`, as in published networks."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        for resolution in reversed(shape.resolutions[1:]):
            self.add_module(f"b{resolution}", DiscriminatorBlock(shape, resolution))
        self.b4 = DiscriminatorHead(shape)
        if shape.stains:
            self.mapping = MappingNetwork(0, shape.channels(4), STAIN_LAYERS, len(shape.stains))

    @property
    def block_list(self) -> list[DiscriminatorBlock]:
        """The blocks, from the image down to 8 pixels."""
        return [block for block in self.children() if isinstance(block, DiscriminatorBlock)]

    def forward(
        self,
        images: Float[Tensor, "batch 3 side side"],
        stains: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, " batch"]:
        """One score an image; the batch is a multiple of the minibatch group, or smaller.

        With stains the score is the projection on a direction that the stain decides (Miyato and
        Koyama 2018).
        """
        x = images
        for block in self.block_list:
            x = block(x)
        score: Tensor = self.b4(x, self.mapping(None, stains) if self.shape.stains else None)
        return score


def with_spread(
    x: Float[Tensor, "batch channels height width"], group: int
) -> Float[Tensor, "batch channels_and_spread height width"]:
    """`x` with one more channel: how far the images of its group lie apart, on average.

    Image i belongs to the group of i modulo `batch / group`: members are strided, not adjacent.
    """
    batch, channels, height, width = x.shape
    group = min(group, batch)
    grouped = x.reshape(group, batch // group, channels, height, width)
    deviation = (grouped.var(dim=0, unbiased=False) + 1e-8).sqrt()
    spread = deviation.mean(dim=(1, 2, 3)).repeat(group)
    return torch.cat([x, spread[:, None, None, None].expand(-1, 1, height, width)], dim=1)
