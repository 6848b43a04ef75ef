"""Plain folders: an image, a grey label map and a coloured one each, and a table."""

from collections.abc import Callable
from dataclasses import dataclass

from hdgan.artifacts.images import png_of
from hdgan.artifacts.layouts.encoding import PNG, Encoded, Encoding
from hdgan.artifacts.layouts.image_files import write_image_files
from hdgan.artifacts.layouts.image_table import IMAGES, csv_of
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages
from hdgan.artifacts.layouts.readme import write_about
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import painted

UNCERTAINTY = "uncertainty_map"
"""The column with the file; the column `uncertainty` is a pair's score."""

LAYOUT = """
Plain folders. `images.csv` has a row an image: its files, its split, and what else is known of it.
`labels/` holds the class of each pixel, 8-bit grey: the number is the position in `classes.json`.
`colours/` shows the same in colours, to look at only.
{uncertainty}
```python
import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image

folder = "."
classes = json.loads(Path(folder, "classes.json").read_text(encoding="utf-8"))["classes"]
for row in csv.DictReader(Path(folder, "images.csv").read_text(encoding="utf-8").splitlines()):
    image = np.array(Image.open(Path(folder, row["image"])))
    labels = np.array(Image.open(Path(folder, row["labels"])))
    names = [classes[i]["name"] for i in np.unique(labels[labels != 255])]
```
"""
_UNCERTAINTY = """
`uncertainty/` holds how unsure each label is, 8-bit grey: 0 is sure, 255 is {nats:.4f} nats, so one
step is {step:.4f} nats. Most pixels are far below that, and the maps look black unless a viewer
stretches them. They are as the classifier gave them, whatever was made unlabelled.
"""


@dataclass(frozen=True)
class Plain:
    """`images/`, `labels/`, `colours/`, `images.csv`, `classes.json`, `README.md`.

    And `uncertainty/`, if it is known.
    """

    encoding: Encoding = PNG
    """How images are stored."""

    def write(
        self, dataset: LabelledImages, unfinished: UnfinishedArtifact, written: Callable[[], None]
    ) -> None:
        """Fill the folder.

        Raises:
            StorageError: the disk is full or read-only.
        """

        def names(image: LabelledImage) -> list[str]:
            return list(self._files(image).values())

        def beside(encoded: Encoded) -> list[bytes]:
            colours = png_of(painted(encoded.labels, dataset.class_map))
            unsure = encoded.image.uncertainty
            return [colours] if unsure is None else [colours, png_of(unsure())]

        write_image_files(dataset, unfinished, self.encoding, names, written, beside)
        table = csv_of(dataset.images, lambda image: {**self._files(image), "split": image.split})
        unfinished.write(IMAGES, table)
        write_about(dataset, unfinished, LAYOUT.replace("{uncertainty}", _about_maps(dataset)))

    def _files(self, image: LabelledImage) -> dict[str, str]:
        files = {
            "image": f"images/{image.name}.{self.encoding.ending}",
            "labels": f"labels/{image.name}.png",
            "colours": f"colours/{image.name}.png",
        }
        if image.uncertainty is not None:
            files[UNCERTAINTY] = f"uncertainty/{image.name}.png"
        return files


def _about_maps(dataset: LabelledImages) -> str:
    """What the README says of uncertainty maps, if there are any."""
    nats = dataset.largest_uncertainty_nats
    return "" if nats is None else _UNCERTAINTY.format(nats=nats, step=nats / 255)
