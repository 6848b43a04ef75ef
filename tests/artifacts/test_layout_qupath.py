"""The QuPath layout: OME-TIFF read with tifffile, outlines drawn with rasterio."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from jaxtyping import UInt8
from rasterio.features import rasterize
from scipy import ndimage

from hdgan.artifacts import optional_packages
from hdgan.artifacts.annotation_set import Split
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages, Layout, Read
from hdgan.artifacts.layouts.qupath import LAYOUT, QuPath
from hdgan.artifacts.layouts.qupath_pictures import halved
from hdgan.artifacts.order import Order
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.errors import LabelError, SettingsError
from hdgan.pipeline import Fact
from tests.peak_memory import megabytes

Labels = UInt8[np.ndarray, "height width"]
Pixels = UInt8[np.ndarray, "height width 3"]

SPLITS: tuple[Split, ...] = ("training", "validation", "training")
OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"

WRITING = """
import sys
import numpy as np
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages
from hdgan.artifacts.layouts.qupath import QuPath
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact
from hdgan.class_map import KIDNEY
def read():
    cells = np.arange(32 * 32).reshape(32, 32) % 5
    labels = cells.repeat(32, 0).repeat(32, 1).astype(np.uint8)
    return np.full((1024, 1024, 3), 200, np.uint8), labels
