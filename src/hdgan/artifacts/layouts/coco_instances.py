"""A label map as COCO's annotations: an instance for each region of a class."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from hdgan.artifacts.coco import FIRST_CATEGORY, CocoImage, coco_bytes
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap

Annotation = dict[str, Any]
"""What COCO says of an instance, but for its id and that of its image."""


@dataclass(frozen=True)
class Instances:
    """What is said of one image."""

    annotations: list[Annotation]
    """By class, and from the top within a class; crowds come last."""

    num_left_out: int = 0
    """Regions that are too small ..."""

    left_out_px: int = 0
    """... and their pixels."""


@dataclass(frozen=True)
class InstanceRule:
    """Which pixels become instances."""

    class_map: ClassMap
    """The classes."""

    background: tuple[int, ...] = ()
    """Classes without instances."""

    min_area_px: int = 0
    """Regions with fewer pixels are left out."""

    unlabelled_as_crowd: bool = False
    """Whether unlabelled pixels are a crowd of each class."""

    def instances(self, labels: LabelMap, name: str) -> Instances:
        """The instances of a label map: pixels of one class that are connected by their sides.

        Memory grows with their number: a map in which no two neighbours are of one class takes
        about a kilobyte a pixel for a while.

        Args:
            labels: numbers of the class map, or unlabelled.
            name: what errors call it.

        Raises:
            LabelError: a pixel is of a class that the class map does not have.
        """
        self.class_map.check(labels, name)
        shown = np.where(np.isin(labels, self.background), np.uint8(UNLABELLED), labels)
        shown, num_left_out, left_out_px = without_small(shown, self.min_area_px)
        document = json.loads(coco_bytes([CocoImage(name, shown)], self.class_map))
        annotations = [_without_ids(one) for one in document["annotations"]]
        if self.unlabelled_as_crowd:
            annotations += self._crowds(labels)
        return Instances(annotations, num_left_out, left_out_px)

    def categories(self) -> list[dict[str, Any]]:
        """The classes that have instances. Ids are class numbers + 1, so there may be gaps."""
        return [
            {
                "id": index + FIRST_CATEGORY,
                "name": tissue.name,
                "supercategory": "tissue",
                "color": list(tissue.rgb),
                "class_index": index,
            }
            for index, tissue in enumerate(self.class_map.classes)
            if index not in self.background
        ]

    def _crowds(self, labels: LabelMap) -> list[Annotation]:
        """For each class, all unlabelled pixels: who finds it there is neither right nor wrong."""
        from pycocotools import mask

        nobody = labels == UNLABELLED
        if not nobody.any():
            return []
        encoded = mask.encode(np.asfortranarray(nobody, dtype=np.uint8))
        segmentation = {"size": list(labels.shape), "counts": encoded["counts"].decode()}
        return [
            {
                "category_id": category["id"],
                "segmentation": segmentation,
                "area": int(nobody.sum()),
                "bbox": [int(number) for number in mask.toBbox(encoded)],
                "iscrowd": 1,
            }
            for category in self.categories()
        ]


def without_small(labels: LabelMap, min_area_px: int) -> tuple[LabelMap, int, int]:
    """The same with small regions unlabelled, how many there were, and how many pixels.

    Args:
        labels: is left as it is.
        min_area_px: regions with fewer pixels are small.
    """
    if min_area_px <= 1:
        return labels, 0, 0
    kept, count, pixels = labels.copy(), 0, 0
    for value in np.unique(labels).tolist():
        if value != UNLABELLED:
            regions, _ = ndimage.label(labels == value)
            areas = np.bincount(regions.ravel())
            is_small = areas < min_area_px
            is_small[0] = False
            kept[is_small[regions]] = UNLABELLED
            count += int(is_small.sum())
            pixels += int(areas[is_small].sum())
    return kept, count, pixels


def _without_ids(annotation: Annotation) -> Annotation:
    return {key: value for key, value in annotation.items() if key not in ("id", "image_id")}
