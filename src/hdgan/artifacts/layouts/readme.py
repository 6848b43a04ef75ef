"""The README.md of a dataset: what its layout is, and what the card of its source says."""

import re

from hdgan.artifacts.annotation_set import CLASSES, SPLITS, class_map_bytes
from hdgan.artifacts.layouts.labelled_images import LabelledImages
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import UNLABELLED

README = "README.md"
NOT_STATED = "not stated"

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", flags=re.DOTALL)


def write_about(
    dataset: LabelledImages,
    unfinished: UnfinishedArtifact,
    layout: str,
    *,
    front: str = "",
    unlabelled: int = UNLABELLED,
) -> None:
    """Write `README.md` and `classes.json`.

    Args:
        dataset: what they are about.
        unfinished: the folder.
        layout: what lies where and how it is read, Markdown without headings.
        front: what comes before all else, such as metadata of a hub.
        unlabelled: value of unlabelled pixels in the dataset's files.
    """
    unfinished.write(CLASSES, class_map_bytes(dataset.class_map))
    unfinished.write(README, (front + readme_of(dataset, layout, unlabelled)).encode())


def readme_of(dataset: LabelledImages, layout: str, unlabelled: int = UNLABELLED) -> str:
    """Markdown: layout, splits, classes, licence, and the source's own card."""
    splits = [(split, sum(image.split == split for image in dataset.images)) for split in SPLITS]
    classes = enumerate(dataset.class_map.classes)
    return "\n".join(
        [
            f"# {dataset.title}\n",
            f"{layout.strip()}\n",
            "| split | images |",
            "|---|---|",
            *(f"| {split} | {count} |" for split, count in splits),
            "",
            "| value | class | colour |",
            "|---|---|---|",
            *(f"| {i} | {_cell(tissue.name)} | `{tissue.colour}` |" for i, tissue in classes),
            f"| {unlabelled} | unlabelled | |",
            "",
            f"Licence: {dataset.licence or NOT_STATED}\n",
            "## Where it comes from\n",
            lowered(dataset.card, 2).strip(),
            "",
        ]
    )


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
