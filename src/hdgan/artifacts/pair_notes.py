"""Pairs while they are being drawn: what was noted of each, and where its files lie until then.

A note is written after the pair's files, so that a pair with a note is whole. Where pairs become
archives, notes and files lie in a folder for each archive, and then in the archive itself.
"""

import json
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from hdgan.artifacts.manifest import UNFINISHED, json_bytes
from hdgan.artifacts.pair_set import SHARD_PAIRS, Way
from hdgan.artifacts.shards import shard_being_made
from hdgan.artifacts.writing import write_atomically
from hdgan.errors import DamagedArtifactError

PLACES = ("images", "labels", "uncertainty")
"""Folders of a pair's files."""

_NOTES = "notes"


@dataclass(frozen=True)
class PairNote:
    """What is known of a pair without its files."""

    w: tuple[float, ...]
    """Its latent, after truncation."""

    uncertainty: float
    """Of its most uncertain tenth, nats."""

    pixels: tuple[int, ...]
    """Pixels by class."""

    way: Way | None = None
    draws: int = 1
    looks: int = 0
    realism: float | None = None
    nearest_tile: str | None = None
    nearest_distance: float | None = None
    nearness: float | None = None
    """The distance over what is usual around that tile."""

    @property
    def has_files(self) -> bool:
        """Whether there is a drawing at all."""
        return self.way != "missed"


def pair_name(row: int) -> str:
    """What pair `row` is called."""
    return f"p{row:07d}"


def shard_name(row: int) -> str:
    """The archive of pair `row`, by its path in the artifact."""
    return f"shards/s{row // SHARD_PAIRS:06d}.zip"


@dataclass(frozen=True)
class PairNotes:
    """Notes and files of pairs in a folder that is being filled; processes may share it."""

    folder: Path
    """Of the artifact."""

    in_shards: bool
    """Whether pairs become archives."""

    _known: dict[tuple[str, int, int], dict[int, PairNote]] = field(default_factory=dict)
    """Of the archive that was looked at last, as it was then."""

    @cached_property
    def grows(self) -> bool:
        """Whether an artifact is added to that was whole, and is until the end."""
        return self.grown.is_dir()

    @property
    def grown(self) -> Path:
        """Where files lie that will be added."""
        return self.scratch / "grown"

    def add_grown(self) -> None:
        """Put what was added where it belongs; some of it may be there already."""
        for place in PLACES:
            for path in (self.grown / place).glob("[!.]*"):
                target = self.folder / place / path.name
                target.parent.mkdir(exist_ok=True)
                path.replace(target)

    def place(self, row: int) -> Path:
        """The folder that the files of a pair are written to."""
        if not self.in_shards:
            return self.grown if self.grows else self.folder
        return self.scratch / "pieces" / Path(shard_name(row)).stem

    def has(self, row: int) -> bool:
        """Whether a pair is whole."""
        return self._path(row).is_file() or row in self._pack(row)

    def write(self, row: int, note: PairNote) -> None:
        """Note a pair, whose files have been written.

        Raises:
            StorageError: the disk is full or read-only.
        """
        write_atomically(self._path(row), json_bytes(asdict(note)))

    def read(self, row: int) -> PairNote:
        """The note of a pair that is whole."""
        path = self._path(row)
        return note_of(path.read_bytes()) if path.is_file() else self._pack(row)[row]

    def pack(self, row: int) -> None:
        """Put the loose pairs of this pair's archive into one file; nothing if there are none.

        Raises:
            StorageError: the disk is full or read-only.
        """
        loose = self.place(row)
        if not loose.is_dir():
            return
        packed = self.packed(row)
        files = {path.relative_to(loose).as_posix(): path for path in _files_in(loose)}
        with shard_being_made(packed) as shard:
            if packed.is_file():
                with opened_archive(packed) as before:
                    for name in before.namelist():
                        if name not in files:
                            shard.add(name, before.read(name))
            for name, path in files.items():
                shard.add(name, path.read_bytes())
        shutil.rmtree(loose, ignore_errors=True)  # a worker that was thought dead may write there

    def packed(self, row: int) -> Path:
        """Where the pairs of this pair's archive lie together until they are chosen from."""
        return self.scratch / shard_name(row)

    def forget(self, row: int) -> None:
        """Let a pair be drawn again."""
        self._path(row).unlink(missing_ok=True)
        self._pack(row).pop(row, None)

    @property
    def scratch(self) -> Path:
        """What goes when the artifact is whole."""
        return self.folder / UNFINISHED

    def _path(self, row: int) -> Path:
        name = f"{pair_name(row)}.json"
        if self.in_shards:
            return self.place(row) / _NOTES / name
        return self.scratch / "pairs" / name

    def _pack(self, row: int) -> dict[int, PairNote]:
        """Notes of an archive's pairs that lie together."""
        packed = self.packed(row)
        if not (self.in_shards and packed.is_file()):
            return {}
        state = packed.stat()
        key = (packed.name, state.st_mtime_ns, state.st_size)
        if key not in self._known:
            self._known.clear()
            self._known[key] = _notes_in(packed)
        return self._known[key]


def note_of(data: bytes) -> PairNote:
    """The note in a JSON text."""
    content = json.loads(data)
    content["w"], content["pixels"] = tuple(content["w"]), tuple(content["pixels"])
    return PairNote(**content)


def _notes_in(packed: Path) -> dict[int, PairNote]:
    with opened_archive(packed) as archive:
        return {
            int(Path(name).stem[1:]): note_of(archive.read(name))
            for name in archive.namelist()
            if name.startswith(f"{_NOTES}/")
        }


@contextmanager
def opened_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive to read from.

    Raises:
        DamagedArtifactError: it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError) as error:
        raise DamagedArtifactError(
            f"{path} is damaged ({error}). Remove it, and run the same command again; its pairs "
            "are drawn again."
        ) from error


def _files_in(folder: Path) -> list[Path]:
    """Whole files, in the order of their names: equal pairs make equal archives."""
    return sorted(path for path in folder.rglob("[!.]*") if path.is_file())


def files_kept_in(sources: Sequence[Path], names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """These pairs' files from the first archive that has each.

    Args:
        sources: archives; those that are not there are passed over.
        names: of pairs.

    Raises:
        KeyError: no archive has one of them.
        DamagedArtifactError: an archive is damaged.
    """
    with ExitStack() as opened:
        archives = [
            opened.enter_context(opened_archive(path)) for path in sources if path.is_file()
        ]
        for place in PLACES:
            for name in names:
                yield _first(archives, f"{place}/{name}.png")


def _first(archives: Sequence[zipfile.ZipFile], name: str) -> tuple[str, bytes]:
    for archive in archives:
        with suppress(KeyError):
            return name, archive.read(name)
    raise KeyError(name)
