"""Real small disks and real read-only folders, in a process that has mounts of its own."""

import ctypes
import os
from pathlib import Path

_NEW_MOUNTS = 0x00020000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18


def may_mount() -> bool:
    """Whether this account may; tried in a process that ends at once."""
    process = os.fork()
    if process == 0:
        try:
            take_own_mounts()
        except OSError:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    return status == 0


def take_own_mounts() -> None:
    """Nothing that is mounted from now on is seen by other processes, and it goes with this one.

    Raises:
        PermissionError: this account may not.
    """
    _called("unshare", _NEW_MOUNTS)
    _called("mount", None, b"/", None, _RECURSIVE | _PRIVATE, None)


def mount_disk(folder: Path, num_bytes: int) -> None:
    """Put an empty disk of so many bytes on a folder."""
    size = f"size={num_bytes}".encode()
    _called("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", 0, size)


def enlarge_disk(folder: Path, num_bytes: int) -> None:
    """Give it another size."""
    size = f"size={num_bytes}".encode()
    _called("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", _REMOUNT, size)


def protect(folder: Path) -> None:
    """Make a folder read-only, for everybody."""
    place = os.fsencode(folder)
    _called("mount", place, place, None, _BIND, None)
    _called("mount", None, place, None, _BIND | _REMOUNT | _READ_ONLY, None)


def unprotect(folder: Path) -> None:
    """Let it be written to again."""
    _called("mount", None, os.fsencode(folder), None, _BIND | _REMOUNT, None)


def _called(name: str, *arguments: bytes | int | None) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
