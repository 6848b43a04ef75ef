"""Writing files so that a reader sees the old one or the new one, never half of one."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from uuid import uuid4

from hdgan.errors import StorageError

PARTIAL = ".partial"
"""Ending of files that are being written; after a kill one may be left."""

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than this account may write",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "this account may not write there",
    errno.EPERM: "this account may not write there",
    errno.ENOTDIR: "a file stands where a folder is needed",
}


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Put `data` at `path`: under a temporary name in the same folder, then renamed.

    The folder is made if need be. After a crash the old content or the new one is there.

    Raises:
        StorageError: the disk is full or read-only.
    """
    with renamed_when_whole(path) as temporary:
        temporary.write_bytes(data)


def write_among_others(path: Path, data: bytes) -> None:
    """The same in a folder of the user's: what killed runs have left of this file goes first.

    Raises:
        StorageError: the disk is full or read-only.
    """
    with storage_errors(path):
        for left in path.parent.glob(f".{escape(path.name[:150])}.*{PARTIAL}"):
            left.unlink(missing_ok=True)
    write_atomically(path, data)


def remove_left(folder: Path) -> None:
    """Take away what killed runs have left half-written in a folder and its subfolders.

    Raises:
        StorageError: the disk is read-only.
    """
    with storage_errors(folder):
        for left in folder.rglob(f".*{PARTIAL}"):
            left.unlink(missing_ok=True)


@contextmanager
def renamed_when_whole(path: Path) -> Iterator[Path]:
    """A temporary name for a file to be written, which then takes its place.

    Raises:
        StorageError: the disk is full or read-only.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own: two workers may be at one piece, if one was thought dead.
        temporary = path.with_name(f".{path.name[:150]}.{uuid4().hex[:12]}{PARTIAL}")
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what a disk may refuse into one sentence that names the file.

    Raises:
        StorageError: the disk is full, read-only or closed to this account.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0)
        if reason is None:
            raise
        raise StorageError(
            f"{path} could not be written: {reason}. Make room or choose another folder, then run "
            "the same command again; what was finished before is kept."
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last; not every system can open a folder for that."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
