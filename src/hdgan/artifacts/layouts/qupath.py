"""QuPath: a project of OME-TIFF images with their outlines, and the label maps as OME-TIFF."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from hdgan.artifacts.label_polygons import need_rasterio
from hdgan.artifacts.label_pyramid import LabelPicture, write_label_pyramid
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages
from hdgan.artifacts.layouts.qupath_pictures import write_picture
from hdgan.artifacts.layouts.readme import write_about
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.outlines.written_geojson import geojson_of
from hdgan.artifacts.qupath_project import NOWHERE, PROJECT, qupath_files
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import ClassMap
from hdgan.pipeline import Fact

SPACING = "spacing_um"
"""The fact of an image that says how much tissue a pixel covers, um/px."""

READER = "qupath.lib.images.servers.bioformats.BioFormatsServerBuilder"
"""What QuPath reads OME-TIFF with."""

LAYOUT = """
A project for [QuPath](https://qupath.github.io), made after the files that QuPath 0.5 and 0.6
write; it was not opened with QuPath itself.

| folder | holds |
|---|---|
| `images/` | RGB images, OME-TIFF; from 1024 pixels on with smaller levels |
| `annotations/` | GeoJSON for each image, in its pixels: each region of a class, with its holes |
| `labels/` | the class of each pixel, 8-bit OME-TIFF; 255 is unlabelled |
| `classifiers/classes.json` | QuPath's list of the classes |
| `scripts/` | what puts annotations on the images, and what writes them out again |

1. Open `project.qpproj`: drag it onto QuPath's window. It asks where the images are: choose
   "Search...", select the folder `images` of this project, and then "Apply changes".
2. Choose Automate > Project scripts > 1 import annotations, and Run > Run. Open an image
   afterwards. The split of an image, and what else is known of it, is in the project's metadata.

A region is pixels of one class that are connected by their sides. Annotations do not overlap,
unlabelled pixels are in none, and together they are exactly the label map:

```python
import json
from pathlib import Path

import numpy as np
import tifffile
from rasterio.features import rasterize

folder = Path(".")
classes = json.loads((folder / "classes.json").read_text(encoding="utf-8"))["classes"]
number = {tissue["name"]: i for i, tissue in enumerate(classes)}
for path in sorted((folder / "images").glob("*.ome.tif")):
    image = tifffile.imread(path)
    name = path.name.removesuffix(".ome.tif")
    text = (folder / "annotations" / f"{name}.geojson").read_text(encoding="utf-8")
    shapes = [
        (feature["geometry"], number[feature["properties"]["classification"]["name"]])
        for feature in json.loads(text)["features"]
    ]
    labels = np.full(image.shape[:2], 255, dtype=np.uint8)
    if shapes:
        labels = rasterize(shapes, out=labels)
```
"""


@dataclass(frozen=True)
class QuPath:
    """`images/`, `annotations/`, `labels/`, `project.qpproj`, `classes.json`, `README.md`."""

    spacing_um: float | None = None
    """Tissue per pixel of images of which it is not known, um/px; None leaves it open."""

    def write(
        self, dataset: LabelledImages, unfinished: UnfinishedArtifact, written: Callable[[], None]
    ) -> None:
        """Fill the folder.

        Memory holds an image and its outlines; a map in which no two
        neighbours are of one class takes about 700 bytes a pixel for a while. The project itself
        grows by about half a kilobyte an image.

        Raises:
            StorageError: the disk is full or read-only.
            SettingsError: rasterio is not installed.
            LabelError: a pixel is of a class that the class map does not have.
        """
        need_rasterio()

        # One by one: rasterio silences a warning in a way that is not safe among threads.
        for image in dataset.images:
            self._write_image(image, dataset.class_map, unfinished)
            written()
        for name, content in _project_files(dataset).items():
            unfinished.write(name, content)
        write_about(dataset, unfinished, LAYOUT)

    def _write_image(
        self, image: LabelledImage, class_map: ClassMap, unfinished: UnfinishedArtifact
    ) -> None:
        """Write an image, its label map and its outlines, unless they are there."""
        picture = _picture(image.name)
        label_map, outlines = f"labels/{image.name}.ome.tif", f"annotations/{image.name}.geojson"
        if all(unfinished.has(name) for name in (picture, label_map, outlines)):
            return
        pixels, labels = image.read()
        class_map.check(labels, f"The label map of {image.name}")
        um = _spacing(image.facts, self.spacing_um)
        write_picture(unfinished.folder / picture, pixels, image.name, um)
        height, width = labels.shape
        both_um = None if um is None else (um, um)
        about = LabelPicture(image.name, height, width, class_map, both_um)
        write_label_pyramid(unfinished.folder / label_map, [labels], about)
        unfinished.write(outlines, geojson_of(labels, class_map))


def _picture(name: str) -> str:
    return f"images/{name}.ome.tif"


def _spacing(facts: Mapping[str, Fact], otherwise: float | None) -> float | None:
    """What is known of an image's spacing; a fact that is known of some images only is text."""
    try:
        um = float(facts.get(SPACING, ""))
    except ValueError:
        return otherwise
    return um if 0 < um < float("inf") else otherwise


def _project_files(dataset: LabelledImages) -> dict[str, bytes]:
    """The project, its classes and its scripts, as those of a project that is to be annotated."""
    files = dict(qupath_files([], dataset.class_map, NOWHERE))
    classes = json.loads(files["classifiers/classes.json"])
    # Nothing is ambiguous in a dataset.
    classes["pathClasses"] = classes["pathClasses"][: len(dataset.class_map)]
    project = json.loads(files[PROJECT])
    project["images"] = [_entry(i, image) for i, image in enumerate(dataset.images, start=1)]
    project["lastID"] = len(dataset.images)
    scripts = {
        name: content.replace(b"'.png'", b"'.ome.tif'").replace(b"[0..-5]", b"[0..-9]")
        for name, content in files.items()
        if name.startswith("scripts/")
    }
    return scripts | {
        "classifiers/classes.json": json_bytes(classes),
        PROJECT: json_bytes(project),
    }


def _entry(number: int, image: LabelledImage) -> dict[str, Any]:
    """An image as the project lists it; QuPath finds its size, channels and spacing itself."""
    return {
        "serverBuilder": {
            "builderType": "uri",
            "providerClassName": READER,
            "uri": NOWHERE + quote(_picture(image.name)),
            "args": ["--series", "0"],
        },
        "entryID": number,
        "randomizedName": str(uuid5(NAMESPACE_URL, image.name)),
        "imageName": image.name,
        "metadata": {"split": image.split}
        | {name: str(value) for name, value in image.facts.items()},
    }
