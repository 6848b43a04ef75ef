"""The generator's feature maps, each at its own size, and their values at any pixel.

The paper upsamples every map to the image's size and stacks them (16.6 GB for a 4096-pixel image
and five blocks, in half precision). A pyramid keeps the maps as they are (1.04 GB) and
interpolates only where it is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, Float64, Int, UInt8
from torch import Tensor
from torch.nn import functional

from hdgan.method.latent import pixels_of
from hdgan.method.stylegan.bands import BANDED_FROM_PX, Band, bands
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator, Noise

FeatureMap = Float[np.ndarray, "_ _ _"]
"""The output of one convolution of one image: `[side, side, channels]`, in half precision.

Maps of a pyramid differ in side and channels, so the axes have no names.
"""


@dataclass(frozen=True)
class FeaturePyramid:
    """The maps of the chosen blocks of one image, from coarse to fine.

    Two maps a block; where a `ContextHead` reads the image too, its map is the third of its side.
    """

    maps: Sequence[FeatureMap]
    """Arrays, or memory maps of them."""

    side: int
    """Side of the image in pixels."""

    @property
    def num_channels(self) -> int:
        """Numbers a pixel."""
        return sum(feature_map.shape[-1] for feature_map in self.maps)

    def up_to(self, side_px: int) -> "FeaturePyramid":
        """The maps up to a side, of an image of that side."""
        maps = [feature_map for feature_map in self.maps if len(feature_map) <= side_px]
        return FeaturePyramid(maps, side_px)

    def with_map(self, added: FeatureMap) -> "FeaturePyramid":
        """The same with one more map, as the last of those of its side."""
        coarse = [feature_map for feature_map in self.maps if len(feature_map) <= len(added)]
        fine = self.maps[len(coarse) :]
        return FeaturePyramid([*coarse, added, *fine], self.side)

    def at(
        self, rows: Int[np.ndarray, " pixels"], columns: Int[np.ndarray, " pixels"]
    ) -> Float32[np.ndarray, "pixels channels"]:
        """The features of single pixels: `upsampled()[:, rows, columns]`, without the rest.

        Memory grows with the number of pixels asked for, not with the image.
        """
        out = np.empty((rows.size, self.num_channels), dtype=np.float32)
        start = 0
        for feature_map in self.maps:
            side, _, channels = feature_map.shape
            view = out[:, start : start + channels]
            start += channels
            if side == self.side:
                view[:] = feature_map[rows, columns]
                continue
            (top, bottom, down), (left, right, along) = (
                neighbours(places, side, self.side) for places in (rows, columns)
            )
            upper = _mixed(feature_map[top, left], feature_map[top, right], along)
            lower = _mixed(feature_map[bottom, left], feature_map[bottom, right], along)
            view[:] = _mixed(upper, lower, down)
        return out

    def band(self, first: int, last: int) -> Float[Tensor, "rows columns channels"]:
        """The features of all pixels of rows `first` to `last - 1`.

        Memory grows with the band: rows x side x channels x 4 bytes.
        """
        rows, columns = np.arange(first, last), np.arange(self.side)
        parts = []
        for feature_map in self.maps:
            side = feature_map.shape[0]
            if side == self.side:
                parts.append(torch.from_numpy(feature_map[first:last].astype(np.float32)))
                continue
            top, bottom, down = neighbours(rows, side, self.side)
            left, right, along = neighbours(columns, side, self.side)
            strip = torch.from_numpy(
                feature_map[top[0] : bottom[-1] + 1].astype(np.float32, copy=False)
            )
            lines = torch.lerp(
                strip[top - top[0]], strip[bottom - top[0]], torch.from_numpy(down)[:, None, None]
            )
            parts.append(
                torch.lerp(lines[:, left], lines[:, right], torch.from_numpy(along)[None, :, None])
            )
        return torch.cat(parts, dim=-1)

    def upsampled(self) -> Float[Tensor, "channels side side"]:
        """All features of all pixels: the plain definition, bilinear, align_corners=False.

        Memory is side x side x channels x 4 bytes: for small images and for tests.
        """
        parts = [
            functional.interpolate(
                torch.from_numpy(feature_map.astype(np.float32)).permute(2, 0, 1)[None],
                size=(self.side, self.side),
                mode="bilinear",
                align_corners=False,
            )[0]
            for feature_map in self.maps
        ]
        return torch.cat(parts)

    def pooled(self) -> Float32[np.ndarray, " channels"]:
        """The mean of each channel over its map."""
        return np.concatenate(
            [feature_map.mean(axis=(0, 1), dtype=np.float32) for feature_map in self.maps]
        )


def neighbours(
    places: Int[np.ndarray, " pixels"], side: int, full: int
) -> tuple[np.ndarray, np.ndarray, Float32[np.ndarray, " pixels"]]:
    """The two map rows (or columns) between which each pixel lies, and how far along it is."""
    position = (places.astype(np.float32) + 0.5) * (side / full) - 0.5
    position = np.clip(position, 0.0, side - 1.0)
    before = position.astype(np.int64)
    after = np.minimum(before + 1, side - 1)
    return before, after, (position - before).astype(np.float32)


def _mixed(
    before: Float[np.ndarray, "pixels channels"],
    after: Float[np.ndarray, "pixels channels"],
    along: Float32[np.ndarray, " pixels"],
) -> Float32[np.ndarray, "pixels channels"]:
    """Linear interpolation in single precision."""
    before = before.astype(np.float32)
    return before + (after.astype(np.float32) - before) * along[:, None]


@torch.no_grad()
def image_and_features(
    generator: Generator,
    w: Float[Tensor, "1 *num_ws w_dim"],
    num_blocks: int | None,
    noise: Noise | None = None,
) -> tuple[Float[Tensor, "1 3 side side"], FeaturePyramid]:
    """A latent's image and the features it was drawn from: one run, one noise, one precision.

    Args:
        generator: whose features.
        w: the latent, or one for each layer.
        num_blocks: how many of the last (finest) blocks; None takes all.
        noise: one map a convolution; None takes the generator's constant noise.

    From 512 px both are made band by band: memory is the image, the maps as they are kept
    (`bytes_of`), and one band.
    """
    if generator.shape.resolution >= BANDED_FROM_PX:
        return _banded_features(generator, w, num_blocks, noise)
    noise = generator.synthesis.constant_noise() if noise is None else noise
    blocks = list(generator.synthesis.blocks(generator.styles(w), noise))
    chosen = blocks if num_blocks is None else blocks[-num_blocks:]
    maps = [halved(feature_map).cpu().numpy() for block in chosen for feature_map in block.maps]
    return blocks[-1].image, FeaturePyramid(maps, generator.shape.resolution)


@torch.no_grad()
def pixels_and_means(
    generator: Generator, w: Float[Tensor, "1 w_dim"]
) -> tuple[UInt8[np.ndarray, "side side 3"], Float32[np.ndarray, " channels"]]:
    """A latent's image as RGB from 0 to 255, and `FeaturePyramid.pooled` of all its blocks.

    From 512 px no map is kept: memory is the image's and one band's.
    """
    if generator.shape.resolution < BANDED_FROM_PX:
        image, pyramid = image_and_features(generator, w, None)
        return pixels_of(image), pyramid.pooled()
    pixels: list[np.ndarray] = []
    sums: dict[int, np.ndarray] = {}
    for band in _bands_of(generator, w):
        pixels.append(pixels_of(band.image))
        for place, rows in band.maps.items():
            total = rows[0].float().sum(dim=(1, 2)).cpu().numpy().astype(np.float64)
            sums[place] = sums[place] + total if place in sums else total
    sides = sides_by_map(generator.shape)
    means = [sums[place] / side**2 for place, side in enumerate(sides)]
    return np.concatenate(pixels), np.concatenate(means).astype(np.float32)


def _bands_of(
    generator: Generator, w: Float[Tensor, "1 *num_ws w_dim"], noise: Noise | None = None
) -> Iterator[Band]:
    noise = generator.synthesis.constant_noise() if noise is None else noise
    return bands(generator.synthesis, generator.styles(w), noise)


def _banded_features(
    generator: Generator,
    w: Float[Tensor, "1 *num_ws w_dim"],
    num_blocks: int | None,
    noise: Noise | None,
) -> tuple[Float[Tensor, "1 3 side side"], FeaturePyramid]:
    """`image_and_features` without ever holding a map in single precision."""
    shape = generator.shape
    skipped = 0 if num_blocks is None else 2 * max(0, len(shape.resolutions) - num_blocks)
    sides = sides_by_map(shape)
    maps = {
        place: np.empty((side, side, shape.channels(side)), dtype=np.float16)
        for place, side in enumerate(sides)
        if place >= skipped
    }
    done = dict.fromkeys(maps, 0)
    parts = []
    for band in _bands_of(generator, w, noise):
        parts.append(band.image)
        for place in maps.keys() & band.maps.keys():
            rows = halved(band.maps[place]).cpu().numpy()
            maps[place][done[place] : done[place] + len(rows)] = rows
            done[place] += len(rows)
    return torch.cat(parts, dim=2), FeaturePyramid(list(maps.values()), shape.resolution)


@torch.no_grad()
def halved(
    feature_map: Float[Tensor, "1 channels height width"],
) -> Float16[Tensor, "height width channels"]:
    """A map as it is kept: channels last, half precision; what exceeds its range is clipped."""
    largest = torch.finfo(torch.float16).max
    kept = feature_map[0].clamp(-largest, largest).to(torch.float16)
    return kept.permute(1, 2, 0).contiguous()


def sides_by_map(shape: NetworkShape) -> list[int]:
    """The side of each map, two a block, from coarse to fine."""
    return [side for side in shape.resolutions for _ in range(2)]


def channels_by_map(shape: NetworkShape) -> list[int]:
    """The channels of each map, in the same order."""
    return [shape.channels(side) for side in sides_by_map(shape)]


def channels_of(shape: NetworkShape, num_blocks: int | None) -> int:
    """How many numbers a pixel has when the last `num_blocks` blocks are read."""
    resolutions = shape.resolutions
    chosen = resolutions if num_blocks is None else resolutions[-num_blocks:]
    return 2 * sum(shape.channels(resolution) for resolution in chosen)


def bytes_of(shape: NetworkShape, num_blocks: int | None) -> int:
    """What the feature maps of one image take at native resolution in half precision."""
    resolutions = shape.resolutions
    chosen = resolutions if num_blocks is None else resolutions[-num_blocks:]
    return sum(4 * shape.channels(resolution) * resolution**2 for resolution in chosen)


_CELLS = 2**15
"""Cells of a map that are summed at a time."""


def _mean_and_square(
    feature_map: FeatureMap,
) -> tuple[Float64[np.ndarray, " channels"], Float64[np.ndarray, " channels"]]:
    """Mean of each channel of a map and of its square, a piece that fits the cache at a time."""
    flat = feature_map.reshape(-1, feature_map.shape[-1])
    total = np.zeros((2, flat.shape[1]))
    for first in range(0, len(flat), _CELLS):
        part = flat[first : first + _CELLS].astype(np.float64)
        total[0] += part.sum(axis=0)
        total[1] += np.square(part, out=part).sum(axis=0)
    mean, square = total / len(flat)
    return mean, square


def channel_statistics(
    pyramids: Iterator[FeaturePyramid],
) -> tuple[Float32[np.ndarray, " channels"], Float32[np.ndarray, " channels"]]:
    """Mean and standard deviation of each channel over the maps of all images given.

    Give the training images only: what validation and test images look like must not leak in.
    """
    count = 0
    total: np.ndarray | None = None
    squares: np.ndarray | None = None
    for pyramid in pyramids:
        means = [_mean_and_square(feature_map) for feature_map in pyramid.maps]
        mean, square = (np.concatenate(parts) for parts in zip(*means, strict=True))
        total = mean if total is None else total + mean
        squares = square if squares is None else squares + square
        count += 1
    if total is None or squares is None:
        raise ValueError("statistics of no image at all")
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
    deviation = np.where(deviation > 1e-6, deviation, 1.0)
    return mean.astype(np.float32), deviation.astype(np.float32)
