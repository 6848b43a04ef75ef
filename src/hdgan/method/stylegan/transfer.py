"""Beginning from a trained network, and training only the later part of the discriminator."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hdgan.method.stylegan.discriminator import (
    Discriminator,
    DiscriminatorBlock,
    EqualisedConvolution,
)
from hdgan.method.stylegan.mapping import GAIN, LEAK

COLOURS = 3
"""Channels of an image."""


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


@torch.no_grad()
def sees_reduced(discriminator: Discriminator, tensors: Mapping[str, Tensor], side: int) -> bool:
    """Let the blocks above a trained discriminator reduce the image and pass its colours on.

    A new block at random values would leave the trained ones with features that they have never
    seen. Made so, the score begins as what the trained discriminator gives the image at half its
    size. Colours pass a leaky ReLU in pairs, as x and -x, whose difference is linear in x.

    Args:
        discriminator: the new one; blocks up to `side` are copied already.
        tensors: of the trained one.
        side: pixels of the trained one's images.

    Returns:
        Whether it was done. It is not where a new block has less than six channels.
    """
    new = [block for block in reversed(discriminator.block_list) if block.resolution > side]
    if not new or any(block.conv0.weight.shape[0] < 2 * COLOURS for block in new):
        return False
    # Spare channels are random: the same in every process and run, whatever was drawn before.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(side)
        before = EqualisedConvolution(COLOURS, new[0].conv1.weight.shape[0], kernel=1)
        if begun_from(before, _below(tensors, f"b{side}.fromrgb.")) != ["weight", "bias"]:
            return False
        for block in new:
            before = _passes_on(block, before)
    new[-1].fromrgb.load_state_dict(before.state_dict())
    return True


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix) and not name.endswith("resample_filter")
    }


def _passes_on(block: DiscriminatorBlock, fromrgb: EqualisedConvolution) -> EqualisedConvolution:
    """Make a block give what `fromrgb` gives the halved image; the step from RGB before it."""
    channels, kept = block.conv0.weight.shape[0], 2 * COLOURS
    colours = torch.eye(COLOURS)
    own = EqualisedConvolution(COLOURS, channels, kernel=1)
    own.weight[:kept, :, 0, 0] = torch.cat([colours, -colours]) / own.weight_gain
    centre = block.conv0.weight.shape[-1] // 2
    block.conv0.weight[:kept] = 0.0
    block.conv0.weight[:kept, :kept, centre, centre] = torch.eye(kept) / (
        GAIN * block.conv0.weight_gain
    )
    assert block.conv0.bias is not None
    block.conv0.bias[:kept] = 0.0
    # After two leaky ReLUs a pair differs by 1 + LEAK^2 times its colour; the block halves power.
    mixing = fromrgb.weight[:, :, 0, 0] * fromrgb.weight_gain / (1 + LEAK**2)
    block.conv1.weight.zero_()
    block.conv1.weight[:, :kept, centre, centre] = (
        torch.cat([mixing, -mixing], dim=1) / block.conv1.weight_gain
    )
    assert block.conv1.bias is not None
    assert fromrgb.bias is not None
    block.conv1.bias.copy_(fromrgb.bias * math.sqrt(2.0))
    block.skip.weight.zero_()
    return own
