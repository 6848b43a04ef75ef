"""Adaptive discriminator augmentation: what reals and drawings go through before they are scored.

Each change applies to an image with the probability that `adaptation` sets. Differentiable twice.
StyleGAN2-ADA, section 2 and appendix B.
"""

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.method.stylegan.augment_colour import ColourDraw, coloured, draw_colour
from hdgan.method.stylegan.augment_geometry import (
    FlipDraw,
    WarpDraw,
    draw_flips,
    draw_warps,
    laid,
    moved,
)

Draw = TypeVar("Draw", FlipDraw, WarpDraw, ColourDraw)


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


@dataclass(frozen=True)
class AugmentDraw:
    """What happens to each image of a batch; None: nothing of that kind."""

    flips: FlipDraw | None = None
    """Mirror images and right-angle turns."""

    warps: WarpDraw | None = None
    """Changes that need interpolation, and shifts."""

    colour: ColourDraw | None = None
    """Changes of colour."""

    def part(self, images: slice) -> "AugmentDraw":
        """What happens to some of the images."""
        return AugmentDraw(
            flips=None if self.flips is None else part_of(self.flips, images),
            warps=None if self.warps is None else part_of(self.warps, images),
            colour=None if self.colour is None else part_of(self.colour, images),
        )


def draw_augmentation(
    batch: int, side: int, strength: float, groups: AugmentGroups, random: torch.Generator
) -> AugmentDraw:
    """Decide what happens to a batch of images of this side, each with probability `strength`."""
    if strength <= 0.0:
        return AugmentDraw()
    device = random.device
    return AugmentDraw(
        flips=draw_flips(batch, strength, random, device) if groups.flips else None,
        warps=draw_warps(batch, strength, side, random) if groups.warps else None,
        colour=draw_colour(batch, strength, random, device) if groups.colour else None,
    )


def augmented(
    images: Float[Tensor, "batch 3 side side"], draw: AugmentDraw
) -> Float[Tensor, "batch 3 side side"]:
    """The images under what was drawn for them."""
    if draw.flips is not None and draw.warps is not None:
        images = moved(images, draw.flips, draw.warps)
    elif draw.flips is not None:
        images = laid(images, draw.flips)
    return images if draw.colour is None else coloured(images, draw.colour)


def augment(
    images: Float[Tensor, "batch 3 side side"],
    strength: float,
    groups: AugmentGroups,
    random: torch.Generator,
) -> Float[Tensor, "batch 3 side side"]:
    """The images, each transform applied to each image with probability `strength`.

    At 0 the very images come back.
    """
    batch, _, side, _ = images.shape
    return augmented(images, draw_augmentation(batch, side, strength, groups, random))


def part_of(draw: Draw, images: slice) -> Draw:
    """What was drawn for some images of a batch."""
    return replace(draw, **{each.name: getattr(draw, each.name)[images] for each in fields(draw)})
