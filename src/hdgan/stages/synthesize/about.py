"""What `dataset.json` says of a set of pairs, for the card and for machines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, UInt8

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.images import grey_of, rgb_of
from hdgan.artifacts.lineage import parent_of
from hdgan.artifacts.pair_set import PairRecord
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shards import Shards
from hdgan.class_map import ClassMap, LabelMap
from hdgan.errors import MissingArtifactError
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
    share = pixels.sum(axis=0) / max(1, pixels.sum())
    images = (pixels > 0).sum(axis=0)
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
        "share_of_pixels": dict(zip(class_map.names, share.round(6).tolist(), strict=True)),
        "images_with_class": dict(zip(class_map.names, images.tolist(), strict=True)),
        "uncertainty_histogram": uncertainty_histogram(
            tallies.uncertainty[drawn], kept[drawn], chosen.largest
        ),
    }


@dataclass(frozen=True)
class Annotated:
    """What the classifier was fitted to, as far as it is at hand."""

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
            return cls(None, None)
        annotations.check_files()
        samples = _parent(annotations, SampleSet, sources.samples)
        return cls(annotations, samples)

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
    """Who annotated, and how the pairs compare with what was annotated.

    Args:
        folder: of the pairs, which need not be finished.
        records: some of the pairs that are kept.
        annotated: what the classifier was fitted to.
        class_map: of both.
    """
    annotations = annotated.annotations
    return {
        "annotation": None if annotations is None else annotation_of(annotations),
        "checks": checks_of(_pixels(folder, records), annotated.pictures(), class_map),
    }


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
