"""A hostile input, the command that it is given to, and what that must say."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hdgan.artifacts.manifest import MANIFEST, read_manifest, write_manifest
from tests.tiny_world import TinyWorld

IN, OUT = "IN", "OUT"
"""In a command's words: the hostile input, and where it may write."""

Make = Callable[[TinyWorld, Path], Path]
"""Writes the input into an empty folder; its path comes back."""


@dataclass(frozen=True)
class Case:
    """One hostile input."""

    parser: str
    """What reads it."""

    name: str
    """What is hostile about it."""

    words: str
    """What follows `hdgan`; names of parts of the tiny world stand for their paths."""

    make: Make
    """Writes it."""

    says: str | None
    """What the sentence must match; None if the input is right after all, and must be read."""

    def command(self, world: TinyWorld, made: Path, output: Path) -> list[str]:
        """The words of the command line."""
        known = {IN: made, OUT: output} | {
            name: getattr(world, name)
            for name in ("classes", "tiles", "truth", "generator", "samples", "painted", "pairs")
        }
        known["images"] = world.folder / "drawn" / "images"
        known["segmenter"] = world.segmenter
        return [str(known.get(word, word)) for word in self.words.split()]


def a_file(name: str, data: bytes | Callable[[], bytes]) -> Make:
    """A file, alone in its folder."""

    def make(_: TinyWorld, folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data if isinstance(data, bytes) else data())
        return path

    return make


def in_a_folder(name: str, data: bytes | Callable[[], bytes]) -> Make:
    """The same, where the folder is handed in."""

    def make(world: TinyWorld, folder: Path) -> Path:
        return a_file(name, data)(world, folder).parent

    return make


def an_artifact(part: str, change: Callable[[Path], object]) -> Make:
    """A copy of a part of the tiny world with something changed, whose manifest fits again."""

    def make(world: TinyWorld, folder: Path) -> Path:
        copy = Path(shutil.copytree(getattr(world, part), folder / part))
        change(copy)
        return copy

    return make


def with_file(name: str, data: bytes) -> Callable[[Path], None]:
    """Puts another file into an artifact, and its digest into the manifest."""

    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        manifest = read_manifest(folder)
        files = manifest.files | {name: hashlib.sha256(data).hexdigest()}
        write_manifest(folder, manifest.model_copy(update={"files": files}))

    return change


def with_text(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Puts other words into a text of an artifact, and its digest into the manifest."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        changed = text.replace(old, new, 1).encode()
        if name == MANIFEST:
            (folder / name).write_bytes(changed)
        else:
            with_file(name, changed)(folder)

    return change
