"""From a seed to a latent to an image: item i depends on its own seed alone (section IV)."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from hdgan.method.stylegan.bands import BANDED_FROM_PX, bands
from hdgan.method.stylegan.synthesis import Generator


def z_of(seed: int, z_dim: int) -> Float[Tensor, "1 z_dim"]:
    """The z of a seed. It is drawn on the CPU: the same on every device."""
    return torch.randn(1, z_dim, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def w_of(generator: Generator, seed: int, truncation: float) -> Float[Tensor, "1 w_dim"]:
    """The w of a seed, pulled towards the mean: 1 leaves it, 0 gives the mean image."""
    z = z_of(seed, generator.shape.z_dim).to(generator.mapping.w_avg.device)
    w: Tensor = generator.mapping(z)
    return generator.mapping.truncated(w, truncation)


@torch.no_grad()
def image_of(generator: Generator, w: Float[Tensor, "1 w_dim"]) -> UInt8[np.ndarray, "side side 3"]:
    """The image of a latent, with the generator's constant noise.

    From 512 px it is drawn band by band: memory is the image's and one band's.
    """
    noise = generator.synthesis.constant_noise()
    if generator.shape.resolution < BANDED_FROM_PX:
        return pixels_of(generator(w, noise))
    parts = bands(generator.synthesis, generator.styles(w), noise)
    return np.concatenate([pixels_of(band.image) for band in parts])


def pixels_of(image: Float[Tensor, "1 3 height width"]) -> UInt8[np.ndarray, "height width 3"]:
    """RGB from 0 to 255 of an image from -1 to 1."""
    pixels = (image[0].float() * 127.5 + 128.0).clamp(0.0, 255.0).to(torch.uint8)
    return pixels.permute(1, 2, 0).contiguous().cpu().numpy()


def tensor_of(pixels: UInt8[np.ndarray, "height width 3"]) -> Float[Tensor, "3 height width"]:
    """An image from -1 to 1 of RGB from 0 to 255."""
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1.0).permute(2, 0, 1)
