"""Whether the files in an artifact's folder are those of its manifest, none more and none less."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import MANIFEST, UNFINISHED, is_inside
from hdgan.workers import num_cores

MOST_THREADS = 8
"""Files that are read at once at most."""

_CHUNK_BYTES = 2**20
"""Read at a time."""

_WAITING = 64
"""Files that are handed to threads at once at most."""

_POLL_SECONDS = 0.5
"""Between two looks at how far threads are."""


@dataclass(frozen=True)
class FilesFound:
    """How the files of an artifact compare with its manifest; paths in it, sorted."""

    num_files: int
    """That the manifest names."""

    num_bytes: int
    """Of those of them that are there."""

    missing: tuple[str, ...] = ()
    """Named, and not there."""

    changed: tuple[str, ...] = ()
    """There, with another SHA-256."""

    unreadable: tuple[str, ...] = ()
    """There, and the disk or the system refuses to read them."""

    additional: tuple[str, ...] = ()
    """There, and not named."""

    @property
    def is_whole(self) -> bool:
        """Whether all are as they were written, and nothing else is there."""
        return not (self.missing or self.changed or self.unreadable or self.additional)


def bytes_there(artifact: Artifact) -> int:
    """Bytes of the files that the manifest names, as far as they are there."""
    return sum(_size(artifact.folder / name) for name in _present(artifact))


def compare_files(artifact: Artifact, advance: Callable[[int], None]) -> FilesFound:
    """Read every file of an artifact, and compare it with the manifest.

    Memory: the names, and a megabyte a thread.

    Args:
        artifact: it.
        advance: is called, in this thread, with how many bytes were read since the last call.
    """
    named, present = artifact.manifest.files, _present(artifact)
    found = dict(_digests(artifact.folder, present, advance))
    return FilesFound(
        num_files=len(named),
        num_bytes=sum(_size(artifact.folder / name) for name in present),
        missing=tuple(sorted(named.keys() - set(present))),
        changed=tuple(sorted(n for n, digest in found.items() if digest not in (None, named[n]))),
        unreadable=tuple(sorted(name for name, digest in found.items() if digest is None)),
        additional=tuple(sorted(_files_below(artifact.folder) - named.keys())),
    )


def _present(artifact: Artifact) -> list[str]:
    """Named files that are there, inside the folder."""
    return [
        name
        for name in artifact.manifest.files
        if is_inside(name) and (artifact.folder / name).is_file()
    ]


def _size(path: Path) -> int:
    return path.stat().st_size


def _files_below(folder: Path) -> set[str]:
    """Every file but the manifest and what belongs to a run that adds to the artifact."""
    found = set[str]()
    for place, folders, names in os.walk(folder):
        below = Path(place).relative_to(folder)
        if below == Path() and UNFINISHED in folders:
            folders.remove(UNFINISHED)
        linked = [name for name in folders if (Path(place) / name).is_symlink()]
        found.update((below / name).as_posix() for name in [*names, *linked])
    return found - {MANIFEST}


class _Reading:
    """What the threads that read have in common."""

    def __init__(self) -> None:
        self.is_over = False
        """Whether nobody waits any more."""
        self._num_bytes = 0
        self._lock = Lock()

    def add(self, num_bytes: int) -> None:
        """So many more bytes were read."""
        with self._lock:
            self._num_bytes += num_bytes

    def taken(self) -> int:
        """Bytes that were read since this was asked last."""
        with self._lock:
            num_bytes, self._num_bytes = self._num_bytes, 0
        return num_bytes


def _digests(
    folder: Path, names: Iterable[str], advance: Callable[[int], None]
) -> Iterator[tuple[str, str | None]]:
    """Each file's SHA-256, in no order; None if it cannot be read."""
    waiting, running, reading = iter(names), dict[Future[str | None], str](), _Reading()
    with ThreadPoolExecutor(min(MOST_THREADS, num_cores())) as threads:
        try:
            while True:
                for name in islice(waiting, _WAITING - len(running)):
                    running[threads.submit(_digest, folder / name, reading)] = name
                if not running:
                    return
                done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                advance(reading.taken())
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            reading.is_over = True


def _digest(path: Path, reading: _Reading) -> str | None:
    """A file's SHA-256; None if it cannot be read, or nobody waits any more."""
    digest = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                if reading.is_over:
                    return None
                digest.update(chunk)
                reading.add(len(chunk))
    except OSError:
        return None
    return digest.hexdigest()
