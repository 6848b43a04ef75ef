"""What a dataset's card says of labels and edges of the image, and what follows from it."""

import math
from collections.abc import Mapping
from typing import Any

from hdgan.report.card_tables import looked_at, table

ERRORS = 2.0
"""Standard errors that make a difference more than chance, in about 19 of 20 cases."""


def edges_text(about: Mapping[str, Any]) -> str:
    """How much more an image changes on the borders of its labels than elsewhere."""
    here, annotated = _edges(about)
    if not here:
        return "Not measured: no label map with a border was looked at together with its image."
    rows = [_row(looked_at(about), here)]
    if annotated:
        rows.append(_row("annotated", annotated))
    header = ["", "images", "on borders", f"labels shifted by {here['shift_px']} px"]
    text = (
        "How often the image changes more at a pixel on a border of the label map than at one "
        "elsewhere (area under the ROC curve of the gradient of the optical density; mean over "
        "images). 0.5 is chance. The same with shifted labels is what labels have that do not know "
        "where a structure ends. Borders between tissues of like colour cannot lie on an edge, so "
        "even perfect label maps stay below 1."
    )
    if not annotated:
        text += " The images of the annotated label maps were not at hand to compare."
    return "\n\n".join(part for part in (text, table(header, rows), _verdict(about)) if part)


def edges_limit(about: Mapping[str, Any]) -> str | None:
    """A known limit, if labels lie worse on edges than annotated ones, or no better than shifted.

    Returns:
        A sentence; None if they do not, or nobody knows.
    """
    here, annotated = _edges(about)
    if _is_above(here) is False:
        return (
            "Labels lie on edges of the image no better than shifted ones: they do not show where "
            "structures end."
        )
    if here and annotated and (_apart(here, annotated) or 0) < 0:
        return (
            "Borders of labels lie less exactly on edges of the image than annotated ones "
            f"({_numbers(here)}; annotated: {_numbers(annotated)})."
        )
    return None


def _verdict(about: Mapping[str, Any]) -> str:
    """What may be read from the table; empty where one image was looked at."""
    here, annotated = _edges(about)
    is_above = _is_above(here)
    if is_above is None:
        return ""
    if not is_above:
        return (
            "**Labels here lie on edges no better than shifted ones**: that they show where "
            "structures end is not shown."
        )
    text = f"Labels here lie on edges of the image: {_above(here):.3f} above shifted ones."
    if not annotated:
        return text
    text += f" Annotated ones are {_above(annotated):.3f} above. "
    return text + _COMPARED[_apart(here, annotated)] + _changed(about)


_COMPARED = {
    None: "With one annotated image, more cannot be said.",
    -1: "**Borders here are less exact than annotated ones**, by more than chance.",
    0: "That the two differ is not shown with so few.",
    1: "Borders here follow edges more closely than annotated ones do, by more than chance.",
}


def _edges(about: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Of this dataset and of the annotated images; empty where it was not measured."""
    edges = (about.get("checks") or {}).get("edge_alignment") or {}
    return edges.get("synthetic") or {}, edges.get("annotated") or {}


def _is_above(edges: Mapping[str, Any]) -> bool | None:
    """Whether labels lie better than shifted ones by more than chance; None if nobody knows."""
    error = edges.get("above_shifted_standard_error")
    return None if error is None else _above(edges) > ERRORS * error


def _apart(here: Mapping[str, Any], annotated: Mapping[str, Any]) -> int | None:
    """-1 if labels here lie worse by more than chance, 1 if better, 0 if neither is shown."""
    first, second = (of.get("above_shifted_standard_error") for of in (here, annotated))
    if first is None or second is None:
        return None
    apart = _above(here) - _above(annotated)
    return 0 if abs(apart) <= ERRORS * math.hypot(first, second) else int(math.copysign(1, apart))


def _changed(about: Mapping[str, Any]) -> str:
    if not about.get("composition"):
        return ""
    return " The composition was changed, so other classes meet here, which counts in it, too."


def _above(edges: Mapping[str, Any]) -> float:
    return float(edges["auc"] - edges["auc_shifted"])


def _numbers(edges: Mapping[str, Any]) -> str:
    return f"{edges['auc']:.3f}, shifted {edges['auc_shifted']:.3f}"


def _row(name: str, edges: Mapping[str, Any]) -> list[str]:
    return [name, str(edges["images"]), f"{edges['auc']:.3f}", f"{edges['auc_shifted']:.3f}"]
