"""A project that QuPath opens: images, outlines of their label maps, classes and two scripts.

The names of the fields are those that QuPath 0.5 and 0.6 write; the project was not opened with
QuPath itself when this was made. A project says where its images lie in full. One that is written
to a folder names that folder; one in an archive names a place that does not exist. Where QuPath
misses images, it looks for them at the same place relative to the project and offers what it finds.
"""

import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import UNFINISHED
from hdgan.artifacts.outlines.written_geojson import geojson_of, tissues_of
from hdgan.artifacts.qupath_texts import EXPORT_SCRIPT, IMPORT_SCRIPT, README
from hdgan.artifacts.writing import storage_errors, write_atomically
from hdgan.class_map import AMBIGUOUS, ClassMap, LabelMap, TissueClass
from hdgan.errors import StorageError

VERSION = "0.5.1"
"""The version of QuPath whose projects these are like."""

NOWHERE = "file:/hdgan/"
"""Where a project in an archive says that it was."""

PROJECT = "project.qpproj"
READER = "qupath.lib.images.servers.ImageIoImageServerBuilder"
"""What QuPath reads PNG with."""

_FORBIDDEN = frozenset('/\\:*?"<>|')
"""What some system does not take in the name of a file."""

_MADE_MS = 1_700_000_000_000
"""Any time: equal inputs give equal projects."""


@dataclass(frozen=True)
class QuPathImage:
    """An image of a project."""

    name: str
    """Without ending; its files are called so, if every system takes that."""

    pixels: UInt8[np.ndarray, "height width 3"]
    """RGB."""

    labels: LabelMap | None = None
    """Its label map, if there is one."""

    spacing_um: float | None = None
    """Tissue per pixel, um/px, if it is known."""


def write_qupath_project(
    folder: Path, images: Iterable[QuPathImage], class_map: ClassMap
) -> list[str]:
    """Write a project; the names of its files come back. Its folder is there when it is whole.

    Until then it lies beside it, where a run that was killed leaves it, and the next one begins
    anew. Memory is that of one image.

    Args:
        folder: of the project, new or empty.
        images: one at a time.
        class_map: the classes of their label maps.

    Raises:
        LabelError: a pixel is of a class that the class map does not have.
        StorageError: the disk is full or read-only, or another run writes to the same folder.
    """
    folder = folder.absolute()
    begun = folder.with_name(f".{folder.name[:150]}{UNFINISHED}")
    with storage_errors(folder):
        shutil.rmtree(begun, ignore_errors=True)
        names = []
        for name, content in qupath_files(images, class_map, folder.as_uri() + "/"):
            write_atomically(begun / name, content)
            names.append(name)
        if not all((begun / name).is_file() for name in names):
            raise StorageError(
                f"Another run has written to {folder} at the same time. Wait for it, or choose "
                "another folder."
            )
        if folder.is_dir():
            folder.rmdir()
        begun.replace(folder)
    return names


def write_qupath_zip(
    file: IO[bytes] | BytesIO,
    images: Iterable[QuPathImage],
    class_map: ClassMap,
) -> None:
    """Write a project as a ZIP archive with one folder, `qupath`.

    Memory is that of one image.

    Args:
        file: is written from its beginning to its end.
        images: one at a time.
        class_map: the classes of their label maps.

    Raises:
        LabelError: a pixel is of a class that the class map does not have.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in qupath_files(images, class_map, NOWHERE):
            packed = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(f"qupath/{name}"), content, packed)


def qupath_files(
    images: Iterable[QuPathImage], class_map: ClassMap, base_uri: str
) -> Iterator[tuple[str, bytes]]:
    """Path below the project's folder and content of each file; the project itself comes last.

    Args:
        images: one at a time.
        class_map: the classes of their label maps.
        base_uri: where the folder is, as a `file:` address that ends in `/`.

    Raises:
        LabelError: a pixel is of a class that the class map does not have.
    """
    entries: list[dict[str, object]] = []
    spacings: dict[str, float] = {}
    for number, image in enumerate(images, start=1):
        name = _file_name(image.name, number)
        yield f"images/{name}.png", png_of(image.pixels)
        if image.labels is not None:
            yield f"annotations/{name}.geojson", geojson_of(image.labels, class_map)
        if image.spacing_um is not None:
            spacings[name] = image.spacing_um
        entries.append(_entry(number, name, base_uri))
    yield "classifiers/classes.json", _json({"pathClasses": _classes(class_map)})
    yield "spacing.json", _json(spacings)
    yield "scripts/1 import annotations.groovy", IMPORT_SCRIPT.encode()
    yield "scripts/2 export annotations.groovy", EXPORT_SCRIPT.encode()
    yield "README.txt", README.encode()
    yield PROJECT, _json(_project(entries, base_uri))


def _file_name(name: str, number: int) -> str:
    """A name that every system takes for a file: the image's own, or one with its number."""
    if name and not name.startswith(".") and not set(name) & _FORBIDDEN:
        return name
    plain = "".join("_" if letter in _FORBIDDEN else letter for letter in name).lstrip(".")
    return f"{number:06d}_{plain}"


def _json(content: object) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False).encode()


def _project(entries: list[dict[str, object]], base_uri: str) -> dict[str, object]:
    return {
        "version": VERSION,
        "createTimestamp": _MADE_MS,
        "modifyTimestamp": _MADE_MS,
        "uri": base_uri + PROJECT,
        "lastID": len(entries),
        "images": entries,
    }


def _entry(number: int, name: str, base_uri: str) -> dict[str, object]:
    """An image as the project lists it; QuPath finds its size and channels itself."""
    uri = base_uri + quote(f"images/{name}.png")
    return {
        "serverBuilder": {
            "builderType": "uri",
            "providerClassName": READER,
            "uri": uri,
            "args": [],
        },
        "entryID": number,
        "randomizedName": str(uuid5(NAMESPACE_URL, name)),
        "imageName": name,
        "metadata": {},
    }


def _classes(class_map: ClassMap) -> list[dict[str, object]]:
    """QuPath's class list: colours are signed 32-bit numbers of alpha, red, green and blue."""
    tissues = tissues_of(class_map)
    mark = [] if len(class_map) > AMBIGUOUS else [tissues[AMBIGUOUS]]
    return [
        {"name": tissue.name, "color": _packed(tissue)} for tissue in [*class_map.classes, *mark]
    ]


def _packed(tissue: TissueClass) -> int:
    red, green, blue = tissue.rgb
    return (red << 16 | green << 8 | blue) - (1 << 24)
