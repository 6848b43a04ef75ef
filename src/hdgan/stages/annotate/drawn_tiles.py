"""Features of the tiles that are looked at, drawn again from their latents and kept for a while."""

import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, Int64, UInt8
from torch import Tensor

from hdgan.errors import StorageError
from hdgan.method.context_head import ContextHead, with_context
from hdgan.method.correction import FeatureScale, balanced_scale
from hdgan.method.ensemble_prior import EnsemblePrior, PriorLabeller, prior_of
from hdgan.method.features import (
    FeatureMap,
    FeaturePyramid,
    channel_statistics,
    channels_by_map,
    halved,
    image_and_features,
    sides_by_map,
)
from hdgan.method.labelling import MapSizes
from hdgan.method.latent import pixels_of
from hdgan.method.pixel_classifier import PixelClassifier
from hdgan.method.stylegan.bands import BANDED_FROM_PX, Band, bands
from hdgan.method.stylegan.synthesis import Generator

MAPPED_FROM_PX = 2048
"""From this side on, features lie in files that are mapped into memory: 270 MB at 1024 px, and four
times as much at each doubling."""

KEPT_TILES = 2
"""Tiles whose features are kept: the one that is painted, and one that may be next."""

SCALED_BY = 2
"""Tiles whose features decide the scale of all."""

THINNED_SIDE = 64
"""Of their maps, so many cells a side are looked at."""

_TILE = "tile-"


@dataclass(frozen=True)
class Ensemble:
    """A fitted classifier as far as it is asked here."""

    classifier: PixelClassifier
    context: ContextHead | None
    num_blocks: int | None

    def read(self, pyramid: FeaturePyramid) -> FeaturePyramid:
        """What it reads of a pyramid that has at least its blocks."""
        maps = pyramid.maps if self.num_blocks is None else pyramid.maps[-2 * self.num_blocks :]
        read = FeaturePyramid(maps, pyramid.side)
        return read if self.context is None else with_context(read, self.context)

    @torch.no_grad()
    def logits(
        self, features: Float32[np.ndarray, "pixels channels"]
    ) -> Float[Tensor, "members classes pixels"]:
        """What each member thinks of some pixels."""
        given = torch.from_numpy(features).to(self.classifier.mean)
        return self.classifier(given[None]).permute(0, 2, 1)


@dataclass
class DrawnTile:
    """A tile's features, and what the ensemble thinks of it once that was asked."""

    pyramid: FeaturePyramid
    """The maps of all blocks that somebody reads."""

    folder: Path | None
    """Where its files lie, if they do not fit into memory."""

    read: FeaturePyramid | None = None
    """What the ensemble reads, its context included."""

    prior: EnsemblePrior | None = None
    """What it thinks of every pixel."""


class _Rows:
    """A feature map that comes from the top, some rows at a time."""

    def __init__(self, side: int, channels: int, path: Path | None) -> None:
        self.shape, self.path, self.done = (side, side, channels), path, 0
        self.array = np.empty(self.shape if path is None else 0, np.float16)
        self.file = None if path is None else path.open("wb")

    def add(self, rows: Float16[np.ndarray, "rows side channels"]) -> None:
        if self.file is not None:
            self.file.write(rows.data)
        else:
            self.array[self.done : self.done + len(rows)] = rows
        self.done += len(rows)

    def whole(self) -> FeatureMap:
        """All of it; of a file, pages are in memory while they are used."""
        if self.file is None or self.path is None:
            return self.array
        self.file.close()
        # Copied where written, which nobody does: torch warns of arrays that are read-only.
        return np.memmap(self.path, np.float16, "c", shape=self.shape)


def _remove(tile: DrawnTile) -> None:
    if tile.folder is not None:
        shutil.rmtree(tile.folder)


