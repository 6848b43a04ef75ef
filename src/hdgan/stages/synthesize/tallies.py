"""What is known of all pairs that were drawn, kept or not, in a few numbers each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from hdgan.artifacts.arrays import array_bytes, arrays_of, rows_at, shape_of
from hdgan.artifacts.pair_notes import PairNote, PairNotes
from hdgan.artifacts.pair_set import LATENTS, TALLIES, Way
from hdgan.method.uncertainty import kept_after_filter
from hdgan.settings.synthesize import SynthesizeSettings

WAYS: tuple[Way, ...] = get_args(Way)
_NO_WAY = 255

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Tallies:
    """Numbers of all pairs, by row; about a hundred bytes a pair."""

    uncertainty: Float64[np.ndarray, " pairs"]
    """Scores, nats; not a number where nothing was drawn."""
    pixels: Int64[np.ndarray, "pairs classes"]
    """Pixels by class."""
    way: UInt8[np.ndarray, " pairs"]
    """Place among `WAYS`, or 255."""
    draws: Int64[np.ndarray, " pairs"]
    """Drawings that each took."""
    looks: Int64[np.ndarray, " pairs"]
    """Latents that were only looked at."""
    realism: Float64[np.ndarray, " pairs"]
    """Not a number where it was not asked for."""
    distance: Float64[np.ndarray, " pairs"]
    """To the nearest tile; not a number where it was not asked for."""
    nearness: Float64[np.ndarray, " pairs"]
    """That over what is usual around the tile; not a number where it was not asked for."""
    tile: UInt8[np.ndarray, "pairs bytes"]
    """Name of the nearest tile in UTF-8, filled with zeros."""

    def __len__(self) -> int:
        """How many pairs."""
        return len(self.uncertainty)

    @classmethod
    def joined(cls, parts: Sequence["Tallies"]) -> "Tallies":
        """All of these, in order."""
        width = max(part.tile.shape[1] for part in parts)
        names = [each.name for each in fields(cls) if each.name != "tile"]
        both = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        tiles = [np.pad(part.tile, ((0, 0), (0, width - part.tile.shape[1]))) for part in parts]
        return cls(**both, tile=np.concatenate(tiles))

    def way_of(self, row: int) -> Way | None:
        """How the pair was found, if a composition was asked for."""
        place = int(self.way[row])
        return None if place == _NO_WAY else WAYS[place]

    def tile_of(self, row: int) -> str | None:
        """The tile that the pair is most like."""
        return self.tile[row].tobytes().rstrip(b"\0").decode() or None

    @property
    def missed(self) -> Bool[np.ndarray, " pairs"]:
        """Pairs that were not found, of which there is no drawing."""
        return self.way == WAYS.index("missed")

    def outside(self, settings: SynthesizeSettings) -> Bool[np.ndarray, " pairs"]:
        """Pairs outside the range of the real tiles."""
        if settings.min_realism is None:
            return np.zeros(len(self), dtype=bool)
        return ~self.missed & (self.realism < settings.min_realism)

    def uncertain(self, settings: SynthesizeSettings, *, tells: bool) -> Bool[np.ndarray, " pairs"]:
        """Pairs that are dropped as too uncertain.

        First all whose score is too high, then a part of those that are left.

        Args:
            settings: both limits.
            tells: whether scores mean anything; one member is never unsure.
        """
        left = ~(self.missed | self.outside(settings))
        dropped = np.zeros(len(self), dtype=bool)
        if not tells:
            return dropped
        if settings.max_uncertainty is not None:
            dropped |= left & (self.uncertainty > settings.max_uncertainty)
        rest = np.flatnonzero(left & ~dropped)
        if len(rest) > 1:  # of one pair there is none that is more uncertain
            kept = kept_after_filter(self.uncertainty[rest], settings.drop_fraction)
            dropped[rest[~kept]] = True
        return dropped

    def to_bytes(self) -> bytes:
        """As a safetensors file."""
        return array_bytes({part.name: getattr(self, part.name) for part in fields(self)})

    @classmethod
    def of_bytes(cls, data: bytes, name: str) -> "Tallies":
        """The same from such a file.

        Raises:
            DamagedArtifactError: it is damaged.
        """
        return cls(**arrays_of(data, name))

    @classmethod
    def of_notes(cls, notes: Sequence[PairNote], num_classes: int) -> "Tallies":
        """What notes say, which are then not needed any more."""
        names = [(note.nearest_tile or "").encode() for note in notes]
        width = max(map(len, names), default=0)
        tile = np.zeros((len(notes), max(1, width)), dtype=np.uint8)
        for i, name in enumerate(names):
            tile[i, : len(name)] = np.frombuffer(name, dtype=np.uint8)
        return cls(
            uncertainty=_numbers(note.uncertainty for note in notes),
            pixels=np.array([note.pixels for note in notes], dtype=np.int64).reshape(
                -1, num_classes
            ),
            way=np.array(
                [_NO_WAY if note.way is None else WAYS.index(note.way) for note in notes],
                dtype=np.uint8,
            ),
            draws=np.array([note.draws for note in notes], dtype=np.int64),
            looks=np.array([note.looks for note in notes], dtype=np.int64),
            realism=_numbers(note.realism for note in notes),
            distance=_numbers(note.nearest_distance for note in notes),
            nearness=_numbers(note.nearness for note in notes),
            tile=tile,
        )


def _numbers(values: Iterator[float | None]) -> Float64[np.ndarray, " values"]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def known_rows(folder: Path) -> int:
    """Of how many pairs, from the first, the artifact in a folder knows all already."""
    if not ((folder / TALLIES).is_file() and (folder / LATENTS).is_file()):
        return 0
    return min(len(_read(folder)), shape_of(folder / LATENTS, "w")[0])


def tallies_of(folder: Path, notes: PairNotes, num_pairs: int, num_classes: int) -> Tallies:
    """What is known of the first pairs, from the artifact and from notes; memory holds no latent.

    Args:
        folder: of the artifact.
        notes: of what the artifact does not know yet.
        num_pairs: how many pairs.
        num_classes: that pixels are counted of.
    """
    known = min(known_rows(folder), num_pairs)
    parts = [Tallies.of_notes([], num_classes)]
    if known:
        parts = [_first(_read(folder), known)]
    for first in range(known, num_pairs, _ROWS_AT_ONCE):
        rows = range(first, min(first + _ROWS_AT_ONCE, num_pairs))
        parts.append(Tallies.of_notes([notes.read(row) for row in rows], num_classes))
    return Tallies.joined(parts)


def latents_of(
    folder: Path, notes: PairNotes, num_pairs: int
) -> Iterator[Float32[np.ndarray, "pairs w_dim"]]:
    """The latents of the first pairs, some at a time, from the artifact and from notes."""
    known = min(known_rows(folder), num_pairs)
    for first in range(0, known, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, known)
        yield rows_at(folder / LATENTS, "w", first, last)
    for first in range(known, num_pairs, _ROWS_AT_ONCE):
        rows = range(first, min(first + _ROWS_AT_ONCE, num_pairs))
        yield np.array([notes.read(row).w for row in rows], dtype=np.float32)


def _read(folder: Path) -> Tallies:
    return Tallies.of_bytes((folder / TALLIES).read_bytes(), str(folder / TALLIES))


def _first(tallies: Tallies, count: int) -> Tallies:
    """The tallies of the first pairs."""
    return Tallies(**{part.name: getattr(tallies, part.name)[:count] for part in fields(tallies)})
