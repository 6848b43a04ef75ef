"""From notes on images, a line an image, to a COCO file."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypedDict

from hdgan.artifacts.writing import renamed_when_whole, storage_errors

_LICENCE_ID = 1


class Note(TypedDict):
    """What is known of an image."""

    image: dict[str, Any]
    """As COCO lists it, but for its id."""

    annotations: list[dict[str, Any]]
    """As COCO lists them, but for the ids."""

    num_left_out: int
    """Regions that are no instances ..."""

    left_out_px: int
    """... and their pixels."""


class Notes:
    """Notes on images in their order, in a file. Memory holds one."""

    def __init__(self, path: Path, file_names: Sequence[str]) -> None:
        """Go on with the notes that an interrupted run has left.

        Args:
            path: of the notes; the file need not be there.
            file_names: of the images that are there, from the first on; notes end before the first
                that is not of its image, or was cut short.

        Raises:
            StorageError: the disk is full or read-only.
        """
        self._path = path
        self.count = 0
        """How many notes are there."""
        whole = 0
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            with path.open("rb") as file:
                for line, name in zip(file, file_names, strict=False):
                    if not _is_of(line, name):
                        break
                    self.count, whole = self.count + 1, whole + len(line)
            with path.open("rb+") as file:
                file.truncate(whole)

    def add(self, note: Note) -> None:
        """Write down the next.

        Raises:
            StorageError: the disk is full or read-only.
        """
        with storage_errors(self._path), self._path.open("ab") as file:
            file.write(_json(note).encode() + b"\n")
        self.count += 1

    def __iter__(self) -> Iterator[Note]:
        """All of them, from the first on."""
        with self._path.open("rb") as file:
            yield from map(json.loads, file)


@dataclass(frozen=True)
class CocoHead:
    """What a file says besides its images and annotations."""

    info: dict[str, Any]
    """Of the dataset; what was left out is added."""

    licence: str | None
    """Of all images."""

    categories: list[dict[str, Any]]
    """Those that annotations may have."""


@dataclass(frozen=True)
class FirstIds:
    """Where a file begins to count."""

    image: int = 1
    """Id of its first image."""

    annotation: int = 1
    """Id of its first annotation; an evaluation takes 0 for none."""


def write_coco(path: Path, notes: Notes, head: CocoHead, first: FirstIds) -> FirstIds:
    """Write a COCO file; where the next may begin to count comes back.

    Memory holds what is noted of one image; the notes are read three times.

    Raises:
        StorageError: the disk is full or read-only.
    """
    licences = [{"id": _LICENCE_ID, "name": head.licence, "url": ""}] if head.licence else []
    licence = {"license": _LICENCE_ID} if licences else {}
    with (
        renamed_when_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as file,
    ):
        file.write('{"images": [')
        _write_each(file, (image | licence for image in _images(notes, first.image)))
        about = {
            "info": head.info | _left_out(notes),
            "licenses": licences,
            "categories": head.categories,
        }
        file.write(f'],\n{_json(about)[1:-1]},\n"annotations": [')
        num_annotations = _write_each(file, _annotations(notes, first))
        file.write("]}\n")
    return FirstIds(first.image + notes.count, first.annotation + num_annotations)


def _images(notes: Notes, first: int) -> Iterator[dict[str, Any]]:
    for image_id, note in enumerate(notes, first):
        left_out = {key: note[key] for key in ("num_left_out", "left_out_px")}
        yield {"id": image_id, **note["image"], **left_out}


def _left_out(notes: Notes) -> dict[str, int]:
    total = {"num_left_out": 0, "left_out_px": 0}
    for note in notes:
        total["num_left_out"] += note["num_left_out"]
        total["left_out_px"] += note["left_out_px"]
    return total


def _annotations(notes: Notes, first: FirstIds) -> Iterator[dict[str, Any]]:
    annotation_id = first.annotation
    for image_id, note in enumerate(notes, first.image):
        for annotation in note["annotations"]:
            yield {"id": annotation_id, "image_id": image_id, **annotation}
            annotation_id += 1


def _write_each(file: IO[str], items: Iterable[dict[str, Any]]) -> int:
    """Write the items of a list, a line each; how many there are comes back."""
    count = 0
    for item in items:
        file.write(",\n" if count else "\n")
        file.write(_json(item))
        count += 1
    file.write("\n")
    return count


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _is_of(line: bytes, file_name: str) -> bool:
    """Whether a line is a whole note on an image."""
    try:
        note = json.loads(line)
    except ValueError:
        return False
    return line.endswith(b"\n") and note["image"]["file_name"] == file_name
