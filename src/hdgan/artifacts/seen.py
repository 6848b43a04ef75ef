"""What an artifact has learned from, passed on from parents to children: leaks are found by it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Slides = Mapping[int, Sequence[str]]
"""Fingerprints of slides, by fold."""

Seeds = tuple[int, int]
"""Seeds that follow one another: the first and the last."""


@dataclass(frozen=True)
class Seen:
    """Real tiles and drawings of which the pixels or the labels have been learned from."""

    folds: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Folds by digest of the tile set."""

    slides: Mapping[str, Slides] = field(default_factory=dict)
    """Fingerprints of the slides of these folds, by digest of the tile set and by fold. A fold of
    which nobody has noted any is missing. A digest without folds is of a generator of which nobody
    knows what it has learned from."""

    drawings: Mapping[str, Sequence[Seeds]] = field(default_factory=dict)
    """Seeds of labelled drawings, by digest of the generator."""

    def beside(self, tiles: str) -> "Seen":
        """The real tiles of these but those of the tile set of this digest."""
        return Seen(
            {digest: folds for digest, folds in self.folds.items() if digest != tiles},
            {digest: by_fold for digest, by_fold in self.slides.items() if digest != tiles},
        )

    @property
    def has_tiles(self) -> bool:
        """Whether any real tile has been learned from, or nobody knows."""
        return bool(self.folds or self.slides)

    @property
    def has_all_slides(self) -> bool:
        """Whether it is known of which slides everything is that has been learned from."""
        return (
            bool(self.folds)
            and all(self.slides.values())
            and all(
                fold in self.slides.get(tiles, {})
                for tiles, folds in self.folds.items()
                for fold in folds
            )
        )

    @property
    def all_slides(self) -> set[str]:
        """Fingerprints of all slides."""
        return {
            slide
            for by_fold in self.slides.values()
            for slides in by_fold.values()
            for slide in slides
        }


def seen_together(*seen: Seen) -> Seen:
    """What all of these have learned from, sorted."""
    folds: dict[str, set[int]] = {}
    slides: dict[str, dict[int, set[str]]] = {}
    drawings: dict[str, set[Seeds]] = {}
    for one in seen:
        for tiles, some in one.folds.items():
            folds.setdefault(tiles, set()).update(some)
        for tiles, by_fold in one.slides.items():
            slides.setdefault(tiles, {})
            for fold, names in by_fold.items():
                slides[tiles].setdefault(fold, set()).update(names)
        for generator, seeds in one.drawings.items():
            drawings.setdefault(generator, set()).update(seeds)
    return Seen(
        {tiles: sorted(some) for tiles, some in sorted(folds.items())},
        {
            tiles: {fold: sorted(names) for fold, names in sorted(by_fold.items())}
            for tiles, by_fold in sorted(slides.items())
        },
        {generator: list(_merged(seeds)) for generator, seeds in sorted(drawings.items())},
    )


def drawings_of(generator: str, seeds: Iterable[int]) -> Seen:
    """What has been learned from by whoever learns from these drawings.

    Args:
        generator: its digest.
        seeds: of the drawings.
    """
    return seen_together(Seen(drawings={generator: [(seed, seed) for seed in seeds]}))


def _merged(rows: Iterable[Seeds]) -> Iterator[Seeds]:
    """The same seeds in as few rows as possible, ascending."""
    begun: Seeds | None = None
    for first, last in sorted(rows):
        if begun is not None and first <= begun[1] + 1:
            begun = begun[0], max(begun[1], last)
            continue
        if begun is not None:
            yield begun
        begun = first, last
    if begun is not None:
        yield begun
