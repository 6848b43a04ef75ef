"""Drawn pairs to a dataset: some are dropped, the rest is described."""

import re
import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.arrays import write_rows
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.pair_notes import PLACES, files_kept_in, opened_archive, pair_name, shard_name
from hdgan.artifacts.pair_set import (
    CARD,
    DATASET,
    LATENTS,
    PAIRS,
    SHARD_PAIRS,
    TALLIES,
    PairRecord,
    Why,
)
from hdgan.artifacts.shards import Shards, shard_being_made
from hdgan.artifacts.shipped_generator import words_about
from hdgan.artifacts.table import write_table
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import device_named
from hdgan.errors import SettingsError
from hdgan.method.latent import stain_of
from hdgan.method.uncertainty import largest_divergence
from hdgan.report.card import dataset_card
from hdgan.stages.synthesize.about import (
    Annotated,
    Chosen,
    checked_rows,
    compared,
    counts_of,
    pixels_of_pair,
)
from hdgan.stages.synthesize.composing import composition_of
from hdgan.stages.synthesize.likeness import likeness_of, limit_of, show_nearest
from hdgan.stages.synthesize.plan import Plan
from hdgan.stages.synthesize.spreading import draw_everywhere
from hdgan.stages.synthesize.tallies import Tallies, latents_of, tallies_of

_PAIR = re.compile(r"p(\d{7,})\.(png|tif)")


