"""The slides and images below a folder: which files they are, and what they are called."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hdgan.artifacts.images import IMAGE_SUFFIXES
from hdgan.artifacts.slides.opening import SLIDE_SUFFIXES
from hdgan.errors import ImageError

MAX_NAME_BYTES = 180
"""Of a slide's name: file systems allow 255 for a tile's, which is longer."""

END_BYTES = 65536
"""Of each end of a file that its fingerprint is taken of: little enough for slides on a network."""

_DOUBLE = (".ome.tif", ".ome.tiff")


@dataclass(frozen=True)
class SlideFile:
    """A slide or an image on disk."""

    name: str
    """Its path below the folder, without the ending, joined by `__`."""

    path: Path
    """The file; of a DICOM slide, which is a folder of `.dcm` files, the first."""


def slide_files(folder: Path) -> list[SlideFile]:
    """What is to be tiled, sorted by name; hidden files are passed over.

    Raises:
        ImageError: the folder is not there, has no slide, two slides would have one name, or a
            link leads out of it.
    """
    if folder.is_file():
        return [SlideFile(_stem(Path(folder.name)), folder)]
    if not folder.is_dir():
        raise ImageError(f"There is no folder {folder}. Check the path.")
    endings = IMAGE_SUFFIXES | SLIDE_SUFFIXES
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in endings and not _is_hidden(path.relative_to(folder))
    )
    paths = [path for path in _without_parts(found) if not path.is_dir()]
    if not paths:
        raise ImageError(
            f"{folder} holds no slide and no image. Needed: files that end in "
            f"{', '.join(sorted(endings))}."
        )
    for path in paths:
        _refuse_link(path, folder)
    files = [SlideFile(_name(path.relative_to(folder)), path) for path in paths]
    for file in files:
        _refuse_name(file)
    _refuse_twins(files)
    return files


def fingerprint(folder: Path, files: Sequence[SlideFile]) -> str:
    """Tells whether the folder still holds the same files: their names and sizes."""
    digest = hashlib.sha256()
    base = folder.parent if folder.is_file() else folder
    for file in files:
        place = file.path.relative_to(base).as_posix()
        digest.update(f"{place}\0{file.path.stat().st_size}\n".encode())
    return digest.hexdigest()


def fingerprint_of_file(path: Path) -> str | None:
    """What tells a slide or an image again, wherever it lies: 16 hexadecimal digits.

    They are of the file's size and of its two ends; its name has no part in them. Of a slide of
    several files it is that of the file which names the slide. None if it cannot be read.
    """
    try:
        size = path.stat().st_size
        digest = hashlib.sha256(f"{size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(END_BYTES))
            file.seek(max(0, size - END_BYTES))
            digest.update(file.read(END_BYTES))
    except OSError:
        return None
    return digest.hexdigest()[:16]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _without_parts(paths: Sequence[Path]) -> list[Path]:
    """Of a folder of DICOM files, which are one slide, the first alone."""
    kept: list[Path] = []
    folders: set[Path] = set()
    for path in paths:
        if path.suffix.lower() == ".dcm":
            if path.parent in folders:
                continue
            folders.add(path.parent)
        kept.append(path)
    return kept


def _refuse_link(path: Path, folder: Path) -> None:
    """Follow no link out of the folder: what is not there was not handed in.

    Raises:
        ImageError: it is one, or it leads nowhere.
    """
    if not path.is_symlink():
        return
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ImageError(f"{path} is a link that leads nowhere. Remove it.") from error
    if not target.is_relative_to(folder.resolve()):
        raise ImageError(
            f"{path} is a link to {target}, outside {folder}. Put the file itself there, or name "
            "the folder that holds it."
        )


def _refuse_name(file: SlideFile) -> None:
    """Tiles are called after their slides, so names must be text, and leave room.

    Raises:
        ImageError: one is not.
    """
    try:
        length = len(file.name.encode())
    except UnicodeEncodeError as error:
        raise ImageError(
            f"{str(file.path)!r} has a name that is not UTF-8. Rename the file."
        ) from error
    if length > MAX_NAME_BYTES:
        raise ImageError(
            f"{file.path} would be called {file.name[:40]}..., {length} bytes long; tiles need "
            f"names of at most {MAX_NAME_BYTES}. Rename it, or move it up."
        )


def _name(path: Path) -> str:
    """A name from a path below the folder; a DICOM slide is named for its folder."""
    if path.suffix.lower() == ".dcm" and len(path.parts) > 1:
        return "__".join(path.parts[:-1])
    return "__".join([*path.parts[:-1], _stem(path)])


def _stem(path: Path) -> str:
    for ending in _DOUBLE:
        if path.name.lower().endswith(ending) and len(path.name) > len(ending):
            return path.name[: -len(ending)]
    return path.stem


def _refuse_twins(files: Sequence[SlideFile]) -> None:
    seen: dict[str, Path] = {}
    for file in files:
        if file.name in seen:
            raise ImageError(
                f"{file.path} and {seen[file.name]} would have the same name: they differ only in "
                "their ending, or in __ for a folder. Rename one of them."
            )
        seen[file.name] = file.path
