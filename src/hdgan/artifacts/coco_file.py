"""COCO files: what they say of their images, whoever wrote them."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hdgan.artifacts.coco_runs import Counts, checked_counts, counts_of_text, fill_runs
from hdgan.artifacts.images import MAX_PIXELS
from hdgan.artifacts.outlines.areas import Ring, ring_of
from hdgan.artifacts.outlines.drawn_labels import ClassNumbers
from hdgan.artifacts.outlines.scan_lines import fill_rings
from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.errors import LabelError


def is_coco(document: object) -> bool:
    """Whether JSON is a COCO dataset."""
    return isinstance(document, dict) and all(
        isinstance(document.get(key), list) for key in ("images", "annotations")
    )


@dataclass(frozen=True)
class _Image:
    id: object
    height: int
    width: int


@dataclass(frozen=True)
class CocoFile:
    """What a COCO file says of its images. Memory is that of its text, several times."""

    name: str
    """What errors call it."""

    categories: dict[object, str]
    """Name by id, in the order of the file."""

    stems: dict[str, _Image]
    """The images by their file names without folders and ending, in the order of the file."""

    annotations: dict[object, list[dict[str, Any]]]
    """Those with a segmentation, by the id of their image, in the order of the file."""

    left_out: dict[str, int]
    """How many annotations of each kind have no segmentation."""

    @classmethod
    def of(cls, document: object, name: str) -> "CocoFile":
        """The parsed JSON of a COCO file.

        Raises:
            LabelError: it is none, or its parts do not fit together.
        """
        if not is_coco(document):
            raise LabelError(
                f"{name} is no COCO file: needed are lists of images and annotations. Export it "
                "again as COCO."
            )
        categories: dict[object, str] = {
            _id(category, "id", name): _text(category, "name", name)
            for category in _objects(document, "categories", name)
        }
        stems = _images(_objects(document, "images", name), name)
        annotations: dict[object, list[dict[str, Any]]] = {image.id: [] for image in stems.values()}
        without = 0
        for annotation in _objects(document, "annotations", name):
            image, category = (_id(annotation, key, name) for key in ("image_id", "category_id"))
            if image not in annotations or category not in categories:
                raise LabelError(
                    f"{name} has an annotation of image {image!r} and category {category!r}, of "
                    "which it lists at most one. Export it again."
                )
            if annotation.get("segmentation"):
                annotations[image].append(annotation)
            else:
                without += 1
        left_out = {"annotation without segmentation": without} if without else {}
        return cls(name, categories, stems, annotations, left_out)

    def counts(self, stem: str) -> dict[str, int]:
        """How many annotations of each category an image has, in the order of the categories."""
        found = Counter(
            self.categories[annotation["category_id"]]
            for annotation in self.annotations[self.stems[stem].id]
        )
        return {name: found[name] for name in self.categories.values() if name in found}

    def size(self, stem: str) -> tuple[int, int]:
        """Height and width of an image."""
        return self.stems[stem].height, self.stems[stem].width

    def label_map(
        self, stem: str, class_of: Mapping[str, int], background: int = UNLABELLED
    ) -> LabelMap:
        """The label map of an image, in which later annotations lie over earlier ones.

        Polygons enclose the pixels whose centres are inside; run-length encodings are exact.

        Args:
            stem: which image.
            class_of: value by name of category.
            background: the value of pixels in no annotation.

        Raises:
            LabelError: a segmentation is damaged, or a category has no value.
        """
        annotations = self.annotations[self.stems[stem].id]
        names = [self.categories[annotation["category_id"]] for annotation in annotations]
        labels: LabelMap = np.full(self.size(stem), background, dtype=np.uint8)
        canvas = _Canvas(labels)
        values = ClassNumbers(class_of).values(names)
        for number, (annotation, value) in enumerate(zip(annotations, values, strict=True), 1):
            where = f"Annotation {number} of {stem} in {self.name}"
            canvas.add(annotation["segmentation"], value, where)
        canvas.finish()
        return labels


class _Canvas:
    """A label map that is painted on: polygons together, as long as no runs come between."""

    def __init__(self, labels: LabelMap) -> None:
        self.labels = labels
        self.rings: list[Ring] = []
        self.values: list[int] = []

    def add(self, segmentation: object, value: int, where: str) -> None:
        if isinstance(segmentation, list):
            self.rings += [_ring(polygon, where) for polygon in segmentation]
            self.values += [value] * len(segmentation)
            return
        self.finish()
        fill_runs(self.labels, self._counts(segmentation, where), value)

    def finish(self) -> None:
        if self.rings:
            fill_rings(self.labels, self.rings, np.array(self.values, dtype=np.uint8))
        self.rings, self.values = [], []

    def _counts(self, runs: object, where: str) -> Counts:
        height, width = self.labels.shape
        if not isinstance(runs, dict) or runs.get("size") != [height, width]:
            raise LabelError(
                f"{where} has a segmentation that is neither polygons nor runs of its image's "
                f"{width} x {height} pixels. Export it again."
            )
        counts = runs.get("counts")
        if isinstance(counts, str):
            counts = counts_of_text(counts.encode(), where)
        return checked_counts(counts, height * width, where)


def _ring(polygon: object, where: str) -> Ring:
    """A polygon of x, y, x, y, ..."""
    if not isinstance(polygon, list) or len(polygon) % 2:
        raise LabelError(f"{where} has a polygon that is no list x, y, x, y, ... Export it again.")
    return ring_of(list(zip(polygon[0::2], polygon[1::2], strict=True)), where)


def _images(described: list[dict[str, Any]], name: str) -> dict[str, _Image]:
    """The images by stem."""
    images: dict[str, _Image] = {}
    for one in described:
        file_name = _text(one, "file_name", name)
        stem = re.split(r"[/\\]", file_name)[-1].rpartition(".")[0] or file_name
        height, width = one.get("height"), one.get("width")
        if not (isinstance(height, int) and isinstance(width, int) and min(height, width) > 0):
            raise LabelError(f"{name} does not say how large {file_name} is. Export it again.")
        if height * width > MAX_PIXELS:
            raise LabelError(
                f"{name} says that {file_name} has {width} x {height} pixels, more than the "
                f"{MAX_PIXELS:,} that are read at once. Export smaller images."
            )
        if stem in images:
            raise LabelError(f"{name} has two images called {stem}. Give each its own name.")
        images[stem] = _Image(_id(one, "id", name), height, width)
    return images


def _objects(document: object, key: str, name: str) -> list[dict[str, Any]]:
    """A list of the file, all of it objects."""
    found = document.get(key) if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise LabelError(f"{name} has {key} that are no list of objects. Export it again.")
    return found


def _id(described: dict[str, Any], key: str, name: str) -> int | str:
    value = described.get(key)
    if not isinstance(value, int | str):
        raise LabelError(f"{name} has something whose {key} is no number. Export it again.")
    return value


def _text(described: dict[str, Any], key: str, name: str) -> str:
    value = described.get(key)
    if not isinstance(value, str):
        raise LabelError(f"{name} has something whose {key} is no text. Export it again.")
    return value
