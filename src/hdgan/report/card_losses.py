"""What dropping took from a dataset, class by class."""

from collections.abc import Mapping
from typing import Any

from hdgan.report.card_tables import escaped, percent

LOST = 0.25
"""A class is lost that loses more than this part of its share of the pixels."""


def lost_classes(about: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Classes whose share of the pixels fell by more than a quarter by dropping.

    Args:
        about: the content of a pair set's `dataset.json`. Earlier versions did not write what was
            drawn: then nothing is known to be lost, nor if no pair is left.

    Returns:
        By class: its share of the pixels before and after.
    """
    shares = _drawn_and_kept(about)
    return {
        name: (drawn, kept) for name, (drawn, kept) in shares.items() if kept < drawn * (1 - LOST)
    }


def losses_text(about: Mapping[str, Any]) -> str | None:
    """Which classes dropping took, and why; None if nothing was dropped or it is not known."""
    shares = _drawn_and_kept(about)
    if not shares or not was_dropped(about):
        return None
    lost = lost_classes(about)
    what = "Dropping" if about["num_dropped"] else "Leaving pairs out"
    if lost:
        text = f"**{what} made some classes rarer** (part of the pixels before -> after): "
        text += f"{changes_of(lost)}."
    else:
        fallen = {name: share for name, share in shares.items() if share[1] < share[0]}
        most = sorted(fallen, key=lambda name: fallen[name][1] / fallen[name][0])[:1]
        text = f"{what} took from no class more than a quarter of its part of the pixels"
        text += f" (most from {changes_of({name: fallen[name] for name in most})})." * bool(most)
    return f"{text} {_UNCERTAIN_FIRST}" if about["num_dropped"] else text


def was_dropped(about: Mapping[str, Any]) -> bool:
    """Whether pairs that were found are not in the dataset."""
    missed = (about.get("composition") or {}).get("num_missed") or 0
    return bool(about["num_kept"] < about["num_drawn"] - missed)


def changes_of(shares: Mapping[str, tuple[float, float]]) -> str:
    """Each class with its share before and after."""
    return ", ".join(
        f"{escaped(name)} {percent(drawn)} -> {percent(kept)}"
        for name, (drawn, kept) in shares.items()
    )


_UNCERTAIN_FIRST = (
    "The most uncertain pairs are dropped first, and with them the classes that the classifier is "
    "unsure of; `--drop-fraction` and `--max-uncertainty` decide how many go."
)


def _drawn_and_kept(about: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    drawn, kept = about.get("share_of_pixels_drawn") or {}, about["share_of_pixels"]
    if not about["num_kept"]:
        return {}
    return {name: (drawn[name], share) for name, share in kept.items() if name in drawn}
