"""Label maps of many images in one COCO file."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer
from scipy import ndimage

from hdgan.artifacts.coco_file import CocoFile
from hdgan.artifacts.coco_runs import Counts
from hdgan.artifacts.optional_packages import need
from hdgan.artifacts.outlines.documents import json_document
from hdgan.artifacts.outlines.written_geojson import check_written, tissues_of
from hdgan.class_map import UNLABELLED, ClassMap, LabelMap

FIRST_CATEGORY = 1
"""Id of the category of class 0: many readers take 0 for the background."""


@dataclass(frozen=True)
class CocoImage:
    """An image of which a label map is written."""

    file_name: str
    """As the dataset calls it, such as `s000001.png`."""

    labels: LabelMap
    """Its label map."""


def coco_bytes(images: Iterable[CocoImage], class_map: ClassMap) -> bytes:
    """The JSON of a COCO dataset of instances.

    Each region of a class whose pixels are connected by their sides is an instance. Its
    segmentation is a compressed run-length encoding, which keeps every pixel, and `iscrowd` is 0:
    readers leave out what is marked with 1, and tell by the segmentation itself how it is encoded.
    COCO's own files of stuff are like that. Category ids are class numbers + 1; ambiguous pixels
    are of category 255, which is listed if there are any. Memory is that of the text, and of a few
    label maps.

    Args:
        images: one at a time.
        class_map: their classes.

    Raises:
        LabelError: a pixel is of a class that the class map does not have.
        SettingsError: pycocotools is not installed.
    """
    need("pycocotools", "annotate", "Files of COCO")
    described: list[dict[str, object]] = []
    annotations: list[str] = []
    values: set[int] = set()
    for image_id, image in enumerate(images, start=1):
        height, width = image.labels.shape
        about = {"id": image_id, "file_name": image.file_name}
        described.append(about | {"width": width, "height": height})
        check_written(image.labels, class_map, image.file_name)
        for value, instance in _instances(image.labels):
            values.add(value)
            about = {"id": len(annotations) + 1, "image_id": image_id}
            annotations.append(json.dumps(about | instance, separators=(",", ":")))
    head = {
        "info": {"description": "Label maps of hdgan", "version": "1.0"},
        "licenses": [],
        "images": described,
        "categories": _categories(class_map, values),
    }
    text = json.dumps(head, ensure_ascii=False)[:-1] + ', "annotations": [\n'
    return (text + ",\n".join(annotations) + "\n]}\n").encode()


def label_maps_in_coco(
    data: bytes, name: str, class_of: Mapping[str, int]
) -> Iterator[tuple[str, LabelMap]]:
    """Stem of the file name and label map of each image of a COCO file, one at a time.

    Args:
        data: content of the file.
        name: what errors call it.
        class_of: value by name of category.

    Raises:
        LabelError: it is damaged, or a category has no value.
    """
    coco = CocoFile.of(json_document(data, name), name)
    for stem in coco.stems:
        yield stem, coco.label_map(stem, class_of)


def _categories(class_map: ClassMap, values: set[int]) -> list[dict[str, object]]:
    """The classes, and the ambiguous mark if it is there."""
    return [
        {
            "id": value + FIRST_CATEGORY,
            "name": tissue.name,
            "supercategory": "tissue",
            "color": list(tissue.rgb),
        }
        for value, tissue in sorted(tissues_of(class_map).items())
        if value < len(class_map) or value in values
    ]


def _instances(labels: LabelMap) -> Iterator[tuple[int, dict[str, object]]]:
    """Class and annotation of each connected region."""
    for value in np.unique(labels).tolist():
        if value != UNLABELLED:
            regions, _ = ndimage.label(labels == value)
            boxes = ndimage.find_objects(regions)
            for (rows, columns), counts in zip(boxes, _runs(regions), strict=True):
                yield (
                    value,
                    {
                        "category_id": value + FIRST_CATEGORY,
                        "segmentation": _segmentation(counts, labels.shape),
                        "area": int(counts[1::2].sum()),
                        "bbox": [
                            columns.start,
                            rows.start,
                            columns.stop - columns.start,
                            rows.stop - rows.start,
                        ],
                        "iscrowd": 0,
                    },
                )


def _segmentation(counts: Counts, shape: tuple[int, ...]) -> dict[str, object]:
    from pycocotools.mask import frPyObjects

    height, width = shape
    size = [height, width]
    encoded = frPyObjects({"counts": counts.tolist(), "size": size}, height, width)
    return {"size": size, "counts": encoded["counts"].decode()}


def _runs(regions: Integer[np.ndarray, "height width"]) -> Iterator[Counts]:
    """The counts of each region, from the first on."""
    flat = regions.T.reshape(-1)
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    ends = np.concatenate([starts[1:], [len(flat)]])
    order = np.argsort(flat[starts], kind="stable")
    of_region = flat[starts][order]
    begins = np.searchsorted(of_region, np.arange(1, int(flat.max()) + 2))
    for begin, end in itertools.pairwise(begins.tolist()):
        runs = order[begin:end]
        turns = np.stack([starts[runs], ends[runs]], axis=1).ravel()
        yield np.diff(np.concatenate([[0], turns, [len(flat)]]))
