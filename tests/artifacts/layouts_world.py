"""Small labelled images, written in a layout, and read as the layout's own README says."""

import re
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import SPLITS
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages, Layout
from hdgan.artifacts.order import Order
from hdgan.artifacts.unfinished import made_once
from hdgan.class_map import KIDNEY, UNLABELLED, LabelMap
from hdgan.pipeline import Fact

SIDE, WIDE = 12, 17
"""Not square, so that a reader that swaps the axes is found out."""

CARD = """---
license: mit
---
# Drawn

See [the map](pictures/map.png).

## How

By rule.

```sh
# not a heading
```
"""


def pixels_of(i: int) -> UInt8[np.ndarray, "height width 3"]:
    """Smooth colours, so that JPEG comes near to them."""
    rows, columns = np.mgrid[0:SIDE, 0:WIDE]
    channels = [rows * 9 + 10 * i, columns * 7 + 5 * i, (rows + columns) * 4 + i]
    return np.stack(channels, axis=-1).astype(np.uint8)


def labels_of(i: int, *, unlabelled: bool = True) -> LabelMap:
    """Classes 0 to 4; in each image with an odd number a corner is unlabelled."""
    labels = np.random.default_rng(i).integers(0, 5, size=(SIDE, WIDE)).astype(np.uint8)
    if unlabelled and i % 2:
        labels[:3, :5] = UNLABELLED
    return labels


@dataclass
class Reading:
    """Gives an image, counts, and is interrupted at one of the images if that is wished."""

    i: int
    unlabelled: bool
    reads: list[int] = field(default_factory=list)
    stops_at: int | None = None

    def __call__(self) -> tuple[UInt8[np.ndarray, "height width 3"], LabelMap]:
        if self.i == self.stops_at:
            raise KeyboardInterrupt
        self.reads.append(self.i)
        return pixels_of(self.i), labels_of(self.i, unlabelled=self.unlabelled)


def labelled(
    count: int,
    *,
    splits: Sequence[str] = ("training", "training", "validation", "test"),
    unlabelled: bool = True,
    reads: list[int] | None = None,
    stops_at: int | None = None,
) -> LabelledImages:
    """So many images; what is read of them is noted in `reads`."""
    noted = [] if reads is None else reads
    return LabelledImages(
        class_map=KIDNEY,
        images=[
            LabelledImage(
                name=f"p{i:03d}",
                split=next(split for split in SPLITS if split == splits[i % len(splits)]),
                read=Reading(i, unlabelled, noted, stops_at),
                facts=facts_of(i),
            )
            for i in range(count)
        ],
        title="Drawn kidney: no. 1",
        card=CARD,
        licence="CC BY 4.0",
    )


def facts_of(i: int) -> dict[str, Fact]:
    """One fact of each type."""
    return {"seed": 1000 + i, "uncertainty": i / 8, "stain": "PAS, blue"}


def with_facts(dataset: LabelledImages, facts: dict[str, Fact]) -> LabelledImages:
    """The same images with other facts."""
    return replace(dataset, images=[replace(image, facts=facts) for image in dataset.images])


def written_in(folder: Path, layout: Layout, dataset: LabelledImages) -> list[None]:
    """Fill a folder; one item for each image that was reported."""
    told: list[None] = []
    made_once(
        folder,
        Order("dataset", {}, {}),
        lambda unfinished: layout.write(dataset, unfinished, lambda: told.append(None)),
    )
    return told


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def python_blocks(document: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", document.read_text(), flags=re.DOTALL)


def read_as_told(folder: Path, loop: str, collect: str) -> list[Any]:
    """What the code in a dataset's README.md reads.

    Args:
        folder: the dataset; the code runs in it.
        loop: a line of the code, the last loop's.
        collect: an expression, evaluated at the end of each turn of that loop.
    """
    (code,) = python_blocks(folder / "README.md")
    assert loop in code
    found: list[Any] = []
    body = "".join(f"    {line}\n" for line in [f"found.append({collect})"])
    with chdir(folder):
        exec(compile(code + body, "README.md", "exec"), {"found": found})
    return found
