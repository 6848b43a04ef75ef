"""The synthesis network: w and noise to an image, block by block."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hdgan.method.stylegan.mapping import MappingNetwork
from hdgan.method.stylegan.modulated import StyledConvolution, ToRGB
from hdgan.method.stylegan.resample import doubled, fir_kernel
from hdgan.method.stylegan.shape import NetworkShape

Noise = Sequence[Float[Tensor, "_ 1 _ _"] | None]
"""One entry a convolution, from the coarsest: a map an image, one map for all, or none."""


class BlockOutput(NamedTuple):
    """What one block of the synthesis leaves behind."""

    resolution: int
    """Side of the maps in pixels."""

    maps: tuple[Tensor, Tensor]
    """The outputs of the two convolutions, activated; in the 4-pixel block the learned constant
    takes the place of the first. `[batch, channels, resolution, resolution]`."""

    image: Tensor
    """The running image, `[batch, 3, resolution, resolution]`."""


class SynthesisBlock(nn.Module):
    """Two convolutions at one resolution and their share of the image."""

    const: Tensor

    def __init__(self, shape: NetworkShape, resolution: int) -> None:
        super().__init__()
        channels = shape.channels(resolution)
        self.resolution = resolution
        self.precision: torch.dtype | None = None
        self.is_first = resolution == 4
        self.register_buffer("resample_filter", fir_kernel())
        if self.is_first:
            self.const = nn.Parameter(torch.randn(channels, 4, 4))
        else:
            self.conv0 = StyledConvolution(
                shape.channels(resolution // 2),
                channels,
                shape.w_dim,
                resolution,
                doubles=True,
                clamp=shape.clamp,
            )
        self.conv1 = StyledConvolution(
            channels, channels, shape.w_dim, resolution, clamp=shape.clamp
        )
        self.torgb = ToRGB(channels, shape.w_dim, clamp=shape.clamp)

    @property
    def convolutions(self) -> list[StyledConvolution]:
        """The convolutions of the block, in order."""
        return [self.conv1] if self.is_first else [self.conv0, self.conv1]

    def forward(
        self,
        previous: BlockOutput | None,
        ws: Float[Tensor, "batch styles w_dim"],
        noise: Noise,
    ) -> BlockOutput:
        """The block's output; `ws` and `noise` are what its own layers take."""
        if previous is None:
            first = self.const.expand(ws.shape[0], -1, -1, -1).contiguous(
                memory_format=torch.channels_last
            )
        else:
            x = previous.maps[1].to(self.precision or self.conv0.weight.dtype)
            first = self.conv0(x, ws[:, 0], noise[0])
        second = self.conv1(first, ws[:, -2], noise[-1])
        image = self.torgb(second, ws[:, -1]).to(ws.dtype)
        if previous is not None:
            image = image + doubled(previous.image)
        return BlockOutput(self.resolution, (first, second), image)


class SynthesisNetwork(nn.Module):
    """Blocks named `b4`, `b8`, ..., as in published networks."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        for resolution in shape.resolutions:
            self.add_module(f"b{resolution}", SynthesisBlock(shape, resolution))

    @property
    def block_list(self) -> list[SynthesisBlock]:
        """The blocks, from 4 pixels up."""
        return [block for block in self.children() if isinstance(block, SynthesisBlock)]

    @property
    def convolutions(self) -> list[StyledConvolution]:
        """Every convolution, from the coarsest: the order in which noise is given."""
        return [layer for block in self.block_list for layer in block.convolutions]

    def blocks(
        self, ws: Float[Tensor, "batch num_ws w_dim"], noise: Noise
    ) -> Iterator[BlockOutput]:
        """The outputs of the blocks, from 4 pixels up.

        A block's ToRGB shares its style with the next block's first convolution.
        """
        output: BlockOutput | None = None
        style = layer = 0
        for block in self.block_list:
            count = len(block.convolutions)
            output = block(output, ws[:, style : style + count + 1], noise[layer : layer + count])
            yield output
            style += count
            layer += count

    def forward(
        self, ws: Float[Tensor, "batch num_ws w_dim"], noise: Noise
    ) -> Float[Tensor, "batch 3 side side"]:
        """The image, about -1 to 1."""
        *_, last = self.blocks(ws, noise)
        return last.image

    def constant_noise(self) -> Noise:
        """The noise that is stored with the network: the same for every image."""
        return [layer.noise_const[None, None] for layer in self.convolutions]

    def no_noise(self) -> Noise:
        """No noise at all."""
        return [None for _ in self.convolutions]

    def random_noise(self, batch: int, random: torch.Generator, from_px: int = 0) -> Noise:
        """Fresh noise for each image and layer of so many pixels, drawn where the network is."""
        return [
            None
            if layer.resolution < from_px
            else torch.randn(
                (batch, 1, layer.resolution, layer.resolution),
                generator=random,
                device=layer.bias.device,
                dtype=layer.bias.dtype,
            )
            for layer in self.convolutions
        ]


class Generator(nn.Module):
    """Mapping and synthesis; its parameter names are those of published networks."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.mapping = MappingNetwork(
            shape.z_dim, shape.w_dim, shape.mapping_layers, len(shape.stains)
        )
        self.synthesis = SynthesisNetwork(shape)

    def styles(
        self, w: Float[Tensor, "batch *num_ws w_dim"]
    ) -> Float[Tensor, "batch num_styles w_dim"]:
        """The same w for every layer; if there is one for each already, those."""
        return w if w.ndim == 3 else w[:, None].expand(-1, self.shape.num_ws, -1)

    def forward(
        self, w: Float[Tensor, "batch *num_ws w_dim"], noise: Noise
    ) -> Float[Tensor, "batch 3 side side"]:
        """The image that w, or a w for each layer, stands for, about -1 to 1."""
        image: Tensor = self.synthesis(self.styles(w), noise)
        return image
