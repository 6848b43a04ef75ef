"""What `dataset.json` says of a set of pairs, for the card and for machines."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import SPLIT, ClassifierFolder
from hdgan.artifacts.evaluation import SCORES, Evaluation
from hdgan.artifacts.images import grey_of, rgb_of
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.pair_set import PairRecord
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shards import Shards
from hdgan.artifacts.table import table_of
from hdgan.artifacts.tile_set import TileSet
from hdgan.class_map import ClassMap, LabelMap
from hdgan.errors import HdganError, MissingArtifactError
from hdgan.report.card_losses import lost_classes as lost_classes
from hdgan.settings.synthesize import SynthesizeSources
from hdgan.stages.synthesize.describing import (
    annotation_of,
    checks_of,
    num_checked,
    uncertainty_histogram,
)
from hdgan.stages.synthesize.plan import Plan
from hdgan.stages.synthesize.tallies import Tallies

Parent = TypeVar("Parent", bound=Artifact)

NOTABLE_PERCENT = 1
"""Of an image's pixels that make a class worth counting there; less may be a speckle."""


@dataclass(frozen=True)
class Chosen:
    """All pairs that were drawn, and which of them are in the dataset."""

    tallies: Tallies
    """What is known of each."""

    kept: Bool[np.ndarray, " pairs"]
    """Whether it is in the dataset."""

    uncertain: Bool[np.ndarray, " pairs"]
    """Whether it was dropped as too uncertain."""

    largest: float
    """Divergence that no pixel exceeds, nats."""


def counts_of(chosen: Chosen, plan: Plan, class_map: ClassMap) -> dict[str, Any]:
    """What the tallies say, by the names that they have in `dataset.json`."""
    tallies, kept, settings = chosen.tallies, chosen.kept, plan.settings
    pixels = tallies.pixels[kept]
    images = (pixels > 0).sum(axis=0)
    notable = (pixels * 100 >= NOTABLE_PERCENT * plan.side_px**2).sum(axis=0)
    dropped = tallies.uncertainty[chosen.uncertain]
    drawn = ~tallies.missed
    return {
        "num_drawn": len(tallies),
        "num_kept": int(kept.sum()),
        "num_dropped": int(chosen.uncertain.sum()),
        "num_outside": int(tallies.outside(settings).sum()),
        "num_missed": int(tallies.missed.sum()),
        "least_uncertainty_dropped_nats": float(dropped.min()) if dropped.size else None,
        "largest_uncertainty_nats": chosen.largest,
        "max_uncertainty_nats": settings.max_uncertainty,
        "side_px": plan.side_px,
        "ending": plan.ending,
        "in_shards": plan.notes.in_shards,
        "truncation": settings.truncation,
        "noise_draws": settings.noise_draws,
        "licence": settings.licence,
        "share_of_pixels": _shares(pixels, class_map),
        "share_of_pixels_drawn": _shares(tallies.pixels[drawn], class_map),
        "images_with_class": dict(zip(class_map.names, images.tolist(), strict=True)),
        "images_with_1_percent": dict(zip(class_map.names, notable.tolist(), strict=True)),
        "uncertainty_histogram": uncertainty_histogram(
            tallies.uncertainty[drawn], kept[drawn], chosen.largest
        ),
    }


def _shares(pixels: Int64[np.ndarray, "pairs classes"], class_map: ClassMap) -> dict[str, float]:
    """The part of all these pixels that each class has; nothing of no pixels."""
    share = pixels.sum(axis=0) / max(1, pixels.sum())
    return dict(zip(class_map.names, share.round(6).tolist(), strict=True))


@dataclass(frozen=True)
class Annotated:
    """A classifier, and what it was fitted to, as far as it is at hand."""

    classifier: ClassifierFolder
    """The ensemble that labels the pairs."""

    annotations: AnnotationSet | None
    """The label maps."""

    samples: SampleSet | None
    """The images."""

    @classmethod
    def found(cls, ensemble: ClassifierFolder, sources: SynthesizeSources) -> "Annotated":
        """Look for both, and whether they are whole, before the long work begins.

        Args:
            ensemble: the classifier.
            sources: where they are said to be.

        Raises:
            ArtifactError: what is named is not there, damaged, or not what the classifier was
                fitted to.
        """
        annotations = _parent(ensemble, AnnotationSet, sources.annotations)
        if annotations is None:
            return cls(ensemble, None, None)
        annotations.check_files()
        samples = _parent(annotations, SampleSet, sources.samples)
        return cls(ensemble, annotations, samples)

    def pictures(self) -> Iterator[tuple[UInt8[np.ndarray, "height width 3"] | None, LabelMap]]:
        """Each annotated image, if it is at hand, with its label map."""
        if self.annotations is None:
            return
        images = {}
        if self.samples is not None:
            images = {record.sample: record for record in self.samples.records()}
        for record in self.annotations.records():
            image = None
            if self.samples is not None and record.image in images:
                image = self.samples.image(images[record.image])
            yield image, self.annotations.labels(record)


