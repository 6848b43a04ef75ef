"""A pair set: what was drawn, what was kept, and what is in it."""

from typing import Any

import numpy as np

from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery
from hdgan.report.artifact_page_layers import side_px_for, svg_uri
from hdgan.report.charts import histogram, share
from hdgan.report.page import PageFigure, PageTable, Section
from hdgan.stages.show.account import Account, Look, Shown, counted
from hdgan.stages.show.labelled import Labelled, Painter, finite, views_of


def account_of(pairs: PairSet, look: Look) -> Account:
    """What is in a pair set.

    Raises:
        DamagedArtifactError: its table cannot be read.
    """
    records = pairs.all_records()
    return Account(
        "Drawings of a generator with label maps by a classifier, and how unsure it is.",
        _facts(pairs.about, records),
        lambda: _shown(pairs, records, look),
    )


def _facts(about: dict[str, Any], records: list[PairRecord]) -> dict[str, Fact]:
    kept = [record.uncertainty for record in records if record.kept]
    drawn = max(1, int(about["num_drawn"]))
    shares = {
        f"class {name}": f"{share(part)} of the pixels{_images_with(about, name)}"
        for name, part in about["share_of_pixels"].items()
    }
    facts: dict[str, Fact] = {
        "pairs kept": about["num_kept"],
        "pairs drawn": about["num_drawn"],
        "dropped": f"{about['num_dropped']:,} ({share(about['num_dropped'] / drawn)})",
        "side": f"{about['side_px']} px",
        "composition": _composition(about),
        **shares,
    }
    if kept:
        facts["uncertainty of kept pairs"] = (
            f"{min(kept):.4f} to {max(kept):.4f} nats, median {float(np.median(kept)):.4f} (mean "
            "of the most uncertain tenth of a pair's pixels; "
            f"{about['largest_uncertainty_nats']:.2f} would be the most)"
        )
    least = about.get("least_uncertainty_dropped_nats")
    if least is not None:
        facts["uncertainty of dropped pairs"] = f"{least:.4f} nats or more"
    if any(record.stain for record in records):
        facts["stains"] = counted([record.stain for record in records if record.kept])
    return facts | _further(about)


def _images_with(about: dict[str, Any], name: str) -> str:
    number = (about.get("images_with_class") or {}).get(name)
    return "" if number is None else f", in {number:,} of {about['num_kept']:,} pairs"


def _composition(about: dict[str, Any]) -> str:
    """Whether pairs were chosen by what they show, in a sentence."""
    changed = about.get("composition")
    if not changed:
        return "not targeted: as the generator draws"
    phrases = [
        f"{name} at least {share(least)} (the generator itself draws "
        f"{share(changed.get('natural_share', {}).get(name, float('nan')))})"
        for name, least in changed.get("wanted", {}).items()
    ]
    return f"CHANGED on request: {'; '.join(phrases)}; do not read frequencies off these pairs"


def _further(about: dict[str, Any]) -> dict[str, Fact]:
    """What later versions say as well."""
    facts: dict[str, Fact] = {"truncation": str(about.get("truncation", "not known"))}
    if int(about.get("noise_draws") or 1) > 1:
        facts["noise draws a latent"] = about["noise_draws"]
    annotation = about.get("annotation")
    if annotation:
        people = ", ".join(annotation.get("annotators") or []) or "not known"
        facts["learned from"] = f"{annotation.get('tiles')} annotated tiles; annotators: {people}"
    real = about.get("real_tiles")
    if real:
        facts["compared with"] = (
            f"{real.get('tiles')} real tiles; {real.get('num_outside') or 0} pairs outside of "
            "their range were left out"
        )
    facts["licence"] = about.get("licence") or "not stated"
    return facts


def _shown(pairs: PairSet, records: list[PairRecord], look: Look) -> Shown:
    kept = [record for record in records if record.kept]
    chosen = look.spread(kept)
    brightest = max([record.uncertainty for record in chosen], default=0.0) or 1.0
    painter = Painter(pairs.class_map, side_px_for(len(chosen)), brightest)
    pictures = [painter.picture(_labelled(pairs, record)) for record in chosen]
    text = (
        f"{len(chosen):,} of {len(kept):,} kept pairs, spread evenly over the table. In the view "
        f"of uncertainty, black is 0 nats, and {brightest:.3f} nats or more is brightest."
    )
    gallery = Gallery(text, views_of(pictures), pictures, pairs.class_map) if pictures else None
    return Shown(_numbers(pairs.about), gallery, [_spread(records), *_composition_tables(pairs)])


def _numbers(about: dict[str, Any]) -> list[tuple[str, str, str]]:
    numbers = [
        (
            f"{about['num_kept']:,}",
            "pairs kept",
            f"Of {about['num_drawn']:,} drawn; {about['num_dropped']:,} were dropped.",
        )
    ]
    shares = sorted(about["share_of_pixels"].items(), key=lambda one: float(one[1]))
    for (name, part), what in zip(
        shares[-1:] + shares[:1], ("most frequent", "rarest"), strict=False
    ):
        numbers.append((share(part), name, f"Part of the pixels; the {what} class."))
    changed = about.get("composition")
    if changed:
        per_pair = changed.get("draws_per_kept_pair")
        cost = "" if per_pair is None else f" {per_pair:.1f} drawings were made a kept pair."
        numbers.append(("changed", "composition", f"{_composition(about)}.{cost}"))
    return numbers


def _labelled(pairs: PairSet, record: PairRecord) -> Labelled:
    notes = [*filter(None, (record.stain,)), f"{record.uncertainty:.3f} nats"]
    return Labelled(
        record.pair,
        pairs.labels(record),
        pairs.image(record),
        pairs.uncertainty(record),
        notes,
        {"stain": [record.stain or "not named"]},
        finite({"uncertainty": record.uncertainty}),
    )


def _spread(records: list[PairRecord]) -> Section:
    series = {
        name: np.array([record.uncertainty for record in records if record.kept is is_kept])
        for name, is_kept in (("kept", True), ("dropped", False))
    }
    series = {name: values for name, values in series.items() if len(values)}
    svg = histogram(series, x_label="uncertainty of the pair, nats", y_label="part of them")
    caption = (
        "How the uncertainty of pairs spreads: the mean of the most uncertain tenth of the pixels. "
        "Kept and dropped pairs are each 1 together."
    )
    return Section("Uncertainty", "", [PageFigure(caption, picture=svg_uri(svg))])


def _composition_tables(pairs: PairSet) -> list[Section]:
    about = pairs.about
    annotated = (about.get("annotation") or {}).get("share_of_pixels") or {}
    natural = (about.get("composition") or {}).get("natural_share") or {}
    columns = {"annotated tiles": annotated, "as the generator draws": natural}
    columns = {name: column for name, column in columns.items() if column}
    rows = [
        [
            name,
            share(part),
            *(share(column[name]) if name in column else "-" for column in columns.values()),
        ]
        for name, part in about["share_of_pixels"].items()
    ]
    table = PageTable("Parts of the labelled pixels.", ["class", "these pairs", *columns], rows)
    return [Section("Classes", "", tables=[table])]
