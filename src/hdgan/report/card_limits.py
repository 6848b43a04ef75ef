"""What a dataset cannot be used for, as far as its own numbers tell."""

from collections.abc import Mapping
from typing import Any

from hdgan.report.card_checks import beyond_chance
from hdgan.report.card_edges import edges_limit
from hdgan.report.card_label_quality import poor_labels
from hdgan.report.card_losses import changes_of, lost_classes
from hdgan.report.card_tables import annotated_images, escaped, percent


def limits_of(about: Mapping[str, Any]) -> list[str]:
    """Known limits, each a sentence or two; those first that hold for every such dataset."""
    found = [*_ALWAYS]
    if about["truncation"] < 1:
        found.append(
            f"Truncation {about['truncation']} pulls every drawing towards the average one: there "
            "is less variety here than in the tissue, and what is rare is rarer still."
        )
    if about.get("composition"):
        found.append(
            "The composition was changed: frequencies here are not those of the tissue, nor those "
            f"of the generator. {_variety(about)}"
        )
    if about["num_kept"] < about["num_drawn"]:
        found.append(
            "Pairs were left out (see above), so what is hard to label, or unusual, is rarer here "
            f"than in what the generator draws{_lost(about)}."
        )
    found += _of_classes(about)
    found += [limit for limit in (poor_labels(about), edges_limit(about)) if limit]
    found += _not_known(about)
    return found


_ALWAYS = (
    "The labels are predictions. Nobody has checked them one by one.",
    "The drawings look like the tiles that the generator learned from, and like nothing else. A "
    "generator that saw few slides may repeat them: compare with the training tiles before "
    "sharing.",
    "Scores on this dataset say nothing about real tissue. Test on real, annotated tiles of "
    "patients that the generator has never seen.",
)


def _of_classes(about: Mapping[str, Any]) -> list[str]:
    """Classes that are not there, and differences from the annotated label maps."""
    found = []
    images = about.get("images_with_class") or {}
    absent = [escaped(name) for name, count in images.items() if count == 0]
    if absent:
        found.append(f"No kept pair has a pixel of {', '.join(absent)}: this cannot teach it.")
    differing = beyond_chance(about)
    if differing:
        found.append(
            "The label maps differ from the annotated ones by more than chance in: "
            f"{'; '.join(differing)}."
        )
    return found


def _lost(about: Mapping[str, Any]) -> str:
    lost = lost_classes(about)
    return f": {changes_of(lost)} of the pixels" if lost else ""


def _variety(about: Mapping[str, Any]) -> str:
    """How much the classes that were asked for vary, beside annotated images if that is known."""
    comparison = (about.get("checks") or {}).get("comparison") or {}
    annotated = annotated_images(about.get("annotation") or {})
    spreads = [
        f"{escaped(one['class'])} {percent(one['synthetic'])} here, {percent(one['annotated'])} "
        f"in the annotated {annotated}"
        for one in comparison.get("statistics", [])
        if one["statistic"] == "area_share_spread"
        and one["class"] in about["composition"]["wanted"]
        and None not in (one["synthetic"], one["annotated"])
    ]
    text = "Pairs that are chosen for what they hold tend to be alike: there may be less variety"
    if not spreads:
        return f"{text}; how much less was not measured."
    return f"{text} (standard deviation of the area share: {'; '.join(spreads)})."


def _not_known(about: Mapping[str, Any]) -> list[str]:
    """What nobody has looked at."""
    missing = [what for key, what in _UNKNOWN.items() if not about.get(key)]
    return [f"Not known: {'; '.join(missing)}."] if missing else []


_UNKNOWN = {
    "labels_quality": "how good the labels are",
    "annotation": "who annotated, and for how long",
    "checks": "how the label maps compare with annotated ones",
    "real_tiles": "whether drawings repeat training tiles",
}
