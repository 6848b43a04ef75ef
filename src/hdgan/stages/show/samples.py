"""A sample set: drawings, and which of them to annotate."""

from hdgan.artifacts.sample_set import SampleRecord, SampleSet
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery, GalleryPicture
from hdgan.report.artifact_page_layers import photo, side_px_for
from hdgan.stages.show.account import Account, Look, Shown, counted
from hdgan.stages.show.labelled import IMAGE, finite

_TAKEN_BY_SEEDS = frozenset({"num_samples", "seed"})
"""Settings that say which images are drawn, unless seeds are named."""


def account_of(samples: SampleSet, look: Look) -> Account:
    """What is in a sample set.

    Raises:
        DamagedArtifactError: its table cannot be read.
    """
    records = samples.records()
    height, width = samples.image(records[0]).shape[:2]
    facts: dict[str, Fact] = {
        "samples": len(records),
        "suggested for annotation": sum(record.suggested is not None for record in records),
        "side": f"{width} x {height} px",
        "truncation": str(samples.manifest.settings.get("truncation", "not known")),
    }
    if any(record.stain for record in records):
        facts["stains"] = counted([record.stain for record in records])
    scores = [record.uncertainty for record in records if record.uncertainty is not None]
    if scores:
        facts["uncertainty"] = (
            f"{min(scores):.4f} to {max(scores):.4f} nats (mean of an image's most uncertain tenth)"
        )
    return Account(
        "Drawings of a generator, each with the latent from which it can be drawn again.",
        facts,
        lambda: _shown(samples, records, look),
        _TAKEN_BY_SEEDS if samples.manifest.settings.get("seeds") else frozenset(),
    )


def _shown(samples: SampleSet, records: list[SampleRecord], look: Look) -> Shown:
    """Those suggested come before the others, if not all can be shown."""
    suggested = [record for record in records if record.suggested is not None]
    others = [record for record in records if record.suggested is None]
    chosen = look.spread(suggested)
    room = look.num_pictures - len(chosen)
    chosen += Look(room, {}).spread(others) if room else []
    side_px = side_px_for(len(chosen))
    text = (
        f"{len(chosen):,} of {len(records):,} samples: those that are suggested for annotation, "
        "and others spread evenly over the table."
    )
    pictures = [_picture(samples, record, side_px) for record in chosen]
    return Shown(gallery=Gallery(text, [IMAGE], pictures))


def _picture(samples: SampleSet, record: SampleRecord, side_px: int) -> GalleryPicture:
    is_suggested = record.suggested is not None
    notes = ["suggested"] if is_suggested else []
    if record.stain:
        notes.append(record.stain)
    if record.uncertainty is not None:
        notes.append(f"{record.uncertainty:.3f} nats")
    groups = {
        "suggested": ["yes" if is_suggested else "no"],
        "stain": [record.stain or "not named"],
    }
    pixels = samples.image(record)
    shape = (pixels.shape[0], pixels.shape[1])
    numbers = finite({"uncertainty": record.uncertainty})
    layers = {"image": photo(pixels, side_px)}
    return GalleryPicture(record.sample, layers, shape, notes, groups, numbers)
