"""What a dataset's card says of its label maps beside annotated ones."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hdgan.report.card_losses import was_dropped
from hdgan.report.card_tables import escaped, looked_at, number, percent, table

MOST_CLASSES = 5
"""With more, the table shows areas and what is more than chance; `dataset.json` has the rest."""

_NAMES = {
    "area_share": "area share",
    "area_share_spread": "standard deviation of the area share",
    "images_with": "images with a pixel of it",
    "components_per_megapixel": "components a megapixel",
    "component_size": "component size",
    "adjacency": "which classes meet",
    "speckle_index": "speckle index",
}

_MEANINGS = {
    "area_share": "part of an image's labelled pixels, mean over the images",
    "area_share_spread": "how much that part differs from image to image",
    "images_with": "part of the images that have a pixel of the class",
    "components_per_megapixel": "regions of the class that connect over sides, in a million "
    "labelled pixels",
    "component_size": "pixels of a region; shown is the median, but compared are all sizes: the "
    "distance is by how many doublings a region would have to grow or shrink on average "
    "(Wasserstein-1), so it may be large where the medians are alike",
    "adjacency": "distance: part of the length of the borders that would have to lie between other "
    "classes (total variation)",
    "speckle_index": "regions under 30 px in a million labelled pixels, all classes together",
}

_CHOSEN = (
    "Annotated images are often chosen to differ from one another, not drawn at random; a part of "
    "a difference may come from that."
)


def comparison_text(about: Mapping[str, Any]) -> str:
    """The table of differences, and what may be read from it."""
    checks = about.get("checks")
    if not checks:
        return (
            "Not compared. `hdgan synthesize` compares areas, numbers, sizes and neighbours of the "
            "classes if the annotations are at hand when pairs are made (`--annotations FOLDER`)."
        )
    if not checks["comparison"]:
        return (
            f"Not compared: {checks['num_synthetic']} label maps of this dataset and "
            f"{checks['num_annotated']} annotated ones were at hand. `hdgan synthesize "
            "--annotations FOLDER` says where these are." + _speckles(checks)
        )
    statistics = checks["comparison"]["statistics"]
    shown = _shown(statistics)
    here = looked_at(about)
    parts = [_lead(checks, about), _verdict(statistics), _differences(shown, here)]
    parts += [_meanings(shown), _adjacency(checks, here)]
    return "\n\n".join(part for part in parts if part)


def beyond_chance(about: Mapping[str, Any]) -> list[str]:
    """In what the label maps differ from the annotated ones: each class with its statistics."""
    comparison = (about.get("checks") or {}).get("comparison") or {}
    found: dict[str, list[str]] = {}
    for one in comparison.get("statistics", []):
        if one["more_than_chance"]:
            name = escaped(one["class"] or "all classes together")
            found.setdefault(name, []).append(_NAMES[one["statistic"]])
    return [f"{name} ({', '.join(statistics)})" for name, statistics in found.items()]


def _shown(statistics: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What the table shows; a class that is nowhere has nothing but its area.

    Where no deal can make a difference, as of a class that every image has, there is none to show.
    """
    classes = {one["class"] for one in statistics} - {None}
    return [
        one
        for one in statistics
        if one["statistic"] == "area_share"
        or one["more_than_chance"]
        or (_can_differ(one) and len(classes) <= MOST_CLASSES)
    ]


def _can_differ(one: Mapping[str, Any]) -> bool:
    """Whether there is a distance, or chance would make one, that is more than rounding."""
    if one["distance"] is None:
        return False
    size = max(1.0, abs(one["synthetic"] or 0.0), abs(one["annotated"] or 0.0))
    return bool(max(one["distance"], one["noise_floor"] or 0.0) > 1e-9 * size)


