"""What known encoders make of an image on the way to their last layer, and where it lies.

An encoder's own preparation brings a whole image to one size. For features of pixels it is only
scaled in colour, and seen at the size that it has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.efficientnet_lite import STAGES, STEM_CHANNELS, EfficientNetLite0
from hdgan.method.encoder_input import Preparation
from hdgan.method.squeezenet import FIRE, SqueezeNet
from hdgan.method.vision_transformer import TransformerShape, VisionTransformer

SIDE_MULTIPLE = 32
"""What convolutional encoders see is made a multiple of this, so that strides divide it."""

NUM_DEPTHS = 4
"""Depths at which a vision transformer is read, as is usual for segmentation with one."""

_FIRES_READ = (3, 5, 7, 9)

Kind = Literal["squeezenet", "efficientnet-lite0", "vision-transformer"]


@dataclass(frozen=True)
class EncoderShape:
    """What an encoder is built from."""

    kind: Kind
    """Which network."""

    prepare: Preparation
    """What it was trained to be given."""

    transformer: TransformerShape | None = None
    """Its sizes, if it is a vision transformer."""


class PlacedMap(NamedTuple):
    """A map of features, and where its cells lie in the image that the encoder saw."""

    values: Float[Tensor, "rows columns channels"]
    stride_px: int
    """From the centre of a cell to that of the next."""
    first_px: float
    """Centre of the first cell; that of the first pixel is 0."""


def encoder_shape_of(encoder: nn.Module) -> EncoderShape | None:
    """What an encoder is; None if its inner maps are not known."""
    if isinstance(encoder, SqueezeNet):
        return EncoderShape("squeezenet", encoder.prepare)
    if isinstance(encoder, EfficientNetLite0):
        return EncoderShape("efficientnet-lite0", encoder.prepare)
    if isinstance(encoder, VisionTransformer):
        width, _, patch_px, _ = encoder.patches.weight.shape
        grid = encoder.prepare.side_px // patch_px
        hidden = int(encoder.get_parameter("blocks.0.perceptron_in.bias").numel())
        depth, epsilon = len(encoder.blocks), encoder.norm.eps
        shape = TransformerShape(width, depth, hidden, patch_px, grid, epsilon)
        return EncoderShape("vision-transformer", encoder.prepare, shape)
    return None


def empty_encoder(shape: EncoderShape) -> nn.Module:
    """The network of that shape; its numbers do not matter."""
    if shape.kind == "squeezenet":
        return SqueezeNet(shape.prepare)
    if shape.kind == "efficientnet-lite0":
        return EfficientNetLite0(shape.prepare)
    if shape.transformer is None:
        raise ValueError("a vision transformer without sizes")
    return VisionTransformer(shape.transformer)


def channels_of(shape: EncoderShape) -> list[int]:
    """The channels of each map, in the order of `placed_maps`."""
    if shape.kind == "squeezenet":
        return [3, 64, *(2 * FIRE[number][2] for number in _FIRES_READ)]
    if shape.kind == "efficientnet-lite0":
        return [3, STEM_CHANNELS, *(outputs for _, outputs, *_ in STAGES)]
    if shape.transformer is None:
        raise ValueError("a vision transformer without sizes")
    return [3, *[shape.transformer.width] * len(_depths_read(shape.transformer.depth))]


@torch.no_grad()
def placed_maps(encoder: nn.Module, image: Float[Tensor, "1 3 height width"]) -> list[PlacedMap]:
    """The maps of an RGB image from -1 to 1, the prepared colours first, from fine to coarse.

    Beyond the right and lower edge, up to a multiple of the stride, the last pixel is repeated.

    Memory: the maps of the encoder's widest layer; EfficientNet-Lite0 96 half-size maps, 100 MB for
    an image of 1024 px.
    """
    prepared = _coloured(encoder, image)
    first = PlacedMap(prepared[0].permute(1, 2, 0), 1, 0.0)
    if isinstance(encoder, VisionTransformer):
        return [first, *_transformer_maps(encoder, prepared)]
    outputs = _squeezenet_maps if isinstance(encoder, SqueezeNet) else _efficientnet_maps
    # A strided convolution of 3 or 5 pixels, or a pool, has its first output about pixel 1 here, so
    # that of several is about the last pixel of their common stride.
    return [
        first,
        *(
            PlacedMap(values[0].permute(1, 2, 0), stride, float(stride - 1))
            for values, stride in outputs(encoder, _padded(prepared, SIDE_MULTIPLE))
        ),
    ]


def cells_between(
    places: Float[Tensor, " pixels"], placed: PlacedMap, count: int
) -> tuple[Int[Tensor, " pixels"], Int[Tensor, " pixels"], Float[Tensor, " pixels"]]:
    """The two rows (or columns) of cells between which each place lies, and how far along it is.

    Args:
        places: in pixels of the image that the encoder saw.
        placed: the map.
        count: how many rows (or columns) it has.
    """
    position = ((places - placed.first_px) / placed.stride_px).clamp(0, count - 1)
    before = position.long()
    return before, (before + 1).clamp_max(count - 1), position - before


def features_at(
    maps: Sequence[PlacedMap],
    rows: Float[Tensor, " pixels"],
    columns: Float[Tensor, " pixels"],
) -> Float[Tensor, "pixels channels"]:
    """The features at single places, bilinear between cells: the plain definition.

    Args:
        maps: of one image.
        rows: in pixels of the image that the encoder saw.
        columns: likewise.
    """
    parts = []
    for placed in maps:
        values = placed.values
        top, bottom, down = cells_between(rows, placed, values.shape[0])
        left, right, along = cells_between(columns, placed, values.shape[1])
        upper = torch.lerp(values[top, left], values[top, right], along[:, None])
        lower = torch.lerp(values[bottom, left], values[bottom, right], along[:, None])
        parts.append(torch.lerp(upper, lower, down[:, None]))
    return torch.cat(parts, dim=1)


def _coloured(
    encoder: nn.Module, image: Float[Tensor, "1 3 height width"]
) -> Float[Tensor, "1 3 height width"]:
    """The image as the encoder takes it, at the size that it has."""
    prepare = encoder.prepare
    if not isinstance(prepare, Preparation):
        raise ValueError("an encoder that does not say what it takes")
    mean = image.new_tensor(prepare.mean)[:, None, None]
    deviation = image.new_tensor(prepare.deviation)[:, None, None]
    ordered = image.flip(1) if prepare.blue_first else image
    return ((ordered + 1.0) * 127.5 - mean) / deviation


def _padded(
    x: Float[Tensor, "1 3 height width"], multiple: int
) -> Float[Tensor, "1 3 rows columns"]:
    down, along = (-side % multiple for side in x.shape[2:])
    return functional.pad(x, [0, along, 0, down], mode="replicate")


def _squeezenet_maps(encoder: nn.Module, x: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Each map and its stride: the first convolution, and every second fire module."""
    x = functional.relu(encoder.get_submodule("conv1")(x))
    stride = 2
    yield x, stride
    for number in FIRE:
        if number in (2, 4, 6):
            x = functional.max_pool2d(x, 3, stride=2)
            stride *= 2
        x = encoder.get_submodule(f"fire{number}")(x)
        if number in _FIRES_READ:
            yield x, stride


