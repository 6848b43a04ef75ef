"""An artifact while it is being made: nothing is lost when the run is killed.

The folder gets a subfolder `.unfinished` with the command's settings and checkpoints. The same
command run again goes on there; another command is refused. The manifest comes last.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import (
    LAYOUT,
    MANIFEST,
    UNFINISHED,
    Manifest,
    digest_of_file,
    json_bytes,
    read_manifest,
    write_manifest,
)
from hdgan.artifacts.order import Order
from hdgan.artifacts.seen import Seen, seen_together
from hdgan.artifacts.writing import PARTIAL, storage_errors, write_atomically
from hdgan.errors import DamagedArtifactError, HdganError, StorageError, WrongArtifactError

CHECKPOINT = "checkpoint.safetensors"
_COMMAND = "command.json"
_LOCK = "lock"
_GENERATOR = "generator"
"""Kind of what may have learned from images before it became an artifact."""


class UnfinishedArtifact:
    """A folder that is being filled. Made by `being_made`."""

    def __init__(self, folder: Path, order: Order) -> None:
        self.folder = folder
        self.order = order
        self.is_dear = False
        """Whether something is there that must stay even if the run is refused later."""

    @property
    def scratch(self) -> Path:
        """Where checkpoints and other things lie that go when the artifact is whole."""
        return self.folder / UNFINISHED

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Put a file into the artifact.

        Raises:
            StorageError: the disk is full or read-only.
        """
        write_atomically(self.folder / name, data)

    def write_scratch(self, name: str, data: bytes | memoryview) -> Path:
        """Put a file where it goes when the artifact is whole; where it lies comes back.

        Raises:
            StorageError: the disk is full or read-only.
        """
        path = self.scratch / name
        write_atomically(path, data)
        return path

    def has(self, name: str) -> bool:
        """Whether an earlier run has already put this file there."""
        return (self.folder / name).is_file()

    def remove(self, name: str) -> None:
        """Take a file out of the artifact, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def reopen(self) -> None:
        """Let what is being added to count as unfinished, before files of it change."""
        (self.folder / MANIFEST).unlink(missing_ok=True)

    def finish(self) -> None:
        """Write the manifest over all files that are there; the folder is then whole."""
        for left in self.folder.rglob(f".*{PARTIAL}"):
            left.unlink(missing_ok=True)
        files = sorted(
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if path.is_file() and UNFINISHED not in path.relative_to(self.folder).parts
        )
        learned = self.order.seen
        write_manifest(
            self.folder,
            Manifest(
                kind=self.order.kind,
                layout=LAYOUT,
                settings=self.order.settings,
                parents=self.order.parents,
                seen={tiles: list(folds) for tiles, folds in learned.folds.items()},
                seen_slides={
                    tiles: {fold: list(slides) for fold, slides in by_fold.items()}
                    for tiles, by_fold in learned.slides.items()
                },
                seen_drawings={made: list(seeds) for made, seeds in learned.drawings.items()},
                files={name: digest_of_file(self.folder / name) for name in files},
                made_by=f"hdgan {version('hdgan')}",
            ),
        )


@contextmanager
def being_made(folder: Path, order: Order) -> Iterator[UnfinishedArtifact | None]:
    """The folder to fill, or None if an equal order has already been finished there.

    A finished artifact that the order adds to stays whole until `reopen`.

    Whoever gets a folder calls `finish` at its end.

    Raises:
        WrongArtifactError: the folder holds something else; it is left alone.
        StorageError: it cannot be written, or another run is writing there.
    """
    scratch = folder / UNFINISHED
    if _is_made(folder, order):
        clear_left(folder, order)
        yield None
        return
    if not (folder / MANIFEST).is_file():
        _refuse_strange(folder, order)
    is_new = not (scratch / _COMMAND).is_file()
    with storage_errors(folder):
        scratch.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        if _is_made(folder, order):
            yield None  # by another run, which has ended since the first look
        else:
            _clear_other(folder, order)
            write_atomically(scratch / _COMMAND, _command_bytes(order))
            with _refusals_undone(UnfinishedArtifact(folder, order), is_new=is_new) as unfinished:
                yield unfinished
    if (folder / MANIFEST).is_file():
        _clear_scratch(scratch)


def _is_made(folder: Path, order: Order) -> bool:
    """Whether an equal order has been finished in a folder; what it adds to does not count.

    Raises:
        WrongArtifactError: another has.
    """
    if not (folder / MANIFEST).is_file():
        return False
    made = order_of(read_manifest(folder))
    if order.adds_to(made):
        return False
    _refuse_other(folder, order, made)
    return True


@contextmanager
def _refusals_undone(
    unfinished: UnfinishedArtifact, *, is_new: bool
) -> Iterator[UnfinishedArtifact]:
    """Refused before anything dear was made: the mended command finds the folder free."""
    folder = unfinished.folder
    try:
        yield unfinished
    except StorageError:
        raise
    except HdganError:
        if is_new and not (
            unfinished.order.late
            or unfinished.is_dear
            or (folder / MANIFEST).is_file()
            or (unfinished.scratch / CHECKPOINT).is_file()
        ):
            _clear(folder)
        raise


def clear_left(folder: Path, order: Order) -> None:
    """Take away what a run has left that was killed after its last file.

    What adds to the artifact, now or when its command is run again, is left alone.
    """
    command = folder / UNFINISHED / _COMMAND
    if not command.is_file():
        with suppress(OSError):
            command.parent.rmdir()  # if all that was in it has gone
        return
    if _begun(command).adds_to(order):
        return
    with suppress(StorageError), _alone(folder):
        _clear_scratch(folder / UNFINISHED)


def _clear_scratch(scratch: Path) -> None:
    """Take away what a run has left; its command goes last, so that a kill meanwhile is seen."""
    for path in scratch.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != _COMMAND:
            path.unlink(missing_ok=True)
    shutil.rmtree(scratch, ignore_errors=True)


def _clear(folder: Path) -> None:
    """Take away everything in a folder that is ours; what tells that it is goes last."""
    for path in folder.iterdir():
        if not path.is_dir():
            path.unlink(missing_ok=True)
        elif path.name != UNFINISHED:
            shutil.rmtree(path, ignore_errors=True)
    _clear_scratch(folder / UNFINISHED)


def _clear_other(folder: Path, order: Order) -> None:
    """Make room where another order was begun that `_refuse_strange` let pass."""
    command = folder / UNFINISHED / _COMMAND
    if (folder / MANIFEST).is_file() or not command.is_file():
        return
    begun = _begun(command)
    if order.differences(begun) and not (order.takes_over(begun) or order.adds_to(begun)):
        for path in folder.iterdir():
            if path.name != UNFINISHED:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in (folder / UNFINISHED).iterdir():
            if path.is_dir():
                shutil.rmtree(path)


def order_of(manifest: Manifest) -> Order:
    """What was ordered of a finished artifact."""
    return Order(manifest.kind, manifest.settings, manifest.parents)


def _refuse_other(folder: Path, order: Order, found: Order, what: str = "the result") -> None:
    differences = order.differences(found)
    if differences:
        raise WrongArtifactError(
            f"{folder} already holds {what} of another command ({'; '.join(differences)}). "
            "Choose another folder, or remove this one if it is no longer needed."
        )


def begun_settings(folder: Path) -> dict[str, Any]:
    """The settings of what is in a folder, finished or not; none if it is nothing of ours.

    Raises:
        DamagedArtifactError: what says them is damaged.
    """
    command = folder / UNFINISHED / _COMMAND
    if command.is_file():
        return _begun(command).settings
    return read_manifest(folder).settings if (folder / MANIFEST).is_file() else {}


def _command_bytes(order: Order) -> bytes:
    """An order as it is noted where a folder is begun."""
    return json_bytes({name: value for name, value in vars(order).items() if name != "seen"})


def _begun(command: Path) -> Order:
    """The order that a folder was begun with."""
    try:
        content = json.loads(command.read_bytes())
        return Order(**{name: value for name, value in content.items() if name != "seen"})
    except (ValueError, TypeError, AttributeError) as error:
        raise DamagedArtifactError(
            f"{command} is damaged. Remove {command.parents[1]} and run the command again."
        ) from error


def _refuse_strange(folder: Path, order: Order) -> None:
    """Let pass what is not there, empty, begun by an equal order, or of no value to anybody."""
    command = folder / UNFINISHED / _COMMAND
    if command.is_file():
        found = _begun(command)
        usable = (
            order.is_after_changed_input(found) or order.takes_over(found) or order.adds_to(found)
        )
        if not (usable or _has_nothing(folder)):
            _refuse_other(folder, order, found, "an unfinished run")
        return
    if folder.exists() and not folder.is_dir():
        raise StorageError(f"{folder} is a file; the output must be a folder. Choose another name.")
    if folder.is_dir() and any(path.name != UNFINISHED for path in folder.iterdir()):
        raise WrongArtifactError(
            f"{folder} is not empty and was not made by hdgan. Choose a new or empty folder."
        )


def _has_nothing(folder: Path) -> bool:
    """Whether a begun folder holds no file but those that every run begins with."""
    files = {path.name for path in folder.rglob("*") if path.is_file()}
    return files <= {_COMMAND, _LOCK}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / UNFINISHED / _LOCK)
    try:
        with storage_errors(folder), lock.acquire(timeout=0):
            yield
    except Timeout as error:
        raise StorageError(
            f"Another run of hdgan is writing to {folder}. Wait for it, or choose another folder."
        ) from error


def seen_by(*parents: Artifact) -> Seen:
    """What any of the artifacts has learned from.

    What a generator has learned from that was made elsewhere is noted as unknown.
    """
    unknown = [
        Seen(slides={parent.digest: {}})
        for parent in parents
        if parent.manifest.kind == _GENERATOR and not parent.manifest.seen
    ]
    return seen_together(*(parent.manifest.learned for parent in parents), *unknown)


def made_once(folder: Path, order: Order, make: Callable[[UnfinishedArtifact], None]) -> bool:
    """Fill the folder with `make` and finish it; False if that had been done before.

    Raises:
        WrongArtifactError: the folder holds something else; it is left alone.
        StorageError: it cannot be written, or another run is writing there.
    """
    with being_made(folder, order) as unfinished:
        if unfinished is None:
            return False
        make(unfinished)
        unfinished.finish()
    return True