class Finishing:
    """The last part of the work. It can be killed and done again at any moment."""

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        plan: Plan,
        ensemble: ClassifierFolder,
        parent: GeneratorFolder,
        annotated: Annotated,
    ) -> None:
        self.unfinished, self.plan, self.annotated = unfinished, plan, annotated
        self.ensemble, self.parent = ensemble, parent
        self.notes, self.folder = plan.notes, unfinished.folder
        self.largest = largest_divergence(ensemble.text.num_members, ensemble.text.num_classes)
        self.tallies = Tallies.of_notes([], ensemble.text.num_classes)

    def complete(self, num_pairs: int, seconds: float | None) -> None:
        """Choose among the first pairs, and write what is said of them.

        Raises:
            StorageError: the disk is full or read-only.
        """
        self.unfinished.is_dear = True
        num_classes = self.ensemble.text.num_classes
        self.tallies = tallies_of(self.folder, self.notes, num_pairs, num_classes)
        self._refuse_nothing()
        self._draw_again()
        self.unfinished.reopen()
        self.notes.add_grown()
        latents = latents_of(self.folder, self.notes, num_pairs)
        shape = (num_pairs, self.parent.shape.w_dim)
        write_rows(self.folder / LATENTS, "w", shape, latents)
        self.unfinished.write(TALLIES, self.tallies.to_bytes())
        if self.notes.in_shards:
            self._fill_shards()
        else:
            self._remove_dropped()
        write_table(self.folder / PAIRS, self.records(), PairRecord)
        self.unfinished.write(CLASSES, class_map_bytes(self.ensemble.class_map))
        self._describe(seconds)
        self.unfinished.finish()

    @cached_property
    def kept(self) -> np.ndarray:
        """Whether each pair is in the dataset."""
        settings, tallies = self.plan.settings, self.tallies
        return ~(tallies.missed | tallies.outside(settings) | self.uncertain)

    @cached_property
    def uncertain(self) -> np.ndarray:
        """Whether each pair is dropped as too uncertain."""
        return self.tallies.uncertain(self.plan.settings, tells=self.largest > 0)

    def records(self) -> Iterator[PairRecord]:
        """The table of all pairs, row by row."""
        return (self._record(row) for row in range(len(self.tallies)))

    def _record(self, row: int) -> PairRecord:
        tallies, plan = self.tallies, self.plan
        kept = bool(self.kept[row])
        return PairRecord(
            pair=pair_name(row),
            row=row,
            seed=plan.seed(row),
            uncertainty=float(tallies.uncertainty[row]),
            kept=kept,
            stain=stain_of(self.parent.shape, plan.seed(row), plan.settings.stain),
            ending=plan.ending,
            why=None if kept else self._why(row),
            noise=plan.noise(row),
            shard=shard_name(row) if kept and self.notes.in_shards else None,
            way=tallies.way_of(row),
            draws=int(tallies.draws[row]),
            looks=int(tallies.looks[row]),
            realism=_known(tallies.realism[row]),
            nearest_tile=tallies.tile_of(row),
            nearest_distance=_known(tallies.distance[row]),
        )

    def _why(self, row: int) -> Why:
        if self.tallies.missed[row]:
            return "missed"
        return "uncertain" if self.uncertain[row] else "outside"

    def _refuse_nothing(self) -> None:
        """Do nothing if a pair is left.

        Raises:
            SettingsError: none is; the folder is then free for another command.
        """
        if self.kept.any():
            return
        self.unfinished.is_dear = False
        tallies = self.tallies
        counts = {
            "without the composition that --at-least asks for": tallies.missed.sum(),
            "outside the range of real tiles (--min-realism)": tallies.outside(
                self.plan.settings
            ).sum(),
            "too uncertain (--max-uncertainty, --drop-fraction)": self.uncertain.sum(),
        }
        why = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        raise SettingsError(
            f"No pair is left of {len(tallies)}: {why}. Ask for less, or draw more pairs."
        )

    def _draw_again(self) -> None:
        """Draw pairs that were dropped when there were fewer, and are not any more."""
        rows = [int(row) for row in np.flatnonzero(self.kept) if not self._has_files(int(row))]
        for row in rows:
            self.notes.forget(row)
        if rows:
            draw_everywhere(self.plan, rows, len(rows), lambda _: None)

    def _has_files(self, row: int) -> bool:
        """Whether the files of a pair are there, wherever they lie until the end."""
        names = [f"{place}/{pair_name(row)}.{self.plan.ending}" for place in PLACES]
        for folder in {self.notes.place(row), self.folder}:
            if all((folder / name).is_file() for name in names):
                return True
        return self.notes.in_shards and set(names) <= self._in_archives(row)

    def _in_archives(self, row: int) -> set[str]:
        shard = row // SHARD_PAIRS
        if self._looked_at[0] != shard:
            paths = (self.folder / shard_name(row), self.notes.packed(row))
            self._looked_at = shard, {name for path in paths for name in _names_in(path)}
        return self._looked_at[1]

    _looked_at: tuple[int, set[str]] = -1, set()

    def _remove_dropped(self) -> None:
        """Remove files of pairs that are not in the dataset, or beyond its last."""
        for place in PLACES:
            for path in (self.folder / place).glob("p*"):
                match = _PAIR.fullmatch(path.name)
                if match and not self._is_kept(int(match[1])):
                    path.unlink(missing_ok=True)

    def _is_kept(self, row: int) -> bool:
        return row < len(self.kept) and bool(self.kept[row])

    def _fill_shards(self) -> None:
        """Write each archive with the pairs that are kept, and remove what it was made from."""
        for first in range(0, len(self.kept), SHARD_PAIRS):
            self.notes.pack(first)
            self._fill(first)
            self.notes.packed(first).unlink(missing_ok=True)
        whole = {shard_name(first) for first in range(0, len(self.kept), SHARD_PAIRS)}
        for path in (self.folder / "shards").glob("*.zip"):
            if path.relative_to(self.folder).as_posix() not in whole:
                path.unlink()
        shutil.rmtree(self.notes.place(0).parent, ignore_errors=True)

    def _fill(self, first: int) -> None:
        rows = first + np.flatnonzero(self.kept[first : first + SHARD_PAIRS])
        names = [pair_name(int(row)) for row in rows]
        target = self.folder / shard_name(first)
        wanted = [f"{place}/{name}.png" for place in PLACES for name in names]
        if target.is_file() and _names_in(target) == wanted:
            return
        if not names:
            target.unlink(missing_ok=True)
            return
        with shard_being_made(target) as shard:
            for name, data in files_kept_in([self.notes.packed(first), target], names):
                shard.add(name, data)

    def _describe(self, seconds: float | None) -> None:
        chosen = Chosen(self.tallies, self.kept, self.uncertain, self.largest)
        rows = checked_rows(self.kept, self.plan)
        records = [self._record(row) for row in rows]
        about = counts_of(chosen, self.plan, self.ensemble.class_map)
        about |= compared(self.folder, records, self.annotated, self.ensemble.class_map)
        composition = composition_of(self.plan, self.tallies, self.kept, self.ensemble.class_map)
        about |= {
            "composition": composition,
            "real_tiles": self._nearest(),
            "seconds": seconds,
        }
        self.unfinished.write(DATASET, json_bytes(about))
        card = dataset_card(about, self.unfinished.order.parents, words_about(self.parent))
        self.unfinished.write(CARD, card.encode())

    def _nearest(self) -> dict[str, Any] | None:
        """What is said of the real tiles, if pairs were held against some."""
        likeness = likeness_of(self.plan, device_named(self.plan.settings.device))
        if likeness is None:
            return None
        shards = Shards()

        def image(row: int) -> UInt8[np.ndarray, "height width 3"]:
            return pixels_of_pair(self.folder, self._record(row), shards)[0]

        about = show_nearest(likeness, self.tallies, self.kept, image, self.unfinished)
        return about | limit_of(likeness, self.plan.settings.min_realism)


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _names_in(archive: Path) -> list[str]:
    """The files of an archive, in order; none if it is not there."""
    if not archive.is_file():
        return []
    with opened_archive(archive) as opened:
        return opened.namelist()
