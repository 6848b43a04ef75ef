"""A dataset in another program's layout: what `hdgan export` said of it, and its images."""

import re
from pathlib import PurePosixPath

from hdgan.artifacts.annotation_set import CLASSES, class_map_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import rgb_of
from hdgan.class_map import ClassMap
from hdgan.errors import HdganError, ImageError
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery, GalleryPicture
from hdgan.report.artifact_page_layers import photo, side_px_for
from hdgan.report.page import Section
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.cards import layout_texts, readme_of
from hdgan.stages.show.dataset_labels import ReadLabels, labels_of, stem_of
from hdgan.stages.show.files import counts_of, images_in
from hdgan.stages.show.labelled import IMAGE, Labelled, Painter, views_of

KIND = "dataset"

_SPLITS = ("training", "validation", "test")
_ARCHIVES = (".parquet", ".tar")
_CHOICES = ("unsure_above", "image_format", "limit")
"""Settings that change what is in it."""


def account_of(dataset: Artifact, look: Look) -> Account:
    """What is in a dataset; memory holds one image at a time, and COCO's annotations."""
    images = images_in(dataset)
    return Account(
        "Labelled images in a layout that other programs read.",
        _facts(dataset, images),
        lambda: _shown(dataset, images, look),
    )


def _facts(dataset: Artifact, images: list[str]) -> dict[str, Fact]:
    """What `hdgan export` prints, as its README has it."""
    settings, readme = dataset.manifest.settings, readme_of(dataset)
    title = re.search(r"^# (.+)$", readme, re.MULTILINE)
    counts = _counts(readme)
    facts: dict[str, Fact] = {"layout": str(settings.get("layout", "not known"))}
    if title:
        facts["title"] = title[1]
    facts |= counts_of(images)
    if counts:
        facts["images"] = sum(counts.values())
        facts |= {f"for {split}": count for split, count in counts.items() if count}
    classes = _classes(dataset)
    if classes is not None:
        facts["classes"] = ", ".join(classes.names)
    licence = re.search(r"^Licence: (.+)$", readme, re.MULTILINE)
    if licence:
        facts["licence"] = licence[1]
    for name in _CHOICES:
        if settings.get(name) not in (None, "png"):
            facts[name.replace("_", " ")] = str(settings[name])
    return facts


def _counts(readme: str) -> dict[str, int]:
    """Images by split, from the table in the README."""
    rows = re.findall(r"^\| (\w+) \| ([\d,]+) \|$", readme, re.MULTILINE)
    found: dict[str, int] = {}
    for split, count in rows:
        if split in _SPLITS:
            found.setdefault(split, int(count.replace(",", "")))
    return found


def _classes(dataset: Artifact) -> ClassMap | None:
    if CLASSES not in dataset.manifest.files:
        return None
    try:
        return class_map_of(dataset.read(CLASSES), str(dataset.folder / CLASSES))
    except HdganError:
        return None  # of another version


def _shown(dataset: Artifact, images: list[str], look: Look) -> Shown:
    texts = layout_texts(dataset)
    if not images:
        return Shown(sections=_in_archives(dataset, look), texts=texts)
    chosen = look.spread(images)
    side_px = side_px_for(len(chosen))
    classes = _classes(dataset)
    painter = None if classes is None else Painter(classes, side_px)
    labels = labels_of(dataset, classes)
    pictures = []
    for name in chosen:
        try:
            pictures.append(_picture(dataset, name, painter, labels))
        except ImageError:
            continue  # a layout's own kind of image
    has_labels = any("labels" in picture.layers for picture in pictures)
    text = f"{len(pictures):,} of {len(images):,} images, spread evenly over their names."
    if pictures and not has_labels:
        text += " Their labels are in no file that this page reads, so they are shown alone."
    views = views_of(pictures) if has_labels else [IMAGE]
    legend = classes if has_labels else None
    gallery = Gallery(text, views, pictures, legend, "clear") if pictures else None
    return Shown(gallery=gallery, texts=texts)


def _picture(
    dataset: Artifact, name: str, painter: Painter | None, labels: ReadLabels
) -> GalleryPicture:
    pixels = rgb_of(dataset.read(name), str(dataset.folder / name))
    folder = str(PurePosixPath(name).parent)
    groups = {"folder": [folder]}
    found = labels(name)
    if painter is None or found is None or found.shape != pixels.shape[:2]:
        layers = {"image": photo(pixels, painter.side_px if painter else 256)}
        shape = (pixels.shape[0], pixels.shape[1])
        return GalleryPicture(stem_of(name), layers, shape, [folder], groups)
    return painter.picture(Labelled(stem_of(name), found, pixels, notes=[folder], groups=groups))


def _in_archives(dataset: Artifact, look: Look) -> list[Section]:
    """Where pictures can be seen that this page does not open."""
    archives = sorted(name for name in dataset.manifest.files if name.endswith(_ARCHIVES))
    if not archives:
        return []
    first = ", ".join(archives[:3]) + (" and others" if len(archives) > 3 else "")
    text = f"The pictures are in archives ({first}), which this page does not open."
    source = _source(dataset, look)
    text += f" They are those of {source}: hdgan show shows them there." if source else ""
    return [Section("Pictures", text)]


def _source(dataset: Artifact, look: Look) -> str:
    """What it was made from, by its name if it lies beside."""
    for kind, digest in dataset.manifest.parents.items():
        if kind in ("pair-set", "annotation-set"):
            folder = look.beside.get(digest)
            return f"the {kind} {digest[:12] if folder is None else folder.name}"
    return ""
