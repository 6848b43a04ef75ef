"""The real tiles that a generator has learned from, as what its drawings are held against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64, UInt8

from hdgan.artifacts.decoded import Decoded
from hdgan.artifacts.encoder_file import EncoderFile, features_of, read_encoder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.leaks import known_of
from hdgan.artifacts.real_images import Crop, RealImages
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.errors import DamagedArtifactError, SettingsError, WrongArtifactError
from hdgan.method.realism import NEIGHBOURS, RealSupport
from hdgan.method.tile_crop import all_ways, laid, undone

Image = UInt8[np.ndarray, "side side 3"]
Arrays = dict[str, np.ndarray]

MOST_CROPS = 5000
"""Crops of training tiles that drawings are held against: 10 to 40 MB of features."""

NUM_HELD_OUT = 40
"""Crops of held-out tiles that say how near real tissue comes."""

LARGEST_REALISM = 1e6
"""Said of a drawing that equals a real tile, and of other ratios that have no bound."""

BATCH = 16


@dataclass(frozen=True)
class RealismOfImage:
    """How a drawing lies to the real tiles."""

    realism: float
    """1 or more: inside the support of the real tiles; at most `LARGEST_REALISM`."""

    tile: str
    """The real tile that it is nearest to, both as they are laid."""

    distance: float
    """To the nearest crop of that tile, in the encoder's features."""

    nearness: float
    """The same, over the distance from that crop to its third neighbour among the real ones; at
    most `LARGEST_REALISM`."""


@dataclass(frozen=True)
class NearestTile:
    """The real tile that a drawing comes nearest to in any of the eight ways to lay it."""

    tile: str
    """Its name."""

    distance: float
    """As in `RealismOfImage`."""

    nearness: float
    """As in `RealismOfImage`; at most `LARGEST_REALISM`."""

    picture: Image
    """What was cut from the tile, laid as the drawing is."""


class RealTiles:
    """Crops of the tiles that a generator has learned from, cut as its training has cut them.

    Every tile is there once, in an order that never changes, up to `most` of them; several times
    where tiles have room for crops that hardly overlap.
    """

    def __init__(
        self, tile_set: TileSet, encoder: EncoderFile, generator: GeneratorFolder, most: int
    ) -> None:
        self.tile_set, self.encoder = tile_set, encoder
        learned = learned_folds(generator, tile_set)
        if not learned:
            raise WrongArtifactError(
                f"{generator.folder} has not learned from {tile_set.folder} (tile-set "
                f"{tile_set.digest[:12]}), but from {_named(sorted(generator.manifest.seen))}; "
                "give a tile set that it has learned from."
            )
        crop = crop_of(generator)
        known = known_of(tile_set, generator.manifest.learned).all_folds
        records = tile_set.records()
        self.learned = _cut(tile_set, [each for each in records if each.fold in learned], crop)
        others = [
            record
            for record in records
            if record.fold not in known and min(record.width, record.height) >= crop.needed_px
        ]
        self.unseen = _cut(tile_set, others, crop)
        self.num_crops = min(most, len(self.learned) * _rounds(self.learned.records, crop))
        if self.num_crops <= NEIGHBOURS:
            raise SettingsError(
                f"{tile_set.folder} gives {self.num_crops} crops of tiles that the generator has "
                f"learned from; realism needs {NEIGHBOURS + 1} at least, each with {NEIGHBOURS} "
                "neighbours. Use a generator of more tiles, or leave realism out."
            )

    @classmethod
    def open(
        cls,
        tiles: Path,
        encoder: Path,
        generator: GeneratorFolder,
        *,
        trusted: bool = False,
        most: int = MOST_CROPS,
    ) -> "RealTiles":
        """The real tiles of a generator.

        Args:
            tiles: folder of the tile set.
            encoder: file of the encoder, or `efficientnet-lite0`.
            generator: what has learned from them.
            trusted: whether an encoder in TorchScript may be run.
            most: crops at most.

        Raises:
            WrongArtifactError: the generator has not learned from this tile set.
            EncoderError: the encoder is not there or cannot be read.
            SettingsError: there are fewer than four crops.
            ImageError: a tile that the generator has learned from is smaller than its crops.
        """
        return cls(TileSet.open(tiles), read_encoder(encoder, trusted=trusted), generator, most)

    @property
    def parents(self) -> dict[str, str]:
        """What follows from these was made from: digest by kind."""
        return self.tile_set.parents | {"encoder": self.encoder.digest}

    @property
    def num_tiles(self) -> int:
        """Tiles that the crops are of."""
        return min(len(self.learned), self.num_crops)

    @property
    def num_looks(self) -> int:
        """Crops that `fitted` looks at, of training and of held-out tiles."""
        return self.num_crops + (NUM_HELD_OUT if len(self.unseen) else 0)

    def tile(self, number: int) -> str:
        """Name of the tile that a crop is cut from."""
        return self.learned.records[self.learned.tile_of(number)].tile

    def fitted(self, device: torch.device, tell: Callable[[int], None] = lambda _: None) -> Arrays:
        """What `Likeness` needs of the tiles, to be stored as it is and handed to all workers.

        Memory: the features (`num_crops` rows) and one decoded tile. Time: each crop is encoded
        once, each held-out one in eight ways; then the number of crops squared.

        Args:
            device: where the encoder runs.
            tell: is told how many of `num_looks` are done.
        """
        features = self._encoded(device, tell)
        support = RealSupport.fit(features)
        distances, realism = np.empty((2, self.num_looks - self.num_crops))
        for number in range(len(distances)):
            ways = features_of(self.encoder.encoder, all_ways(self.unseen[number]), device)
            distances[number] = support.nearest(ways)[1].min()
            realism[number] = support.realism(ways[:1])[0]
            tell(self.num_crops + number + 1)
        return {
            "features": features,
            "radii": support.radii,
            "held_out_distances": distances,
            "held_out_realism": realism,
        }

    def _encoded(
        self, device: torch.device, tell: Callable[[int], None]
    ) -> Float32[np.ndarray, "crops features"]:
        """Features of all crops, by number."""
        network = self.encoder.encoder.to(device)
        # All crops of a tile in turn, so that it is decoded once.
        order = sorted(range(self.num_crops), key=lambda i: (self.learned.tile_of(i), i))
        parts = []
        for first in range(0, len(order), BATCH):
            images = [self.learned[number] for number in order[first : first + BATCH]]
            parts.append(features_of(network, images, device))
            tell(first + len(images))
        return np.concatenate(parts)[np.argsort(order)]


