"""`hdgan import-annotations`: label maps and outlines made elsewhere to an annotation set."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hdgan.artifacts.annotatable import annotatable
from hdgan.artifacts.annotation_folder import AnnotationFolder, Found, Source
from hdgan.artifacts.annotation_set import (
    ANNOTATIONS,
    CLASSES,
    SPLITS,
    AnnotationRecord,
    AnnotationSet,
    class_map_at,
    class_map_bytes,
)
from hdgan.artifacts.class_naming import ClassNaming
from hdgan.artifacts.images import png_of
from hdgan.artifacts.images_to_annotate import ImagesToAnnotate
from hdgan.artifacts.label_images import file_without_mark, without_mark
from hdgan.artifacts.label_maps import label_map_of
from hdgan.artifacts.manifest import MANIFEST
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.outlines.drawn_labels import AMBIGUOUS_NAME, ClassNumbers, labels_of
from hdgan.artifacts.segmentation import Segmentation
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.class_map import AMBIGUOUS, UNLABELLED, ClassMap, LabelMap
from hdgan.errors import SettingsError, WrongArtifactError
from hdgan.method.splitting import dealt_to_splits
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import ProgressBar
from hdgan.settings.import_annotations import ImportAnnotationsSettings


def import_annotations(
    images: Path,
    labels: Path,
    output: Path,
    settings: ImportAnnotationsSettings,
    classes: Path | None = None,
) -> Made:
    """Take in label maps or outlines for the images of a sample set or tile set.

    An annotation belongs to the image of the same name; for tiles, it may also be named like the
    slide, and is then cut as the slide was. Later outlines lie over earlier ones. Ambiguous pixels
    become unlabelled. Memory holds one image and one file at a time.

    Args:
        images: a sample set or tile set.
        labels: a folder of label maps or outlines, a file of them such as COCO's, or a
            segmentation.
        output: where the annotation set goes.
        settings: how they are read and dealt.
        classes: the class map; a segmentation brings its own, and outlines bring their names.

    Raises:
        LabelError: an annotation fits no image, or not its size, or not the class map.
        ClassMapError: the class map cannot be read.
    """
    target = annotatable(images)
    parent = _segmentation(labels)
    folder = AnnotationFolder(labels if parent is None else labels / "labels", classes)
    wanted = ImagesToAnnotate(target, settings.only)
    work = _Work(folder, wanted, wanted.matched(folder.sources), settings)
    class_map = _class_map(labels, classes, work) if parent is None else _own(parent, classes)
    read = _Reading(work, class_map)
    order = Order(
        "annotation-set",
        plain(settings) | {"classes": class_map.to_records()},
        target.parents
        | ({} if parent is None else parent.parents)
        | _fingerprint(folder.files, parent),
        seen_by(target, *([] if parent is None else [parent])),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        with ProgressBar("import-annotations", len(work.matched), "images") as progress:
            for image in work.matched:
                record = AnnotationRecord(image=image, split=None)
                unfinished.write(record.labels, png_of(read.labels(image)))
                progress.advance()
        unfinished.write(CLASSES, class_map_bytes(class_map))
        unfinished.write(ANNOTATIONS, table_bytes(_dealt(work), AnnotationRecord))

    made_once(output, order, make)
    return Made("annotation-set", output, _facts(output) | _facts_of_outlines(work))


def _segmentation(labels: Path) -> Segmentation | None:
    """The segmentation that the labels come from, if any."""
    if not (labels / MANIFEST).is_file():
        return None
    segmentation = Segmentation.open(labels)
    if segmentation.is_of_slides:
        raise WrongArtifactError(
            f"{labels} holds label maps of whole slides; only those of tiles or samples can be "
            "taken in. Segment the tile set itself."
        )
    return segmentation


def _own(segmentation: Segmentation, classes: Path | None) -> ClassMap:
    """The class map of a segmentation."""
    own = segmentation.class_map
    if classes is not None and class_map_at(classes) != own:
        raise SettingsError(
            f"{classes} is not the class map of {segmentation.folder}. Leave --classes out: it "
            "brings its own."
        )
    return own


@dataclass(frozen=True)
class _Work:
    """What is to be read."""

    folder: AnnotationFolder
    wanted: ImagesToAnnotate
    matched: dict[str, Source]
    settings: ImportAnnotationsSettings

    @cached_property
    def found(self) -> Found:
        """What is in the files that are wanted, in their order."""
        used = set(self.matched.values())
        return self.folder.found_in(source for source in self.folder.sources if source in used)

    @property
    def has_outlines(self) -> bool:
        return any(source.kind != "label map" for source in self.matched.values())

    @property
    def naming(self) -> ClassNaming:
        settings = self.settings
        return ClassNaming(settings.unnamed, settings.renames, settings.background)


def _class_map(labels: Path, classes: Path | None, work: _Work) -> ClassMap:
    """The class map that is given, or one of the names that outlines have."""
    if not work.has_outlines and work.settings.background is not None:
        raise SettingsError(
            f"--background is for outlines, but {labels} holds label maps. Leave it out."
        )
    if classes is not None:
        return class_map_at(classes)
    if any(source.kind == "label map" for source in work.matched.values()):
        raise SettingsError(
            f"{labels} does not say what its values mean. Give a class map with --classes."
        )
    return work.naming.new_class_map(work.found.classes)


class _Reading:
    """The label map of each image."""

    def __init__(self, work: _Work, class_map: ClassMap) -> None:
        self.work, self.class_map = work, class_map
        self.numbers: Mapping[str, int] = {}
        self.background = UNLABELLED
        if work.has_outlines:
            self.numbers = work.naming.numbers(work.found.classes, class_map)
            self.background = work.naming.background_number(class_map)

    def labels(self, image: str) -> LabelMap:
        """The label map of an image."""
        folder, wanted, source = self.work.folder, self.work.wanted, self.work.matched[image]
        if source.kind == "outlines":
            outlines = folder.drawing(source).outlines
            place = wanted.place(image, source)
            size = wanted.size(image)
            labels = labels_of(outlines, self.numbers, *size, place, self.background)
        elif source.kind == "coco":
            whole = folder.coco.label_map(source.stem, self.numbers, self.background)
            labels = wanted.cut(whole, image, source)
        else:
            labels = wanted.cut(self._painted(source.path), image, source)
        return without_mark(labels, self.class_map)

    def _painted(self, file: Path) -> LabelMap:
        data = file_without_mark(file.read_bytes(), str(file), self.class_map)
        return label_map_of(data, str(file), self.class_map, self.work.settings.values)


def _dealt(work: _Work) -> list[AnnotationRecord]:
    """The table: samples are dealt to the splits; tiles have their folds."""
    if work.wanted.tiles:
        return [AnnotationRecord(image=image, split=None) for image in work.matched]
    settings = work.settings
    parts = dealt_to_splits(len(work.matched), settings.split, seed=settings.seed)
    return [
        AnnotationRecord(image=image, split=SPLITS[part])
        for image, part in zip(work.matched, parts, strict=True)
    ]


def _fingerprint(files: list[Path], parent: Segmentation | None) -> dict[str, str]:
    """Tells whether the files are still the same, unless a segmentation vouches for them."""
    if parent is not None:
        return {}
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return {"label-maps": digest.hexdigest()}


def _facts(output: Path) -> dict[str, Fact]:
    annotations = AnnotationSet.open(output)
    records = annotations.records()
    counts = np.zeros(256, dtype=np.int64)
    for record in records:
        counts += np.bincount(annotations.labels(record).ravel(), minlength=256)
    facts: dict[str, Fact] = {"label maps": len(records)}
    splits = [record.split for record in records if record.split]
    if splits:
        facts["for " + " / ".join(SPLITS)] = " / ".join(
            str(splits.count(split)) for split in SPLITS
        )
    for index, name in enumerate(annotations.class_map.names):
        found = f"{counts[index] / counts.sum():.1%} of the pixels"
        facts[name] = found if counts[index] else "no pixel: check the order and colours of classes"
    facts["unlabelled"] = f"{counts[UNLABELLED] / counts.sum():.1%} of the pixels"
    return facts


def _facts_of_outlines(work: _Work) -> dict[str, Fact]:
    """What was drawn, and what of it is not in the label maps."""
    if not work.has_outlines:
        return {}
    found = work.found
    facts: dict[str, Fact] = {"outlines": found.classes.total()}
    if found.left_out:
        kinds = (f"{count} x {kind}" for kind, count in found.left_out.items())
        facts["left out, without area"] = ", ".join(kinds)
    empty = [image for image, source in work.matched.items() if source in found.empty]
    if empty:
        what = work.settings.background or "unlabelled"
        more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
        facts["without an outline"] = f"{', '.join(empty[:3])}{more}: all {what}"
    known = ClassNumbers({})
    marks = sum(
        count
        for name, count in found.classes.items()
        if known.get(work.naming.meant(name)) == AMBIGUOUS
    )
    if marks:
        facts[AMBIGUOUS_NAME] = f"{marks} outlines, taken as unlabelled"
    return facts
