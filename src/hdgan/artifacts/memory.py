"""What a process has taken of the memory that a user allows it."""

import os
import sys
from pathlib import Path

from hdgan.errors import SettingsError
from hdgan.method.labelling_work import WORK_BYTES
from hdgan.settings.bounds import bytes_in

LEAST_BYTES = 64 * 2**20
"""Less is not enough for the smallest pieces."""

RESULT_BYTES = 20
"""A pixel's image, labels and uncertainty, and what writing them takes."""


def bytes_for_work(memory: str | None, side: int, fixed_bytes: int = 0) -> int:
    """What labelling may take, so that the whole process stays below what the user allows.

    Args:
        memory: most memory of this process, such as `2GB`; None: the usual.
        side: of the image in pixels; the result is held as a whole.
        fixed_bytes: what labelling takes however small its pieces are.

    Raises:
        SettingsError: it is not enough.
    """
    if memory is None:
        return WORK_BYTES
    allowed, taken = (
        bytes_in(memory, "--memory"),
        held_bytes() + fixed_bytes + RESULT_BYTES * side**2,
    )
    if allowed - taken < LEAST_BYTES:
        raise SettingsError(
            f"--memory is {memory}, but the networks and one image of {side} px take "
            f"{taken / 1e6:,.0f} MB already; needed are {(taken + LEAST_BYTES) / 1e6:,.0f} MB or "
            "more."
        )
    return allowed - taken


def held_bytes() -> int:
    """What this process holds now; where nobody tells, half a gigabyte."""
    if sys.platform != "linux":
        return 512 * 2**20
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def free_bytes() -> int | None:
    """What this computer, or the container that this runs in, still has; None if nobody tells."""
    if sys.platform != "linux":
        return None
    lines = Path("/proc/meminfo").read_text().splitlines()
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    limit, used = (Path(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if limit.is_file() and used.is_file() and limit.read_text().strip() != "max":
        found.append(int(limit.read_text()) - int(used.read_text()))
    return min(found, default=None)
