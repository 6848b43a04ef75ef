"""The README.md of a dataset: what its layout is, and what the card of its source says."""

import re
from collections.abc import Sequence

from hdgan.artifacts.annotation_set import CLASSES, SPLITS, class_map_bytes
from hdgan.artifacts.layouts.class_totals import MUCH, percent
from hdgan.artifacts.layouts.labelled_images import LabelledImages
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import UNLABELLED

README = "README.md"
NOT_STATED = "not stated"
_UNLABELLED = "Unlabelled: "

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", flags=re.DOTALL)


def write_about(
    dataset: LabelledImages,
    unfinished: UnfinishedArtifact,
    layout: str,
    *,
    front: str = "",
    unlabelled: int | None = UNLABELLED,
) -> None:
    """Write `README.md` and `classes.json`.

    Args:
        dataset: what they are about.
        unfinished: the folder.
        layout: what lies where and how it is read, Markdown without headings.
        front: what comes before all else, such as metadata of a hub.
        unlabelled: value of unlabelled pixels in the dataset's files; None if there are none.
    """
    unfinished.write(CLASSES, class_map_bytes(dataset.class_map))
    unfinished.write(README, (front + readme_of(dataset, layout, unlabelled)).encode())


def readme_of(dataset: LabelledImages, layout: str, unlabelled: int | None = UNLABELLED) -> str:
    """Markdown: layout, splits, classes, licence, and the source's own card."""
    splits = [(split, sum(image.split == split for image in dataset.images)) for split in SPLITS]
    return "\n".join(
        [
            f"# {dataset.title}\n",
            f"{layout.strip()}\n",
            "| split | images |",
            "|---|---|",
            *(f"| {split} | {count} |" for split, count in splits),
            "",
            *_classes(dataset, unlabelled),
            "",
            f"Licence: {dataset.licence or NOT_STATED}\n",
            "## Where it comes from\n",
            lowered(dataset.card, 2).strip(),
            "",
        ]
    )


def said_of_unlabelled(readme: str) -> str | None:
    """How many pixels a dataset's `README.md` says are unlabelled, if it does."""
    found = re.search(rf"^{_UNLABELLED}(.+)\.$", readme, flags=re.MULTILINE)
    return found[1] if found else None


def _classes(dataset: LabelledImages, unlabelled: int | None) -> list[str]:
    """A table of the classes, with how much there is of each if that was counted."""
    totals = dataset.totals() if dataset.totals else None
    rows = [
        (str(i), _cell(tissue.name), f"`{tissue.colour}`")
        for i, tissue in enumerate(dataset.class_map.classes)
    ]
    last = [] if unlabelled is None else [(str(unlabelled), "unlabelled", "")]
    if totals is None:
        return _table(("value", "class", "colour"), [*rows, *last])
    counts = [(percent(totals.part(i)), f"{int(totals.num_images[i]):,}") for i in range(len(rows))]
    much = f"images with at least {MUCH:.0%} of it".replace("%", " %")
    return [
        *_table(
            ("value", "class", "colour", "of the labelled pixels", much),
            [
                *(row + count for row, count in zip(rows, counts, strict=True)),
                *((*row, "", f"{int(totals.num_images[UNLABELLED]):,}") for row in last),
            ],
        ),
        "",
        f"{_UNLABELLED}{totals.unlabelled()}.",
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["|" + "".join(f" {cell} |" if cell else " |" for cell in row) for row in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:]]


def lowered(card: str, levels: int) -> str:
    """Markdown without metadata in front, its headings so many levels deeper."""
    lines: list[str] = []
    is_code = False
    for line in _FRONT_MATTER.sub("", card).splitlines():
        is_code ^= line.lstrip().startswith("```")
        is_heading = not is_code and re.match(r"#{1,6} ", line)
        lines.append(f"{'#' * levels}{line}" if is_heading else line)
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