class Likeness:
    """How like real tiles a drawing is. A drawing's numbers depend on the drawing alone.

    Memory: the features of the crops in double precision; of a drawing about 30 bytes a pixel, in
    `nearest` 60 (a gigabyte at 4096 px); and what the encoder makes of it.
    """

    def __init__(self, tiles: RealTiles, fitted: Arrays, device: torch.device) -> None:
        """Take up what was computed before.

        Args:
            tiles: whose numbers these are.
            fitted: what `RealTiles.fitted` gave.
            device: where the encoder runs.

        Raises:
            DamagedArtifactError: the arrays are of other tiles.
        """
        there = {name: len(array) for name, array in fitted.items()}
        if (there.get("features"), there.get("radii")) != (tiles.num_crops, tiles.num_crops):
            raise DamagedArtifactError(
                f"What is stored of the real tiles has {there.get('features', 0)} crops, but "
                f"{tiles.tile_set.folder} gives {tiles.num_crops}. Remove the unfinished folder "
                "and run the command again."
            )
        self.tiles, self.device = tiles, device
        self.network = tiles.encoder.encoder.to(device)
        self.held_out_distances: Float64[np.ndarray, " crops"] = fitted["held_out_distances"]
        self.held_out_realism: Float64[np.ndarray, " crops"] = fitted["held_out_realism"]
        exact = fitted["features"].astype(np.float64)
        self.support = RealSupport(exact, fitted["radii"].astype(np.float64))

    def rejected_held_out(self, min_realism: float) -> float | None:
        """The part of crops of held-out tiles, real ones, whose realism is below this.

        What a limit would do to real tissue says how strict it is. None if no held-out tile is
        known.
        """
        realism = self.held_out_realism
        return float((realism < min_realism).mean()) if len(realism) else None

    @cached_property
    def held_out_median(self) -> float | None:
        """How near held-out tiles come, as `nearest` looks: the median of their distances.

        None if no held-out tile is known.
        """
        distances = self.held_out_distances
        return float(np.median(distances)) if len(distances) else None

    def score(self, image: Image) -> RealismOfImage:
        """Realism of a drawing, and the nearest real tile; numbers to six digits."""
        features = self._features([image])
        realism = float(self.support.realism(features)[0])
        index, distance = self.support.nearest(features)
        number, near = int(index[0]), float(distance[0])
        return RealismOfImage(
            _rounded(min(realism, LARGEST_REALISM)),
            self.tiles.tile(number),
            _rounded(near),
            self._nearness(number, near),
        )

    def nearest(self, image: Image) -> NearestTile:
        """The nearest real tile in the best of the eight ways; costs eight looks and a tile."""
        index, distance = self.support.nearest(self._features(all_ways(image)))
        way = int(distance.argmin())
        number = int(index[way])
        near = float(distance[way])
        crop = np.ascontiguousarray(laid(self.tiles.learned[number], undone(way)))
        return NearestTile(
            self.tiles.tile(number), _rounded(near), self._nearness(number, near), crop
        )

    def _nearness(self, number: int, distance: float) -> float:
        radius = float(self.support.radii[number])
        nearness = distance / radius if radius > 0 else LARGEST_REALISM * (distance > 0)
        return _rounded(min(nearness, LARGEST_REALISM))

    def _features(self, images: list[Image]) -> Float32[np.ndarray, "images features"]:
        return features_of(self.network, images, self.device)


def learned_folds(generator: GeneratorFolder, tile_set: TileSet) -> set[int]:
    """Folds of the tile set that the generator is known to have learned from."""
    there = {record.fold for record in tile_set.records()}
    return set(generator.manifest.seen.get(tile_set.digest, [])) & there


def crop_of(generator: GeneratorFolder) -> Crop:
    """How the generator's training has cut tiles; all eight ways if it does not say."""
    settings = generator.manifest.settings
    low, high = settings.get("shrink", (1.0, 1.0))
    orientation = settings.get("orientation", "any")
    return Crop(generator.shape.resolution, (float(low), float(high)), orientation)


def _cut(tile_set: TileSet, records: list[TileRecord], crop: Crop) -> RealImages:
    """Crops of these tiles; one tile at a time is in memory."""
    decoded = Decoded(lambda i: tile_set.image(records[i]), limit=0)
    return RealImages(tile_set, records, crop, 0, decoded)


def _rounds(records: Sequence[TileRecord], crop: Crop) -> int:
    """How many crops fit into a tile side by side, in the mean of the tiles."""
    room = sum(record.width * record.height for record in records) / len(records)
    return max(1, int(room / crop.needed_px**2))


def _named(digests: list[str]) -> str:
    return " and ".join(digest[:12] for digest in digests) or "tiles that nobody knows"


def _rounded(number: float) -> float:
    return float(f"{number:.6g}")
