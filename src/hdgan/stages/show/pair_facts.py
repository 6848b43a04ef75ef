"""What a pair set says of itself: counts, composition, what dropping took, who annotated."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hdgan.artifacts.pair_set import PairRecord
from hdgan.pipeline import Fact
from hdgan.report.charts import share
from hdgan.stages.show.account import counted
from hdgan.stages.show.label_quality import NOT_MEASURED, LabelQuality

_ANNOTATED = {"sample-set": "annotated drawings", "tile-set": "annotated tiles"}

_SLIGHT = 0.1
"""A share that moves by a smaller part of itself is not named."""


def facts_of(
    about: Mapping[str, Any], records: Sequence[PairRecord], quality: LabelQuality | None
) -> dict[str, Fact]:
    """What a user asks first.

    Args:
        about: what `dataset.json` says.
        records: all pairs that were drawn.
        quality: how good the labels are, if that is known.
    """
    drawn = max(1, int(about["num_drawn"]))
    dropped = int(about["num_dropped"])
    facts: dict[str, Fact] = {
        "pairs kept": about["num_kept"],
        "pairs drawn": about["num_drawn"],
        "dropped": f"{dropped:,} ({share(dropped / drawn)})",
    }
    for key, name in _LEFT_OUT.items():
        if about.get(key):
            facts[name] = about[key]
    facts["side"] = f"{about['side_px']} px"
    facts["composition"] = composition_of(about)
    facts |= _of_changed(about)
    for name, part in about["share_of_pixels"].items():
        facts[f"class {name}"] = f"{share(part)} of the pixels{_pairs_with(about, name)}"
    facts["label quality"] = NOT_MEASURED if quality is None else quality.sentence
    return facts | _uncertainty(about, records) | _further(about)


def composition_of(about: Mapping[str, Any]) -> str:
    """Whether pairs were chosen by what they show, and what dropping changed, in a sentence."""
    changed = about.get("composition")
    if not changed:
        return f"not targeted: as the generator draws{_less_dropped(about)}"
    phrases = [
        f"{name} at least {share(least)} of each pair, by its label map (the generator itself "
        f"draws {share(changed.get('natural_share', {}).get(name, float('nan')))})"
        for name, least in changed.get("wanted", {}).items()
    ]
    return (
        f"CHANGED on request: {'; '.join(phrases)}{_less_dropped(about)}; do not read frequencies "
        "off these pairs"
    )


def moved_shares(about: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Share of each class before and after dropping, where it moved by a tenth of itself or more.

    What lost most comes first.
    """
    drawn, kept = about.get("share_of_pixels_drawn") or {}, about["share_of_pixels"]
    moved = {
        name: (float(before), float(kept[name]))
        for name, before in drawn.items()
        if before and name in kept and abs(kept[name] / before - 1) >= _SLIGHT
    }
    return dict(sorted(moved.items(), key=lambda one: one[1][1] / one[1][0]))


def is_thinned(about: Mapping[str, Any]) -> bool:
    """Whether some of the pairs that were found are left out."""
    found = int(about["num_drawn"]) - int(about.get("num_missed") or 0)
    return int(about["num_kept"]) < found


def annotated_name(about: Mapping[str, Any]) -> str:
    """What people labelled: drawings, or tiles."""
    of = str((about.get("annotation") or {}).get("of"))
    return _ANNOTATED.get(of, "annotated images")


_LEFT_OUT = {
    "num_outside": "left out as unlike the real tiles",
    "num_missed": "not found with the wanted composition",
}


def _less_dropped(about: Mapping[str, Any]) -> str:
    """What dropping took, if anything was dropped."""
    if not is_thinned(about) or not about["num_kept"]:
        return ""
    moved = moved_shares(about)
    if moved:
        changes = (
            f"{name} {share(before)} -> {share(after)}" for name, (before, after) in moved.items()
        )
        return f", less what was dropped: {', '.join(changes)}"
    if about.get("share_of_pixels_drawn"):
        return ", less what was dropped, which moved the share of no class by a tenth of it"
    return ", less what was dropped; what that took of each class was not written down"


def _of_changed(about: Mapping[str, Any]) -> dict[str, Fact]:
    """What the composition that was asked for cost, in drawings and in variety."""
    changed = about.get("composition") or {}
    facts: dict[str, Fact] = {}
    per_pair, pilot = changed.get("draws_per_kept_pair"), changed.get("num_pilot")
    if per_pair is not None:
        before = f", after {pilot:,} to learn from" if pilot else ""
        facts["drawings"] = f"{per_pair:.1f} were made for each kept pair{before}"
    comparison = (about.get("checks") or {}).get("comparison") or {}
    for one in comparison.get("statistics", []):
        name, here, there = one["class"], one["synthetic"], one["annotated"]
        is_spread = one["statistic"] == "area_share_spread" and name in changed.get("wanted", {})
        if is_spread and None not in (here, there):
            facts[f"variety of {name}"] = (
                f"areas differ by {share(here)} of a pair (standard deviation); in the "
                f"{annotated_name(about)}, by {share(there)}"
            )
    return facts


def _pairs_with(about: Mapping[str, Any], name: str) -> str:
    kept = f"{about['num_kept']:,}"
    notable = (about.get("images_with_1_percent") or {}).get(name)
    if notable is not None:
        return f"; 1% or more of {notable:,} of {kept} pairs"
    number = (about.get("images_with_class") or {}).get(name)
    return "" if number is None else f"; a pixel or more of {number:,} of {kept} pairs"


def _uncertainty(about: Mapping[str, Any], records: Sequence[PairRecord]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    kept = [record.uncertainty for record in records if record.kept]
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
    return facts


def _further(about: Mapping[str, Any]) -> dict[str, Fact]:
    """What later versions say as well."""
    facts: dict[str, Fact] = {"truncation": str(about.get("truncation", "not known"))}
    if int(about.get("noise_draws") or 1) > 1:
        facts["noise draws a latent"] = about["noise_draws"]
    if about.get("annotation"):
        facts["classifier fitted to"] = _fitted_to(about)
    real = about.get("real_tiles")
    if real:
        facts["compared with"] = (
            f"{real.get('tiles')} real tiles; {real.get('num_outside') or 0} pairs outside of "
            "their range were left out"
        )
    facts["licence"] = about.get("licence") or "not stated"
    return facts


def _fitted_to(about: Mapping[str, Any]) -> str:
    """What the classifier learned from, and what it was only tested on."""
    annotation = about["annotation"]
    splits = annotation.get("splits") or {}
    fitted = splits.get("training") or annotation.get("tiles")
    others = [f"{splits[name]} {name}" for name in ("validation", "test") if splits.get(name)]
    aside = f" (beside them {', '.join(others)})" if splits.get("training") and others else ""
    people = ", ".join(annotation.get("annotators") or []) or "not known"
    return f"{fitted} {annotated_name(about)}{aside}; annotators: {people}"
