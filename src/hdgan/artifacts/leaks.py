"""Whether something has learned from what it is to be tested on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hdgan.artifacts.seen import Seen
from hdgan.artifacts.tile_set import TileSet


@dataclass(frozen=True)
class Known:
    """What is known of a tile set by something that has learned from tiles."""

    folds: frozenset[int]
    """Folds of this very tile set that it has learned from."""

    slides: Mapping[int, list[str]]
    """Slides whose patients it has learned from as they are in another tile set, by fold."""

    is_certain: bool
    """Whether it has learned from no other fold; otherwise nobody can tell."""

    @property
    def all_folds(self) -> frozenset[int]:
        """Folds that cannot test it."""
        return self.folds | frozenset(self.slides)

    def slides_in_words(self, folds: Iterable[int]) -> str:
        """How many slides of these folds it knows from another tile set, and one of them."""
        names = [name for fold in sorted(folds) for name in self.slides.get(fold, [])]
        return f"{len(names)} slide{'s' if len(names) != 1 else ''}, such as {names[0]}"


def known_of(tiles: TileSet, seen: Seen) -> Known:
    """What something that has learned from all this knows of a tile set.

    A slide is known again if it was tiled another time, whatever it is called; if its file was
    changed, converted or cut into images, it is not.
    """
    folds = frozenset(seen.folds.get(tiles.digest, ()))
    beside = seen.beside(tiles.digest)
    by_fold = tiles.fingerprints() if beside.has_tiles else {}
    others = beside.all_slides
    slides = {
        fold: names
        for fold, prints in by_fold.items()
        if (names := sorted(name for name, fingerprint in prints.items() if fingerprint in others))
    }
    knows_others = bool(by_fold) and beside.has_all_slides
    return Known(folds, slides, knows_others if beside.has_tiles else bool(folds))


def known_seeds(seen: Seen, generator: str, seeds: Iterable[int]) -> list[int]:
    """Which drawings something has learned from, of those that have these seeds.

    Args:
        seen: what it has learned from.
        generator: digest of what drew them.
        seeds: in any order, which is kept.
    """
    rows = seen.drawings.get(generator, ())
    return [seed for seed in seeds if any(first <= seed <= last for first, last in rows)]
