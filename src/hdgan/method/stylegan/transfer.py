"""Beginning from a trained network, and training only the later part of the discriminator."""

import math
import re
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
    are passed on. A layer of a block that is wider than the start's begins as it, with further
    channels that nothing listens to yet: what the network gives stays the same.
    """
    copied = []
    for name, own in network.state_dict(keep_vars=True).items():
        given = tensors.get(name)
        if given is None:
            continue
        if given.shape == own.shape:
            own.copy_(given)
        elif _is_wider(name, own, given):
            _widened(own, given, demodulated=_demodulated(name))
        else:
            continue
        copied.append(name)
    return copied


def begun_share(
    network: nn.Module, tensors: Mapping[str, Tensor]
) -> list[tuple[nn.Parameter, Tensor]]:
    """The parameters that `begun_from` fills, with 1 where a number comes from there, else 0."""
    found = []
    for name, own in network.named_parameters():
        given = tensors.get(name)
        if given is None or not (given.shape == own.shape or _is_wider(name, own, given)):
            continue
        share = torch.zeros_like(own)
        share[tuple(slice(size) for size in given.shape)] = 1.0
        found.append((own, share))
    return found


def _is_wider(name: str, own: Tensor, given: Tensor) -> bool:
    """Whether a tensor of a block has more channels than the start's, and all else alike.

    The discriminator's head is none: it sees how all channels spread.
    """
    if not re.match(r"(synthesis\.)?b\d+\.", name) or name.startswith("b4."):
        return False
    fixed = 1 if ".affine." in name else 2
    return (
        own.dim() == given.dim()
        and own.shape[fixed:] == given.shape[fixed:]
        and all(mine >= its for mine, its in zip(own.shape, given.shape, strict=True))
    )


def _widened(own: Tensor, given: Tensor, *, demodulated: bool) -> None:
    """Fill the first channels; those do not listen to the further ones."""
    outputs = given.shape[0]
    if own.dim() == 4:
        # Weights are divided by the root of the number of inputs when they are used.
        gain = 1.0 if demodulated else math.sqrt(own.shape[1] / given.shape[1])
        own[:outputs, given.shape[1] :] = 0.0
        own[:outputs, : given.shape[1]] = given * gain
    else:
        own[:outputs] = given


def _demodulated(name: str) -> bool:
    return name.startswith("synthesis.") and ".conv" in name


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
        given = [tensors.get(f"b{side}.fromrgb.{part}") for part in ("weight", "bias")]
        for own, its in zip(before.parameters(), given, strict=True):
            if its is None or len(its) > len(own):
                return False
            own[: len(its)] = its
        for block in new:
            before = _passes_on(block, before)
    new[-1].fromrgb.load_state_dict(before.state_dict())
    return True


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
