"""Tables and bars of a dataset's card, which read well as Markdown and as plain text."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

BAR_CHARACTERS = 40
"""Length of the longest bar."""


def escaped(text: str) -> str:
    """A text that a user gave, in one line and without Markdown's or HTML's signs."""
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", " ".join(text.split()))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; its cells are escaped already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        ("|" + "|".join(line) + "|" if line[0] == "---" else f"| {' | '.join(line)} |")
        for line in lines
    )


def class_table(about: Mapping[str, Any]) -> str:
    """The share of each class, with what else is known to compare it with."""
    notable, any_pixel = about.get("images_with_1_percent"), about.get("images_with_class")
    images = any_pixel if notable is None else notable
    least = "a pixel" if notable is None else "at least 1 %"
    others = _other_shares(about)
    header = ["class", "part of the pixels"]
    header += [f"images with {least} of it"] * (images is not None)
    rows = []
    for name, share in about["share_of_pixels"].items():
        row = [escaped(name), percent(share)]
        if images is not None:
            row.append(f"{images.get(name, 0):,} of {about['num_kept']:,}")
        row += [percent(of[name]) if name in of else "-" for of in others.values()]
        rows.append(row)
    return table([*header, *others], rows)


def class_definition(about: Mapping[str, Any]) -> str:
    """What stands under the table of classes."""
    text = "Parts of the pixels are of all labelled pixels of all images together."
    if about.get("images_with_1_percent") is not None:
        return (
            f"{text} An image counts as one with a class if 1 % of its pixels are of it, or more."
        )
    return f"{text} A class is in an image if it has a pixel there."


def annotated_images(annotation: Mapping[str, Any]) -> str:
    """What was annotated, in a word: drawings of the generator, or tiles of real tissue.

    Args:
        annotation: has `of`, the kind that the images are from; None if nobody knows.
    """
    return _IMAGES.get(annotation.get("of") or "", "images")


def looked_at(about: Mapping[str, Any]) -> str:
    """Heading of what was measured here: on how many of how many pairs, if not on all."""
    count = (about.get("checks") or {}).get("num_synthetic") or about["num_kept"]
    if count >= about["num_kept"]:
        return "here"
    return f"here ({count:,} of {about['num_kept']:,})"


def histogram_text(histogram: Mapping[str, Any] | None) -> str | None:
    """Rows of bars; those above the most uncertain pair are left out. None without a histogram."""
    if histogram is None:
        return None
    edges, drawn, kept = histogram["edges_nats"], histogram["drawn"], histogram["kept"]
    last = max((i for i, count in enumerate(drawn) if count), default=0)
    longest = max(1, *drawn)
    places = _places(edges[1] - edges[0])
    lines = [f"{'nats':^{2 * places + 8}}  {'drawn':>9}  {'kept':>9}"]
    for i in range(last + 1):
        solid = _bar(kept[i], longest)
        shaded = _bar(drawn[i], longest) - solid
        span = f"{edges[i]:.{places}f} to {edges[i + 1]:.{places}f}"
        line = f"{span}  {drawn[i]:>9,}  {kept[i]:>9,}  {'█' * solid}{'░' * shaded}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def percent(share: float) -> str:
    """A part of 1 in per cent with two decimals; only nothing is 0.00 %."""
    return "<0.01 %" if 0 < share < 0.00005 else f"{share * 100:.2f} %"


def number(value: float) -> str:
    """A number with three significant digits, or all digits before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


_IMAGES = {"sample-set": "drawings", "tile-set": "tiles"}


def _other_shares(about: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """By heading, what the shares of the classes are elsewhere."""
    composition, annotation = about.get("composition") or {}, about.get("annotation") or {}
    missed = composition.get("num_missed") or 0
    drawn = about.get("share_of_pixels_drawn")
    before = f"{'found' if composition else 'as drawn'}, before dropping"
    found = {
        before: drawn if about["num_kept"] < about["num_drawn"] - missed else None,
        "drawn without selection": composition.get("natural_share"),
        f"in the annotated {annotated_images(annotation)}": annotation.get("share_of_pixels"),
    }
    return {heading: shares for heading, shares in found.items() if shares is not None}


def _bar(count: int, longest: int) -> int:
    """Characters of a bar: whatever is not nothing has one."""
    return -(-count * BAR_CHARACTERS // longest)


def _places(step: float) -> int:
    """Decimals that tell edges so far apart from one another."""
    places = 1
    while places < 9 and abs(round(step, places) - step) > step * 1e-3:
        places += 1
    return places
