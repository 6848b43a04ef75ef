"""What a dataset's card says of its checks: composition against annotations, edges."""

from collections.abc import Mapping, Sequence
from typing import Any

from hdgan.report.card_tables import escaped, number, percent, table

MOST_CLASSES = 5
"""With more, the table shows areas and what is more than chance; `dataset.json` has the rest."""

_NAMES = {
    "area_share": "area share",
    "area_share_spread": "area share, standard deviation",
    "images_with": "images with it",
    "components_per_megapixel": "components a megapixel",
    "component_size": "median component, px",
    "adjacency": "which classes meet",
    "speckle_index": "speckle index",
}

_SHARES = frozenset({"area_share", "area_share_spread", "images_with", "adjacency"})

_MEANINGS = {
    "area_share": "part of an image's labelled pixels, mean over the images",
    "area_share_spread": "how much that part differs from image to image",
    "images_with": "part of the images that have a pixel of the class",
    "components_per_megapixel": "regions of the class that connect over sides, in a million "
    "labelled pixels",
    "component_size": "half of the regions are of at most this size; distance: by how many "
    "doublings a region would have to grow or shrink on average (Wasserstein-1 of all sizes)",
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
    parts = [_lead(checks, about), _verdict(statistics), _differences(shown)]
    parts += [_meanings(shown), _adjacency(checks)]
    return "\n\n".join(part for part in parts if part)


def edges_text(about: Mapping[str, Any]) -> str:
    """How much more an image changes on the borders of its labels than elsewhere."""
    edges = (about.get("checks") or {}).get("edge_alignment") or {}
    here = edges.get("synthetic")
    if not here:
        return "Not measured: no label map with a border was looked at together with its image."
    rows = [_edge_row("here", here)]
    if edges.get("annotated"):
        rows.append(_edge_row("annotated", edges["annotated"]))
    header = ["", "images", "on borders", f"labels shifted by {here['shift_px']} px"]
    text = (
        "How often the image changes more at a pixel on a border of the label map than at one "
        "elsewhere (area under the ROC curve of the gradient of the optical density; mean over "
        "images). 0.5 is chance. The same with shifted labels is what labels have that do not know "
        "where a structure ends. Borders between tissues of like colour cannot lie on an edge, so "
        "even perfect label maps stay below 1."
    )
    if not edges.get("annotated"):
        text += " The images of the annotated label maps were not at hand to compare."
    return f"{text}\n\n{table(header, rows)}"


def beyond_chance(about: Mapping[str, Any]) -> list[str]:
    """In what the label maps differ from the annotated ones, as names."""
    comparison = (about.get("checks") or {}).get("comparison") or {}
    return [
        _NAMES[one["statistic"]] + (f" of {escaped(one['class'])}" if one["class"] else "")
        for one in comparison.get("statistics", [])
        if one["more_than_chance"]
    ]


def _shown(statistics: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What the table shows; a class that is nowhere has nothing but its area."""
    classes = {one["class"] for one in statistics} - {None}
    return [
        one
        for one in statistics
        if one["statistic"] == "area_share"
        or one["more_than_chance"]
        or (one["distance"] is not None and len(classes) <= MOST_CLASSES)
    ]


def _lead(checks: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    text = (
        f"{checks['num_synthetic']} label maps of this dataset against {checks['num_annotated']} "
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
    return text


def _verdict(statistics: Sequence[Mapping[str, Any]]) -> str:
    compared = [one for one in statistics if one["distance"] is not None]
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


def _differences(shown: Sequence[Mapping[str, Any]]) -> str:
    header = ["class", "statistic", "here", "annotated", "distance", "by chance", "more?"]
    return table(header, [_row(one) for one in shown])


def _row(one: Mapping[str, Any]) -> list[str]:
    kind = one["statistic"]
    value, distance = (percent, _points) if kind in _SHARES else (number, number)
    if kind == "component_size":
        distance = _doublings
    cells = [(one["synthetic"], value), (one["annotated"], value)]
    cells += [(one["distance"], distance), (one["noise_floor"], distance)]
    return [
        escaped(one["class"] or "all"),
        _NAMES[kind],
        *("-" if found is None else write(found) for found, write in cells),
        "**yes**" if one["more_than_chance"] else "no",
    ]


def _meanings(shown: Sequence[Mapping[str, Any]]) -> str:
    used = [kind for kind in _NAMES if any(one["statistic"] == kind for one in shown)]
    lines = [f"- {_NAMES[kind]}: {_MEANINGS[kind]}." for kind in used]
    return "\n".join([*lines, "- Where nothing else is said, the distance is the difference."])


def _adjacency(checks: Mapping[str, Any]) -> str:
    """The part of the borders at which each two classes meet."""
    here = checks["layout"]["synthetic"]["adjacency"]
    there = checks["layout"]["annotated"]["adjacency"]
    rows = []
    for one, other in zip(here, there, strict=True):
        shares = one["share_of_borders"], other["share_of_borders"]
        if any(shares):
            cells = ["-" if share is None else percent(share) for share in shares]
            rows.append([" and ".join(map(escaped, one["classes"])), *cells])
    return table(["borders between", "here", "annotated"], rows) if rows else ""


def _speckles(checks: Mapping[str, Any]) -> str:
    layout = checks["layout"]["synthetic"]
    if layout is None:
        return ""
    return (
        f" Speckle index of this dataset: {number(layout['speckle_index'])} regions under 30 px in "
        "a million labelled pixels."
    )


def _edge_row(name: str, edges: Mapping[str, Any]) -> list[str]:
    return [name, str(edges["images"]), f"{edges['auc']:.3f}", f"{edges['auc_shifted']:.3f}"]


def _points(share: float) -> str:
    return f"{share * 100:.2f} points"


def _doublings(value: float) -> str:
    return f"{value:.2f} doublings"
