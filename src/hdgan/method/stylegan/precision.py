"""Half precision where it pays: in the blocks of the largest resolutions (StyleGAN2-ADA)."""

import torch

from hdgan.method.stylegan.discriminator import Discriminator
from hdgan.method.stylegan.synthesis import SynthesisNetwork

HALF_RESOLUTIONS = 4
"""How many of the largest resolutions are computed in half precision, as published."""

CLAMP = 256.0
"""Bound of the feature maps of networks that are computed in half precision, as published."""


def use_half(
    network: SynthesisNetwork | Discriminator,
    precision: torch.dtype | None,
    *,
    num_resolutions: int = HALF_RESOLUTIONS,
) -> None:
    """Compute the largest resolutions in `precision`, never those below 8 pixels.

    Weights and the running image stay as they are; None turns it off.
    """
    first = max(network.shape.resolution >> (num_resolutions - 1), 8)
    for block in network.block_list:
        if block.resolution >= first:
            block.precision = precision
