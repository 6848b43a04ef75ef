"""`hdgan export`: labelled images to a layout that other programs read."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from hdgan.artifacts.annotation_set import CLASSES, SPLITS
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.layouts.encoding import Encoding
from hdgan.artifacts.layouts.huggingface import HuggingFace
from hdgan.artifacts.layouts.huggingface_folder import HuggingFaceFolder
from hdgan.artifacts.layouts.labelled_images import LabelledImages, Layout
from hdgan.artifacts.layouts.monai import Monai
from hdgan.artifacts.layouts.nnunet import NnuNet
from hdgan.artifacts.layouts.plain import Plain
from hdgan.artifacts.layouts.readme import NOT_STATED, README, said_of_unlabelled, write_about
from hdgan.artifacts.layouts.webdataset import WebDataset
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.pair_set import DATASET
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.class_map import ClassMap
from hdgan.errors import SettingsError
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import ProgressBar, announce, remark
from hdgan.settings.export import ExportSettings, LayoutName
from hdgan.stages.export.counting import counted
from hdgan.stages.export.pairs import doubt_about
from hdgan.stages.export.source import Source
from hdgan.stages.export.sources import source_at
from hdgan.workers import num_cores

KIND = "dataset"
OF_SOURCE = "source"
"""Folder with what the source's card shows."""

MAX_THREADS = 8
"""More images at once would take memory and wait for the disk."""

MAX_LINKED_BYTES = 10_000_000
"""Of a picture or table that a card links to; larger ones stay with the source."""

_MANY = 100
"""So many images are worth a word on what they will need."""

_LINK = re.compile(r"\]\(([^)#?:\s]+)\)")


def export(
    source: Path, output: Path, settings: ExportSettings, images: Path | None = None
) -> Made:
    """Write a dataset; goes on where an interrupted run of the same command stopped.

    Memory: `settings.threads` images and one more, or a row group of a Parquet file; and the table
    of all images, about a kilobyte each.

    Args:
        source: a pair set or an annotation set.
        output: folder of the dataset.
        settings: layout, splits, and what else.
        images: of an annotation set: what was annotated, if it is not beside it.

    Raises:
        ArtifactError: the source is damaged, of another kind, or its images are not there.
        SettingsError: the layout cannot hold the dataset, or a package is missing.
        LabelError: a label map has a class that the class map does not have.
        StorageError: the disk is full or read-only.
    """
    found = source_at(source, images, settings)
    layout = layout_of(settings, found.class_map)
    order = Order(KIND, plain(settings.complete()), found.parents, found.seen)

    def make(unfinished: UnfinishedArtifact) -> None:
        card = _with_its_files(found, unfinished)
        images, totals = counted(found.images, unfinished)
        dataset = LabelledImages(
            found.class_map,
            images,
            settings.title or found.title,
            _notes(settings) + card,
            settings.licence or found.licence,
            found.largest_uncertainty_nats,
            totals,
        )
        _announce(dataset, settings)
        _warn(found, settings)
        with ProgressBar("export", len(dataset.images), "images") as progress:
            layout.write(dataset, unfinished, progress.advance)
        if not (unfinished.has(README) and unfinished.has(CLASSES)):
            write_about(dataset, unfinished, f"The layout is that of `{settings.layout}`.")

    made_once(output, order, make)
    return Made(KIND, output, _facts(found, settings, output))


def _facts(found: Source, settings: ExportSettings, output: Path) -> dict[str, Fact]:
    """What was made; what was counted stands in the dataset's README."""
    counts = {split: sum(image.split == split for image in found.images) for split in SPLITS}
    unlabelled = said_of_unlabelled((output / README).read_text(encoding="utf-8"))
    return {
        "layout": settings.layout,
        "images": len(found.images),
        **{f"for {split}": count for split, count in counts.items() if count},
        "classes": ", ".join(found.class_map.names),
        **({"unlabelled": unlabelled} if unlabelled else {}),
        "licence": settings.licence or found.licence or NOT_STATED,
    }