class DrawnTiles:
    """Draws tiles, and keeps the last `KEPT_TILES` of them.

    Memory or, from `MAPPED_FROM_PX` on, disk: the feature maps in half precision of each, and 2
    bytes a class and pixel of the tile that is predicted.
    """

    def __init__(
        self,
        network: Generator,
        latents: Mapping[str, Float32[np.ndarray, " w_dim"]],
        num_blocks: int,
        ensemble: Ensemble | None,
        scratch: Path,
    ) -> None:
        """Nothing is drawn yet.

        Args:
            network: on the device that draws.
            latents: w of each tile by its name.
            num_blocks: how many of the last blocks a correction reads.
            ensemble: on the same device.
            scratch: folder for large features; those that an earlier run has left are deleted.
        """
        self.network, self.latents, self.ensemble = network, latents, ensemble
        self.side = network.shape.resolution
        total = len(network.shape.resolutions)
        of_ensemble = 0 if ensemble is None else (ensemble.num_blocks or total)
        self.num_blocks, self.num_drawn = num_blocks, min(total, max(num_blocks, of_ensemble))
        self._scratch, self._numbers = scratch, count()
        for left in scratch.glob(f"{_TILE}*"):
            shutil.rmtree(left)
        self._kept: OrderedDict[str, DrawnTile] = OrderedDict()

    def drawn(self, name: str, between: Callable[[], None], *, beside: str = "") -> DrawnTile:
        """A tile with its features, drawn unless it is kept.

        Args:
            name: of the tile.
            between: called between pieces of the work; it may ask for other tiles.
            beside: a tile that must stay kept.
        """
        if name not in self._kept:
            made = self._made(name, between)
            if name in self._kept:  # somebody drew it while this waited
                _remove(made)
            else:
                self._make_room(beside)
                self._kept[name] = made
        self._kept.move_to_end(name)
        return self._kept[name]

    def image(self, name: str) -> UInt8[np.ndarray, "side side 3"]:
        """A tile as the generator draws it."""
        w = self._latent(name)
        if self.side < BANDED_FROM_PX:
            return pixels_of(image_and_features(self.network, w, 1)[0])
        return np.concatenate([pixels_of(band.image) for band in self._bands(w)])

    def corrected(self, tile: DrawnTile) -> FeaturePyramid:
        """The maps that a correction reads."""
        return FeaturePyramid(tile.pyramid.maps[-2 * self.num_blocks :], self.side)

    def with_prior(self, tile: DrawnTile, between: Callable[[], None]) -> EnsemblePrior | None:
        """What the ensemble thinks of every pixel of a tile; asked once. None without ensemble."""
        if self.ensemble is not None and tile.prior is None:
            read = self.read(tile)
            assert read is not None
            classes = self.ensemble.classifier.shape.num_classes
            prior = EnsemblePrior(
                self._array(tile, "thought", (classes, self.side, self.side)),
                self._array(tile, "doubt", (self.side, self.side)),
            )
            sizes = MapSizes(
                [len(own) for own in read.maps], [own.shape[-1] for own in read.maps], self.side
            )
            PriorLabeller(self.ensemble.classifier, sizes).fill(prior, read, between)
            tile.prior = prior
        return tile.prior

    def scale(self) -> FeatureScale:
        """How the maps that a correction reads are scaled: as in the first tiles of the set."""
        names = list(self.latents)[:SCALED_BY]
        mean, deviation = channel_statistics(self._thinned(name) for name in names)
        channels = channels_by_map(self.network.shape)[-2 * self.num_blocks :]
        return balanced_scale(mean, deviation, channels)

    def _thinned(self, name: str) -> FeaturePyramid:
        """Some cells of each map of a tile, evenly spaced."""
        tile = self._made(name, lambda: None)
        maps = self.corrected(tile).maps
        steps = [max(1, len(own) // THINNED_SIDE) for own in maps]
        thinned = [own[::step, ::step].copy() for own, step in zip(maps, steps, strict=True)]
        _remove(tile)
        return FeaturePyramid(thinned, self.side)

    @torch.no_grad()
    def thought_at(
        self,
        tile: DrawnTile,
        rows: Int64[np.ndarray, " pixels"],
        columns: Int64[np.ndarray, " pixels"],
    ) -> tuple[Tensor, Tensor] | None:
        """What the ensemble thinks of some pixels, and its doubt; None without one."""
        read = self.read(tile)
        if self.ensemble is None or read is None:
            return None
        return prior_of(self.ensemble.logits(read.at(rows, columns)))

    def read(self, tile: DrawnTile) -> FeaturePyramid | None:
        """What the ensemble reads of a tile; None without one."""
        if self.ensemble is not None and tile.read is None:
            tile.read = self.ensemble.read(tile.pyramid)
        return tile.read

    def close(self) -> None:
        """Forget all tiles and delete their files."""
        while self._kept:
            _remove(self._kept.popitem()[1])

    def _make_room(self, beside: str) -> None:
        while len(self._kept) >= KEPT_TILES:
            oldest = next(name for name in self._kept if name != beside)
            _remove(self._kept.pop(oldest))

    def _latent(self, name: str) -> Float[Tensor, "1 w_dim"]:
        w = torch.from_numpy(self.latents[name][None])
        return w.to(self.network.mapping.w_avg.device)

    def _bands(self, w: Float[Tensor, "1 w_dim"]) -> Iterator[Band]:
        synthesis = self.network.synthesis
        return bands(synthesis, self.network.styles(w), synthesis.constant_noise())

    def _made(self, name: str, between: Callable[[], None]) -> DrawnTile:
        w = self._latent(name)
        if self.side < BANDED_FROM_PX:
            return DrawnTile(image_and_features(self.network, w, self.num_drawn)[1], None)
        folder = None
        if self.side >= MAPPED_FROM_PX:
            folder = self._scratch / f"{_TILE}{next(self._numbers)}"
            folder.mkdir(parents=True)
        maps = self._rows(folder)
        try:
            for band in self._bands(w):
                for place in maps.keys() & band.maps.keys():
                    maps[place].add(halved(band.maps[place]).cpu().numpy())
                between()
        except OSError as error:
            raise StorageError(
                f"The features of {name} could not be written to {folder} ({error.strerror}). "
                "Make room there."
            ) from error
        return DrawnTile(
            FeaturePyramid([rows.whole() for rows in maps.values()], self.side), folder
        )

    def _rows(self, folder: Path | None) -> dict[int, _Rows]:
        """Room for the maps of the blocks that are read, by their place in the network."""
        shape = self.network.shape
        sizes = list(zip(sides_by_map(shape), channels_by_map(shape), strict=True))
        first = len(sizes) - 2 * self.num_drawn
        return {
            place: _Rows(*sizes[place], None if folder is None else folder / f"{place:02d}")
            for place in range(first, len(sizes))
        }

    def _array(self, tile: DrawnTile, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """Room for half-precision numbers, in a file if the tile has files."""
        if tile.folder is None:
            return np.empty(shape, np.float16)
        return np.memmap(tile.folder / name, np.float16, "w+", shape=shape)
