"""What the page works on: tiles, their history, and who helps; no HTTP here."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np

from hdgan.artifacts.annotation_history import (
    AnnotationHistory,
    Mark,
    Revision,
    Stroke,
)
from hdgan.artifacts.annotation_set import SPLITS, Split
from hdgan.class_map import AMBIGUOUS, ClassMap, LabelMap
from hdgan.errors import FinishedError, LabelError
from hdgan.web.assistant import Assistant
from hdgan.web.dealing import Outlook, dealt_tiles, problems_with
from hdgan.web.predictor import PaintedTile, Prediction
from hdgan.web.records import Record, num_labelled, reading_record
from hdgan.web.teaching import by_teaching, following
from hdgan.web.tiles import TileSource

STROKES = frozenset(
    {
        "brush",
        "erase",
        "polygon",
        "wand",
        "superpixel",
        "fill",
        "accept",
        "import",
        "undo",
        "redo",
        "restore",
    }
)
"""What a revision may come from."""

Finish = Callable[[], tuple[str, Mapping[str, object]]]
"""Writes the annotation set; its folder and what is in it come back."""


_REVISIONS = 10**12
"""More than a reading will ever have."""


@dataclass(frozen=True)
class _PaintedReading:
    """A label map for the predictor, read when it wants it."""

    history: AnnotationHistory
    tile: str
    reading: int
    number: int
    """Its revision."""

    @property
    def revision(self) -> int:
        """Another number for each label map of the tile, of whatever reading."""
        return self.reading * _REVISIONS + self.number

    def labels(self) -> LabelMap:
        return self.history.labels(self.tile, self.reading, self.number)


class Desk:
    """Tiles and what becomes of them. May be used from several threads."""

    def __init__(
        self,
        source: TileSource,
        history: AnnotationHistory,
        class_map: ClassMap,
        goal: Mapping[Split, int],
        assistant: Assistant,
        finish: Finish,
    ) -> None:
        """Put it together.

        Args:
            source: the tiles.
            history: where everything is saved.
            class_map: what is painted.
            goal: how many tiles each split should have; empty for tiles that have folds.
            assistant: who predicts, if anybody.
            finish: writes the annotation set.
        """
        self.source, self.history, self.class_map = source, history, class_map
        self.goal, self.assistant = dict(goal), assistant
        self._finish = finish
        self._writing = threading.RLock()
        self.is_finished = False

    def records(self, names: Sequence[str] | None = None) -> list[Record]:
        """What the page is told of these tiles, or of all."""
        heads, marks, seconds = self.history.heads(), self.history.marks(), self.history.seconds()
        keys = sorted(heads.keys() | seconds.keys())
        readings: dict[str, list[Record]] = {}
        for name, reading in keys:
            head, spent = heads.get((name, reading)), seconds.get((name, reading), 0.0)
            readings.setdefault(name, []).append(
                reading_record(reading, head, spent, self.class_map)
            )
        records = []
        for name in self.source.tiles if names is None else names:
            own = readings.get(name, [])
            tile, mark = vars(self.source.tiles[name]), vars(marks.get(name, Mark()))
            minutes = sum(record["minutes"] for record in own)  # type: ignore[misc]
            records.append({**tile, **mark, "minutes": minutes, "readings": own})
        return records

    def save(
        self, tile: str, reading: int, base: int, stroke: Stroke, author: str, seconds: float
    ) -> Revision:
        """Save a stroke; see `AnnotationHistory.append`.

        Raises:
            LabelError: it lies outside the tile or paints what is no class.
            StaleRevisionError: somebody else saved meanwhile.
            FinishedError: the annotation set is written.
        """
        self._check(tile, stroke)
        with self._writing:
            self._refuse_when_finished()
            return self.history.append(tile, reading, base, stroke, author, seconds)

    def mark(self, tile: str, changes: Mapping[str, str | None], author: str) -> None:
        """Change the verdict, its reason or the split of a tile.

        Raises:
            FinishedError: the annotation set is written.
        """
        with self._writing:
            self._refuse_when_finished()
            before = self.history.marks().get(tile, Mark())
            self.history.mark(tile, replace(before, **changes), author)  # type: ignore[arg-type]

    def add_time(
        self, tile: str, reading: int, author: str, seconds: float, report: str | None = None
    ) -> None:
        """Add to the time that somebody spent on a reading; the same report counts once.

        Raises:
            FinishedError: the annotation set is written.
        """
        with self._writing:
            self._refuse_when_finished()
            self.history.add_time(tile, reading, author, seconds, report)

    def minutes(self, tile: str) -> float:
        """The time that was spent on a tile so far."""
        spent = self.history.seconds()
        return sum(seconds for (name, _), seconds in spent.items() if name == tile) / 60

    def deal(self, author: str) -> list[str]:
        """Deal the kept tiles that have no split, so that the goal is met; their names come back.

        Raises:
            FinishedError: the annotation set is written.
        """
        with self._writing:
            self._refuse_when_finished()
            return self._deal(self._kept(), author)

    def _deal(self, names: Sequence[str], author: str) -> list[str]:
        marks = self.history.marks()
        dealt = dealt_tiles(names, marks, self.goal)
        for name, split in dealt.items():
            self.history.mark(name, replace(marks.get(name, Mark()), split=split), author)
        return list(dealt)

    def _kept(self) -> list[str]:
        """The tiles that somebody keeps, in the order of the table."""
        marks = self.history.marks()
        return [name for name in self.source.tiles if marks.get(name, Mark()).verdict == "keep"]

    def predict(self, tile: str, reading: int, revision: int) -> "Future[Prediction | None]":
        """Wish for a prediction of a tile from everything that is painted.

        Of the other tiles the first readings are learned from; of this one only the reading that is
        being painted, so that a second one stays blind.
        """

        def painted() -> dict[str, PaintedTile]:
            of_others: dict[str, PaintedTile] = dict(self._painted_readings())
            of_others.pop(tile, None)
            if revision > 0:
                of_others[tile] = _PaintedReading(self.history, tile, reading, revision)
            return of_others

        self.assistant.score(self._waiting(), painted)
        return self.assistant.predict(tile, painted)

    def _painted_readings(self) -> dict[str, _PaintedReading]:
        """The first reading of every tile that is painted and not rejected."""
        heads, marks = self.history.heads(), self.history.marks()
        return {
            name: _PaintedReading(self.history, name, reading, head.revision)
            for (name, reading), head in heads.items()
            if reading == 1 and num_labelled(head) and marks.get(name, Mark()).verdict != "reject"
        }

    def chosen(self) -> list[str]:
        """The tiles that are kept, or else those suggested, or else all; and those painted."""
        tiles = self.source.tiles
        suggested = {name for name, tile in tiles.items() if tile.suggested is not None}
        wanted = (set(self._kept()) or suggested or tiles.keys()) | self._painted_readings().keys()
        return [name for name in tiles if name in wanted]

    def next_tile(self, after: str | None) -> tuple[str | None, str]:
        """The tile to paint next, and why.

        One that was chosen; or, while the goal asks for more, one that is suggested and undecided.
        """
        scores = self.assistant.scores()
        for names in (self._waiting(), self._undecided()):
            ranked = by_teaching([self.source.tiles[name] for name in names], scores)
            found = following(ranked, after)
            if found is not None:
                return found
        return None, "Every chosen tile has been painted on."

    def _undecided(self) -> list[str]:
        """Tiles that may be chosen next, those suggested first; none if the goal is met."""
        marks = self.history.marks()
        verdicts = [marks.get(name, Mark()).verdict for name in self.source.tiles]
        if self.goal and verdicts.count("keep") >= sum(self.goal.values()):
            return []
        undecided = [
            tile
            for tile, verdict in zip(self.source.tiles.values(), verdicts, strict=True)
            if verdict is None
        ]
        suggested = [tile.tile for tile in undecided if tile.suggested is not None]
        return suggested or [tile.tile for tile in undecided]

    def _waiting(self) -> list[str]:
        """The chosen tiles that nobody has painted on."""
        painted = self._painted_readings()
        return [name for name in self.chosen() if name not in painted]

    def outlook(self) -> Outlook:
        """What finishing would write now."""
        marks, readings = self.history.marks(), self._painted_readings()
        painted = [name for name in self.source.tiles if name in readings]
        splits = [marks.get(name, Mark()).split for name in painted]
        dealt = dealt_tiles(painted, marks, self.goal)
        counts = {
            split: splits.count(split) + list(dealt.values()).count(split)
            for split in SPLITS
            if self.goal
        }
        unpainted = [name for name in self._kept() if name not in readings]
        return Outlook(painted, counts, problems_with(painted, unpainted, counts, len(dealt)))

    def splits(self) -> dict[str, Split | None]:
        """The split of each tile that finishing writes."""
        marks = self.history.marks()
        return {name: marks.get(name, Mark()).split for name in self.outlook().painted}

    def finish(self, author: str) -> tuple[str, Mapping[str, object]]:
        """Write the annotation set; from then on nothing is changed.

        Painted tiles that have no split are dealt to one first, and keep it in whatever goes on
        from here.

        Raises:
            LabelError: nothing is painted.
            FinishedError: it is written already.
        """
        with self._writing:
            self._refuse_when_finished()
            painted = self.outlook().painted
            if not painted:
                raise LabelError("Nothing is painted yet. Paint at least one tile, then finish.")
            self._deal(painted, author)
            made = self._finish()
            self.is_finished = True
            return made

    def _refuse_when_finished(self) -> None:
        if self.is_finished:
            raise FinishedError(
                "The annotation set is written, and takes no more strokes. Begin another one with "
                "--start-from to go on."
            )

    def _check(self, tile: str, stroke: Stroke) -> None:
        shown = self.source.tiles[tile]
        height, width = stroke.labels.shape
        fits = 0 <= stroke.x <= shown.width - width and 0 <= stroke.y <= shown.height - height
        if not (fits and height and width):
            raise LabelError(
                f"A label map of {width} x {height} pixels at {stroke.x}, {stroke.y} does not fit "
                f"tile {tile}, which is {shown.width} x {shown.height}."
            )
        if stroke.undoes is not None and stroke.kind not in ("undo", "redo"):
            raise LabelError("Only an undo or a redo takes a revision back.")
        if stroke.kind not in STROKES:
            raise LabelError(f"{stroke.kind[:40]!r} is no kind of stroke.")
        values = np.flatnonzero(np.bincount(stroke.labels.ravel(), minlength=256))
        strange = [int(value) for value in values if len(self.class_map) <= value < AMBIGUOUS]
        if strange:
            raise LabelError(
                f"A pixel has class {strange[0]}, but there are classes 0 to "
                f"{len(self.class_map) - 1}."
            )
