"""One way in which bytes from a stranger come to be parsed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile.mutations import Mutation

Read = Callable[[bytes], object]
"""Reads a file as the verbs do; whatever the file is, it comes back, or raises an error of ours."""


@dataclass(frozen=True)
class Reader:
    """How a kind of file is read, what right files of it are, and how they are changed."""

    name: str
    """What tables call it."""

    seeds: Callable[[Path], list[bytes]]
    """Right files, made by the package itself, from the fault world in a folder."""

    opened: Callable[[Path, Path], Read]
    """The function that reads, for the fault world and a folder to write into."""

    inside: Mutation | None = None
    """Changes what only this format has."""

    share: float = 1.0
    """How many inputs it gets when many readers share some: slow ones get fewer."""

    needs: tuple[str, ...] = field(default=())
    """Packages without which it is passed over."""


def file_at(*names: str) -> Callable[[Path], list[bytes]]:
    """Seeds that are files of the fault world."""
    return lambda world: [(world / name).read_bytes() for name in names]


def read_plainly(read: Read) -> Callable[[Path, Path], Read]:
    """A function that needs no folder."""
    return lambda world, folder: read


def read_from_file(read: Callable[[Path], object], name: str) -> Callable[[Path, Path], Read]:
    """A function that wants a path: the bytes are written there first."""

    def opened(world: Path, folder: Path) -> Read:
        del world
        path = folder / name

        def written(data: bytes) -> object:
            path.write_bytes(data)
            return read(path)

        return written

    return opened