def _parent(child: Artifact, kind: type[Parent], given: Path | None) -> Parent | None:
    """The artifact that a child was made from; None if nobody says where it is.

    Raises:
        ArtifactError: it is said, but not there, or another one is.
    """
    if given is None and kind.kind not in child.manifest.parents:
        return None
    try:
        return parent_of(child, kind, given)
    except MissingArtifactError:
        if given is not None:
            raise
        return None


def compared(
    folder: Path, records: list[PairRecord], annotated: Annotated, class_map: ClassMap
) -> dict[str, Any]:
    """Who annotated, how good labels are, and how the pairs compare with what was annotated.

    Args:
        folder: of the pairs, which need not be finished.
        records: some of the pairs that are kept.
        annotated: what the classifier was fitted to.
        class_map: of both.
    """
    annotations = annotated.annotations
    return {
        "annotation": None if annotations is None else annotation_of(annotations),
        "labels_quality": labels_quality(annotated.classifier, folder),
        "checks": checks_of(_pixels(folder, records), annotated.pictures(), class_map),
    }


def labels_quality(classifier: ClassifierFolder, folder: Path) -> dict[str, Any] | None:
    """How well the classifier did where it was evaluated, if that is at hand.

    Evaluations are looked for in the folders beside the classifier and beside the pairs. One on
    images that the classifier was fitted to, or that ended its fitting, says nothing of others and
    does not count; nor does what cannot be read. Of several, that of the most images is taken.

    Args:
        classifier: the ensemble that labels the pairs.
        folder: of the pairs.

    Returns:
        `digest` of the evaluation; `of`, the kind that its images are from; how many `images`;
        `dice` by class (None of one that is neither annotated nor predicted) and `macro_dice`, with
        their `definition`. None if there is no evaluation.

    Raises:
        ArtifactError: the classifier is not whole.
    """
    places = {path.resolve().parent for path in (classifier.folder, folder)}
    scores = sorted(path for place in places for path in place.glob(f"*/{SCORES}"))
    if not scores:
        return None
    # Of the classifier itself, here: were it gone, its evaluations would seem to be another's.
    digest, learned = classifier.digest, _learned_from(classifier)
    found = [one for path in scores if (one := _quality(digest, learned, path.parent)) is not None]
    return max(found, key=lambda one: (one["images"], one["digest"]), default=None)


def _quality(classifier: str, learned: set[str], folder: Path) -> dict[str, Any] | None:
    """What an evaluation says, if it is of the classifier of this digest, on other images."""
    try:
        evaluation = Evaluation.open(folder)
        if evaluation.manifest.parents.get(ClassifierFolder.kind) != classifier:
            return None
        images, overall = evaluation.images(), evaluation.overall()[0]
        if not images or learned & set(images):
            return None
        return {
            "digest": evaluation.digest,
            "of": _kind_of_images(evaluation),
            "images": len(images),
            "dice": {one.name: _score(one.dice) for one in evaluation.classes()},
            "macro_dice": _score(overall.value),
            "definition": overall.definition,
        }
    except (HdganError, OSError, ValueError, KeyError, TypeError, IndexError):
        return None  # what lies there by chance must not end a run that took days


def _learned_from(classifier: ClassifierFolder) -> set[str]:
    """Names of the images that a classifier was fitted to, or that told when to stop."""
    rows = table_of(classifier.read(SPLIT), AnnotationRecord, str(classifier.folder / SPLIT))
    return {row.image for row in rows if row.split != "test"}


def _kind_of_images(evaluation: Evaluation) -> str:
    """What the images are from; a classifier can be evaluated on samples alone."""
    try:
        parents = parent_of(evaluation, AnnotationSet).manifest.parents
    except HdganError:
        return SampleSet.kind
    return TileSet.kind if TileSet.kind in parents else SampleSet.kind


def _score(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)


def checked_rows(kept: Bool[np.ndarray, " pairs"], plan: Plan) -> list[int]:
    """Rows of the kept pairs that are looked at, evenly spread; one of each latent."""
    rows = np.flatnonzero(kept)
    _, first = np.unique(rows // plan.settings.noise_draws, return_index=True)
    rows = rows[first]
    count = num_checked(len(rows), plan.side_px)
    return [int(rows[i * len(rows) // count]) for i in range(count)]


def _pixels(
    folder: Path, records: list[PairRecord]
) -> Iterator[tuple[UInt8[np.ndarray, "height width 3"], LabelMap]]:
    shards = Shards()
    return (pixels_of_pair(folder, record, shards) for record in records)


def pixels_of_pair(
    folder: Path, record: PairRecord, shards: Shards
) -> tuple[UInt8[np.ndarray, "height width 3"], LabelMap]:
    """Image and labels of a pair in an artifact that has no manifest yet."""
    image, labels = (
        (folder / name).read_bytes()
        if record.shard is None
        else shards.read(folder / record.shard, name)
        for name in (record.image, record.labels)
    )
    return rgb_of(image, record.image), grey_of(labels, record.labels)
