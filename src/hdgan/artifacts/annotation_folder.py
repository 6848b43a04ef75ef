"""Annotations that people made elsewhere: files of label maps or outlines, or one COCO file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hdgan.artifacts.annotation_set import class_map_of
from hdgan.artifacts.coco_file import CocoFile, is_coco
from hdgan.artifacts.images import IMAGE_SUFFIXES
from hdgan.artifacts.outlines.documents import check_size, json_document
from hdgan.artifacts.outlines.outline import Drawing
from hdgan.artifacts.outlines.reading import read_drawing
from hdgan.artifacts.slides.opening import SLIDE_SUFFIXES
from hdgan.errors import ClassMapError, ImageError, LabelError

OUTLINE_SUFFIXES = frozenset({".geojson", ".json", ".xml", ".roi", ".zip"})
"""Endings of files that are taken for outlines; content decides the format."""

KEPT_BYTES = 20_000_000
"""Files of outlines that are not read again, together; their outlines take a few times as much."""

_LARGEST_CLASS_MAP = 1_000_000


@dataclass(frozen=True)
class Source:
    """Where the annotation of an image is."""

    path: Path
    """The file."""

    kind: Literal["label map", "outlines", "coco"]
    """What the file holds."""

    stem: str
    """The image's name as the file, or a COCO file's `file_name`, has it, without its ending."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the image may be called: a file may repeat its ending, as in `a.svs.geojson`."""
        inner = Path(self.stem)
        if inner.suffix.lower() in IMAGE_SUFFIXES | SLIDE_SUFFIXES:
            return self.stem, inner.stem
        return (self.stem,)


@dataclass
class Found:
    """What is in the files of outlines."""

    classes: Counter[str] = field(default_factory=Counter)
    """How many outlines have each name, in the order of their first appearance."""

    left_out: Counter[str] = field(default_factory=Counter)
    """How many shapes of each kind have no area."""

    empty: set[Source] = field(default_factory=set)
    """Those without any outline."""


class AnnotationFolder:
    """Files of annotations. Memory is that of one file and `KEPT_BYTES`; a COCO file stays in it.

    Args:
        place: a folder, or one file.
        class_map: the file of a class map, which may lie in the folder.

    Raises:
        ImageError: there is no such place.
        LabelError: it has no annotations, or a COCO file and others.
    """

    def __init__(self, place: Path, class_map: Path | None = None) -> None:
        self.files = _files(place, class_map)
        self._coco = _coco_in(self.files)
        self._kept: dict[Path, Drawing] = {}
        self._free_bytes = KEPT_BYTES
        self._last: tuple[Path, Drawing] | None = None
        if self._coco is not None:
            self.sources = [Source(self.files[0], "coco", stem) for stem in self._coco.stems]
        else:
            self.sources = [_source(path) for path in self.files]
        _refuse_twice(self.sources)

    @property
    def coco(self) -> CocoFile:
        """The COCO file of sources that are of one."""
        if self._coco is None:
            raise ValueError("these annotations are not in a COCO file")
        return self._coco

    def drawing(self, source: Source) -> Drawing:
        """The outlines of a source; the last one is at hand for the other tiles of a slide.

        Raises:
            LabelError: the file cannot be read.
        """
        path = source.path
        if path in self._kept:
            return self._kept[path]
        if self._last is None or self._last[0] != path:
            self._last = path, read_drawing(path)
            size = path.stat().st_size
            if size <= self._free_bytes:
                self._free_bytes -= size
                self._kept[path] = self._last[1]
        return self._last[1]

    def found_in(self, sources: Iterable[Source]) -> Found:
        """What is in these sources, label maps aside.

        Raises:
            LabelError: a file cannot be read.
        """
        found = Found()
        for source in sources:
            if source.kind == "outlines":
                drawing = self.drawing(source)
                found.classes.update(outline.name for outline in drawing.outlines)
                found.left_out.update(drawing.left_out)
                is_empty = not drawing.outlines
            elif source.kind == "coco":
                counts = self.coco.counts(source.stem)
                found.classes.update(dict.fromkeys(self.coco.categories.values(), 0))
                found.classes.update(counts)
                is_empty = not counts
            else:
                continue
            if is_empty:
                found.empty.add(source)
        if self._coco is not None:
            found.left_out.update(self._coco.left_out)
        return found


def _files(place: Path, class_map: Path | None) -> list[Path]:
    """Files that may hold annotations, sorted by name."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise ImageError(f"There is no folder {place}. Check the path.")
    endings = IMAGE_SUFFIXES | OUTLINE_SUFFIXES
    files = sorted(
        path
        for path in place.rglob("*")
        if path.suffix.lower() in endings
        and not path.name.startswith(".")
        and not (class_map is not None and class_map.exists() and path.samefile(class_map))
        and not _is_class_map(path)
    )
    if not files:
        raise LabelError(
            f"{place} holds no label map and no outlines. Needed: files that end in "
            f"{', '.join(sorted(endings))}."
        )
    return files


def _is_class_map(path: Path) -> bool:
    if path.suffix.lower() != ".json" or path.stat().st_size > _LARGEST_CLASS_MAP:
        return False
    try:
        class_map_of(path.read_bytes(), path.name)
    except ClassMapError:
        return False
    return True


def _coco_in(files: list[Path]) -> CocoFile | None:
    """The COCO file, if there is one."""
    for path in files:
        if path.suffix.lower() == ".json":
            check_size(path.stat().st_size, path.name)
            data = path.read_bytes()
            if b'"annotations"' not in data or b'"images"' not in data:
                continue
            document = json_document(data, path.name)
            if is_coco(document) and len(files) > 1:
                raise LabelError(
                    f"{path} is a COCO file, which holds the annotations of all images, but there "
                    f"are {len(files) - 1} other files beside it. Hand it in alone."
                )
            if is_coco(document):
                return CocoFile.of(document, path.name)
    return None


def _source(path: Path) -> Source:
    kind: Literal["label map", "outlines"] = (
        "label map" if path.suffix.lower() in IMAGE_SUFFIXES else "outlines"
    )
    return Source(path, kind, path.stem)


def _refuse_twice(sources: list[Source]) -> None:
    """Do nothing if no image has both a label map and outlines, or two files of outlines."""
    seen: dict[str, Source] = {}
    for source in sources:
        before = seen.setdefault(source.stem, source)
        if before is not source and {before.kind, source.kind} != {"label map"}:
            raise LabelError(
                f"{before.path} and {source.path} are annotations of one image. Keep one of them."
            )
