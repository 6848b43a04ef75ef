"""A small convolutional network that reads what lies around each pixel, for the ensemble to read.

The perceptrons see one pixel's features. This network sees those of its surroundings too, at one
resolution, and its last hidden layer is one more feature map of the image. It reads the maps up to
`WHOLE_PX` only: those are drawn whole, so that what it says is known before the first band of an
image is labelled, and its memory does not grow with the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.features import (
    FeatureMap,
    FeaturePyramid,
    channels_by_map,
    halved,
    neighbours,
    sides_by_map,
)
from hdgan.method.stylegan.bands import WHOLE_PX
from hdgan.method.stylegan.shape import NetworkShape


@dataclass(frozen=True)
class ContextShape:
    """What a context head is built from."""

    num_channels: int
    """Features a pixel: of all maps up to its resolution."""

    num_classes: int
    """Classes to tell apart while it is fitted."""

    side_px: int
    """The resolution at which it works."""

    widths: tuple[int, int] = (64, 32)
    """Of the first layer, and of all others: as many channels has the map that it makes."""

    dilations: tuple[int, ...] = (1, 2, 4, 8)
    """Of the 3 x 3 convolutions: together they look 15 pixels far. Without the
    last, the gain on kidney falls from 1.6 points of macro Dice to 0.4."""

    dropouts: tuple[float, float] = (0.3, 0.1)
    """Part of the values that is left out in training, after the first layer and each
    convolution."""


def context_shape_of(
    network: NetworkShape, num_blocks: int | None, num_classes: int
) -> ContextShape | None:
    """The head for a generator whose last `num_blocks` blocks are read.

    It works at the largest resolution up to `WHOLE_PX` that is read; None if there is none.
    """
    skipped = 0 if num_blocks is None else max(0, 2 * len(network.resolutions) - 2 * num_blocks)
    maps = list(zip(sides_by_map(network), channels_by_map(network), strict=True))[skipped:]
    read = [(side, channels) for side, channels in maps if side <= WHOLE_PX]
    if not read:
        return None
    return ContextShape(sum(channels for _, channels in read), num_classes, read[-1][0])


class ContextHead(nn.Module):
    """The network, and the scaling of its features."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: ContextShape, *, seed: int = 0) -> None:
        """The same seed gives the same weights."""
        super().__init__()
        self.shape = shape
        first, width = shape.widths
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.enter = nn.Conv2d(shape.num_channels, first, 1)
            self.narrow = nn.Conv2d(first, width, 1)
            self.around = nn.ModuleList(
                nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
                for dilation in shape.dilations
            )
            self.leave = nn.Conv2d(width, shape.num_classes, 1)
        self.enter_norm = nn.BatchNorm2d(first)
        self.around_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in shape.dilations)
        self.register_buffer("mean", torch.zeros(shape.num_channels))
        self.register_buffer("deviation", torch.ones(shape.num_channels))

    def forward(
        self, features: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits from all maps enlarged to `side_px` and stacked: the plain definition."""
        mean, deviation = (values[:, None, None] for values in (self.mean, self.deviation))
        return self.leave(self.hidden(self.enter((features - mean) / deviation)))

    @torch.no_grad()
    def context(self, maps: Sequence[FeatureMap]) -> Float16[np.ndarray, "side side width"]:
        """What lies around each pixel, as one more map: the last hidden layer of `forward`.

        Args:
            maps: those of a pyramid up to `side_px`, from coarse to fine.

        Call it in evaluation mode. Memory grows with `side_px`, not with the image: about 12 bytes
        a number of the finest map, and 16 a value of the first layer.
        """
        whole = range(self.shape.side_px)
        return halved(self.hidden(self.entered(maps, whole, whole)[None])).cpu().numpy()

    def entered(
        self, maps: Sequence[FeatureMap], rows: range, columns: range
    ) -> Float[Tensor, "first rows columns"]:
        """The first layer of `forward` at some rows and columns.

        It commutes with enlarging, so each map meets its weights at its own size.
        """
        channels = [feature_map.shape[-1] for feature_map in maps]
        weights = self.enter.weight.flatten(1).split(channels, dim=1)
        scaling = zip(self.mean.split(channels), self.deviation.split(channels), strict=True)
        assert self.enter.bias is not None
        total = self.enter.bias.expand(len(rows), len(columns), -1)
        for feature_map, weight, (mean, deviation) in zip(maps, weights, scaling, strict=True):
            side = len(feature_map)
            down, along = (
                _Enlarging(places, side, self.shape.side_px) for places in (rows, columns)
            )
            cells = feature_map[down.cells, along.cells].astype(np.float32)
            values = ((torch.from_numpy(cells).to(mean) - mean) / deviation) @ weight.mT
            if side < self.shape.side_px:
                shares = (down.shares.to(mean), along.shares.to(mean))
                values = torch.einsum("rj,jkw,ck->rcw", shares[0], values, shares[1])
            total = total + values
        return total.permute(2, 0, 1)

    def hidden(
        self,
        entered: Float[Tensor, "batch first height width"],
        random: torch.Generator | None = None,
    ) -> Float[Tensor, "batch hidden height width"]:
        """The last hidden layer; in training, `random` is where dropout comes from."""
        first, later = self.shape.dropouts
        x = self._dropped(functional.relu(self.enter_norm(entered)), first, random)
        x = functional.relu(self.narrow(x))
        for convolution, norm in zip(self.around, self.around_norms, strict=True):
            x = x + self._dropped(functional.relu(norm(convolution(x))), later, random)
        return x

    def _dropped(self, x: Tensor, part: float, random: torch.Generator | None) -> Tensor:
        if not self.training or part == 0.0:
            return x
        mask = torch.rand(x.shape, generator=random, device=x.device) >= part
        return x * mask / (1.0 - part)


def with_context(pyramid: FeaturePyramid, head: ContextHead) -> FeaturePyramid:
    """A pyramid with what the head makes of it as the last map of its side."""
    return pyramid.with_map(head.context(pyramid.up_to(head.shape.side_px).maps))


class _Enlarging:
    """How pixels along one axis of the head's resolution come from cells of a map."""

    def __init__(self, places: range, side: int, full: int) -> None:
        before, after, along = neighbours(np.array(places), side, full)
        # A map of the full side is taken as it is: each pixel is its own cell.
        last = before[-1] if side == full else after[-1]
        self.cells = slice(int(before[0]), int(last) + 1)
        """Which cells they need."""
        shares = np.zeros((len(places), int(after[-1] - before[0]) + 1), dtype=np.float32)
        pixels = np.arange(len(places))
        shares[pixels, before - before[0]] += 1.0 - along
        shares[pixels, after - before[0]] += along
        self.shares: Float32[Tensor, "pixels cells"] = torch.from_numpy(shares)
        """How much each of those counts for each pixel."""
