"""What an artifact says of itself: kind, settings, parents, files."""

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from hdgan.artifacts.other_layout import refuse_other_layout
from hdgan.artifacts.seen import Seeds, Seen
from hdgan.artifacts.writing import write_atomically
from hdgan.errors import DamagedArtifactError, MissingArtifactError

MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"
"""Subfolder of an artifact that is being made."""

_MOST_NAME = 255
"""Bytes of the name of a file or a folder, as file systems have it."""

LAYOUT = 1
"""Version of the layout of all artifacts."""

_IF_ANY = ("seen_slides", "seen_drawings")
"""Fields that a manifest has only if they say something: earlier versions know none of them."""


class Manifest(BaseModel):
    """The file that makes a folder an artifact. It is written last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    """What the folder is."""

    layout: int
    """Version of its layout."""

    settings: dict[str, Any]
    """The choices it was made with."""

    parents: dict[str, str]
    """What it was made from: digest by kind."""

    seen: dict[str, list[int]]
    """Folds that it has learned from, directly or through its parents, by digest of the tile set.

    Whoever tests it on real tiles can tell from this that they are new to it.
    """

    seen_slides: dict[str, dict[int, list[str]]] = {}
    """Fingerprints of the slides of these folds, by digest of the tile set and by fold: they tell
    that tiles were cut from the same slides once more. Manifests of earlier versions have none. A
    digest without folds is of a generator of which nobody knows what it has learned from.
    """

    seen_drawings: dict[str, list[Seeds]] = {}
    """First and last seeds of labelled drawings that it has learned from, directly or through its
    parents, by digest of the generator.
    """

    files: dict[str, str]
    """SHA-256 by path."""

    made_by: str
    """Program and version."""

    @property
    def learned(self) -> Seen:
        """Everything that it has learned from."""
        return Seen(self.seen, self.seen_slides, self.seen_drawings)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder.

    Raises:
        MissingArtifactError: there is none.
        DamagedArtifactError: it cannot be read, or is of another layout.
    """
    path = folder / MANIFEST
    if folder.is_file():
        raise MissingArtifactError(
            f"{folder} is a file; needed is a folder that a verb of hdgan wrote. A network file "
            "becomes one with `hdgan import-generator`, a folder of images with `hdgan tile`."
        )
    if not folder.is_dir():
        raise MissingArtifactError(f"There is no folder {folder}. Check the path.")
    if not path.is_file() and not (folder / UNFINISHED).is_dir():
        raise MissingArtifactError(
            f"{folder} was not made by hdgan: it has no {MANIFEST}. A folder of images becomes a "
            "tile set with `hdgan tile`."
        )
    if not path.is_file():
        raise MissingArtifactError(
            f"{folder} is no finished artifact: it has no {MANIFEST}. If a command was interrupted "
            "there, run the same command again and it goes on."
        )
    data = path.read_bytes()
    refuse_other_layout(folder, data, LAYOUT)
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DamagedArtifactError(
            f"{path} is damaged ({where}: {first['msg']}). Restore it from a copy or make the "
            "artifact again."
        ) from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make the folder whole."""
    content = manifest.model_dump()
    empty = {name for name in _IF_ANY if not content[name]}
    kept = {name: value for name, value in content.items() if name not in empty}
    write_atomically(folder / MANIFEST, json_bytes(kept))


def json_bytes(content: object) -> bytes:
    """JSON for people and machines, the same bytes for the same content."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def is_inside(name: str) -> bool:
    """Whether a name of a manifest is one of a file in the folder; it may come from anybody."""
    path = PurePosixPath(name)
    is_name = "\0" not in name and all(len(part.encode()) <= _MOST_NAME for part in path.parts)
    return is_name and not (path.is_absolute() or ".." in path.parts)


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's content; memory does not grow with the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
