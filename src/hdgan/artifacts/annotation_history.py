"""What was painted, stroke by stroke: one SQLite file that is only ever appended to."""

import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64

from hdgan.artifacts.annotation_set import Split
from hdgan.artifacts.history_database import HistoryDatabase
from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.errors import DamagedArtifactError, StaleRevisionError

KEYFRAME_EVERY = 64
"""Revisions after which a whole label map is kept, so that none is made of more than so many."""

MAX_SECONDS = 600.0
"""Longest time that one report may add."""

_CACHE_BYTES = 256 * 2**20

Verdict = Literal["keep", "maybe", "reject"]
"""What somebody thinks of a tile."""

Counts = Int64[np.ndarray, "256"]
"""How many pixels have each value."""


@dataclass(frozen=True)
class Stroke:
    """A rectangle of a label map as somebody left it."""

    kind: str
    """What it was painted with."""

    x: int
    """Left edge, px of the tile."""

    y: int
    """Upper edge, px of the tile."""

    labels: LabelMap
    """The rectangle afterwards."""

    undoes: int | None = None
    """The revision that an undo takes back, or the undo that a redo takes back."""


@dataclass(frozen=True)
class Revision:
    """A reading after a stroke, without its pixels."""

    revision: int
    """From 1 on, without gaps; 0 is the empty label map."""

    kind: str
    undoes: int | None
    author: str

    at: str
    """When it was saved, ISO 8601 in UTC."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class ReadingHead:
    """How a reading stands."""

    revision: int
    """The newest."""

    counts: Counts
    """Its pixels by value."""

    authors: tuple[str, ...]
    """Who painted on it, in alphabetical order."""


@dataclass(frozen=True)
class Mark:
    """What somebody decided about a tile."""

    verdict: Verdict | None = None
    reason: str | None = None
    split: Split | None = None


Key = tuple[str, int]
"""Tile and reading."""


class AnnotationHistory:
    """Readings of tiles, verdicts, splits and minutes.

    A saved stroke is on disk when `append` comes back. May be used from several threads. Memory:
    the label maps that were asked for last, 256 MB at most or one.
    """

    def __init__(self, path: Path, sizes: Mapping[str, tuple[int, int]]) -> None:
        """Open a history, or begin one.

        Args:
            path: the file.
            sizes: height and width of each tile that may be painted.

        Raises:
            DamagedArtifactError: the file is no history.
            StorageError: it cannot be written.
        """
        self.path = path
        self._sizes = sizes
        self._database = HistoryDatabase(path)
        self._cache: OrderedDict[Key, tuple[int, LabelMap]] = OrderedDict()

    def close(self) -> None:
        """Write everything into the one file."""
        self._database.close()

    def copy_to(self, path: Path) -> None:
        """Write a copy as one closed file.

        Raises:
            StorageError: it cannot be written.
        """
        self._database.copy_to(path)

    def append(
        self, tile: str, reading: int, base: int, stroke: Stroke, author: str, seconds: float = 0.0
    ) -> Revision:
        """Save a stroke that was painted on revision `base`; the new revision comes back.

        Raises:
            StaleRevisionError: there is a newer revision; nothing was saved.
            StorageError: the disk is full or read-only.
        """
        height, width = stroke.labels.shape
        with self._database.transaction():
            head = self.head(tile, reading)
            if head != base:
                newest = self.revisions(tile, reading, since=head - 1)
                raise StaleRevisionError(base, newest[-1] if newest else None)
            labels = self._cached(tile, reading, head).copy()
            here = np.s_[stroke.y : stroke.y + height, stroke.x : stroke.x + width]
            counts = self._counts(tile, reading, head)
            counts = counts - _counted(labels[here]) + _counted(stroke.labels)
            labels[here] = stroke.labels
            made = Revision(
                head + 1,
                stroke.kind,
                stroke.undoes,
                author,
                _now(),
                stroke.x,
                stroke.y,
                width,
                height,
            )
            self._insert(tile, reading, made, stroke.labels, counts)
            if made.revision % KEYFRAME_EVERY == 0:
                self._database.rows(
                    "INSERT INTO keyframes VALUES (?, ?, ?, ?)",
                    (tile, reading, made.revision, _packed(labels)),
                )
            self._insert_time(tile, reading, author, seconds)
        self._keep((tile, reading), made.revision, labels)
        return made

    def head(self, tile: str, reading: int) -> int:
        """The newest revision of a reading; 0 if nothing is painted."""
        rows = self._database.rows(
            "SELECT max(revision) FROM revisions WHERE tile = ? AND reading = ?", (tile, reading)
        )
        return int(rows[0][0] or 0)

    def revisions(self, tile: str, reading: int, *, since: int = 0) -> list[Revision]:
        """The revisions after `since`, oldest first."""
        rows = self._database.rows(
            "SELECT revision, kind, undoes, author, at, x, y, width, height FROM revisions "
            "WHERE tile = ? AND reading = ? AND revision > ? ORDER BY revision",
            (tile, reading, since),
        )
        return [Revision(*row) for row in rows]

    def labels(self, tile: str, reading: int, revision: int | None = None) -> LabelMap:
        """The label map of a revision, or of the newest; nobody else changes it.

        Raises:
            KeyError: there is no such revision.
        """
        with self._database.lock:
            head = self.head(tile, reading)
            if revision is None or revision == head:
                return self._cached(tile, reading, head).copy()
            if not 0 <= revision < head:
                raise KeyError(revision)
            return self._made(tile, reading, revision)

    def rectangle(self, tile: str, reading: int, revision: int, *, after: bool) -> LabelMap:
        """The rectangle that a revision changed, as it was before or as the revision left it.

        Raises:
            KeyError: there is no such revision.
        """
        with self._database.lock:
            rows = self.revisions(tile, reading, since=revision - 1)[:1]
            if not rows or rows[0].revision != revision:
                raise KeyError(revision)
            row = rows[0]
            labels = self.labels(tile, reading, revision if after else revision - 1)
            return labels[row.y : row.y + row.height, row.x : row.x + row.width].copy()

    def heads(self) -> dict[Key, ReadingHead]:
        """How every reading stands that somebody has painted on."""
        with self._database.lock:
            rows = self._database.rows(
                "SELECT r.tile, r.reading, r.revision, r.counts FROM revisions r JOIN "
                "(SELECT tile, reading, max(revision) AS newest FROM revisions "
                "GROUP BY tile, reading) h ON r.tile = h.tile AND r.reading = h.reading "
                "AND r.revision = h.newest ORDER BY r.tile, r.reading"
            )
            authors: dict[Key, list[str]] = {}
            for tile, reading, author in self._database.rows(
                "SELECT DISTINCT tile, reading, author FROM revisions ORDER BY author"
            ):
                authors.setdefault((tile, reading), []).append(author)
        return {
            (tile, reading): ReadingHead(
                revision, np.frombuffer(counts, dtype="<i8"), tuple(authors[tile, reading])
            )
            for tile, reading, revision, counts in rows
        }

    def mark(self, tile: str, mark: Mark, author: str) -> None:
        """Save a decision; earlier ones are kept below it."""
        with self._database.transaction():
            self._database.rows(
                "INSERT INTO marks (tile, verdict, reason, split, author, at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (tile, mark.verdict, mark.reason, mark.split, author, _now()),
            )

    def marks(self) -> dict[str, Mark]:
        """The newest decision about each tile that has one."""
        rows = self._database.rows(
            "SELECT tile, verdict, reason, split FROM marks "
            "WHERE id IN (SELECT max(id) FROM marks GROUP BY tile)"
        )
        return {tile: Mark(verdict, reason, split) for tile, verdict, reason, split in rows}

    def add_time(
        self, tile: str, reading: int, author: str, seconds: float, report: str | None = None
    ) -> None:
        """Add to the time that somebody spent on a reading; the same report counts once."""
        with self._database.transaction():
            self._insert_time(tile, reading, author, seconds, report)

    def seconds(self) -> dict[Key, float]:
        """The time that was spent on each reading."""
        rows = self._database.rows(
            "SELECT tile, reading, sum(seconds) FROM times GROUP BY tile, reading"
        )
        return {(tile, reading): float(seconds) for tile, reading, seconds in rows}

    def facts(self) -> dict[str, str]:
        """What else is noted."""
        return dict(self._database.rows("SELECT name, value FROM facts"))

    def note(self, name: str, value: str) -> None:
        """Note a fact, in place of an earlier one of this name."""
        with self._database.transaction():
            self._database.rows("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def _cached(self, tile: str, reading: int, head: int) -> LabelMap:
        """The newest label map, not to be changed."""
        found = self._cache.get((tile, reading))
        if found is not None and found[0] == head:
            self._cache.move_to_end((tile, reading))
            return found[1]
        labels = self._made(tile, reading, head)
        self._keep((tile, reading), head, labels)
        return labels

    def _keep(self, key: Key, revision: int, labels: LabelMap) -> None:
        with self._database.lock:
            self._cache[key] = (revision, labels)
            self._cache.move_to_end(key)
            while len(self._cache) > 1 and self._cached_bytes() > _CACHE_BYTES:
                self._cache.popitem(last=False)

    def _cached_bytes(self) -> int:
        return sum(labels.nbytes for _, labels in self._cache.values())

    def _made(self, tile: str, reading: int, revision: int) -> LabelMap:
        """A label map from the last whole one and the strokes since."""
        shape = self._sizes.get(tile)
        if shape is None:
            raise self._damaged(f"tile {tile[:80]!r} is none of those that it is of")
        labels, first = np.full(shape, UNLABELLED, dtype=np.uint8), 0
        whole = self._database.rows(
            "SELECT revision, labels FROM keyframes WHERE tile = ? AND reading = ? "
            "AND revision <= ? ORDER BY revision DESC LIMIT 1",
            (tile, reading, revision),
        )
        if whole:
            first, labels = whole[0][0], self._unpacked(whole[0][1], shape)
        strokes = self._database.rows(
            "SELECT x, y, width, height, labels FROM revisions WHERE tile = ? AND reading = ? "
            "AND revision > ? AND revision <= ? ORDER BY revision",
            (tile, reading, first, revision),
        )
        for x, y, width, height, packed in strokes:
            if not (0 <= y <= shape[0] - height and 0 <= x <= shape[1] - width):
                raise self._damaged(f"a stroke lies outside of tile {tile[:80]!r}")
            labels[y : y + height, x : x + width] = self._unpacked(packed, (height, width))
        return labels

    def _unpacked(self, packed: bytes, shape: tuple[int, int]) -> LabelMap:
        stream = zlib.decompressobj()
        try:
            # No more is unpacked than there may be.
            values = stream.decompress(packed, max(1, int(np.prod(shape)) + 1))
            return np.frombuffer(values, dtype=np.uint8).reshape(shape).copy()
        except (zlib.error, ValueError, TypeError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> DamagedArtifactError:
        return DamagedArtifactError(f"{self.path} is damaged ({why}). Restore it from a copy.")

    def _counts(self, tile: str, reading: int, head: int) -> Counts:
        rows = self._database.rows(
            "SELECT counts FROM revisions WHERE tile = ? AND reading = ? AND revision = ?",
            (tile, reading, head),
        )
        if rows:
            return np.frombuffer(rows[0][0], dtype="<i8").astype(np.int64)
        counts = np.zeros(256, dtype=np.int64)
        counts[UNLABELLED] = np.prod(self._sizes[tile])
        return counts

    def _insert(
        self, tile: str, reading: int, made: Revision, labels: LabelMap, counts: Counts
    ) -> None:
        self._database.rows(
            "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (tile, reading, *vars(made).values(), _packed(labels), counts.astype("<i8").tobytes()),
        )

    def _insert_time(
        self, tile: str, reading: int, author: str, seconds: float, report: str | None = None
    ) -> None:
        if seconds > 0:
            self._database.rows(
                "INSERT OR IGNORE INTO times (tile, reading, author, at, seconds, report) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (tile, reading, author, _now(), min(seconds, MAX_SECONDS), report),
            )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _counted(labels: LabelMap) -> Counts:
    return np.bincount(labels.ravel(), minlength=256)


def _packed(labels: LabelMap) -> bytes:
    return zlib.compress(labels.tobytes(), 1)
