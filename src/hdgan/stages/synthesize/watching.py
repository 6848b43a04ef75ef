"""Progress over all processes that draw, and archives packed as they become whole."""

from collections.abc import Sequence
from time import monotonic
from types import TracebackType

from hdgan.artifacts.pair_set import SHARD_PAIRS
from hdgan.report.progress import LOG_SECONDS, ProgressBar
from hdgan.stages.synthesize.plan import Plan, Task


class Watch:
    """Follows pairs that this process and others draw."""

    def __init__(self, plan: Plan, task: Task, *, with_ranks: bool) -> None:
        """Look at what there is.

        Args:
            plan: what is drawn.
            task: which pairs.
            with_ranks: whether there are processes of which it is not told what they draw.
        """
        first, most = task.first, task.most
        self.notes, self.task, self.with_ranks = plan.notes, task, with_ranks
        budget = plan.settings.budget_seconds
        done = 0 if most is None else first + self._count(first, most)
        self.num_left = None if most is None else most - done
        self.last_count, self.num_drawn = monotonic(), 0
        self.unpacked: set[int] = set()
        if most is None:
            self.progress = ProgressBar("synthesize", round(budget or 0.0), "seconds")
        else:
            self.progress = ProgressBar("synthesize", most, "pairs", done=done)

    def __enter__(self) -> "Watch":
        """Show the bar."""
        self.progress.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        self.progress.__exit__(kind, error, traceback)

    def see(self, rows: Sequence[int], seconds: float) -> None:
        """Pairs are whole.

        Args:
            rows: which.
            seconds: that this and earlier runs have drawn for.

        Raises:
            StorageError: the disk is full or read-only.
        """
        self.num_drawn += len(rows)
        if self.task.most is None:
            self.progress.reach(round(seconds), f"{self.num_drawn} pairs")
        elif not self.with_ranks:
            self.progress.reach(self.progress.done + len(rows))
        elif monotonic() - self.last_count >= LOG_SECONDS:
            self.last_count = monotonic()
            self.progress.reach(self.task.first + self._count(self.task.first, self.task.most))
        if self.notes.in_shards and rows:
            self._pack_before(rows)

    def _pack_before(self, rows: Sequence[int]) -> None:
        """Pack archives that are whole, but for the last that was written to."""
        self.unpacked |= {row // SHARD_PAIRS for row in rows}
        for shard in sorted(self.unpacked)[:-1]:
            first = shard * SHARD_PAIRS
            if self._count(first, first + SHARD_PAIRS) == SHARD_PAIRS:
                self.notes.pack(first)
                self.unpacked.remove(shard)

    def _count(self, first: int, last: int) -> int:
        return sum(self.notes.has(row) for row in range(first, last))
