"""A pair set: what was drawn, what was kept, and what is in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.report.artifact_page import Gallery
from hdgan.report.artifact_page_layers import side_px_for, svg_uri
from hdgan.report.charts import histogram, share
from hdgan.report.page import PageFigure, PageTable, Section
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.cards import card_text
from hdgan.stages.show.label_quality import LabelQuality, quality_of, quality_section
from hdgan.stages.show.labelled import Labelled, Painter, finite, views_of
from hdgan.stages.show.pair_facts import (
    annotated_name,
    facts_of,
    is_thinned,
    moved_shares,
)

Number = tuple[str, str, str]
"""Value, name, definition."""

_MUCH = 0.25
"""A class that loses a larger part of itself by dropping stands at the top of the page."""


def account_of(pairs: PairSet, look: Look) -> Account:
    """What is in a pair set.

    Raises:
        DamagedArtifactError: its table cannot be read.
    """
    records = pairs.all_records()
    quality = quality_of(pairs, look)
    return Account(
        "Drawings of a generator, not photographs of tissue. A classifier made their label maps, "
        "and says how unsure it is of each; nobody has checked them one by one.",
        facts_of(pairs.about, records, quality),
        lambda: _shown(pairs, records, look, quality),
    )


def _shown(
    pairs: PairSet, records: Sequence[PairRecord], look: Look, quality: LabelQuality | None
) -> Shown:
    kept = [record for record in records if record.kept]
    chosen = look.spread(kept)
    brightest = max([record.uncertainty for record in chosen], default=0.0) or 1.0
    painter = Painter(pairs.class_map, side_px_for(len(chosen)), brightest)
    pictures = [painter.picture(_labelled(pairs, record)) for record in chosen]
    text = (
        f"{len(chosen):,} of {len(kept):,} kept pairs, spread evenly over the table. In the view "
        f"of uncertainty, black is 0 nats, and {brightest:.3f} nats or more is brightest. In the "
        f"files, white is {pairs.about['largest_uncertainty_nats']:.4f} nats, so other viewers "
        "show them almost black."
    )
    gallery = Gallery(text, views_of(pictures), pictures, pairs.class_map) if pictures else None
    sections = [_classes(pairs.about), quality_section(quality), *_spread(records)]
    numbers = _numbers(pairs.about, quality)
    return Shown(numbers, gallery, sections, card_text(pairs))


def _numbers(about: Mapping[str, Any], quality: LabelQuality | None) -> list[Number]:
    drawn, dropped = about["num_drawn"], about["num_dropped"]
    kept = f"Of {drawn:,} drawn; {dropped:,} were dropped."
    numbers = [(f"{about['num_kept']:,}", "pairs kept", kept)]
    if about["num_kept"]:
        numbers += [*_numbers_of_classes(about), *_numbers_of_dropping(about)]
    if quality is not None:
        definition = f"Mean over the classes, on {quality.images:,} {quality.what}."
        value = "-" if quality.macro is None else f"{quality.macro:.2f}"
        numbers.append((value, "Dice of the labels", definition))
    changed = about.get("composition")
    if changed:
        asked = (f"{share(least)} {name}" for name, least in changed.get("wanted", {}).items())
        text = (
            f"Each pair was chosen for its {' and '.join(asked)} or more: do not read frequencies "
            "off these pairs."
        )
        numbers.append(("changed", "composition", text))
    return numbers


def _numbers_of_classes(about: Mapping[str, Any]) -> list[Number]:
    """Those that were asked for, then the most frequent and the rarest."""
    shares = sorted(about["share_of_pixels"].items(), key=lambda one: float(one[1]))
    said = {
        name: f"Part of the pixels; asked for were {share(least)} or more of each pair."
        for name, least in (about.get("composition") or {}).get("wanted", {}).items()
    }
    said.setdefault(shares[-1][0], "Part of the pixels; the most frequent class.")
    said.setdefault(shares[0][0], "Part of the pixels; the rarest class.")
    values = dict(shares)
    return [(share(values[name]), name, text) for name, text in said.items() if name in values]


def _numbers_of_dropping(about: Mapping[str, Any]) -> list[Number]:
    """Classes that lost much by dropping."""
    return [
        (
            f"{share(before)} \N{RIGHTWARDS ARROW} {share(after)}",
            f"{name}, by dropping",
            "Part of the pixels before and after uncertain pairs were dropped: pairs of this class "
            "go first.",
        )
        for name, (before, after) in moved_shares(about).items()
        if after < (1 - _MUCH) * before
    ]


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


def _spread(records: Sequence[PairRecord]) -> list[Section]:
    """How uncertain pairs are; of pairs that were not found, nothing is known."""
    series = {
        name: np.array(
            [
                record.uncertainty
                for record in records
                if record.kept is is_kept and np.isfinite(record.uncertainty)
            ]
        )
        for name, is_kept in (("kept", True), ("not kept", False))
    }
    series = {name: values for name, values in series.items() if len(values)}
    if not series:
        return []
    label = "uncertainty of the pair, nats"
    svg = histogram(series, x_label=label, y_label="pairs", as_counts=True)
    caption = (
        "How many pairs are how uncertain: the mean of the most uncertain tenth of the pixels."
    )
    return [Section("Uncertainty", "", [PageFigure(caption, picture=svg_uri(svg))])]


def _classes(about: Mapping[str, Any]) -> Section:
    """The share of each class, with what it can be compared with."""
    drawn = about.get("share_of_pixels_drawn") if is_thinned(about) else None
    columns = {
        "before dropping": drawn,
        "without asking": (about.get("composition") or {}).get("natural_share"),
        f"in the {annotated_name(about)}": (about.get("annotation") or {}).get("share_of_pixels"),
    }
    known = {name: column for name, column in columns.items() if column}
    notable = about.get("images_with_1_percent")
    rows = []
    for name, part in about["share_of_pixels"].items():
        row = [name, share(part)]
        row += [share(column[name]) if name in column else "-" for column in known.values()]
        row += [] if notable is None else [f"{notable.get(name, 0):,}"]
        rows.append(row)
    header = ["class", "these pairs", *known, *([] if notable is None else ["pairs with 1% of it"])]
    caption = "Parts of the labelled pixels of all pairs together." + "".join(
        f" {meaning}" for name, meaning in _MEANINGS.items() if name in header
    )
    return Section("Classes", "", tables=[PageTable(caption, header, rows)])


_MEANINGS = {
    "before dropping": "Before dropping: all pairs that were drawn.",
    "without asking": "Without asking: what the generator draws if no class is asked for.",
    "pairs with 1% of it": "Pairs with 1% of it: in which the class has at least so much.",
}
