"""The losses of StyleGAN2: non-saturating logistic, R1, and path length."""

import math
from collections.abc import Callable, Sequence

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


def drawn_directions(
    size: Sequence[int], random: torch.Generator
) -> Float[Tensor, "batch 3 side side"]:
    """Random directions of image space, `size` being that of the images, about as long as 1."""
    noise = torch.randn(size, generator=random, device=random.device)
    return noise / math.sqrt(size[2] * size[3])


def path_lengths(
    images: Float[Tensor, "batch 3 side side"],
    ws: Float[Tensor, "batch num_ws w_dim"],
    direction: Float[Tensor, "batch 3 side side"],
) -> Float[Tensor, " batch"]:
    """How far each image moves along its direction when its w moves."""
    (gradient,) = torch.autograd.grad((images * direction).sum(), ws, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()


def path_length_slopes(
    lengths: Float[Tensor, " batch"], mean: float, running: float, *, decay: float, count: int
) -> Float[Tensor, " batch"]:
    """The derivative of mean((length - running)^2) with regard to each of these lengths.

    The running mean has already taken in this step's lengths with the weight `decay`, so that it
    moves with them. With these slopes a batch can be computed in parts that know of one another
    only the mean.

    Args:
        lengths: of some of the images.
        mean: of all lengths of this step.
        running: the running mean, this step's lengths taken in.
        decay: the weight of this step in the running mean.
        count: how many lengths there are in this step.
    """
    return ((lengths - running) - decay * (mean - running)).detach() * (2.0 / count)
