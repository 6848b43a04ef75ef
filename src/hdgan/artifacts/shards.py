"""Tiles of a slide in one ZIP archive: few files, each tile found at once, read by anything."""

import struct
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from hdgan.artifacts.writing import renamed_when_whole
from hdgan.errors import DamagedArtifactError

MAX_OPEN = 32
"""Archives that are held open."""

_SHORTEST_DATE = (1980, 1, 1, 0, 0, 0)
"""The same for every tile, so that equal tiles make equal archives."""


_DAMAGES = (KeyError, EOFError, zipfile.BadZipFile, RuntimeError, ValueError, OSError, struct.error)
"""What `zipfile` raises where a file is not what it says."""


class Shard:
    """An archive that is being filled."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, data: bytes) -> None:
        """Put a file into it, as it is."""
        self._archive.writestr(zipfile.ZipInfo(name, _SHORTEST_DATE), data)


@contextmanager
def shard_being_made(path: Path) -> Iterator[Shard]:
    """An archive to fill; it is there once it is whole.

    Raises:
        StorageError: the disk is full or read-only.
    """
    with (
        renamed_when_whole(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        yield Shard(archive)


class Shards:
    """Archives that are read from; the last few stay open. Threads may share it."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, zipfile.ZipFile] = OrderedDict()
        self._lock = Lock()

    def read(self, path: Path, name: str) -> bytes:
        """A file of an archive; its checksum is looked at.

        Raises:
            DamagedArtifactError: the archive is damaged, or has no such file.
        """
        with self._lock:
            try:
                archive = self._archive(path)
                member = archive.getinfo(name)
                if member.compress_type != zipfile.ZIP_STORED:  # it may be far larger unpacked
                    raise zipfile.BadZipFile("it is packed, which no archive of ours is")
                return archive.read(member)
            except _DAMAGES as error:
                said = str(error)[:150]  # a name in an archive may be anything
                raise DamagedArtifactError(
                    f"{path} is damaged, or lacks {name} ({said}). Restore the folder from a copy "
                    "or make the artifact again."
                ) from error

    def _archive(self, path: Path) -> zipfile.ZipFile:
        if path not in self._open:
            self._open[path] = zipfile.ZipFile(path)
            if len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(path)
        return self._open[path]
