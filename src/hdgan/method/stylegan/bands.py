"""A large image drawn band by band, equal to the whole, in memory that grows with one band.

Given w and noise, a row of a block's output depends on three rows of its input: a 3 x 3
convolution looks one row up and one down, and so do the doubling of the maps (rows 2m and 2m + 1
need rows m - 1 to m + 1) and that of the running image. Each layer therefore keeps the last two
rows it was given and makes every row once. Beyond the image's edges lies a row of zeros.

The plain definition is `SynthesisNetwork.blocks`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from hdgan.method.stylegan.mapping import GAIN, LEAK
from hdgan.method.stylegan.modulated import StyledConvolution
from hdgan.method.stylegan.resample import doubled, fir_kernel
from hdgan.method.stylegan.synthesis import BlockOutput, Noise, SynthesisBlock, SynthesisNetwork

BAND_PX = 64
"""Rows a band; measured (`scripts/bench drawing`): what a band needs stays in the cache."""

WHOLE_PX = 128
"""Blocks up to this resolution are computed whole: their maps are small."""

BANDED_FROM_PX = 512
"""Images from this side are worth drawing in bands."""


@dataclass(frozen=True)
class Band:
    """Rows of an image, from the top, and what became known on the way to them."""

    rows: slice
    """Which rows of the image."""

    image: Tensor
    """Those rows, about -1 to 1. `[1, 3, rows, side]`."""

    maps: dict[int, Tensor]
    """New rows of the feature maps, `[1, channels, rows, resolution]`, by the place of the map in
    the network (two a block, from 4 pixels up). Coarser maps run ahead of the image by up to three
    rows of their own; those that are computed whole come with the first band. Read, never written.
    """


@torch.no_grad()
def bands(
    network: SynthesisNetwork,
    ws: Float[Tensor, "1 num_ws w_dim"],
    noise: Noise,
    *,
    band_px: int = BAND_PX,
    whole_px: int = WHOLE_PX,
) -> Iterator[Band]:
    """The image of one latent, a band after the other; together they are `network(ws, noise)`.

    They agree to the rounding of the sums, which are taken in another order.

    Args:
        network: any; blocks in half precision stay so.
        ws: the styles of one image.
        noise: as `network` takes it, for one image.
        band_px: rows a band; a whole number of rows of the coarsest banded block is taken, at
            least one. Does not change the result. The first band is a few rows shorter, the
            last a few longer.
        whole_px: the resolution up to which blocks are computed whole.

    Memory grows with `band_px` x side, and with the square of `whole_px`.

    Raises:
        ValueError: `band_px` or `whole_px` is too small.
    """
    if band_px < 1 or whole_px < 4:
        raise ValueError(
            f"a band of {band_px} px over blocks of {whole_px} px: a band needs at least 1 row, "
            "and the block of 4 px is always whole"
        )
    coarse = _coarse_blocks(network, ws, noise, whole_px)
    step = max(1, band_px * coarse[-1].resolution // network.shape.resolution)
    fine = _fine_blocks(network, ws, noise, len(coarse))
    new_maps = dict(enumerate(rows for output in coarse for rows in output.maps))
    coarsest = coarse[-1]
    done = 0
    for first in range(0, coarsest.resolution, step):
        last = first + step >= coarsest.resolution
        x = coarsest.maps[1][:, :, first : first + step]
        x = x.contiguous(memory_format=torch.channels_last)
        image = coarsest.image[:, :, first : first + step]
        for place, block in enumerate(fine, start=len(coarse)):
            new_maps[2 * place], x, image = block.rows(x, image, last=last)
            new_maps[2 * place + 1] = x
        rows = slice(done, done + image.shape[2])
        yield Band(rows, image, new_maps)
        new_maps = {}
        done = rows.stop


def banded_image(
    network: SynthesisNetwork,
    ws: Float[Tensor, "1 num_ws w_dim"],
    noise: Noise,
    *,
    band_px: int = BAND_PX,
    whole_px: int = WHOLE_PX,
) -> Float[Tensor, "1 3 side side"]:
    """The image of `bands`, put together: `network(ws, noise)` to rounding.

    Memory is the image's and one band's.
    """
    parts = bands(network, ws, noise, band_px=band_px, whole_px=whole_px)
    return torch.cat([band.image for band in parts], dim=2)


def _coarse_blocks(
    network: SynthesisNetwork, ws: Tensor, noise: Noise, whole_px: int
) -> list[BlockOutput]:
    """The outputs of the blocks up to `whole_px`."""
    outputs = []
    for output in network.blocks(ws, noise):
        outputs.append(output)
        if output.resolution * 2 > whole_px:
            break
    return outputs


def _fine_blocks(
    network: SynthesisNetwork, ws: Tensor, noise: Noise, num_coarse: int
) -> list["_BlockRows"]:
    """The blocks after the first `num_coarse`, ready for their first rows."""
    blocks = network.block_list
    places = range(num_coarse, len(blocks))
    # Before block i lie 2 i - 1 convolutions, each with a style of its own.
    return [
        _BlockRows(blocks[i], ws[:, 2 * i - 1 : 2 * i + 2], noise[2 * i - 1 : 2 * i + 1])
        for i in places
    ]


class _Window:
    """The last rows that a layer was given, for the next ones to lean on."""

    def __init__(self) -> None:
        self.kept: Tensor | None = None

    def extended(self, rows: Tensor, *, last: bool) -> Tensor:
        """`rows` behind the two before them, with the row of zeros beyond either edge."""
        _, channels, _, width = rows.shape
        edge = rows.new_zeros(1, channels, 1, width)
        parts = [edge if self.kept is None else self.kept, rows, *([edge] if last else [])]
        parts = [part.contiguous(memory_format=torch.channels_last) for part in parts]
        window = torch.cat([part for part in parts if part.shape[2]], dim=2)
        self.kept = window[:, :, -2:].clone(memory_format=torch.channels_last)
        return window


class _ConvolutionRows:
    """A styled convolution of one image, rows in, rows out."""

    def __init__(self, layer: StyledConvolution, w: Tensor, noise: Tensor | None) -> None:
        """Modulates the weights once; the activation's gain is drawn into them."""
        self.layer = layer
        self.weight = layer.weights_of(w)[0] * GAIN
        self.bias = layer.bias * GAIN
        self.noise = noise
        self.noise_gain = float(layer.noise_strength.detach()) * GAIN
        self.window = _Window()
        self.done = 0

    def rows(self, x: Tensor, *, last: bool) -> Tensor:
        """The next rows of the activated map."""
        x = self.window.extended(x, last=last)
        if x.shape[2] < 3:
            return x.new_empty(1, self.layer.weight.shape[0], 0, self.layer.resolution)
        y = self._convolved(x)
        rows = slice(self.done, self.done + y.shape[2])
        self.done = rows.stop
        if self.noise is not None:
            y.add_(self.noise[:, :, rows].to(y.dtype), alpha=self.noise_gain)
        y = functional.leaky_relu_(y, LEAK)
        clamp = self.layer.clamp
        return y if clamp is None else y.clamp_(-clamp, clamp)

    def _convolved(self, x: Tensor) -> Tensor:
        """Two rows less than `x` has, or twice as many."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        if not self.layer.doubles:
            return functional.conv2d(x, weight, bias, padding=(0, 1))
        # The first and the last row miss what the rows beyond the window add to them.
        spread = functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2)[:, :, 1:-1]
        channels = spread.shape[1]
        kernel = fir_kernel().to(x) * 4.0
        return functional.conv2d(
            spread, kernel.expand(channels, 1, 4, 4), bias, padding=(0, 1), groups=channels
        )


class _BlockRows:
    """A block of one image, rows in, rows out."""

    def __init__(self, block: SynthesisBlock, ws: Tensor, noise: Noise) -> None:
        self.block = block
        self.w_rgb = ws[:, 2]
        self.convolutions = (
            _ConvolutionRows(block.conv0, ws[:, 0], noise[0]),
            _ConvolutionRows(block.conv1, ws[:, 1], noise[1]),
        )
        self.image_window = _Window()
        self.waiting: Tensor | None = None

    def rows(self, x: Tensor, image: Tensor, *, last: bool) -> tuple[Tensor, Tensor, Tensor]:
        """The next rows of both maps and of the running image."""
        x = x.to(self.block.precision or self.block.conv0.weight.dtype)
        first = self.convolutions[0].rows(x, last=last)
        second = self.convolutions[1].rows(first, last=last)
        return first, second, self._image(second, image, last=last)

    def _image(self, x: Tensor, image: Tensor, *, last: bool) -> Tensor:
        """What the block adds to the running image, which is a row ahead of its maps."""
        window = self.image_window.extended(image, last=last)
        ahead = doubled(window)[:, :, 2:-2]
        if self.waiting is not None:
            ahead = torch.cat([self.waiting, ahead], dim=2)
        num_rows = x.shape[2]
        self.waiting = ahead[:, :, num_rows:].clone()
        if not num_rows:
            return ahead[:, :, :0]
        return ahead[:, :, :num_rows] + self.block.torgb(x, self.w_rgb).to(ahead.dtype)
