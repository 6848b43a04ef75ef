"""Colour changes of adaptive augmentation, as one matrix an image (StyleGAN2-ADA, appendix B)."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_LUMA = 1.0 / math.sqrt(3.0)


@dataclass(frozen=True)
class ColourDraw:
    """One colour transform an image; at 0, 1, 0, 0, 1 nothing changes."""

    brightness: Float[Tensor, " batch"]
    """Added to every channel (images span -1 to 1)."""

    contrast: Float[Tensor, " batch"]
    """Factor."""

    luma_flip: Float[Tensor, " batch"]
    """1 turns light into dark and keeps the hue, 0 does not."""

    hue: Float[Tensor, " batch"]
    """Turn about the grey axis, radians."""

    saturation: Float[Tensor, " batch"]
    """Factor of the distance from the grey axis."""


def draw_colour(
    batch: int, strength: float, random: torch.Generator, device: torch.device
) -> ColourDraw:
    """The colour transforms of StyleGAN2-ADA with their published spreads."""

    def chosen() -> Tensor:
        return torch.rand(batch, generator=random, device=device) < strength

    def normal(spread: float) -> Tensor:
        return torch.randn(batch, generator=random, device=device) * spread * chosen()

    def uniform() -> Tensor:
        return torch.rand(batch, generator=random, device=device)

    return ColourDraw(
        brightness=normal(0.2),
        contrast=torch.exp2(normal(0.5)),
        luma_flip=(uniform() * 2).floor() * chosen(),
        hue=(uniform() * 2 - 1) * math.pi * chosen(),
        saturation=torch.exp2(normal(1.0)),
    )


def coloured(
    images: Float[Tensor, "batch 3 height width"], draw: ColourDraw
) -> Float[Tensor, "batch 3 height width"]:
    """Each image under its own colour matrix."""
    matrix = colour_matrix(draw).to(images.dtype)
    flat = images.flatten(start_dim=2)
    moved = torch.baddbmm(matrix[:, :3, 3:], matrix[:, :3, :3], flat)
    return moved.reshape(images.shape)


def colour_matrix(draw: ColourDraw) -> Float[Tensor, "batch 4 4"]:
    """The transforms in their order, as one matrix on (red, green, blue, 1)."""
    batch = draw.contrast.shape[0]
    identity = torch.eye(4, dtype=draw.contrast.dtype, device=draw.contrast.device)
    grey = identity.new_tensor([_LUMA, _LUMA, _LUMA, 0.0])
    along_grey = torch.outer(grey, grey)

    brightened = identity.repeat(batch, 1, 1)
    brightened[:, :3, 3] = draw.brightness[:, None]
    contrasted = (
        identity * torch.stack([draw.contrast] * 3 + [torch.ones_like(draw.contrast)], 1)[:, None]
    )
    flipped = identity - 2.0 * along_grey * draw.luma_flip[:, None, None]
    rgb = torch.diag(identity.new_tensor([1.0, 1.0, 1.0, 0.0]))
    saturated = identity + (rgb - along_grey) * (draw.saturation[:, None, None] - 1.0)
    return saturated @ _turned_about(grey, draw.hue) @ flipped @ contrasted @ brightened


def _turned_about(
    axis: Float[Tensor, "4"], angle: Float[Tensor, " batch"]
) -> Float[Tensor, "batch 4 4"]:
    """Rotation about an axis through the origin of colour space (Rodrigues' formula)."""
    x, y, z = (float(value) for value in axis[:3])
    across = axis.new_tensor(
        [[0.0, -z, y, 0.0], [z, 0.0, -x, 0.0], [-y, x, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    )
    identity = torch.eye(4, dtype=axis.dtype, device=axis.device)
    sine, cosine = angle.sin()[:, None, None], angle.cos()[:, None, None]
    return identity + across * sine + (across @ across) * (1.0 - cosine)
