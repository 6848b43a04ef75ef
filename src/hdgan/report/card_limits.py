"""What a dataset cannot be used for, as far as its own numbers tell."""

from collections.abc import Mapping
from typing import Any

from hdgan.report.card_checks import beyond_chance
from hdgan.report.card_tables import escaped


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
            "of the generator."
        )
    if about["num_kept"] < about["num_drawn"]:
        found.append(
            "Pairs were left out (see above), so what is hard to label, or unusual, is rarer here "
            "than in what the generator draws."
        )
    found += _of_classes(about)
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


def _not_known(about: Mapping[str, Any]) -> list[str]:
    """What nobody has looked at."""
    missing = [what for key, what in _UNKNOWN.items() if not about.get(key)]
    return [f"Not known: {'; '.join(missing)}."] if missing else []


_UNKNOWN = {
    "annotation": "who annotated, and for how long",
    "checks": "how the label maps compare with annotated ones",
    "real_tiles": "whether drawings repeat training tiles",
}
