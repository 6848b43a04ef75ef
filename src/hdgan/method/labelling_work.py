"""Into which pieces labelling an image is cut, and how that is chosen.

None of it changes a result.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

WORK_BYTES = 512 * 2**20
"""What labelling may take unless somebody says otherwise."""

COARSE_PX = (128, 64, 32, 16, 8)
"""Maps up to one of these sides are summed once for the whole image: the largest that memory
allows."""

COARSE_SHARE = 0.5
"""Of that memory, what the coarse sum may take while it is made."""

POINT_COST = 140.0
"""What carrying the sum to one lattice point costs, in channels of a product; measured."""

CHUNK_SECONDS = 60e-6
"""What beginning a chunk costs, whatever its size; measured."""

RATES = {"cpu": 1e11, "cuda": 2e13}
"""Operations a second of a product, about: decides the pieces, never the result."""


@dataclass(frozen=True)
class Work:
    """Into which pieces the work on an image is cut. Does not change the result."""

    tile_px: int
    """Side of a tile, whose probabilities exist at a time; a power of two."""
    chunk_px: int
    """Side of the square of pixels whose hidden values exist at a time: what fits into a
    processor's cache. A power of two."""
    num_narrow: int
    """Resolutions, from the finest, whose maps are enlarged before the first layer; at least 1."""
    coarse_px: int = 64
    """Maps up to this side are summed once for the whole image."""


def cheapest(
    channels: Mapping[int, int],
    side: int,
    width: int,
    device: torch.device,
    memory_bytes: int = WORK_BYTES,
) -> Work:
    """The pieces that take least time, by a model of what each step costs.

    A pixel's hidden values are one product: its narrow features, and the lattice points around
    its chunk. Fewer narrow resolutions make it smaller, but carry the wide sum further.

    Args:
        channels: of all maps of a resolution, by resolution.
        side: of the image.
        width: hidden values a pixel.
        device: where it runs.
        memory_bytes: what the work may take.
    """
    coarse_px = coarse_for(width, memory_bytes)
    rate = RATES.get(device.type, RATES["cuda"])
    tile_px = min(side, 64 if device.type == "cpu" else 512)
    resolutions = sorted(channels, reverse=True)
    best: tuple[float, Work] | None = None
    # A map of the image's own size has no lattice between pixels: it is always narrow.
    least = 1 if resolutions[0] == side else 0
    for num_narrow in range(least, len(resolutions) + 1):
        narrow, wide = resolutions[:num_narrow], resolutions[num_narrow:]
        per_step = side // (2 * wide[0]) if wide else 1
        chunk_px = min(8, tile_px)
        while chunk_px <= tile_px:
            points = (chunk_px // per_step + 1) ** 2 if wide else 1
            cost = float(sum(channels[resolution] for resolution in narrow) + points)
            for resolution in wide:
                cost += (2 * resolution / side) ** 2 * (POINT_COST + channels[resolution] / 4)
            cost += CHUNK_SECONDS / chunk_px**2 / (2 * width / rate)
            fits = per_step <= chunk_px
            if fits and (best is None or cost < best[0]):
                best = cost, Work(tile_px, chunk_px, num_narrow, coarse_px)
            chunk_px *= 2
    assert best is not None
    return best[1]


def coarse_for(width: int, memory_bytes: int) -> int:
    """The side up to which maps are summed for the whole image, in this much memory.

    While it is made, the sum is there about three times.
    """
    for side in COARSE_PX:
        if 3 * 4 * (2 * side + 1) ** 2 * width <= memory_bytes * COARSE_SHARE:
            return side
    return COARSE_PX[-1]
