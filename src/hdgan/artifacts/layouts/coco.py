"""COCO: images by split, and a file of instances for each split."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from hdgan.artifacts.annotation_set import SPLITS, Split
from hdgan.artifacts.images import png_of
from hdgan.artifacts.layouts.coco_instances import InstanceRule
from hdgan.artifacts.layouts.coco_notes import CocoHead, FirstIds, Note, Notes, write_coco
from hdgan.artifacts.layouts.encoding import Encoding
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages
from hdgan.artifacts.layouts.readme import write_about
from hdgan.artifacts.optional_packages import need
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.errors import SettingsError

LAYOUT = """
COCO. `annotations/instances_SPLIT.json` says what is on the images of `images/SPLIT`, for each
split that has any: `training`, `validation`, `test`.

- An instance is a region of one class whose pixels are connected by their sides.
- Segmentations are compressed run-length encodings and keep every pixel. They are no crowds
  (`iscrowd` is 0): pycocotools tells by the segmentation itself how it is encoded. Readers that
  want polygons need to be told; for Detectron2, `cfg.INPUT.MASK_FORMAT = "bitmask"`.
- A category's `id` is its class number + 1, because many readers take 0 for the background. The
  number itself is its `class_index`, the position in `classes.json`.
- `facts` of an image are what else is known of it.

{exceptions}

```python
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO

folder = "."
coco = COCO(Path(folder, "annotations", "instances_training.json"))
for image in coco.loadImgs(coco.getImgIds()):
    path = Path(folder, "images", "training", image["file_name"])
    labels = np.full((image["height"], image["width"]), 255, dtype=np.uint8)
    for instance in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]], iscrowd=False)):
        category = coco.cats[instance["category_id"]]
        labels[coco.annToMask(instance).astype(bool)] = category["class_index"]
```

Readers hold the whole file in memory, about a kilobyte for a small instance.
"""


@dataclass(frozen=True)
class Coco:
    """`images/SPLIT/`, `annotations/instances_SPLIT.json`, `classes.json`, `README.md`."""

    background: tuple[int, ...] = ()
    """Numbers of classes that are no category and have no instances. By default there are none:
    empty glass is a class like any other, and every labelled pixel is in one instance."""

    min_area_px: int = 0
    """Regions with fewer pixels are no instances; their number stands in the file's `info` and with
    each image. By default all are, so that nothing is lost; label maps with speckle may then have
    very many."""

    unlabelled_as_crowd: bool = False
    """Whether unlabelled pixels are a crowd (`iscrowd` is 1) of each category. COCO's evaluation
    then does not count what is found there, and most trainers leave crowds out. By default they
    are in no annotation, as whoever paints all annotations expects."""

    threads: int = 1
    """Images that are encoded at once; so many and one more are in memory."""

    def write(
        self, dataset: LabelledImages, unfinished: UnfinishedArtifact, written: Callable[[], None]
    ) -> None:
        """Fill the folder.

        Ids of images and annotations begin at 1 and go on from split to split. Memory holds the
        images that are encoded and their annotations. A run that goes on reads the images of which
        no note was left.

        Raises:
            StorageError: the disk is full or read-only.
            SettingsError: pycocotools is not installed, or `background` leaves no class.
            LabelError: a pixel is of a class that the class map does not have.
        """
        need("pycocotools", "export", "Datasets of COCO")
        _check_background(self.background, dataset)
        rule = InstanceRule(
            dataset.class_map, self.background, self.min_area_px, self.unlabelled_as_crowd
        )
        first = FirstIds()
        for split in SPLITS:
            images = dataset.of(split)
            if images:
                notes = self._write_images(images, rule, unfinished, written)
                head = CocoHead(self._info(dataset, split), dataset.licence, rule.categories())
                path = unfinished.folder / "annotations" / f"instances_{split}.json"
                first = write_coco(path, notes, head, first)
        layout = LAYOUT.replace("{exceptions}", self._exceptions(dataset))
        write_about(dataset, unfinished, layout)

    def _write_images(
        self,
        images: list[LabelledImage],
        rule: InstanceRule,
        unfinished: UnfinishedArtifact,
        written: Callable[[], None],
    ) -> Notes:
        """Write the images of a split, and notes on them."""
        there = [_file_name(one) for one in takewhile(lambda x: unfinished.has(_path(x)), images)]
        # In a folder of its own, which goes if another command takes over what was begun.
        notes = Notes(unfinished.scratch / "coco" / f"{images[0].split}.jsonl", there)
        for _ in range(notes.count):
            written()

        def write_one(image: LabelledImage) -> Note:
            pixels, labels = image.read()
            found = rule.instances(labels, f"The label map of {image.name}")
            if not unfinished.has(_path(image)):
                unfinished.write(_path(image), png_of(pixels))
            height, width = labels.shape
            about = {"file_name": _file_name(image), "width": width, "height": height}
            return {
                "image": about | {"facts": dict(image.facts)},
                "annotations": found.annotations,
                "num_left_out": found.num_left_out,
                "left_out_px": found.left_out_px,
            }

        for note in Encoding(threads=self.threads).done(write_one, images[notes.count :]):
            notes.add(note)
            written()
        return notes

    def _info(self, dataset: LabelledImages, split: Split) -> dict[str, Any]:
        """What a file says of itself."""
        return {
            "description": dataset.title,
            "version": "1.0",
            "split": split,
            "background": [dataset.class_map.names[i] for i in sorted(set(self.background))],
            "min_area_px": self.min_area_px,
        }

    def _exceptions(self, dataset: LabelledImages) -> str:
        """Which pixels are in no instance."""
        sentences = ["Unlabelled pixels (255) are in no instance."]
        if self.background:
            names = ", ".join(dataset.class_map.names[i] for i in sorted(set(self.background)))
            sentences.append(f"Neither are those of the background: {names}.")
        if self.unlabelled_as_crowd:
            sentences.append("Unlabelled ones are a crowd (`iscrowd` is 1) of each category.")
        if self.min_area_px > 1:
            sentences.append(
                f"Regions of fewer than {self.min_area_px} pixels were left out; how many is said "
                "in `info`, as `num_left_out` and `left_out_px`, and with each image."
            )
        return " ".join(sentences)


def _check_background(background: tuple[int, ...], dataset: LabelledImages) -> None:
    last = len(dataset.class_map) - 1
    strange = [index for index in background if not 0 <= index <= last]
    if strange:
        raise SettingsError(
            f"The background cannot be class {strange[0]}: the class map has the classes 0 to "
            f"{last}. Give one of these."
        )
    if len(set(background)) > last:
        raise SettingsError(
            "Every class is background, so there would be no instance. Take one out."
        )


def _file_name(image: LabelledImage) -> str:
    return f"{image.name}.png"


def _path(image: LabelledImage) -> str:
    return f"images/{image.split}/{_file_name(image)}"
