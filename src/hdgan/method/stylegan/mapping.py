"""The mapping network: z to w, the running mean of w, and truncation towards it."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

LEAK = 0.2
"""Slope of the leaky ReLU below zero, everywhere in StyleGAN2."""

GAIN = math.sqrt(2.0)
"""What keeps the variance through a leaky ReLU."""


class FullyConnected(nn.Module):
    """A linear layer with equalised learning rate.

    Weights are stored as N(0, 1) / rate_multiplier and scaled by
    rate_multiplier / sqrt(inputs) when they are used.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        activated: bool = False,
        bias_start: float = 0.0,
        rate_multiplier: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs).div_(rate_multiplier))
        self.bias = nn.Parameter(torch.full((outputs,), bias_start))
        self.activated = activated
        self.weight_gain = rate_multiplier / math.sqrt(inputs)
        self.bias_gain = rate_multiplier

    def forward(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch outputs"]:
        """The layer's output, through a leaky ReLU if the layer is activated."""
        y = functional.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)
        return functional.leaky_relu(y, LEAK) * GAIN if self.activated else y


class MappingNetwork(nn.Module):
    """z and a stain to w. Parameters are named `embed.weight`, `fc0.weight`, ..., as published."""

    w_avg: Tensor

    def __init__(self, z_dim: int, w_dim: int, num_layers: int, num_stains: int = 0) -> None:
        """Without z (`z_dim` 0) a stain alone decides, as in the discriminator."""
        super().__init__()
        self.num_layers = num_layers
        self.num_stains = num_stains
        inputs = z_dim + (w_dim if num_stains else 0)
        if num_stains:
            self.embed = FullyConnected(num_stains, w_dim)
        for i in range(num_layers):
            layer = FullyConnected(
                inputs if i == 0 else w_dim, w_dim, activated=True, rate_multiplier=0.01
            )
            self.add_module(f"fc{i}", layer)
        if z_dim:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(
        self,
        z: Float[Tensor, "batch z_dim"] | None,
        stains: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch w_dim"]:
        """w, without truncation. z, and what the stain becomes, are at unit second moment.

        `stains` are numbers from 0; needed if, and only if, the network is told stains.
        """
        parts = [] if z is None else [normalised(z)]
        if self.num_stains:
            if stains is None:
                raise ValueError("this network is told stains; none were given")
            told = functional.one_hot(stains, self.num_stains).to(self.embed.weight.dtype)
            parts.append(normalised(self.embed(told)))
        x = torch.cat(parts, dim=1)
        for i in range(self.num_layers):
            x = self.get_submodule(f"fc{i}")(x)
        return x

    @torch.no_grad()
    def track(self, w: Float[Tensor, "batch w_dim"]) -> None:
        """Move the running mean of w by 0.5 % towards the mean of this batch."""
        self.w_avg.copy_(torch.lerp(w.detach().mean(dim=0), self.w_avg, 0.995))

    def truncated(
        self, w: Float[Tensor, "batch w_dim"], truncation: float
    ) -> Float[Tensor, "batch w_dim"]:
        """W pulled towards its mean: 1 leaves it, 0 gives the mean image."""
        return torch.lerp(self.w_avg, w, truncation)


def normalised(z: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
    """Each row of z at unit second moment."""
    return z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
