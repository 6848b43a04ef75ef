"""The ensemble of three-layer perceptrons that reads a pixel's class off its features (section V).

All members are computed together: their weights have a leading axis.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

NORM_EPSILON = 1e-5
_NORM_MOMENTUM = 0.1


@dataclass(frozen=True)
class ClassifierShape:
    """What an ensemble is built from."""

    num_channels: int
    """Features a pixel."""

    num_classes: int
    """Classes to tell apart."""

    num_members: int = 10
    """Perceptrons asked together (DatasetGAN has 10)."""

    widths: tuple[int, int] = (128, 32)
    """Of the two hidden layers (paper and DatasetGAN)."""

    num_normalised: int = 2
    """After how many of the two hidden layers ReLU, batch norm and dropout stand."""

    dropout: float = 0.3
    """Part of the hidden values that is left out in training (the authors' code has 0.3)."""


class PixelClassifier(nn.Module):
    """Members of one shape with weights of their own, and the scaling of their features."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: ClassifierShape, *, seed: int = 0) -> None:
        """Members start from different weights; the same seed gives the same ensemble."""
        super().__init__()
        self.shape = shape
        sizes = (shape.num_channels, *shape.widths, shape.num_classes)
        random = torch.Generator().manual_seed(seed)
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            bound = inputs**-0.5
            weight = torch.rand(shape.num_members, inputs, outputs, generator=random)
            bias = torch.rand(shape.num_members, 1, outputs, generator=random)
            for name, drawn in (("weight", weight), ("bias", bias)):
                # In place: on the device "meta" other arithmetic takes a second to be imported.
                self.register_parameter(
                    f"{name}{i}", nn.Parameter(drawn.mul_(2).sub_(1).mul_(bound))
                )
        for i in range(shape.num_normalised):
            of_layer = (shape.num_members, 1, shape.widths[i])
            self.register_parameter(f"gain{i}", nn.Parameter(torch.ones(of_layer)))
            self.register_parameter(f"shift{i}", nn.Parameter(torch.zeros(of_layer)))
            self.register_buffer(f"running_mean{i}", torch.zeros(of_layer))
            self.register_buffer(f"running_variance{i}", torch.ones(of_layer))
        self.register_buffer("mean", torch.zeros(shape.num_channels))
        self.register_buffer("deviation", torch.ones(shape.num_channels))

    def forward(
        self,
        features: Float[Tensor, "members_or_one pixels channels"],
        random: torch.Generator | None = None,
    ) -> Float[Tensor, "members pixels classes"]:
        """Logits.

        Args:
            features: as the pyramid gives them; a leading 1 shows all members the same pixels.
            random: in training, where dropout comes from.
        """
        x = (features - self.mean) / self.deviation
        x = x.expand(self.shape.num_members, -1, -1)
        for i in range(2):
            x = torch.baddbmm(self.get_parameter(f"bias{i}"), x, self.get_parameter(f"weight{i}"))
            if i < self.shape.num_normalised:
                x = self._dropped(self._normalised(functional.relu(x), i), random)
        return torch.baddbmm(self.get_parameter("bias2"), x, self.get_parameter("weight2"))

    @torch.no_grad()
    def probabilities(
        self, features: Float[Tensor, "pixels channels"]
    ) -> Float[Tensor, "members pixels classes"]:
        """What each member thinks of each pixel. Call it in evaluation mode."""
        return torch.softmax(self(features[None]), dim=-1)

    def _normalised(self, x: Tensor, i: int) -> Tensor:
        """Batch norm over the pixels that each member sees."""
        mean, variance = (
            self.get_buffer(f"running_mean{i}"),
            self.get_buffer(f"running_variance{i}"),
        )
        if self.training:
            count = x.shape[1]
            batch_variance, batch_mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
            with torch.no_grad():
                mean.lerp_(batch_mean, _NORM_MOMENTUM)
                variance.lerp_(batch_variance * (count / max(1, count - 1)), _NORM_MOMENTUM)
            mean, variance = batch_mean, batch_variance
        scale = torch.rsqrt(variance + NORM_EPSILON) * self.get_parameter(f"gain{i}")
        return (x - mean) * scale + self.get_parameter(f"shift{i}")

    def _dropped(self, x: Tensor, random: torch.Generator | None) -> Tensor:
        if not self.training or self.shape.dropout == 0.0:
            return x
        kept = 1.0 - self.shape.dropout
        mask = torch.rand(x.shape, generator=random, device=x.device) < kept
        return x * mask / kept


def vote(
    probabilities: Float[Tensor, "members pixels classes"],
) -> Float[Tensor, "pixels classes"]:
    """The part of the members that chooses each class."""
    choices = probabilities.argmax(dim=-1)
    counts = functional.one_hot(choices, probabilities.shape[-1]).sum(dim=0)
    return counts.to(probabilities.dtype) / probabilities.shape[0]
