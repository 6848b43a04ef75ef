"""Where pairs are drawn: in this process, in several, on a cluster."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from time import monotonic

import torch

from hdgan.artifacts.memory import free_bytes, held_bytes
from hdgan.artifacts.weights import device_named
from hdgan.method.labelling_work import WORK_BYTES
from hdgan.settings.bounds import bytes_in
from hdgan.settings.synthesize import SynthesizeSettings
from hdgan.stages.synthesize.drawing import Drawer, draw_portion
from hdgan.stages.synthesize.plan import Plan, portions
from hdgan.workers import done_by_cluster, done_by_processes, num_cores

TRIAL_SECONDS = 4.0
"""So long this process draws alone, to learn whether others are worth their start."""

START_SECONDS = 8.0
"""What it takes to begin another process and load the networks there."""

PORTION = 8
"""Pairs that a process is given at a time, at most."""


def draw_everywhere(
    plan: Plan,
    rows: Iterable[int],
    num_left: int | None,
    drawn: Callable[[Sequence[int]], None],
    deadline: float | None = None,
) -> None:
    """Draw pairs, by as many processes as the settings say.

    Args:
        plan: what is drawn.
        rows: which pairs, in order; they are asked for as processes become free.
        num_left: how many there are, if that is known.
        drawn: is called with the rows of pairs when they are whole.
        deadline: no pair is begun after it, seconds since 1970. Rows are then begun in their order.

    Raises:
        StorageError: the disk is full, or processes died again and again.
        SettingsError: the cluster does not answer, or memory is not enough.
    """
    settings, waiting = plan.settings, iter(rows)
    if settings.cluster is not None:
        size = 1 if deadline else _portion(num_left, 16)
        works = portions(plan, waiting, size, deadline)
        num_jobs = settings.workers or num_cores()
        portions_done = done_by_cluster(draw_portion, works, settings.cluster, num_jobs)
    elif settings.workers == 1:
        _drawn_here(plan, waiting, num_left, drawn, may_spread=False)
        return
    else:
        num_workers = settings.workers or _drawn_here(plan, waiting, num_left, drawn)
        if num_workers == 1:
            return
        size = 1 if deadline else _portion(num_left, num_workers)
        works = portions(plan, waiting, size, deadline)
        portions_done = done_by_processes(draw_portion, works, num_workers)
    for portion in portions_done:
        drawn(portion)


def _portion(num_left: int | None, num_workers: int) -> int:
    """So small that no process has nothing to do at the end."""
    return PORTION if num_left is None else max(1, min(PORTION, num_left // (4 * num_workers)))


def _drawn_here(
    plan: Plan,
    waiting: Iterator[int],
    num_left: int | None,
    drawn: Callable[[Sequence[int]], None],
    *,
    may_spread: bool = True,
) -> int:
    """Draw until all is done, or until it is clear that more processes are worth it.

    Returns:
        How many processes should draw what is left; 1 if nothing is.
    """
    device = device_named(plan.settings.device)
    began, count, taken = monotonic(), 0, _Taken(waiting)
    with cpu_threads(plan.settings.threads):
        drawer = Drawer(plan, device)
        with closing(drawer.draw(taken)) as rows:
            for row in rows:
                drawn([row])
                taken.waiting.discard(row)
                count += 1
                seconds = monotonic() - began
                if not may_spread or device.type == "cuda" or seconds < TRIAL_SECONDS:
                    continue
                left = None if num_left is None else num_left - count
                num_workers = _worthwhile(plan.settings, left, count / seconds)
                if num_workers > 1:
                    break
                may_spread = False
            else:
                return 1
    drawn(sorted(taken.waiting))  # what was being written when this process stopped
    return num_workers


def _worthwhile(settings: SynthesizeSettings, num_left: int | None, speed: float) -> int:
    """How many processes there should be, if one draws so many pairs a second."""
    each = held_bytes() + WORK_BYTES
    if settings.memory is not None:
        each = bytes_in(settings.memory, "--memory")
    free, most = free_bytes(), num_cores() // settings.threads
    most = most if free is None else min(most, free // each)
    if most < 2:
        return 1
    if num_left is not None:
        most = min(most, num_left)
    seconds = settings.budget_seconds if num_left is None else num_left / speed
    gain = (seconds or 0.0) * (1 - 1 / max(1, most))
    return most if gain > START_SECONDS else 1


class _Taken:
    """Rows that are remembered as they are taken."""

    def __init__(self, rows: Iterator[int]) -> None:
        self.rows, self.waiting = rows, set[int]()

    def __iter__(self) -> Iterator[int]:
        """Each row."""
        for row in self.rows:
            self.waiting.add(row)
            yield row


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """So many threads of the CPU, and then as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
