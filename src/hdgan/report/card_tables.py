"""Tables and bars of a dataset's card, which read well as Markdown and as plain text."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

BAR_CHARACTERS = 40
"""Length of the longest bar."""

CLASS_DEFINITION = (
    "Parts of the pixels are of all labelled pixels of all images together. A class is in an image "
    "if it has a pixel there."
)
"""What stands under the table of classes."""


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
    images = about.get("images_with_class")
    natural = (about.get("composition") or {}).get("natural_share")
    annotated = (about.get("annotation") or {}).get("share_of_pixels")
    header = ["class", "part of the pixels"]
    header += ["images with it"] * (images is not None)
    header += ["drawn without selection"] * (natural is not None)
    header += ["in the annotated tiles"] * (annotated is not None)
    rows = []
    for name, share in about["share_of_pixels"].items():
        row = [escaped(name), percent(share)]
        if images is not None:
            row.append(f"{images.get(name, 0):,} of {about['num_kept']:,}")
        row += [
            percent(shares[name]) if name in shares else "-"
            for shares in (natural, annotated)
            if shares is not None
        ]
        rows.append(row)
    return table(header, rows)


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


def _bar(count: int, longest: int) -> int:
    """Characters of a bar: whatever is not nothing has one."""
    return -(-count * BAR_CHARACTERS // longest)


def _places(step: float) -> int:
    """Decimals that tell edges so far apart from one another."""
    places = 1
    while places < 9 and abs(round(step, places) - step) > step * 1e-3:
        places += 1
    return places
