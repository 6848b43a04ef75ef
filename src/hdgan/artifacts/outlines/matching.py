"""Which annotation file belongs to which slide."""

from collections.abc import Sequence
from pathlib import Path

from hdgan.artifacts.outlines.outline_index import OutlineIndex
from hdgan.artifacts.outlines.reading import read_outlines
from hdgan.artifacts.slide_files import SlideFile
from hdgan.errors import LabelError

SUFFIXES = frozenset({".geojson", ".json", ".xml"})
"""Endings of annotation files."""


def strange_outlines(folder: Path, found: dict[str, Path]) -> list[Path]:
    """Annotation files of a folder that belong to no slide."""
    if folder.is_file():
        return []
    used = set(found.values())
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file() and path not in used
    ]


def outlines_of_slides(
    folder: Path, files: Sequence[SlideFile], compartments: Sequence[str]
) -> dict[str, Path]:
    """The annotation file of each slide that has one, by the slide's name.

    A file belongs to a slide if its name without the ending is the slide's, or that of the slide's
    file with its ending.

    Args:
        folder: where annotations lie, or the one file of a single slide.
        files: the slides.
        compartments: classes that are wanted.

    Raises:
        LabelError: no slide has annotations, or a wanted class is in none of them.
    """
    if folder.is_file() and len(files) == 1:
        found = {files[0].name: folder}
    else:
        there = {
            path.stem: path
            for path in sorted(folder.rglob("*"))
            if path.suffix.lower() in SUFFIXES and path.is_file()
        }
        named = {file.name: (file.name, file.path.stem, file.path.name) for file in files}
        found = {
            name: there[key] for name, keys in named.items() for key in keys[::-1] if key in there
        }
    if not found:
        raise LabelError(
            f"{folder} has annotations of none of the {len(files)} slides. Needed: files named "
            f"like them, such as {files[0].name}.geojson (or .json, .xml)."
        )
    _refuse_unknown(found, compartments)
    return found


def _refuse_unknown(found: dict[str, Path], compartments: Sequence[str]) -> None:
    """Do nothing if each wanted class is somewhere: a slip of the pen would give no tile.

    Raises:
        LabelError: one is nowhere.
    """
    if not compartments:
        return
    indices = [OutlineIndex(read_outlines(path), set(compartments)) for path in found.values()]
    missing = set.intersection(*(set(index.missing()) for index in indices))
    if missing:
        there = sorted({name for index in indices for name in index.names()})
        raise LabelError(
            f"No annotation is of class {sorted(missing)[0]!r}. The classes are "
            f"{', '.join(repr(name) for name in there)}."
        )
