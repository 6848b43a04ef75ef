"""What the pieces of a comparison cost, interruptions or not."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.writing import write_atomically


@dataclass(frozen=True)
class Cost:
    """What something took."""

    cpu_seconds: float
    """Time of the processor; a GPU's is not in it."""

    seconds: float
    """Time by the clock."""

    def __add__(self, other: "Cost") -> "Cost":
        """Both."""
        return Cost(self.cpu_seconds + other.cpu_seconds, self.seconds + other.seconds)


def timed(do: Callable[[], object]) -> Cost:
    """What something takes."""
    began, began_cpu = time.monotonic(), time.process_time()
    do()
    return Cost(time.process_time() - began_cpu, time.monotonic() - began)


def cost_of(path: Path) -> Cost | None:
    """What was written of a cost; None if nobody knows it."""
    found = json.loads(path.read_bytes())
    return None if found is None else Cost(**found)


def cost_of_making(output: Path, make: Callable[[Path], object]) -> Cost | None:
    """Make something, and say what that takes; None if an earlier run was killed on the way.

    The cost is written as soon as it is known, so that a later interruption does not lose it.

    Args:
        output: what is made.
        make: makes it there, or goes on, or does nothing if it is whole.
    """
    path = output.with_name(f"{output.name}-cost.json")
    is_begun = output.exists()
    cost = timed(lambda: make(output))
    if not path.is_file():
        write_cost(path, None if is_begun else cost)
    return cost_of(path)


def both(first: Cost | None, second: Cost | None) -> Cost | None:
    """Two costs together; None if one of them is unknown."""
    return None if first is None or second is None else first + second


def write_cost(path: Path, cost: Cost | None) -> None:
    """Write down a cost, or that nobody knows it.

    Raises:
        StorageError: the disk is full or read-only.
    """
    write_atomically(path, json_bytes(None if cost is None else asdict(cost)))
