"""An annotation set: what is labelled, by whom, for what."""

from hdgan.artifacts.annotation_set import SPLITS, AnnotationRecord, AnnotationSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import UNLABELLED
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery
from hdgan.report.artifact_page_layers import side_px_for
from hdgan.report.charts import share
from hdgan.report.page import PageTable, Section
from hdgan.stages.show.account import Account, Look, Shown, of_all
from hdgan.stages.show.labelled import Labelled, Painter, class_shares, finite, views_of
from hdgan.stages.show.parents import ReadImage, images_of


def account_of(annotations: AnnotationSet, look: Look) -> Account:
    """What is in an annotation set; memory holds one label map at a time.

    Raises:
        DamagedArtifactError: its table cannot be read.
    """
    records = annotations.records()
    return Account(
        "Label maps that people made of samples or tiles, and the classes they are written in.",
        _facts(annotations, records, look),
        lambda: _shown(annotations, records, look),
    )


def _facts(
    annotations: AnnotationSet, records: list[AnnotationRecord], look: Look
) -> dict[str, Fact]:
    what = "samples" if SampleSet.kind in annotations.manifest.parents else "tiles"
    chosen = look.spread(records)
    shares, unlabelled = class_shares(map(annotations.labels, chosen), annotations.class_map)
    part = of_all(len(chosen), len(records), what)
    splits = [record.split for record in records if record.split]
    annotators = sorted({name for record in records for name in _names(record.annotators)})
    minutes = [record.minutes for record in records if record.minutes is not None]
    return {
        f"annotated {what}": len(records),
        "splits": ", ".join(f"{split} {splits.count(split):,}" for split in SPLITS)
        if splits
        else "none: the folds of the tiles decide",
        "classes": len(annotations.class_map),
        **{name: f"{fact}{part}" for name, fact in shares.items()},
        "unlabelled": f"{share(unlabelled)} of all pixels{part}",
        "annotators": ", ".join(annotators) or "not known",
        "minutes of annotation": f"{sum(minutes):.1f}" if minutes else "not known",
    }


def _names(annotators: str | None) -> list[str]:
    return [name.strip() for name in (annotators or "").split(",") if name.strip()]


def _shown(annotations: AnnotationSet, records: list[AnnotationRecord], look: Look) -> Shown:
    chosen = look.spread(records)
    painter = Painter(annotations.class_map, side_px_for(len(chosen)))
    images = images_of(annotations, look)
    pictures = [painter.picture(_labelled(annotations, record, images)) for record in chosen]
    text = f"{len(chosen):,} of {len(records):,} label maps, spread evenly over the table."
    if not any("image" in picture.layers for picture in pictures):
        text += " Their images are not in a folder beside them, so the label maps are shown alone."
    gallery = Gallery(text, views_of(pictures), pictures, annotations.class_map, "clear")
    return Shown(gallery=gallery, sections=_sections(records))


def _labelled(annotations: AnnotationSet, record: AnnotationRecord, images: ReadImage) -> Labelled:
    labels, image = annotations.labels(record), images(record.image)
    if image is not None and image.shape[:2] != labels.shape:
        image = None
    bare = float((labels == UNLABELLED).mean())
    notes: list[str] = [record.split] if record.split else []
    notes += [text for text in (record.annotators,) if text]
    notes += [f"{record.minutes:.1f} min"] if record.minutes is not None else []
    return Labelled(
        record.image,
        labels,
        image,
        notes=[*notes, f"{share(bare)} unlabelled"],
        groups={
            "split": [record.split or "none"],
            "annotator": _names(record.annotators) or ["not known"],
        },
        numbers=finite({"unlabelled": bare, "minutes": record.minutes}),
    )


def _sections(records: list[AnnotationRecord]) -> list[Section]:
    people = sorted({record.annotators for record in records if record.annotators})
    if not people:
        return []
    rows = []
    for person in people:
        theirs = [record for record in records if record.annotators == person]
        minutes = sum(record.minutes or 0.0 for record in theirs)
        rows.append([person, f"{len(theirs):,}", f"{minutes:.1f}"])
    table = PageTable(
        "Minutes on the annotation page, over all readings.",
        ["annotators", "tiles", "minutes"],
        rows,
    )
    return [Section("Who annotated", "", tables=[table])]
