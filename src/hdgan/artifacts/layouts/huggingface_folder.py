"""Folders of images with a table, as `imagefolder` of the library `datasets` reads them."""

from collections.abc import Callable
from dataclasses import dataclass

from hdgan.artifacts.layouts.encoding import PNG, Encoding
from hdgan.artifacts.layouts.hub_card import front_matter
from hdgan.artifacts.layouts.image_files import write_image_files
from hdgan.artifacts.layouts.image_table import json_lines_of
from hdgan.artifacts.layouts.labelled_images import (
    SHORT_SPLITS,
    LabelledImage,
    LabelledImages,
)
from hdgan.artifacts.layouts.readme import write_about
from hdgan.artifacts.unfinished import UnfinishedArtifact

LAYOUT = """
One folder a split with `images/`, `labels/` and `metadata.jsonl`, as the library `datasets` and the
Hugging Face hub read them: `image` is RGB, `labels` the class of each pixel (8-bit grey; the number
is the position in `classes.json`, 255 is unlabelled).

```python
from pathlib import Path

import numpy as np
from datasets import load_dataset

folder = "."
pairs = load_dataset(str(Path(folder).resolve()))
for pair in pairs["train"]:
    image, labels = np.array(pair["image"]), np.array(pair["labels"])
```
"""


@dataclass(frozen=True)
class HuggingFaceFolder:
    """`train/images/`, `train/labels/`, `train/metadata.jsonl` and so on, `README.md`."""

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
            top = SHORT_SPLITS[image.split]
            return [f"{top}/{name}" for name in self._files(image).values()]

        write_image_files(dataset, unfinished, self.encoding, names, written)
        for split, short in SHORT_SPLITS.items():
            images = dataset.of(split)
            if images:
                table = json_lines_of(images, self._files)
                unfinished.write(f"{short}/metadata.jsonl", table)
        front = front_matter(dataset, "{split}/**")
        write_about(dataset, unfinished, LAYOUT, front=front)

    def _files(self, image: LabelledImage) -> dict[str, str]:
        """Columns with the files below the split's folder; `file_name` must be the first."""
        return {
            "file_name": f"images/{image.name}.{self.encoding.ending}",
            "labels_file_name": f"labels/{image.name}.png",
        }