images = [LabelledImage(f"x{i}", "training", read) for i in range(int(sys.argv[2]))]
unfinished = UnfinishedArtifact(Path(sys.argv[1]), Order("dataset", {}, {}))
QuPath().write(LabelledImages(KIDNEY, images, "", ""), unfinished, lambda: None)
print(peak_kb())
"""


def blobs(seed: int, height: int = 40, width: int = 30) -> tuple[Pixels, Labels]:
    """Noise, and regions of the five classes, some unlabelled."""
    random = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(random.random((6, height, width)), (0, 2, 2)).argmax(axis=0)
    labels = np.where(smooth == 5, UNLABELLED, smooth).astype(np.uint8)
    return random.integers(0, 256, (height, width, 3), dtype=np.uint8), labels


def reading(seed: int) -> Read:
    return lambda: blobs(seed, 40 + seed, 30)


def giving(pixels: Pixels, labels: Labels) -> Read:
    return lambda: (pixels, labels)


def dataset(read: Callable[[int], Read] = reading) -> LabelledImages:
    images = [
        LabelledImage(f"p{i:03d}", split, read(i), {"seed": 100 + i, "stain": "PAS"})
        for i, split in enumerate(SPLITS)
    ]
    return LabelledImages(KIDNEY, images, "Synthetic kidney", "# Card\n\nMade.", "CC-BY-4.0")


def of_one(read: Read, facts: dict[str, Fact] | None = None, name: str = "x") -> LabelledImages:
    return replace(dataset(), images=[LabelledImage(name, "training", read, facts or {})])


def written(
    folder: Path, images: LabelledImages | None = None, layout: Layout | None = None
) -> tuple[Path, int]:
    """Write a dataset; where it is, and how many images were said to be written."""
    count: list[None] = []
    unfinished = UnfinishedArtifact(folder, Order("dataset", {}, {}))
    (layout or QuPath()).write(images or dataset(), unfinished, lambda: count.append(None))
    return folder, len(count)


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def features_of(folder: Path, name: str) -> list[dict[str, Any]]:
    text = (folder / "annotations" / f"{name}.geojson").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    assert document["type"] == "FeatureCollection"
    features: list[dict[str, Any]] = document["features"]
    return features


def document_of(path: Path) -> ElementTree.Element:
    """The OME-XML of a file."""
    with tifffile.TiffFile(path) as file:
        return ElementTree.fromstring(file.ome_metadata or "")


def pixels_of(path: Path) -> dict[str, str]:
    """What the OME-XML says of the pixels."""
    found = document_of(path).find(f"{OME}Image/{OME}Pixels")
    assert found is not None
    return found.attrib


def project_of(folder: Path) -> dict[str, Any]:
    project: dict[str, Any] = json.loads((folder / "project.qpproj").read_text(encoding="utf-8"))
    return project


def test_images_and_label_maps_are_stored_exactly(tmp_path: Path) -> None:
    folder, count = written(tmp_path)

    assert count == len(SPLITS)
    for i in range(len(SPLITS)):
        pixels, labels = blobs(i, 40 + i, 30)
        assert np.array_equal(tifffile.imread(folder / "images" / f"p{i:03d}.ome.tif"), pixels)
        assert np.array_equal(tifffile.imread(folder / "labels" / f"p{i:03d}.ome.tif"), labels)


@pytest.mark.parametrize("size", [(16, 16), (1023, 700), (1024, 600), (1100, 2501)])
def test_images_from_1024_pixels_on_have_smaller_levels(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    labels = np.zeros(size, dtype=np.uint8)

    folder, _ = written(tmp_path, of_one(giving(pixels, labels)))

    with tifffile.TiffFile(folder / "images" / "x.ome.tif") as file:
        assert file.is_ome
        levels = [level.asarray() for level in file.series[0].levels]
        pages = [level.keyframe for level in file.series[0].levels]
        assert file.series[0].axes == "YXS"
    assert np.array_equal(levels[0], pixels)
    assert len(levels) == {16: 1, 700: 1, 600: 2, 2501: 4}[size[1]]
    for above, level in pairwise(levels):
        assert np.array_equal(level, halved(above))
    assert {page.tile for page in pages} == {(512, 512)}
    assert {page.photometric for page in pages} == {tifffile.PHOTOMETRIC.RGB}
    assert {page.compression for page in pages} == {tifffile.COMPRESSION.ADOBE_DEFLATE}


def test_a_halved_image_has_the_mean_of_every_four_pixels() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (10, 14, 3), dtype=np.uint8)

    half = halved(pixels)

    means = pixels.astype(float).reshape(5, 2, 7, 2, 3).mean(axis=(1, 3))
    assert np.array_equal(half, np.floor(means + 0.5))


def test_a_last_odd_row_or_column_counts_twice() -> None:
    pixels = np.array([[[0], [100], [7]]], dtype=np.uint8).repeat(3, axis=2)

    assert halved(pixels)[..., 0].tolist() == [[50, 7]]


def test_the_ome_xml_says_what_the_image_is(tmp_path: Path) -> None:
    folder, _ = written(tmp_path, of_one(reading(0), {"spacing_um": 0.25}, "s <1> µ"))
    path = folder / "images" / "s <1> µ.ome.tif"

    document, about = document_of(path), pixels_of(path)

    image, channel = document.find(f"{OME}Image"), document.find(f".//{OME}Channel")
    assert image is not None
    assert channel is not None
    assert image.attrib["Name"] == "s <1> µ"
    assert channel.attrib["Name"] == "RGB"
    assert channel.attrib["SamplesPerPixel"] == "3"
    assert {key: about[key] for key in ("SizeX", "SizeY", "SizeC", "SizeZ", "SizeT", "Type")} == {
        "SizeX": "30",
        "SizeY": "40",
        "SizeC": "3",
        "SizeZ": "1",
        "SizeT": "1",
        "Type": "uint8",
    }


@pytest.mark.parametrize(
    ("facts", "otherwise", "um"),
    [
        ({"spacing_um": 0.25}, None, "0.25"),
        ({"spacing_um": 0.25}, 0.5, "0.25"),
        ({"spacing_um": "0.25"}, None, "0.25"),
        ({"spacing_um": ""}, 0.5, "0.5"),
        ({"spacing_um": ""}, None, None),
        ({}, 0.5, "0.5"),
        ({}, None, None),
    ],
)
def test_the_size_of_a_pixel_is_said_if_it_is_known(
    tmp_path: Path, facts: dict[str, Fact], otherwise: float | None, um: str | None
) -> None:
    folder, _ = written(tmp_path, of_one(reading(0), facts), QuPath(spacing_um=otherwise))

    for kind in ("images", "labels"):
        about = pixels_of(folder / kind / "x.ome.tif")
        assert [about.get(f"PhysicalSize{axis}") for axis in "XY"] == [um, um]
        assert um is None or about["PhysicalSizeXUnit"] == "µm"
        with tifffile.TiffFile(folder / kind / "x.ome.tif") as file:
            page = file.pages.first
            assert um is None or page.get_resolution("MICROMETER") == pytest.approx(
                (1 / float(um),) * 2, rel=1e-4
            )


def test_the_code_of_the_readme_reads_the_label_maps(tmp_path: Path) -> None:
    folder, _ = written(tmp_path)
    code = LAYOUT.partition("```python\n")[2].partition("```")[0]
    assert code in (folder / "README.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}

    exec(code.replace('"."', repr(str(folder))), names)

    pixels, labels = blobs(2, 42, 30)
    assert names["name"] == "p002"
    assert np.array_equal(names["image"], pixels)
    assert np.array_equal(names["labels"], labels)


def test_outlines_give_the_label_map_back(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    maps = [blobs(0, 300, 400)[1], random.integers(0, 5, (60, 50), dtype=np.uint8)]
    for i, labels in enumerate(maps):
        pixels = np.zeros((*labels.shape, 3), dtype=np.uint8)
        folder, _ = written(tmp_path / str(i), of_one(giving(pixels, labels)))

        features = features_of(folder, "x")

        shapes = [
            (one["geometry"], KIDNEY.names.index(one["properties"]["classification"]["name"]))
            for one in features
        ]
        back = rasterize(shapes, out_shape=labels.shape, fill=UNLABELLED, dtype="uint8")
        assert np.array_equal(back, labels)
        # No pixel is in two: the order of drawing does not matter.
        back = rasterize(shapes[::-1], out_shape=labels.shape, fill=UNLABELLED, dtype="uint8")
        assert np.array_equal(back, labels)


def test_annotations_have_the_fields_that_qupath_documents(tmp_path: Path) -> None:
    labels = np.full((6, 7), 1, dtype=np.uint8)
    labels[2:4, 2:5] = 2
    labels[0, 0] = UNLABELLED
    pixels = np.zeros((6, 7, 3), dtype=np.uint8)

    features = features_of(written(tmp_path, of_one(giving(pixels, labels)))[0], "x")

    assert len(features) == 2
    by_name = {one["properties"]["classification"]["name"]: one for one in features}
    for name, feature in by_name.items():
        tissue = KIDNEY.classes[KIDNEY.names.index(name)]
        assert feature["type"] == "Feature"
        assert feature["properties"] == {
            "objectType": "annotation",
            "classification": {"name": name, "color": list(tissue.rgb)},
        }
        assert feature["geometry"]["type"] == "Polygon"
    around = by_name["cortical tubulointerstitium"]["geometry"]["coordinates"]
    inside = by_name["glomerulus"]["geometry"]["coordinates"]
    assert len(around) == 2
    corners = {(2, 2), (5, 2), (5, 4), (2, 4)}
    assert {tuple(point) for point in around[1]} == corners
    assert {tuple(point) for point in inside[0]} == corners
    assert all(ring[0] == ring[-1] for ring in [*around, *inside])


def test_an_image_without_labels_has_no_annotation(tmp_path: Path) -> None:
    nothing = np.full((4, 5), UNLABELLED, dtype=np.uint8)

    folder, _ = written(tmp_path, of_one(lambda: (np.zeros((4, 5, 3), np.uint8), nothing)))

    assert features_of(folder, "x") == []


def test_the_project_lists_the_images_with_what_is_known_of_them(tmp_path: Path) -> None:
    folder, _ = written(tmp_path)

    project = project_of(folder)

    base = project["uri"].removesuffix("project.qpproj")
    assert project["lastID"] == len(project["images"]) == len(SPLITS)
    for i, entry in enumerate(project["images"]):
        server = entry["serverBuilder"]
        assert entry["entryID"] == i + 1
        assert entry["imageName"] == f"p{i:03d}"
        assert entry["metadata"] == {"split": SPLITS[i], "seed": str(100 + i), "stain": "PAS"}
        assert server["builderType"] == "uri"
        assert server["providerClassName"].endswith(".bioformats.BioFormatsServerBuilder")
        assert server["args"] == ["--series", "0"]
        assert server["uri"].startswith(base)
        assert (folder / unquote(server["uri"].removeprefix(base))).is_file()


def test_addresses_in_the_project_are_quoted(tmp_path: Path) -> None:
    folder, _ = written(tmp_path, of_one(reading(0), name="a b#1"))

    (entry,) = project_of(folder)["images"]

    assert entry["serverBuilder"]["uri"].endswith("/images/a%20b%231.ome.tif")


def test_no_file_says_where_it_was_made(tmp_path: Path) -> None:
    folder, _ = written(tmp_path / "secret place")

    assert all(
        b"secret" not in data and str(tmp_path).encode() not in data
        for data in content(folder).values()
    )


def test_the_classes_have_the_packed_colours_of_qupath(tmp_path: Path) -> None:
    folder, _ = written(tmp_path)

    classes = json.loads((folder / "classifiers" / "classes.json").read_text())["pathClasses"]

    assert [one["name"] for one in classes] == KIDNEY.names
    for one, tissue in zip(classes, KIDNEY.classes, strict=True):
        assert one["color"] == struct.unpack(">i", bytes([255, *tissue.rgb]))[0]


def test_scripts_know_the_ending_of_the_images(tmp_path: Path) -> None:
    folder, _ = written(tmp_path)

    scripts = {path.name: path.read_text() for path in (folder / "scripts").iterdir()}

    assert sorted(scripts) == ["1 import annotations.groovy", "2 export annotations.groovy"]
    for script in scripts.values():
        # Groovy's name[0..-9] is all but the last eight letters.
        assert "name.toLowerCase().endsWith('.ome.tif') ? name[0..-9] : name" in script
        assert "png" not in script
        assert "'annotations'" in script


class Killed(BaseException):
    """What ends a run at once."""


def killed_at(stop: int, seen: list[int]) -> Callable[[int], Read]:
    """Images of which one cannot be read, as if the run were killed there."""

    def read(i: int) -> Read:
        def pixels() -> tuple[Pixels, Labels]:
            seen.append(i)
            if i == stop:
                raise Killed
            return reading(i)()

        return pixels

    return read


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    undisturbed, _ = written(tmp_path / "a")
    with pytest.raises(Killed):
        written(tmp_path / "b", dataset(killed_at(2, [])))
    (tmp_path / "b" / "labels" / "p000.ome.tif").unlink()
    seen: list[int] = []

    folder, count = written(tmp_path / "b", dataset(killed_at(-1, seen)))

    assert content(folder) == content(undisturbed)
    assert seen == [0, 2]
    assert count == len(SPLITS)


def test_memory_does_not_grow_with_the_images(tmp_path: Path) -> None:
    """Each image and its label map are 4 MB."""
    few = megabytes(WRITING, tmp_path / "few", 2)
    many = megabytes(WRITING, tmp_path / "many", 12)

    assert many < few + 12


def test_a_class_that_is_not_in_the_class_map_is_named(tmp_path: Path) -> None:
    strange = np.full((2, 3), 254, dtype=np.uint8)

    with pytest.raises(LabelError, match="The label map of x has 6 pixels of class 254"):
        written(tmp_path, of_one(lambda: (np.zeros((2, 3, 3), np.uint8), strange)))


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional_packages, "find_spec", lambda _: None)

    with pytest.raises(SettingsError, match=r'rasterio.*pip install "hdgan\[export\]"'):
        written(tmp_path)
