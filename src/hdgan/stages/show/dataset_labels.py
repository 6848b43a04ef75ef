"""The label maps of a dataset's images, found where the layouts put them."""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

import numpy as np

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.coco_file import CocoFile
from hdgan.artifacts.images import IMAGE_SUFFIXES, grey_of
from hdgan.artifacts.outlines.documents import json_document
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap
from hdgan.errors import ImageError, LabelError

MAX_COCO_BYTES = 50_000_000
"""Of COCO's annotations that are read for the sake of pictures; memory is about ten times that."""

ReadLabels = Callable[[str], LabelMap | None]
"""The label map that belongs to an image's file, if there is one that can be read."""


def labels_of(dataset: Artifact, classes: ClassMap | None) -> ReadLabels:
    """How the label maps of this dataset are read; none of them without a class map."""
    if classes is None:
        return lambda _: None
    if dataset.manifest.settings.get("layout") == "coco":
        return _of_coco(dataset, classes)
    return _of_files(dataset, classes)


def stem_of(name: str) -> str:
    """A file's name without its endings."""
    return PurePosixPath(name).stem.removesuffix(".ome")


def _of_files(dataset: Artifact, classes: ClassMap) -> ReadLabels:
    """A label map has the name of its image, in a folder called `labels` instead of `images`."""
    is_nnunet = dataset.manifest.settings.get("layout") == "nnunet"
    unlabelled = len(classes) if is_nnunet else UNLABELLED
    by_place = {
        (str(PurePosixPath(name).parent), stem_of(name)): name
        for name in dataset.manifest.files
        if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES
    }

    def labels(image: str) -> LabelMap | None:
        parts = [re.sub(r"^images", "labels", part) for part in PurePosixPath(image).parts[:-1]]
        # nnU-Net puts the number of the first channel behind the names of its images.
        stem = stem_of(image).removesuffix("_0000" if is_nnunet else "")
        name = by_place.get(("/".join(parts), stem))
        if name is None:
            return None
        try:
            found = grey_of(dataset.read(name), str(dataset.folder / name))
        except ImageError:
            return None
        return np.where(found == unlabelled, np.uint8(UNLABELLED), found)

    return labels


def _of_coco(dataset: Artifact, classes: ClassMap) -> ReadLabels:
    """Regions in a file a split, each of which is read once."""
    names = [name for name in dataset.manifest.files if name.startswith("annotations/instances_")]
    if sum(dataset.path(name).stat().st_size for name in names) > MAX_COCO_BYTES:
        return lambda _: None
    values = {name: value for value, name in enumerate(classes.names)}
    files: dict[str, CocoFile] = {}
    for name in names:
        split = PurePosixPath(name).stem.removeprefix("instances_")
        try:
            files[split] = CocoFile.of(json_document(dataset.read(name), name), name)
        except LabelError:
            continue  # it was written by another program; its images are shown all the same

    def labels(image: str) -> LabelMap | None:
        file = files.get(PurePosixPath(image).parent.name)
        if file is None or stem_of(image) not in file.stems:
            return None
        try:
            return file.label_map(stem_of(image), values)
        except LabelError:
            return None

    return labels