def layout_of(settings: ExportSettings, class_map: ClassMap) -> Layout:
    """The layout that is asked for.

    Raises:
        SettingsError: it has no place for JPEG images, or a class that is named is none.
    """
    if settings.image_format == "jpeg" and settings.layout in ("nnunet", "coco", "qupath"):
        raise SettingsError(
            f"--layout {settings.layout} stores images losslessly. Leave out --image-format jpeg."
        )
    encoding = Encoding(
        settings.image_format,
        settings.jpeg_quality,
        settings.threads or min(num_cores(), MAX_THREADS),
    )
    here: dict[LayoutName, Layout] = {
        "plain": Plain(encoding),
        "nnunet": NnuNet(settings.dataset_number, encoding),
        "huggingface": HuggingFace(encoding, settings.shard_size),
        "huggingface-folder": HuggingFaceFolder(encoding),
        "webdataset": WebDataset(encoding, settings.shard_size),
        "monai": Monai(encoding),
    }
    return here.get(settings.layout) or _outlined(settings, class_map, encoding.threads)


def _outlined(settings: ExportSettings, class_map: ClassMap, threads: int) -> Layout:
    """A layout with outlines, whose packages are imported only if it is wanted."""
    if settings.layout == "coco":
        from hdgan.artifacts.layouts.coco import Coco

        background = _places(settings.background, class_map)
        return Coco(background, settings.min_area_px, threads=threads)
    from hdgan.artifacts.layouts.qupath import QuPath

    return QuPath(settings.spacing_um)


def _places(names: Sequence[str], class_map: ClassMap) -> tuple[int, ...]:
    """The places of classes in the class map."""
    strange = [name for name in names if name not in class_map.names]
    if strange:
        raise SettingsError(
            f"--background names {', '.join(strange)}, which is no class of the source. It has "
            f"{', '.join(class_map.names)}."
        )
    return tuple(class_map.names.index(name) for name in names)


def _announce(dataset: LabelledImages, settings: ExportSettings) -> None:
    """Say what many images will take on the disk, going by the first."""
    count = len(dataset.images)
    if count < _MANY:
        return
    first = Encoding(settings.image_format, settings.jpeg_quality).of(dataset.images[0])
    announce("export", disk_bytes=count * (len(first.pixels) + len(first.labels_png)))


def _warn(found: Source, settings: ExportSettings) -> None:
    """Say before the work that a threshold will do nothing, if it looks so."""
    if settings.unsure_above is not None:
        doubt = doubt_about(found, settings.unsure_above)
        if doubt:
            remark("export", doubt)


def _notes(settings: ExportSettings) -> str:
    """What the choices have changed about the source's images."""
    notes = []
    if settings.unsure_above is not None:
        notes.append(
            f"Pixels with an uncertainty above {settings.unsure_above:g} nats are unlabelled; how "
            "many is said above."
        )
    if settings.image_format == "jpeg":
        notes.append(
            f"The images were compressed with loss (JPEG, quality {settings.jpeg_quality})."
        )
    if settings.limit is not None:
        notes.append(f"Only the first {settings.limit} images of the source were exported.")
    return "".join(f"{note}\n\n" for note in notes)


def _with_its_files(found: Source, unfinished: UnfinishedArtifact) -> str:
    """The source's card, with what it links to copied beside it; links that lead nowhere go."""
    artifact = found.artifact
    if DATASET in artifact.manifest.files:
        unfinished.write(f"{OF_SOURCE}/{DATASET}", artifact.read(DATASET))

    def moved(link: re.Match[str]) -> str:
        name = link[1]
        if not _is_small(artifact, name):
            return link[0]
        unfinished.write(f"{OF_SOURCE}/{name}", artifact.read(name))
        return f"]({OF_SOURCE}/{name})"

    return _LINK.sub(moved, found.card)


def _is_small(artifact: Artifact, name: str) -> bool:
    """Whether a name is that of a file of the artifact that a card may take along."""
    if name not in artifact.manifest.files or ".." in PurePosixPath(name).parts:
        return False
    return artifact.path(name).stat().st_size < MAX_LINKED_BYTES