def _efficientnet_maps(encoder: nn.Module, x: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Each map and its stride: the stem, and the last block of each stage."""
    x = functional.relu6(encoder.get_submodule("stem")(x))
    stride, block = 2, 0
    yield x, stride
    for _, _, count, first_stride, _ in STAGES:
        stride *= first_stride
        for _ in range(count):
            x = encoder.get_submodule(f"blocks.{block}")(x)
            block += 1
        yield x, stride


def _depths_read(depth: int) -> list[int]:
    """After how many blocks: evenly, the last with them."""
    return sorted({-(-depth * part // NUM_DEPTHS) for part in range(1, NUM_DEPTHS + 1)})


def _transformer_maps(
    encoder: VisionTransformer, prepared: Float[Tensor, "1 3 height width"]
) -> Iterator[PlacedMap]:
    """The patches' tokens, each depth by the network's last normalisation."""
    patch_px = encoder.patches.kernel_size[0]
    cells = encoder.patches(_padded(prepared, patch_px))
    rows, columns = cells.shape[2:]
    token = encoder.class_token + encoder.positions[:, :1]
    patches = (cells + _positions(encoder, rows, columns)).flatten(2).transpose(1, 2)
    x = torch.cat([token, patches], dim=1)
    wanted = _depths_read(len(encoder.blocks))
    for number, block in enumerate(encoder.blocks, start=1):
        x = block(x)
        if number in wanted:
            values = encoder.norm(x)[0, 1:].unflatten(0, (rows, columns))
            yield PlacedMap(values, patch_px, (patch_px - 1) / 2)


def _positions(
    encoder: VisionTransformer, rows: int, columns: int
) -> Float[Tensor, "1 width rows columns"]:
    """The positions of patches, brought to another grid where the image is of another size."""
    width = encoder.positions.shape[2]
    grid = int(np.sqrt(encoder.positions.shape[1] - 1))
    known = encoder.positions[:, 1:].transpose(1, 2).reshape(1, width, grid, grid)
    if (rows, columns) == (grid, grid):
        return known
    return functional.interpolate(known, (rows, columns), mode="bicubic", align_corners=False)
