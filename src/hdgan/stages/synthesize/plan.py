"""What is to be drawn, as it travels to other processes and computers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from time import time

from hdgan.artifacts.pair_notes import PairNotes
from hdgan.artifacts.pair_set import Ending
from hdgan.errors import SettingsError
from hdgan.settings.synthesize import SynthesizeSettings

PNG_PX = 4096
"""Side of the largest drawing that becomes a PNG unless the user says otherwise."""


@dataclass(frozen=True)
class Plan:
    """All that decides a pair, but for its row."""

    folder: Path
    """Of the pair set."""

    classifier: Path
    """Of the classifier."""

    generator: Path
    """Of the generator."""

    digests: tuple[str, str]
    """Of both: a computer that has others at these paths is found out."""

    settings: SynthesizeSettings
    """The user's choices."""

    side_px: int
    """Of a drawing."""

    wanted: tuple[tuple[int, float], ...] = ()
    """Least part of the pixels by class, if a composition was asked for."""

    tiles: Path | None = None
    """Of the real tiles that pairs are held against; their features lie beside the pairs' notes."""

    encoder: Path | None = None
    """What tells how alike a drawing and a tile are."""

    compared_with: tuple[str, ...] = ()
    """Digests of the tiles and the encoder."""

    @property
    def ending(self) -> Ending:
        """Of the names of files."""
        if self.settings.files == "auto":
            return "tif" if self.side_px > PNG_PX else "png"
        return "tif" if self.settings.files == "tiff" else "png"

    @property
    def notes(self) -> PairNotes:
        """Where pairs are noted."""
        return PairNotes(self.folder, self.settings.files == "shards")

    def seed(self, row: int) -> int:
        """What the latent of a pair is drawn from."""
        return self.settings.seed + row // self.settings.noise_draws

    def noise(self, row: int) -> int:
        """Which of the latent's noises a pair has."""
        return row % self.settings.noise_draws


@dataclass(frozen=True)
class Portion:
    """Some pairs that one process draws."""

    plan: Plan
    rows: tuple[int, ...]

    deadline: float | None = None
    """No row is begun after it, seconds since 1970; computers of a cluster have about one clock."""

    def in_time(self) -> Iterator[int]:
        """Rows as long as there is time."""
        for row in self.rows:
            if self.deadline is not None and time() >= self.deadline:
                return
            yield row


def portions(
    plan: Plan, rows: Iterable[int], size: int, deadline: float | None = None
) -> Iterator[Portion]:
    """Rows in portions, each taken when it is asked for."""
    waiting = iter(rows)
    while some := tuple(islice(waiting, size)):
        yield Portion(plan, some, deadline)


@dataclass(frozen=True)
class Task:
    """Which pairs are drawn now, and for how long."""

    first: int
    """The first row; those before are in the artifact that is added to."""

    most: int | None
    """One more than the last row; None: the time alone decides."""

    deadline: float | None
    """No pair is begun after it, seconds since 1970; None: it takes as long as it takes."""

    def all_rows(self) -> Iterable[int]:
        """Every row, in order; without end if the time alone decides."""
        return count(self.first) if self.most is None else range(self.first, self.most)

    def rows(self, notes: PairNotes) -> Iterator[int]:
        """Rows that are not drawn yet, as long as there is time from now on."""
        for row in self.all_rows():
            if self.deadline is not None and time() >= self.deadline:
                return
            if not notes.has(row):
                yield row


def refuse_bands(plan: Plan, *, by_object: bool) -> None:
    """Do nothing if files can be written as they are to be.

    Raises:
        SettingsError: they are written band by band, but something needs the whole image.
    """
    if plan.ending != "tif":
        return
    if by_object:
        raise SettingsError(
            f"{plan.classifier} tells some classes apart object by object, for which it needs the "
            "whole label map, but TIFF files are written band by band. Use --files png."
        )
    if plan.encoder is not None:
        raise SettingsError(
            "--encoder looks at whole images, but TIFF files are written band by band. Use --files "
            "png, or leave --tiles and --encoder out."
        )
