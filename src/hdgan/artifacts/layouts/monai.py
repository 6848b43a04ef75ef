"""Lists of images and label maps as MONAI reads them: a decathlon datalist."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hdgan.artifacts.annotation_set import Split
from hdgan.artifacts.layouts.encoding import PNG, Encoding
from hdgan.artifacts.layouts.image_files import write_image_files
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages
from hdgan.artifacts.layouts.readme import NOT_STATED, write_about
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact

LISTS: dict[Split, str] = {
    "training": "dataset_train.json",
    "validation": "dataset_val.json",
    "test": "dataset_test.json",
}
"""Files with the list of one split alone."""

LAYOUT = """
`images/`, `labels/` (class of each pixel, 8-bit grey; the number is the position in `classes.json`,
255 is unlabelled) and `dataset.json`, a decathlon datalist with the lists `training`, `validation`
and `test`. `dataset_train.json`, `dataset_val.json` and `dataset_test.json` have one list each.

```python
from pathlib import Path

from monai.data import Dataset, load_decathlon_datalist
from monai.transforms import LoadImaged

folder = "."
items = load_decathlon_datalist(Path(folder, "dataset.json"), data_list_key="training")
load = LoadImaged(
    ["image", "label"], reader="PILReader", reverse_indexing=False, ensure_channel_first=True
)
for pair in Dataset(items, load):
    image, labels = pair["image"], pair["label"]
```

Without `reverse_indexing=False`, MONAI gives images as width x height. Few of its losses leave a
label out: mask pixels of 255, or export without `--unsure-above`.
"""


@dataclass(frozen=True)
class Monai:
    """`images/`, `labels/`, `dataset.json` and a file for each split, `classes.json`."""

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

        write_image_files(dataset, unfinished, self.encoding, names, written)
        about = _about(dataset)
        lists: dict[str, Any] = {split: self._list(dataset.of(split)) for split in LISTS}
        unfinished.write("dataset.json", json_bytes(about | lists))
        for split, name in LISTS.items():
            if lists[split]:
                unfinished.write(name, json_bytes(about | {split: lists[split]}))
        write_about(dataset, unfinished, LAYOUT)

    def _files(self, image: LabelledImage) -> dict[str, str]:
        return {
            "image": f"images/{image.name}.{self.encoding.ending}",
            "label": f"labels/{image.name}.png",
        }

    def _list(self, images: list[LabelledImage]) -> list[dict[str, Any]]:
        return [{**self._files(image), **image.facts} for image in images]


def _about(dataset: LabelledImages) -> dict[str, Any]:
    """What a decathlon datalist says before its lists."""
    return {
        "name": dataset.title,
        "licence": dataset.licence or NOT_STATED,
        "tensorImageSize": "2D",
        "modality": {"0": "R", "1": "G", "2": "B"},
        "labels": {str(i): name for i, name in enumerate(dataset.class_map.names)},
        "numTraining": len(dataset.of("training")),
        "numTest": len(dataset.of("test")),
    }
