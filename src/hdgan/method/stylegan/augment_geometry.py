"""Where adaptive augmentation moves pixels to (StyleGAN2-ADA, appendix B).

Mirror images and right-angle turns, shifts by whole pixels, and affine warps: scale, turn,
stretch, turn, shift. What needs no interpolation is done without; an image that is also warped
takes all its changes in one warp.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from hdgan.method.stylegan.warp import Maps, warped


@dataclass(frozen=True)
class FlipDraw:
    """One of the eight ways to lay a square, an image."""

    transposed: Bool[Tensor, " batch"]
    """Rows and columns change places, first."""

    upside_down: Bool[Tensor, " batch"]
    """Rows in reverse, second."""

    mirrored: Bool[Tensor, " batch"]
    """Columns in reverse, last."""

    def maps(self) -> Maps:
        """Where each pixel comes from, as a matrix an image."""
        one, zero = torch.ones(len(self.mirrored)), torch.zeros(len(self.mirrored))
        across = torch.where(self.mirrored.cpu(), -one, one)
        down = torch.where(self.upside_down.cpu(), -one, one)
        turned = self.transposed.cpu()
        x = torch.stack([zero.where(turned, across), down.where(turned, zero), zero], dim=1)
        y = torch.stack([across.where(turned, zero), zero.where(turned, down), zero], dim=1)
        return torch.stack([x, y, torch.stack([zero, zero, one], dim=1)], dim=1)


@dataclass(frozen=True)
class WarpDraw:
    """One affine change an image, in this order; at 0, 1, 0, 1, 0, 0 nothing changes."""

    whole_shift: Int[Tensor, "batch 2"]
    """Whole pixels to the right and down."""

    scale: Float[Tensor, " batch"]
    """Factor of size."""

    turn_before: Float[Tensor, " batch"]
    """Radians, before the stretch."""

    stretch: Float[Tensor, " batch"]
    """Factor of width; the height is divided by it."""

    turn_after: Float[Tensor, " batch"]
    """Radians, after the stretch."""

    shift: Float[Tensor, "batch 2"]
    """Pixels to the right and down, fractions included."""

    def moves(self) -> Bool[Tensor, " batch"]:
        """Which images are changed by more than a shift by whole pixels."""
        moved: Tensor = (self.scale != 1) | (self.stretch != 1) | (self.shift != 0).any(dim=1)
        return moved | (self.turn_before != 0) | (self.turn_after != 0)

    def maps(self) -> Maps:
        """Where each pixel comes from, as a matrix an image: the inverses, the last one first."""
        return (
            _shifts(-self.whole_shift)
            @ _scales(1 / self.scale, 1 / self.scale)
            @ _turns(self.turn_before)
            @ _scales(1 / self.stretch, self.stretch)
            @ _turns(self.turn_after)
            @ _shifts(-self.shift)
        )


def draw_flips(
    batch: int, strength: float, random: torch.Generator, device: torch.device
) -> FlipDraw:
    """A mirror image and a turn by 0 to 3 right angles, each with probability `strength`."""

    def uniform() -> Tensor:
        return torch.rand(batch, generator=random, device=device)

    mirror = (uniform() < 0.5) & (uniform() < strength)
    turns = (uniform() * 4).floor().long() * (uniform() < strength)
    # A turn by one right angle transposes and then reverses rows; two reverse both.
    transposed = turns % 2 == 1
    upside_down = (turns == 1) | (turns == 2)
    mirrored = (turns == 2) | (turns == 3)
    # The mirror image comes first; behind a transposition it has become a reversal of rows.
    return FlipDraw(
        transposed, upside_down ^ (mirror & transposed), mirrored ^ (mirror & ~transposed)
    )


def draw_warps(batch: int, strength: float, side: int, random: torch.Generator) -> WarpDraw:
    """The affine changes of StyleGAN2-ADA with their published spreads, as CPU tensors.

    Each with probability `strength`; the two turns together, so that either is less likely.
    """
    where = random.device

    def uniform(*more: int) -> Tensor:
        return torch.rand(batch, *more, generator=random, device=where).cpu()

    def normal(spread: float, *more: int) -> Tensor:
        return torch.randn(batch, *more, generator=random, device=where).cpu() * spread

    def chosen(chance: float) -> Tensor:
        return uniform() < chance

    one_turn = 1.0 - math.sqrt(max(0.0, 1.0 - min(strength, 1.0)))
    whole = ((uniform(2) * 2 - 1) * 0.125 * side).round() * chosen(strength)[:, None]
    return WarpDraw(
        whole_shift=whole.long(),
        scale=torch.exp2(normal(0.2) * chosen(strength)),
        turn_before=(uniform() * 2 - 1) * math.pi * chosen(one_turn),
        stretch=torch.exp2(normal(0.2) * chosen(strength)),
        turn_after=(uniform() * 2 - 1) * math.pi * chosen(one_turn),
        shift=normal(0.125, 2) * side * chosen(strength)[:, None],
    )


def laid(
    images: Float[Tensor, "batch channels side side"], draw: FlipDraw
) -> Float[Tensor, "batch channels side side"]:
    """Each image laid the way that was drawn for it."""

    def where(chosen: Tensor, changed: Tensor, otherwise: Tensor) -> Tensor:
        return torch.where(chosen[:, None, None, None], changed, otherwise)

    images = where(draw.transposed, images.transpose(2, 3), images)
    images = where(draw.upside_down, images.flip(2), images)
    return where(draw.mirrored, images.flip(3), images)


def moved(
    images: Float[Tensor, "batch channels side side"], flips: FlipDraw, warps: WarpDraw
) -> Float[Tensor, "batch channels side side"]:
    """Each image under all its changes; beyond its edges it is continued by its mirror image.

    Images that need no interpolation get none, and cost next to nothing.
    """
    whole = _shifted(laid(images, flips), warps.whole_shift)
    chosen = warps.moves().nonzero()[:, 0]
    if not len(chosen):
        return whole
    maps = (flips.maps() @ warps.maps())[chosen].to(images.device)
    chosen = chosen.to(images.device)
    return whole.index_copy(0, chosen, warped(images[chosen], maps).to(whole.dtype))


def _shifted(
    images: Float[Tensor, "batch channels side side"], shifts: Int[Tensor, "batch 2"]
) -> Float[Tensor, "batch channels side side"]:
    """Each image moved by whole pixels to the right and down."""
    if not bool(shifts.any()):
        return images
    side = images.shape[-1]
    margin = min(int(shifts.abs().max()), side - 1)
    padded = functional.pad(images, [margin] * 4, mode="reflect")
    windows = [
        image[:, margin - y : margin - y + side, margin - x : margin - x + side]
        for image, (x, y) in zip(padded, shifts.tolist(), strict=True)
    ]
    return torch.stack(windows)


def _shifts(pixels: Tensor) -> Maps:
    """Matrices that add (x, y)."""
    maps = torch.eye(3).repeat(len(pixels), 1, 1)
    maps[:, :2, 2] = pixels
    return maps


def _scales(across: Tensor, down: Tensor) -> Maps:
    return torch.diag_embed(torch.stack([across, down, torch.ones_like(across)], dim=1))


def _turns(radians: Tensor) -> Maps:
    cosine, sine = radians.cos(), radians.sin()
    maps = torch.eye(3).repeat(len(radians), 1, 1)
    maps[:, 0, 0], maps[:, 0, 1] = cosine, -sine
    maps[:, 1, 0], maps[:, 1, 1] = sine, cosine
    return maps
