"""A finished folder: its kind is checked when it is opened, its files when they are read."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import ClassVar, TypeVar

from hdgan.artifacts.manifest import MANIFEST, Manifest, digest_of_file, is_inside, read_manifest
from hdgan.errors import DamagedArtifactError, WrongArtifactError

Opened = TypeVar("Opened", bound="Artifact")


class Artifact:
    """A folder with a manifest. Each kind has its own class, which knows what is inside."""

    kind: ClassVar[str] = ""
    """The kind that a folder must be to be opened as this class; empty takes any."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def open(cls: type[Opened], folder: Path) -> Opened:
        """The artifact in a folder.

        Raises:
            MissingArtifactError: the folder is not there or not finished.
            DamagedArtifactError: its manifest cannot be read.
            WrongArtifactError: it is of another kind.
        """
        folder = cls.located(folder)
        manifest = read_manifest(folder)
        if cls.kind and manifest.kind != cls.kind:
            raise WrongArtifactError(
                f"{folder} is of kind {manifest.kind}, but {cls.kind} is needed here. Check the "
                "order of the arguments; `hdgan show FOLDER` says what a folder is."
            )
        return cls(folder, manifest)

    @classmethod
    def located(cls, folder: Path) -> Path:
        """Where the artifact lies that a user means; a kind may have names besides paths."""
        return folder

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the manifest, which holds those of all files and parents."""
        return digest_of_file(self.folder / MANIFEST)

    @property
    def parents(self) -> dict[str, str]:
        """This artifact as a parent: its digest by its kind."""
        return {self.manifest.kind: self.digest}

    def read(self, name: str) -> bytes:
        """The content of one of the artifact's files, checked against the manifest.

        Raises:
            DamagedArtifactError: the file is missing or is not the one that was written.
        """
        path = self.path(name)
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.manifest.files[name]:
            raise _changed(path)
        return data

    def path(self, name: str) -> Path:
        """Where one of the artifact's files lies, for readers that map it into memory.

        Raises:
            DamagedArtifactError: the file is missing, or its name leads out of the folder.
        """
        if not is_inside(name):
            raise DamagedArtifactError(
                f"{self.folder} names the file {name!r}, which would lie outside of it. It is "
                "damaged or made to do harm: do not trust the folder, and get it again."
            )
        path = self.folder / name
        if name not in self.manifest.files or not path.is_file():
            raise DamagedArtifactError(
                f"{path} is missing. Restore the folder from a copy or make the artifact again."
            )
        return path

    def checked_path(self, name: str) -> Path:
        """The same, after its content was checked.

        Raises:
            DamagedArtifactError: the file is missing or is not the one that was written.
        """
        path = self.path(name)
        if digest_of_file(path) != self.manifest.files[name]:
            raise _changed(path)
        return path

    def check_files(self) -> None:
        """Check every file.

        Raises:
            DamagedArtifactError: a file is missing or is not the one that was written.
        """
        for name in self.manifest.files:
            self.checked_path(name)


def _changed(path: Path) -> DamagedArtifactError:
    return DamagedArtifactError(
        f"{path} is not the file that was written (its SHA-256 differs from the manifest's). "
        "Restore the folder from a copy or make the artifact again."
    )
