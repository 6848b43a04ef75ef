"""Many pieces of work at once: here, in processes of this computer, or on a cluster.

Pieces must be able to run twice: one whose worker was killed is begun again.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context
from typing import Any, TypeVar

from hdgan.errors import SettingsError, StorageError

Work = TypeVar("Work")
Result = TypeVar("Result")

CONNECT_SECONDS = 20
"""How long a cluster may take to answer."""

_MORE_THAN_WORKERS = 2
"""Pieces that are handed out beyond those that are being worked on."""


def num_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def done_here(do: Callable[[Work], Result], works: Sequence[Work]) -> Iterator[Result]:
    """The result of each piece, one after another, in this process."""
    return map(do, works)


def done_by_processes(
    do: Callable[[Work], Result], works: Sequence[Work], num_workers: int
) -> Iterator[Result]:
    """The result of each piece as it is ready, in no order.

    Args:
        do: a function of a module; it and the pieces travel to other processes.
        works: the pieces.
        num_workers: how many processes.

    Raises:
        StorageError: a process died.
    """
    waiting = list(reversed(works))
    context = get_context("spawn")  # readers and torch do not survive a fork
    with ProcessPoolExecutor(num_workers, mp_context=context) as pool:
        running: set[Future[Result]] = set()
        try:
            while waiting or running:
                while waiting and len(running) < num_workers + _MORE_THAN_WORKERS:
                    running.add(pool.submit(do, waiting.pop()))
                ready, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield future.result()
        except BrokenProcessPool as error:
            raise StorageError(
                "A worker process died: there was too little memory, or a reader crashed on a "
                "file. Run the same command again, with --workers 1 to see at which file; what was "
                "finished is kept."
            ) from error
        finally:
            for future in running:
                future.cancel()


def done_by_cluster(
    do: Callable[[Work], Result], works: Sequence[Work], cluster: str, num_workers: int
) -> Iterator[Result]:
    """The same on the workers of a Dask cluster, which see the same files by the same paths.

    Args:
        do: a function of a module that the workers have, too.
        works: the pieces.
        cluster: address of a scheduler, or `slurm`, whose jobs Dask's own configuration describes.
        num_workers: jobs that are asked for.

    Raises:
        SettingsError: Dask is not installed, or nobody answers at the address.
        StorageError: workers died again and again on one piece.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
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
        with client:
            futures = client.map(do, works, pure=False, batch_size=1000)
            try:
                for future in as_completed(futures):
                    yield future.result()
                    future.release()
            except KilledWorker as error:
                raise StorageError(
                    "Workers of the cluster died again and again at one piece: there is too little "
                    "memory, or a reader crashes on a file. Run the same command again with more "
                    "memory for each; what was finished is kept."
                ) from error


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
