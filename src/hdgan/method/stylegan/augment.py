"""Adaptive discriminator augmentation: what reals and drawings go through before they are scored.

Each change applies to an image with the probability that `adaptation` sets. Differentiable twice.
StyleGAN2-ADA, section 2 and appendix B.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.method.stylegan.augment_colour import coloured, draw_colour
from hdgan.method.stylegan.augment_geometry import draw_flips, draw_warps, laid, moved


@dataclass(frozen=True)
class AugmentGroups:
    """Which kinds of augmentation take part."""

    flips: bool
    """Mirror images and right-angle turns."""

    warps: bool
    """Shifts, scales, turns by any angle and stretches; go with flips."""

    colour: bool
    """Brightness, contrast, luma flip, hue turn, saturation."""

    @property
    def has_any(self) -> bool:
        """Whether there is anything to do."""
        return self.flips or self.colour


ALL_GROUPS = AugmentGroups(flips=True, warps=True, colour=True)
"""Everything that is published as the default, `bgc`."""


def groups_named(name: str) -> AugmentGroups:
    """The groups that a word of the command line stands for."""
    return AugmentGroups(
        flips=name in ("flips", "flips-and-colour", "geometry", "both"),
        warps=name in ("geometry", "both"),
        colour=name in ("colour", "flips-and-colour", "both"),
    )


def augment(
    images: Float[Tensor, "batch 3 side side"],
    strength: float,
    groups: AugmentGroups,
    random: torch.Generator,
) -> Float[Tensor, "batch 3 side side"]:
    """The images, each transform applied to each image with probability `strength`.

    At 0 the very images come back.
    """
    if strength <= 0.0:
        return images
    batch = images.shape[0]
    if groups.flips:
        flips = draw_flips(batch, strength, random, images.device)
        if groups.warps:
            warps = draw_warps(batch, strength, images.shape[-1], random)
            images = moved(images, flips, warps)
        else:
            images = laid(images, flips)
    if groups.colour:
        images = coloured(images, draw_colour(batch, strength, random, images.device))
    return images
