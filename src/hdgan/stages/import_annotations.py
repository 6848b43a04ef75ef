"""`hdgan import-annotations`: label maps painted elsewhere to an annotation set."""

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import (
    ANNOTATIONS,
    CLASSES,
    AnnotationRecord,
    AnnotationSet,
    Split,
    class_map_at,
    class_map_bytes,
)
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import image_files, png_of
from hdgan.artifacts.label_maps import label_map_of
from hdgan.artifacts.manifest import MANIFEST
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.segmentation import Segmentation
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact, made_once, plain, seen_by
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap
from hdgan.errors import LabelError, SettingsError, WrongArtifactError
from hdgan.method.splitting import dealt_to_splits
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import ProgressBar
from hdgan.settings.import_annotations import ImportAnnotationsSettings

_SPLITS: tuple[Split, Split, Split] = ("training", "validation", "test")


def import_annotations(
    images: Path,
    labels: Path,
    output: Path,
    settings: ImportAnnotationsSettings,
    classes: Path | None = None,
) -> Made:
    """Take in label maps for the images of a sample set or tile set.

    A label map belongs to the image of the same name; for tiles, it may also be named like the
    slide, and is then cut as the slide was. Memory holds one image at a time.

    Args:
        images: a sample set or tile set.
        labels: a folder of label maps, or a segmentation.
        output: where the annotation set goes.
        settings: how they are read and dealt.
        classes: the class map; a segmentation brings its own.

    Raises:
        LabelError: a label map fits no image, or not its size, or not the class map.
        ClassMapError: the class map cannot be read.
    """
    target = _target(images)
    class_map, parent = _class_map(labels, classes)
    files = image_files(labels / "labels" if parent else labels)
    wanted = _Wanted(target, settings)
    matched = wanted.matched(files)
    order = Order(
        "annotation-set",
        plain(settings) | {"classes": class_map.to_records()},
        target.parents | ({} if parent is None else parent.parents) | _fingerprint(files, parent),
        seen_by(target, *([] if parent is None else [parent])),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        with ProgressBar("import-annotations", len(matched), "images") as progress:
            for image, file in matched.items():
                data = wanted.cut(
                    label_map_of(file.read_bytes(), str(file), class_map, settings.values),
                    image,
                    file,
                )
                unfinished.write(AnnotationRecord(image=image, split=None).labels, png_of(data))
                progress.advance()
        unfinished.write(CLASSES, class_map_bytes(class_map))
        unfinished.write(ANNOTATIONS, table_bytes(wanted.dealt(matched), AnnotationRecord))

    made_once(output, order, make)
    return Made("annotation-set", output, _facts(output))


def _target(folder: Path) -> SampleSet | TileSet:
    kind = Artifact.open(folder).manifest.kind
    if kind == SampleSet.kind:
        return SampleSet.open(folder)
    if kind == TileSet.kind:
        return TileSet.open(folder)
    raise WrongArtifactError(
        f"{folder} is of kind {kind}; only images of a sample-set or tile-set can be annotated."
    )


def _class_map(labels: Path, classes: Path | None) -> tuple[ClassMap, Segmentation | None]:
    """The class map to read with, and the segmentation that the labels come from, if any."""
    if not (labels / MANIFEST).is_file():
        if classes is None:
            raise SettingsError(
                f"{labels} does not say what its values mean. Give a class map with --classes."
            )
        return class_map_at(classes), None
    segmentation = Segmentation.open(labels)
    if segmentation.is_of_slides:
        raise WrongArtifactError(
            f"{labels} holds label maps of whole slides; only those of tiles or samples can be "
            "taken in. Segment the tile set itself."
        )
    own = segmentation.class_map
    if classes is not None and class_map_at(classes) != own:
        raise SettingsError(
            f"{classes} is not the class map of {labels}. Leave --classes out: it brings its own."
        )
    return own, segmentation


class _Wanted:
    """The images that may be annotated, and where each lies on a label map."""

    def __init__(self, target: SampleSet | TileSet, settings: ImportAnnotationsSettings) -> None:
        self.target, self.settings = target, settings
        self.tiles: dict[str, TileRecord] = {}
        self.names: list[str] = []
        if isinstance(target, TileSet):
            self.tiles = {record.tile: record for record in target.records()}
            self.names = list(self.tiles)
        else:
            self.names = [
                record.sample
                for record in target.records()
                if settings.only == "all" or record.suggested is not None
            ]

    def matched(self, files: list[Path]) -> dict[str, Path]:
        """The label map of each image that has one.

        Raises:
            LabelError: none has one, or a label map belongs to no image.
        """
        by_name = {file.stem: file for file in files}
        matched = {}
        for name in self.names:
            slide = self.tiles[name].slide if name in self.tiles else name
            file = by_name.get(name) or by_name.get(slide)
            if file is not None:
                matched[name] = file
        unused = sorted(set(files) - set(matched.values()))
        if self.settings.only == "all" and unused:
            raise LabelError(
                f"{unused[0]} belongs to no image of {self.target.folder}. A label map has the "
                f"name of its image, such as {self.names[0]}.png."
            )
        if not matched:
            raise LabelError(
                f"No label map has the name of a wanted image of {self.target.folder}, such as "
                f"{self.names[0]}.png."
            )
        return matched

    def cut(
        self, labels: LabelMap, image: str, file: Path
    ) -> UInt8[np.ndarray, "tile_height tile_width"]:
        """The part of a label map that lies on an image.

        Raises:
            LabelError: it has another size than the image, or does not cover it.
        """
        if image not in self.tiles:
            height, width = self._sample_size()
            if labels.shape != (height, width):
                raise _wrong_size(file, labels, f"its image is {width} x {height}")
            return labels
        tile = self.tiles[image]
        if file.stem == image:
            if labels.shape != (tile.height, tile.width):
                raise _wrong_size(file, labels, f"its tile is {tile.width} x {tile.height}")
            return labels
        region = tile.region
        right, bottom = region.x + region.width, region.y + region.height
        part = labels[region.y : bottom, region.x : right]
        if part.shape != (region.height, region.width):
            raise _wrong_size(file, labels, f"tile {image} reaches to {right}, {bottom}")
        rows, columns = (
            ((np.arange(side) + 0.5) * tile.scale).astype(np.int64).clip(max=covered - 1)
            for side, covered in ((tile.height, region.height), (tile.width, region.width))
        )
        return np.ascontiguousarray(part[rows[:, None], columns])

    def _sample_size(self) -> tuple[int, int]:
        if not isinstance(self.target, SampleSet):
            raise TypeError("only samples have one size")
        height, width, _ = self.target.image(self.target.records()[0]).shape
        return height, width

    def dealt(self, matched: dict[str, Path]) -> list[AnnotationRecord]:
        """The table: samples are dealt to the splits; tiles have their folds."""
        if self.tiles:
            return [AnnotationRecord(image=image, split=None) for image in matched]
        parts = dealt_to_splits(len(matched), self.settings.split, seed=self.settings.seed)
        return [
            AnnotationRecord(image=image, split=_SPLITS[part])
            for image, part in zip(matched, parts, strict=True)
        ]


def _wrong_size(file: Path, labels: LabelMap, needed: str) -> LabelError:
    return LabelError(
        f"{file} is {labels.shape[1]} x {labels.shape[0]} pixels, but {needed}. Draw it on the "
        "image itself, at its full size."
    )


def _fingerprint(files: list[Path], parent: Segmentation | None) -> dict[str, str]:
    """Tells whether the label maps are still the same, unless a segmentation vouches for them."""
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
        facts["for " + " / ".join(_SPLITS)] = " / ".join(
            str(splits.count(split)) for split in _SPLITS
        )
    for index, name in enumerate(annotations.class_map.names):
        found = f"{counts[index] / counts.sum():.1%} of the pixels"
        facts[name] = found if counts[index] else "no pixel: check the order and colours of classes"
    facts["unlabelled"] = f"{counts[UNLABELLED] / counts.sum():.1%} of the pixels"
    return facts
