"""Seeking the latents whose drawings look like given images: one w a layer.

After Abdal et al. 2019 (Image2StyleGAN: a w for each layer, which reaches images that one w does
not) and Karras et al. 2020 (StyleGAN2, appendix D: Adam from the mean w, a rate that is ramped up
and down, a look at the image with an encoder). Noise stays that of the generator.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.method.latent import w_of
from hdgan.method.likeness_of_images import ImageLook, Look, distance_between
from hdgan.method.stylegan.synthesis import Generator

NUM_LATENTS = 10_000
"""Latents that say how w is spread (StyleGAN2 has as many)."""

LEAST_SPREAD = 1e-3
"""Of an axis of w, over the widest: along narrower ones a search would change nothing."""

NUM_STRANGERS, FIRST_STRANGER = 32, 2_000_000_000
"""Drawings that are compared with one another to say what is near, and the seed of the first."""

NEAR_PART = 0.05
"""Of the pairs of such drawings, this part counts as near."""

Images = Float[Tensor, "batch 3 side side"]


@dataclass(frozen=True)
class ProjectionPlan:
    """Everything that decides where a search ends, apart from the images."""

    steps: int = 500
    """Steps of Adam."""

    learning_rate: float = 0.1
    """The largest; in standard deviations of w along each of its axes."""

    rising: float = 0.05
    """Part of the steps in which the rate rises (StyleGAN2)."""

    falling: float = 0.25
    """Part of the steps in which it falls to 0 (StyleGAN2)."""

    pixel_weight: float = 1.0
    """Of the mean squared error of the pixels, which go from -1 to 1, beside the look's 1."""

    latent_weight: float = 0.002
    """Of the mean square of the latent, in standard deviations: what is unlikely to be drawn must
    pay for itself."""

    layer_weight: float = 0.002
    """Of the mean square of how a layer's latent differs from the mean of all layers, likewise."""

    steps_per_report: int = 25
    """Steps between two reports."""

    def rate(self, step: int) -> float:
        """The rate of a step."""
        done = step / self.steps
        up = min(1.0, (step + 1) / max(1.0, self.rising * self.steps))
        left = min(1.0, (1.0 - done) / self.falling)
        return self.learning_rate * up * (0.5 - 0.5 * math.cos(math.pi * left))


@dataclass(frozen=True)
class LatentSpace:
    """How a generator's w is spread."""

    mean: Float[Tensor, " w_dim"]
    """The mean w."""

    axes: Float[Tensor, "axes w_dim"]
    """What a standard deviation along each axis changes."""

    def w_of(
        self, place: Float[Tensor, "batch layers axes"]
    ) -> Float[Tensor, "batch layers w_dim"]:
        """The w at a place that is given in standard deviations along the axes."""
        return self.mean + place @ self.axes


@dataclass(frozen=True)
class ProjectionReport:
    """Where a search stands."""

    steps: int
    """Steps done since the start."""

    ws: Float[Tensor, "batch num_ws w_dim"]
    """The latents now."""

    distances: Float[Tensor, " batch"]
    """How unlike the images what they draw was when it was last looked at: the look's distance and
    the weighted error of the pixels."""


@torch.no_grad()
def latent_space_of(generator: Generator, seed: int = 0) -> LatentSpace:
    """The spread of w over `NUM_LATENTS` latents, of all stains if the generator is told any."""
    shape, device = generator.shape, generator.mapping.w_avg.device
    random = torch.Generator().manual_seed(seed)
    z = torch.randn(NUM_LATENTS, shape.z_dim, generator=random).to(device)
    stains = None
    if shape.stains:
        stains = torch.randint(len(shape.stains), (NUM_LATENTS,), generator=random).to(device)
    w = generator.mapping(z, stains)
    mean = w.mean(dim=0)
    variances, directions = torch.linalg.eigh(torch.cov((w - mean).mT))
    spreads = variances.clamp_min(0.0).sqrt()
    kept = spreads > spreads.max() * LEAST_SPREAD
    return LatentSpace(mean, (directions * spreads).mT[kept])


def project(
    generator: Generator,
    space: LatentSpace,
    images: Images,
    look: ImageLook,
    plan: ProjectionPlan,
) -> Iterator[ProjectionReport]:
    """Seek the latents of some images, from the mean w on; the first report tells of the start.

    Each image is sought by itself: what is found does not depend on the others but for rounding.
    Memory: the generator's maps and the look's of all images, with their gradients.

    Args:
        generator: what is to draw them, without gradients of its own.
        space: of its w.
        images: RGB from -1 to 1, of the generator's size.
        look: what images are compared by, beside their pixels.
        plan: how.
    """
    size = (len(images), generator.shape.num_ws, len(space.axes))
    place = torch.zeros(size, device=images.device, requires_grad=True)
    optimizer = torch.optim.Adam([place], lr=plan.learning_rate)
    with torch.no_grad():
        wanted = [part.detach() for part in look(images)]
    for step in range(plan.steps):
        optimizer.param_groups[0]["lr"] = plan.rate(step)
        distances = _distances(generator, space.w_of(place), (images, wanted), look, plan)
        if step % plan.steps_per_report == 0:
            yield ProjectionReport(step, space.w_of(place).detach(), distances.detach())
        loss = distances + _unlikeliness(place, plan)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
    with torch.no_grad():
        ws = space.w_of(place).detach()
        yield ProjectionReport(
            plan.steps, ws, _distances(generator, ws, (images, wanted), look, plan)
        )


@torch.no_grad()
def largest_distance(generator: Generator, look: ImageLook, plan: ProjectionPlan) -> float:
    """How far a drawing may be from an image that it is to stand for.

    The generator's own drawings say so: `NEAR_PART` of the pairs of two unrelated ones are nearer
    to one another. What is farther than that is no picture of the image.
    """
    device = generator.mapping.w_avg.device
    ws = [w_of(generator, FIRST_STRANGER + i, 1.0).to(device) for i in range(NUM_STRANGERS)]
    noise = generator.synthesis.constant_noise()
    drawn = [generator(w, noise) for w in ws]
    looks = [look(image) for image in drawn]
    distances = [
        distance_between(looks[i], looks[j])
        + plan.pixel_weight * (drawn[i] - drawn[j]).square().mean()
        for i in range(NUM_STRANGERS)
        for j in range(i)
    ]
    return float(torch.cat(distances).quantile(NEAR_PART))


def _distances(
    generator: Generator,
    ws: Float[Tensor, "batch num_ws w_dim"],
    wanted: tuple[Images, Look],
    look: ImageLook,
    plan: ProjectionPlan,
) -> Float[Tensor, " batch"]:
    """How unlike the images is what the latents draw."""
    drawn = generator(ws, generator.synthesis.constant_noise())
    of_pixels = (drawn - wanted[0]).square().flatten(1).mean(dim=1)
    return distance_between(look(drawn), wanted[1]) + plan.pixel_weight * of_pixels


def _unlikeliness(
    place: Float[Tensor, "batch layers axes"], plan: ProjectionPlan
) -> Float[Tensor, " batch"]:
    """What a latent costs that the generator would hardly draw by itself."""
    apart = place - place.mean(dim=1, keepdim=True)
    far, spread = (each.square().mean(dim=(1, 2)) for each in (place, apart))
    return plan.latent_weight * far + plan.layer_weight * spread