def _lead(checks: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    text = (
        f"{_sampled(checks, about)} against {checks['num_annotated']} "
        "annotated ones. Chance alone makes two sets of so many differ: the column *by chance* is "
        "what dealing the same label maps to two sets at random does not exceed in 19 of 20 deals. "
        "**A distance below it cannot be told from none.**"
    )
    if not checks["same_size"]:
        text += (
            " The label maps are not all of one size in pixels, so numbers and sizes of regions do "
            "not compare: shares alone are compared here."
        )
    if about.get("composition"):
        text += " The composition was changed on purpose, so areas have to differ."
    if was_dropped(about):
        text += " Pairs that were dropped are not in it, which may make a difference, too."
    return text


def _sampled(checks: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """How many label maps were looked at, and how they were taken."""
    count, kept = checks["num_synthetic"], about["num_kept"]
    if count >= kept:
        return f"All {count} label maps of this dataset"
    latents = ", one of a latent" if (about.get("noise_draws") or 1) > 1 else ""
    return f"{count} of the {kept:,} label maps of this dataset, evenly spread{latents},"


def _verdict(statistics: Sequence[Mapping[str, Any]]) -> str:
    compared = [one for one in statistics if _can_differ(one)]
    more = sum(one["more_than_chance"] for one in compared)
    expected = len(compared) / 20
    text = (
        f"Of {len(compared)} statistics, {more or 'none'} "
        f"{'is' if more == 1 else 'are'} beyond it (about {expected:.1g} would be by chance)."
    )
    return f"{text}{_smallest_that_shows(compared)} {_CHOSEN}"


def _smallest_that_shows(compared: Sequence[Mapping[str, Any]]) -> str:
    """What can be seen at all; where sets do differ, their own difference raises the floor."""
    floors = [
        one["noise_floor"]
        for one in compared
        if one["statistic"] == "area_share" and not one["more_than_chance"] and one["noise_floor"]
    ]
    if not floors:
        return ""
    least, most = _points(min(floors)), _points(max(floors))
    span = most if least == most else f"{least} to {most}"
    return (
        " With so many label maps, as different as they are among themselves, the area share of a "
        f"class that is alike in both would have to be off by {span} before it showed."
    )


def _differences(shown: Sequence[Mapping[str, Any]], here: str) -> str:
    header = ["class", "statistic", here, "annotated", "distance", "by chance", "more than chance?"]
    return table(header, [_row(one) for one in shown])


def _row(one: Mapping[str, Any]) -> list[str]:
    kind = one["statistic"]
    value, distance = _WRITTEN.get(kind, (number, number))
    cells = [(one["synthetic"], value), (one["annotated"], value)]
    cells += [(one["distance"], distance), (one["noise_floor"], distance)]
    return [
        escaped(one["class"] or "all"),
        _NAMES[kind],
        *("-" if found is None else write(found) for found, write in cells),
        "**yes**" if one["more_than_chance"] else _not_shown(one),
    ]


def _points(share: float) -> str:
    return f"{share * 100:.2f} points"


def _median(pixels: float) -> str:
    return f"median {number(pixels)} px"


def _doublings(value: float) -> str:
    return f"{value:.2f} doublings"


_WRITTEN: Mapping[str, tuple[Callable[[float], str], Callable[[float], str]]] = {
    **dict.fromkeys(
        ("area_share", "area_share_spread", "images_with", "adjacency"), (percent, _points)
    ),
    "component_size": (_median, _doublings),
}
"""How a statistic and a distance are written; plain numbers are not named."""


def _meanings(shown: Sequence[Mapping[str, Any]]) -> str:
    used = [kind for kind in _NAMES if any(one["statistic"] == kind for one in shown)]
    lines = [f"- {_NAMES[kind]}: {_MEANINGS[kind]}." for kind in used]
    return "\n".join([*lines, "- Where nothing else is said, the distance is the difference."])


def _not_shown(one: Mapping[str, Any]) -> str:
    return "not shown with so few" if _can_differ(one) else "-"


def _adjacency(checks: Mapping[str, Any], heading: str) -> str:
    """The part of the borders at which each two classes meet."""
    here = checks["layout"]["synthetic"]["adjacency"]
    there = checks["layout"]["annotated"]["adjacency"]
    rows = []
    for one, other in zip(here, there, strict=True):
        shares = one["share_of_borders"], other["share_of_borders"]
        if any(shares):
            cells = ["-" if share is None else percent(share) for share in shares]
            rows.append([" and ".join(map(escaped, one["classes"])), *cells])
    return table(["borders between", heading, "annotated"], rows) if rows else ""


def _speckles(checks: Mapping[str, Any]) -> str:
    layout = checks["layout"]["synthetic"]
    if layout is None:
        return ""
    return (
        f" Speckle index of this dataset: {number(layout['speckle_index'])} regions under 30 px in "
        "a million labelled pixels."
    )
