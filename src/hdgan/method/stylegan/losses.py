"""The losses of StyleGAN2: non-saturating logistic, R1, and path length."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Score = Callable[[Tensor], Tensor]
"""Images `[batch, 3, side, side]` to scores `[batch]`."""


def generator_loss(scores_of_drawn: Float[Tensor, " batch"]) -> Float[Tensor, ""]:
    """High where the discriminator sees through the drawings."""
    return functional.softplus(-scores_of_drawn).mean()


def discriminator_loss(
    scores_of_drawn: Float[Tensor, " batch"], scores_of_real: Float[Tensor, " reals"]
) -> Float[Tensor, ""]:
    """High where drawings score high or real images low."""
    return functional.softplus(scores_of_drawn).mean() + functional.softplus(-scores_of_real).mean()


def r1_penalty(
    scores: Float[Tensor, " batch"], images: Float[Tensor, "batch 3 side side"]
) -> Float[Tensor, " batch"]:
    """Squared length of the score's gradient with regard to each real image.

    `images` are the real images before augmentation, with `requires_grad`.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


def path_lengths(
    images: Float[Tensor, "batch 3 side side"],
    ws: Float[Tensor, "batch num_ws w_dim"],
    random: torch.Generator,
) -> Float[Tensor, " batch"]:
    """How far each image moves, in a random direction of image space, when its w moves."""
    noise = torch.randn(images.shape, generator=random, device=images.device, dtype=images.dtype)
    return path_lengths_along(images, ws, noise / math.sqrt(images.shape[2] * images.shape[3]))


def path_lengths_along(
    images: Float[Tensor, "batch 3 side side"],
    ws: Float[Tensor, "batch num_ws w_dim"],
    direction: Float[Tensor, "batch 3 side side"],
) -> Float[Tensor, " batch"]:
    """The same for a given direction."""
    (gradient,) = torch.autograd.grad((images * direction).sum(), ws, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()
