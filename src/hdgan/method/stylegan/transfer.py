"""Beginning from a trained network, and training only the later part of the discriminator."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hdgan.method.stylegan.discriminator import Discriminator, DiscriminatorBlock


@torch.no_grad()
def begun_from(network: nn.Module, tensors: Mapping[str, Tensor]) -> list[str]:
    """Copy every tensor whose name and size fit; the names come back.

    The blocks of a network of another resolution have the same names, so those that both have
    are passed on.
    """
    copied = []
    for name, own in network.state_dict(keep_vars=True).items():
        given = tensors.get(name)
        if given is not None and given.shape == own.shape:
            own.copy_(given)
            copied.append(name)
    return copied


def first_layers(discriminator: Discriminator, count: int) -> list[nn.Parameter]:
    """The parameters of the first layers, counted from the image (FreezeD, Mo et al. 2020).

    Of a block, in this order: the step from RGB (first block only), both convolutions, and the way
    past them. The head is never among them.
    """
    layers = [
        layer
        for block in discriminator.children()
        if isinstance(block, DiscriminatorBlock)
        for layer in (getattr(block, "fromrgb", None), block.conv0, block.conv1, block.skip)
        if layer is not None
    ]
    return [parameter for layer in layers[:count] for parameter in layer.parameters()]
