"""Batches of real images, cut at random from the tiles of a tile set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from hdgan.artifacts.decoded import CACHE_BYTES, Cache, Decoded, DecodedOnDisk, place_for
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.errors import ImageError, SettingsError
from hdgan.method.latent import tensor_of
from hdgan.method.stylegan.training import Reals
from hdgan.method.tile_crop import Orientation, drawn_way, laid, shrunk_crop


@dataclass(frozen=True)
class Crop:
    """How a real image is cut from a tile."""

    side_px: int
    """Side of the image, px."""

    shrink: tuple[float, float] = (1.0, 1.0)
    """Pixels of the tile to one of the image, least and most."""

    orientation: Orientation = "any"
    """Ways to lay it."""

    @property
    def needed_px(self) -> int:
        """Pixels that a tile needs on each side."""
        return round(self.side_px * self.shrink[1])


class RealImages:
    """Real images by their number in a run: every tile once in each round, in a new order.

    Image `number` is the same whatever came before, so that a run can go on anywhere and
    several processes can each make their part.

    Memory: the decoded tiles, up to `cache_bytes`; see `place_for` for what happens above it.
    """

    def __init__(
        self,
        tile_set: TileSet,
        records: Sequence[TileRecord],
        crop: Crop,
        seed: int,
        tiles: "Decoded | DecodedOnDisk",
    ) -> None:
        self.records, self.crop, self.seed, self.tiles = list(records), crop, seed, tiles
        self.stains: tuple[str, ...] = ()
        self._round, self._shuffled = -1, np.arange(0)
        check_sizes(tile_set, self.records, crop)

    def __len__(self) -> int:
        """How many tiles there are."""
        return len(self.records)

    def tell(self, stains: Sequence[str]) -> None:
        """Tell the stain of each image from now on, as its place among these."""
        self.stains = tuple(stains)

    def __getitem__(self, number: int) -> UInt8[np.ndarray, "side side 3"]:
        """The image that is with this number in the run."""
        random = np.random.default_rng([self.seed, 2, number])
        crop = shrunk_crop(
            self.tiles[self.tile_of(number)], self.crop.side_px, self.crop.shrink, random
        )
        return np.ascontiguousarray(laid(crop, drawn_way(self.crop.orientation, random)))

    def batch(self, numbers: Sequence[int], device: torch.device) -> Reals:
        """The images of these numbers, laid channels last."""
        images: Float[Tensor, "batch 3 side side"] = torch.stack(
            [tensor_of(self[number]) for number in numbers]
        )
        images = images.contiguous(memory_format=torch.channels_last).to(device)
        if not self.stains:
            return Reals(images)
        names = [self.records[self.tile_of(number)].stain or "" for number in numbers]
        told = torch.tensor([self.stains.index(name) for name in names], device=device)
        return Reals(images, told)

    def tile_of(self, number: int) -> int:
        """The place, among the records, of the tile that this image is cut from."""
        round_, place = divmod(number, len(self.records))
        if round_ != self._round:
            random = np.random.default_rng([self.seed, 1, round_])
            self._round, self._shuffled = round_, random.permutation(len(self.records))
        return int(self._shuffled[place])


def check_sizes(tile_set: TileSet, records: Sequence[TileRecord], crop: Crop) -> None:
    """Do nothing if every tile is large enough.

    Raises:
        ImageError: one is not.
    """
    for record in records:
        if min(record.width, record.height) < crop.needed_px:
            most = crop.shrink[1]
            shrunk = "" if most == 1 else f" from tiles shrunk {most:g} times ({crop.needed_px} px)"
            lower = "--resolution" if most == 1 else "--resolution or --shrink"
            raise ImageError(
                f"{tile_set.folder / record.image} is {record.width} x {record.height} pixels, too "
                f"small for a generator of {crop.side_px} px{shrunk}. Cut larger tiles or lower "
                f"{lower}."
            )


def stain_shares(tile_set: TileSet, records: Sequence[TileRecord]) -> dict[str, float]:
    """The part of the tiles that has each stain, by its name.

    Raises:
        SettingsError: a tile has no stain, or all have the same.
    """
    names = [record.stain or "" for record in records]
    if "" in names:
        raise SettingsError(
            f"The tile {records[names.index('')].tile} of {tile_set.folder} has no stain, which "
            "--condition stain needs of each. Name it when tiles are cut: hdgan tile --stain or "
            "--stain-pattern."
        )
    shares = {name: names.count(name) / len(names) for name in sorted(set(names))}
    if len(shares) == 1:
        raise SettingsError(
            f"All tiles of {tile_set.folder} in these folds have the stain {names[0]!r}; "
            "--condition stain needs at least two. Leave it out."
        )
    return shares


def decoded_tiles(
    tile_set: TileSet,
    records: Sequence[TileRecord],
    cache: Cache,
    folder: Path,
    *,
    processes: int = 1,
) -> "Decoded | DecodedOnDisk":
    """The tiles' pixels by their place in `records`, kept where they fit.

    Args:
        tile_set: whose tiles.
        records: which ones.
        cache: what the user wants.
        folder: where they may be kept on disk.
        processes: how many share this computer's memory.
    """

    def read(number: int) -> np.ndarray:
        return tile_set.image(records[number])

    place = place_for(cache, decoded_bytes(records) * processes, folder)
    if place == "disk":
        return DecodedOnDisk(read, folder)
    return Decoded(read, limit=0 if place == "none" else max(CACHE_BYTES // processes, 1))


def decoded_bytes(records: Sequence[TileRecord]) -> int:
    """What the tiles' pixels take together."""
    return sum(3 * record.width * record.height for record in records)
