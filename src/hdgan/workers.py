"""Many pieces of work at once: here, in processes of this computer, or on a cluster.

Pieces must be able to run twice: one whose worker was killed is begun again.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Generic, TypeVar

from hdgan.errors import SettingsError, StorageError

Work = TypeVar("Work")
Result = TypeVar("Result")

CONNECT_SECONDS = 20
"""How long a cluster may take to answer."""

_MORE_THAN_WORKERS = 2
"""Pieces that are handed out beyond those that are being worked on."""

_MOST_DEATHS = 3
"""Processes that may die one after another before a piece is finished."""


def num_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def done_here(do: Callable[[Work], Result], works: Iterable[Work]) -> Iterator[Result]:
    """The result of each piece, one after another, in this process."""
    return map(do, works)


def done_by_processes(
    do: Callable[[Work], Result], works: Iterable[Work], num_workers: int
) -> Iterator[Result]:
    """The result of each piece as it is ready, in no order.

    If a process dies, all begin anew with the pieces that were not finished. If this one dies, even
    by SIGKILL, its processes end with it: whoever runs the command again has the folder alone.

    Args:
        do: a function of a module; it and the pieces travel to other processes.
        works: the pieces; each is asked for when a process is about to be free.
        num_workers: how many processes.

    Raises:
        StorageError: processes died again and again.
    """
    waiting, deaths = iter(works), 0
    left: list[Work] = []
    while True:
        run = _PoolRun(do, [*reversed(left)], waiting, num_workers)
        try:
            for result in run.results():
                deaths = 0
                yield result
        except BrokenProcessPool as error:
            deaths += 1
            if deaths >= _MOST_DEATHS:
                raise StorageError(
                    "Worker processes died again and again: there was too little memory, or a "
                    "reader crashed on a file. Run the same command again, with --workers 1 to see "
                    "at which piece; what was finished is kept."
                ) from error
            left = run.unfinished
        else:
            return


class _PoolRun(Generic[Work, Result]):
    """Processes, until all is done or one of them dies."""

    def __init__(
        self,
        do: Callable[[Work], Result],
        first: list[Work],
        then: Iterator[Work],
        num_workers: int,
    ) -> None:
        self.do, self.first, self.then, self.num_workers = do, first, then, num_workers
        self.running: dict[Future[Result], Work] = {}

    @property
    def unfinished(self) -> list[Work]:
        """Pieces that were handed out or waited, in order."""
        return [*self.running.values(), *reversed(self.first)]

    def results(self) -> Iterator[Result]:
        """Each piece's result as it is ready.

        Raises:
            BrokenProcessPool: a process died; what it and the others had in hand is `unfinished`.
        """
        context = get_context("spawn")  # readers and torch do not survive a fork
        with ProcessPoolExecutor(
            self.num_workers, mp_context=context, initializer=_end_with_parent
        ) as pool:
            try:
                while self._hand_out(pool):
                    ready, _ = wait(self.running, return_when=FIRST_COMPLETED)
                    for future in ready:
                        result = future.result()
                        del self.running[future]
                        yield result
            finally:
                for future in self.running:
                    future.cancel()

    def _hand_out(self, pool: ProcessPoolExecutor) -> bool:
        """Keep the processes busy; False if all is done."""
        while len(self.running) < self.num_workers + _MORE_THAN_WORKERS:
            work = self.first.pop() if self.first else next(self.then, None)
            if work is None:
                break
            self.running[pool.submit(self.do, work)] = work
        return bool(self.running)


def _end_with_parent() -> None:
    """Let this process die as soon as the one that started it has; for the start of a worker."""
    Thread(target=_end_after_parent, daemon=True).start()


def _end_after_parent() -> None:
    """Wait for the process that started this one to end, and end without a farewell."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def done_by_cluster(
    do: Callable[[Work], Result], works: Iterable[Work], cluster: str, num_workers: int
) -> Iterator[Result]:
    """The same on the workers of a Dask cluster, which see the same files by the same paths.

    Args:
        do: a function of a module that the workers have, too.
        works: the pieces; each is asked for when a worker is about to be free.
        cluster: address of a scheduler, or `slurm`, whose jobs Dask's own configuration describes.
        num_workers: jobs that are asked for.

    Raises:
        SettingsError: Dask is not installed, or nobody answers at the address.
        StorageError: workers died again and again on one piece, or the scheduler ended.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise SettingsError(
            "--cluster needs the package distributed, which is not installed. Install it with: "
            'pip install "hdgan[cluster]"'
        ) from error
    with closing(_slurm(num_workers) if cluster == "slurm" else _Nothing()) as jobs:
        try:
            client = Client(getattr(jobs, "scheduler_address", cluster), timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"Nobody answers at --cluster {cluster} ({error}). Needed: the address that "
                "`dask scheduler` prints, such as tcp://host:8786, or the word slurm."
            ) from error
        with client, _cluster_errors(cluster):
            if cluster != "slurm":  # whose jobs may wait for hours
                _await_workers(client, cluster)
            running, waiting = as_completed(), iter(works)
            _hand_out(client, running, do, waiting)
            for future in running:
                yield future.result()
                future.release()
                _hand_out(client, running, do, waiting)


@contextmanager
def _cluster_errors(cluster: str) -> Iterator[None]:
    """Turn what may befall a cluster into one sentence.

    Raises:
        StorageError: workers died again and again, or nobody hands out pieces any more.
    """
    from distributed import CancelledError, KilledWorker
    from distributed.comm.core import CommClosedError

    try:
        yield
    except KilledWorker as error:
        raise StorageError(
            "Workers of the cluster died again and again at one piece: there is too little memory, "
            "or a reader crashes on a file. Run the same command again with more memory for each; "
            "what was finished is kept."
        ) from error
    except (CancelledError, CommClosedError) as error:
        for name in ("distributed.client", "distributed.utils"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # tracebacks of the same
        raise StorageError(
            f"The scheduler at --cluster {cluster} has ended, or cannot be reached any more. Start "
            "a cluster, and run the same command again with its address; what was finished is kept."
        ) from error


def _await_workers(client: Any, cluster: str) -> None:
    """Do nothing if a cluster has workers, or gets one soon.

    Raises:
        SettingsError: it has none.
    """
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError as error:
        raise SettingsError(
            f"The scheduler at --cluster {cluster} has no workers. Start some, for example with "
            f"`dask worker {cluster}`, and run the same command again."
        ) from error


def _hand_out(
    client: Any, running: Any, do: Callable[[Work], Any], waiting: Iterator[Work]
) -> None:
    """Give the workers of a cluster, whose number may change, two pieces each."""
    most = 2 * max(_MORE_THAN_WORKERS, sum(client.nthreads().values()))
    while running.count() < most:
        work = next(waiting, None)
        if work is None:
            return
        running.add(client.submit(do, work, pure=False))


class _Nothing:
    """In place of a cluster that was there before."""

    def close(self) -> None:
        """Leave it running."""


def _slurm(num_jobs: int) -> Any:
    """A Dask cluster of SLURM jobs, as ~/.config/dask/jobqueue.yaml describes them.

    Raises:
        SettingsError: there is no SLURM, or no description.
    """
    from shutil import which

    try:
        from dask_jobqueue.slurm import SLURMCluster
    except ImportError as error:
        raise SettingsError(
            "--cluster slurm needs the package dask-jobqueue, which is not installed. Install it "
            'with: pip install "hdgan[cluster]"'
        ) from error
    if which("sbatch") is None:
        raise SettingsError(
            "--cluster slurm needs the command sbatch, which is not here. Run hdgan on a login "
            "node, or give the address of a Dask scheduler."
        )
    try:
        cluster = SLURMCluster()
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"--cluster slurm: Dask does not know what a job looks like ({error}). Write cores, "
            "memory, queue and walltime to ~/.config/dask/jobqueue.yaml, below jobqueue: slurm:."
        ) from error
    cluster.scale(jobs=num_jobs)
    return cluster
