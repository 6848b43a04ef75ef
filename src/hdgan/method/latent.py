"""From a seed to a latent to an image: item i depends on its own seed alone (section IV)."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from hdgan.errors import SettingsError
from hdgan.method.stylegan.bands import BANDED_FROM_PX, bands
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator, Noise


def z_of(seed: int, z_dim: int) -> Float[Tensor, "1 z_dim"]:
    """The z of a seed. It is drawn on the CPU: the same on every device."""
    return torch.randn(1, z_dim, generator=torch.Generator().manual_seed(seed))


def stain_of(shape: NetworkShape, seed: int, wanted: str | None = None) -> str | None:
    """The stain of a seed's drawing: the one that is wanted, or else one that the seed decides.

    None if the generator is not told stains.

    Raises:
        SettingsError: the generator does not know the stain.
    """
    if wanted is not None and wanted not in shape.stains:
        known = f"it knows {', '.join(shape.stains)}" if shape.stains else "it is told no stain"
        raise SettingsError(
            f"The generator cannot be asked for the stain {wanted!r}: {known}. Generators are told "
            "stains if they are trained with --condition stain."
        )
    if wanted is not None or not shape.stains:
        return wanted
    return shape.stains[int(np.random.default_rng([seed, 1]).integers(len(shape.stains)))]


@torch.no_grad()
def w_of(
    generator: Generator, seed: int, truncation: float, stain: str | None = None
) -> Float[Tensor, "1 w_dim"]:
    """The w of a seed, pulled towards the mean: 1 leaves it, 0 gives the mean image.

    Args:
        generator: the network.
        seed: decides z, and the stain if none is given.
        truncation: how much of the distance to the mean is left.
        stain: one of those that the generator is told.
    """
    shape, device = generator.shape, generator.mapping.w_avg.device
    told = stain_of(shape, seed, stain)
    number = None if told is None else torch.tensor([shape.stains.index(told)], device=device)
    w: Tensor = generator.mapping(z_of(seed, shape.z_dim).to(device), number)
    return generator.mapping.truncated(w, truncation)


def has_noise(generator: Generator) -> bool:
    """Whether noise changes what is drawn: not if the network was trained without."""
    return any(bool(layer.noise_strength != 0) for layer in generator.synthesis.convolutions)


def noise_of(generator: Generator, seed: int, number: int) -> Noise:
    """The noise of one of the drawings of a seed's latent, drawn on the CPU.

    Args:
        generator: the network.
        seed: of the latent.
        number: 0 is the generator's own constant noise; each further one is another.
    """
    if number == 0:
        return generator.synthesis.constant_noise()
    own = int(np.random.default_rng([seed, 2, number]).integers(2**62))
    random = torch.Generator().manual_seed(own)
    return [
        torch.randn(1, 1, layer.resolution, layer.resolution, generator=random).to(layer.bias)
        for layer in generator.synthesis.convolutions
    ]


@torch.no_grad()
def image_of(
    generator: Generator, w: Float[Tensor, "1 w_dim"], noise: Noise | None = None
) -> UInt8[np.ndarray, "side side 3"]:
    """The image of a latent, with the generator's constant noise unless another is given.

    From 512 px it is drawn band by band: memory is the image's and one band's.
    """
    noise = generator.synthesis.constant_noise() if noise is None else noise
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
