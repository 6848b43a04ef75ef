"""Changes of crops that leave their classes as they are: noise, colour, blur, turns."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional

from hdgan.method.tile_crop import undone

COLOUR_CHANCE = 0.8
"""Of a crop to get other colours in `strongly_changed`."""

COLOUR_CHANGE = 0.4
"""Largest relative change of brightness, contrast and saturation."""

DENSITY_CHANGE = 0.3
"""Largest relative change of each colour channel's optical density: another stain, or scanner."""

BLUR_CHANCE = 0.5
"""Of a crop to be blurred in `strongly_changed`."""

BLUR_PX = (0.1, 2.0)
"""Standard deviation of the blur, least and most, px."""

NOISE = 0.1
"""Standard deviation of the noise in `noisy`, for images from -1 to 1."""

Images = Float[Tensor, "batch 3 side side"]


def noisy(images: Images, random: np.random.Generator) -> Images:
    """The images with Gaussian noise, cut off at twice its standard deviation."""
    noise = random.standard_normal(tuple(images.shape), dtype=np.float32).clip(-2, 2) * NOISE
    return images + torch.from_numpy(noise).to(images)


def strongly_changed(images: Images, random: np.random.Generator) -> Images:
    """The images in other colours and less sharp; nothing moves.

    FixMatch asks for a change that is much stronger than the one its labels are guessed from (Sohn
    et al. 2020, section 2.3). These are those that tissue, stains and scanners make.
    """
    return blurred(recoloured(images, random), random)


def recoloured(images: Images, random: np.random.Generator) -> Images:
    """Most of the images, with other stain densities, brightness, contrast and saturation."""
    is_changed = _numbers(random.random(len(images)) < COLOUR_CHANCE, images).bool()
    density = _factors(DENSITY_CHANGE, (len(images), 3), images, random)
    brightness, contrast, saturation = (
        _factors(COLOUR_CHANGE, (len(images), 1), images, random) for _ in range(3)
    )
    light = ((images + 1.0) / 2.0).clamp(1 / 256, 1.0) ** density * brightness
    grey = light.mean(dim=1, keepdim=True)
    light = grey + (light - grey) * saturation
    mean = light.mean(dim=(1, 2, 3), keepdim=True)
    light = (mean + (light - mean) * contrast).clamp(0.0, 1.0)
    return torch.where(is_changed, light * 2.0 - 1.0, images)


def blurred(images: Images, random: np.random.Generator) -> Images:
    """Half of the images, with a Gaussian blur of a width of their own."""
    batch, channels, height, width = images.shape
    is_changed = _numbers(random.random(batch) < BLUR_CHANCE, images).bool()
    spread = _numbers(random.uniform(*BLUR_PX, size=batch), images)[:, 0, 0]
    reach = int(2 * BLUR_PX[1])
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1).to(images) / spread).square())
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    padded = functional.pad(images, (reach,) * 4, mode="reflect")
    rows = padded.reshape(1, batch * channels, height + 2 * reach, width + 2 * reach)
    rows = functional.conv2d(rows, kernel[:, None, :, None], groups=batch * channels)
    both = functional.conv2d(rows, kernel[:, None, None, :], groups=batch * channels)
    return torch.where(is_changed, both.reshape(images.shape), images)


def turned(
    crops: Shaped[Tensor, "batch *axes side side"], ways: Sequence[int]
) -> Shaped[Tensor, "batch *axes side side"]:
    """Each crop laid in its way, as `tile_crop.laid` does: mirrored, then turned."""
    return torch.stack([_laid(crop, way) for crop, way in zip(crops, ways, strict=True)])


def turned_back(
    crops: Shaped[Tensor, "batch *axes side side"], ways: Sequence[int]
) -> Shaped[Tensor, "batch *axes side side"]:
    """What `turned` was given."""
    return turned(crops, [undone(way) for way in ways])


def drawn_ways(count: int, random: np.random.Generator) -> list[int]:
    """Ways to lay so many crops, each of the eight equally likely."""
    return [int(way) for way in random.integers(0, 8, size=count)]


def _laid(crop: Shaped[Tensor, "*axes side side"], way: int) -> Shaped[Tensor, "*axes side side"]:
    crop = crop.flip(-1) if way % 2 else crop
    return torch.rot90(crop, way // 2, dims=(-2, -1))


def _factors(
    change: float, shape: tuple[int, int], like: Tensor, random: np.random.Generator
) -> Float[Tensor, "batch _ 1 1"]:
    """Numbers about 1, to multiply images with."""
    return _numbers(random.uniform(1.0 - change, 1.0 + change, size=shape), like)


def _numbers(
    numbers: Shaped[np.ndarray, "images ..."], like: Tensor
) -> Float[Tensor, "batch _ 1 1"]:
    """Numbers of each image, as a tensor that multiplies images."""
    return torch.from_numpy(numbers.reshape(len(numbers), -1, 1, 1)).to(like)
