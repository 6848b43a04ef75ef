"""How good the labels of a dataset are, as far as the classifier that made them was evaluated."""

from collections.abc import Mapping
from typing import Any

from hdgan.report.card_tables import annotated_images, escaped, table

POOR_DICE = 0.7
"""Below it labels of a class are called poor; a convention, no law."""


def label_quality_text(about: Mapping[str, Any]) -> str:
    """The Dice of each class, or that it is not measured, with what would measure it."""
    quality = about.get("labels_quality")
    if not quality:
        return (
            "Not measured: no evaluation of the classifier was at hand when the pairs were made. "
            "`hdgan evaluate CLASSIFIER ANNOTATIONS OUTPUT` makes one; with OUTPUT beside the "
            "classifier, `hdgan synthesize` finds it."
        )
    what = annotated_images(quality)
    rows = [[escaped(name), _score(dice)] for name, dice in quality["dice"].items()]
    rows.append(["mean of the classes", _score(quality["macro_dice"])])
    return (
        f"The classifier that labelled these pairs was evaluated on {quality['images']:,} "
        f"annotated {what} that it was not fitted to (evaluation `{quality['digest']}`). 1 is "
        "perfect, 0 is nothing right.\n\n"
        f"{table(['class', 'Dice'], rows)}\n\n"
        f"{escaped(quality['definition'])}.\n\n"
        f"These are scores of the classifier on those {what}. The labels of these pairs themselves "
        "were compared with nobody's."
    )


def poor_labels(about: Mapping[str, Any]) -> str | None:
    """A known limit that names the classes whose labels are poor; None if none is known to be."""
    dice = (about.get("labels_quality") or {}).get("dice") or {}
    poor = [
        f"{escaped(name)} (Dice {value:.2f})"
        for name, value in dice.items()
        if value is not None and value < POOR_DICE
    ]
    if not poor:
        return None
    text = f"Labels of {', '.join(poor)} are poor"
    wanted = (about.get("composition") or {}).get("wanted") or {}
    if any((dice.get(name) or 1.0) < POOR_DICE for name in wanted):
        return f"{text}: a pair may hold less than was asked for, whatever its label map says."
    return f"{text}: what is taught with them may be no better."


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
