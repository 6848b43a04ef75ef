"""The COCO layout, read with pycocotools."""

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jaxtyping import Bool, UInt8
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy import ndimage
from skimage import measure

from hdgan.artifacts import optional_packages
from hdgan.artifacts.annotation_set import Split
from hdgan.artifacts.coco import label_maps_in_coco
from hdgan.artifacts.layouts.coco import LAYOUT, Coco
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages, Layout, Read
from hdgan.artifacts.order import Order
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.errors import LabelError, SettingsError
from tests.peak_memory import megabytes

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Labels = UInt8[np.ndarray, "height width"]
Pixels = UInt8[np.ndarray, "height width 3"]

SPLITS: tuple[Split, ...] = ("training", "validation", "training", "test", "training")

WRITING = """
import sys
from functools import partial
import numpy as np
from hdgan.artifacts.layouts.coco import Coco
from hdgan.artifacts.layouts.labelled_images import LabelledImage, LabelledImages
from hdgan.artifacts.unfinished import Order, UnfinishedArtifact
from hdgan.class_map import KIDNEY
def read(i):
    # Rows of one pixel: each is an instance with a run in every column.
    rows = (np.arange(256, dtype=np.uint8) + i) % 2
    return np.zeros((256, 1024, 3), np.uint8), rows[:, None].repeat(1024, axis=1)
count = int(sys.argv[2])
images = [LabelledImage(f"x{i}", "training", partial(read, i)) for i in range(count)]
unfinished = UnfinishedArtifact(Path(sys.argv[1]), Order("dataset", {}, {}))
Coco().write(LabelledImages(KIDNEY, images, "", ""), unfinished, lambda: None)
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


def dataset(read: Callable[[int], Read] = reading) -> LabelledImages:
    images = [
        LabelledImage(f"p{i:03d}", split, read(i), {"seed": 100 + i, "stain": "PAS"})
        for i, split in enumerate(SPLITS)
    ]
    return LabelledImages(KIDNEY, images, "Synthetic kidney", "# Card\n\nMade.", "CC-BY-4.0")


def written(
    folder: Path, layout: Layout | None = None, images: LabelledImages | None = None
) -> tuple[Path, int]:
    """Write a dataset; where it is, and how many images were said to be written."""
    count: list[None] = []
    unfinished = UnfinishedArtifact(folder, Order("dataset", {}, {}))
    (layout or Coco()).write(images or dataset(), unfinished, lambda: count.append(None))
    return folder, len(count)


def file_of(folder: Path, split: str = "training") -> Path:
    return folder / "annotations" / f"instances_{split}.json"


def opened(folder: Path, split: str = "training") -> Any:
    return COCO(file_of(folder, split))


def content(folder: Path) -> dict[str, bytes]:
    """Every file but the scratch ones."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {
        path.as_posix(): (folder / path).read_bytes()
        for path in paths
        if path.parts[0] != ".unfinished"
    }


def painted(coco: Any, image: dict[str, Any]) -> Labels:
    """The label map, by pycocotools alone; no pixel is in two instances."""
    labels = np.full((image["height"], image["width"]), UNLABELLED, dtype=np.uint8)
    for instance in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]], iscrowd=False)):
        mask = coco.annToMask(instance).astype(bool)
        assert (labels[mask] == UNLABELLED).all()
        labels[mask] = instance["category_id"] - 1
    return labels


def truth(image: dict[str, Any]) -> Labels:
    """The label map that an image of `dataset` has."""
    seed = int(image["file_name"][1:4])
    return blobs(seed, 40 + seed, 30)[1]


def regions_of(mask: Bool[np.ndarray, "height width"]) -> list[Any]:
    """What scikit-image says of the pixels that are connected by their sides."""
    numbers = measure.label(mask, connectivity=1)  # type: ignore[no-untyped-call]
    found: list[Any] = measure.regionprops(numbers)  # type: ignore[no-untyped-call]
    return found


def regions(labels: Labels) -> Counter[tuple[int, int, tuple[int, ...]]]:
    """Class, area and box (x, y, width, height) of each region, by scikit-image."""
    found: Counter[tuple[int, int, tuple[int, ...]]] = Counter()
    for value in range(5):
        for region in regions_of(labels == value):
            top, left, bottom, right = region.bbox
            box = (left, top, right - left, bottom - top)
            found[value, int(region.area), box] += 1
    return found


def said(instances: list[dict[str, Any]]) -> Counter[tuple[int, int, tuple[int, ...]]]:
    return Counter((one["category_id"] - 1, one["area"], tuple(one["bbox"])) for one in instances)


def test_pycocotools_gives_every_pixel_back(tmp_path: Path) -> None:
    folder, count = written(tmp_path)

    assert count == len(SPLITS)
    for split in ("training", "validation", "test"):
        coco = opened(folder, split)
        images = coco.loadImgs(coco.getImgIds())
        assert len(images) == SPLITS.count(split)
        for image in images:
            assert np.array_equal(painted(coco, image), truth(image))


def test_areas_and_boxes_are_those_of_connected_regions(tmp_path: Path) -> None:
    coco = opened(written(tmp_path)[0])

    for image in coco.loadImgs(coco.getImgIds()):
        instances = coco.imgToAnns[image["id"]]
        assert said(instances) == regions(truth(image))
        for instance in instances:
            mask = coco.annToMask(instance)
            assert mask.sum() == instance["area"] == coco_area(coco, instance)
            assert ndimage.label(mask)[1] == 1
            assert isinstance(instance["segmentation"]["counts"], str)


def coco_area(coco: Any, instance: dict[str, Any]) -> int:
    from pycocotools import mask

    return int(mask.area(coco.annToRLE(instance)))


def test_regions_that_touch_at_a_corner_are_two_instances(tmp_path: Path) -> None:
    labels = np.array([[1, 0], [0, 1]], dtype=np.uint8)
    one = LabelledImage("a", "training", lambda: (np.zeros((2, 2, 3), np.uint8), labels))

    coco = opened(written(tmp_path, images=replace(dataset(), images=[one]))[0])

    assert Counter(one["category_id"] for one in coco.anns.values()) == {1: 2, 2: 2}


def test_the_code_of_the_readme_reads_the_label_maps(tmp_path: Path) -> None:
    folder, _ = written(tmp_path)
    code = LAYOUT.partition("```python\n")[2].partition("```")[0]
    assert code in (folder / "README.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}

    exec(code.replace('"."', repr(str(folder))), names)

    assert names["path"] == folder / "images" / "training" / "p004.png"
    assert np.array_equal(names["labels"], truth({"file_name": "p004.png"}))


def test_images_are_stored_exactly_and_with_what_is_known_of_them(tmp_path: Path) -> None:
    folder, _ = written(tmp_path)
    coco = opened(folder, "validation")

    (image,) = coco.loadImgs(coco.getImgIds())

    with Image.open(folder / "images" / "validation" / image["file_name"]) as file:
        assert file.mode == "RGB"
        assert np.array_equal(np.asarray(file), blobs(1, 41, 30)[0])
    assert (image["width"], image["height"]) == (30, 41)
    assert image["facts"] == {"seed": 101, "stain": "PAS"}
    assert coco.dataset["licenses"] == [{"id": image["license"], "name": "CC-BY-4.0", "url": ""}]
    assert coco.dataset["info"]["description"] == "Synthetic kidney"


def test_without_a_licence_none_is_listed(tmp_path: Path) -> None:
    coco = opened(written(tmp_path, images=replace(dataset(), licence=None))[0])

    assert coco.dataset["licenses"] == []
    assert all("license" not in image for image in coco.imgs.values())


def test_ids_count_on_from_split_to_split(tmp_path: Path) -> None:
    folder, _ = written(tmp_path)
    files = [opened(folder, split) for split in ("training", "validation", "test")]

    images = [number for coco in files for number in coco.getImgIds()]
    annotations = [number for coco in files for number in coco.getAnnIds()]

    assert images == [1, 2, 3, 4, 5]
    assert annotations == list(range(1, len(annotations) + 1))


def test_a_split_without_images_has_no_file(tmp_path: Path) -> None:
    images = replace(dataset(), images=dataset().of("training"))

    folder, _ = written(tmp_path, images=images)

    assert [path.name for path in (folder / "annotations").iterdir()] == ["instances_training.json"]


def test_categories_are_the_classes_from_1_on(tmp_path: Path) -> None:
    coco = opened(written(tmp_path)[0])

    categories = coco.loadCats(coco.getCatIds())

    assert [one["id"] for one in categories] == [1, 2, 3, 4, 5]
    assert [one["class_index"] for one in categories] == [0, 1, 2, 3, 4]
    assert [one["name"] for one in categories] == KIDNEY.names
    assert [one["color"] for one in categories] == KIDNEY.palette.tolist()


def test_classes_of_the_background_have_no_instances(tmp_path: Path) -> None:
    folder, _ = written(tmp_path, Coco(background=(0, 3)))
    coco = opened(folder)

    assert sorted(coco.cats) == [2, 3, 5]
    assert coco.dataset["info"]["background"] == ["whitespace", "arteriole"]
    assert "those of the background: whitespace, arteriole." in (folder / "README.md").read_text()
    for image in coco.loadImgs(coco.getImgIds()):
        labels = truth(image)
        expected = np.where(np.isin(labels, (0, 3)), UNLABELLED, labels)
        assert np.array_equal(painted(coco, image), expected)


@pytest.mark.parametrize(
    ("background", "message"),
    [((5,), "cannot be class 5: the class map has the classes 0 to 4"), ((0, 1, 2, 3, 4), "Every")],
)
def test_a_background_that_cannot_be_is_refused(
    tmp_path: Path, background: tuple[int, ...], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        written(tmp_path, Coco(background=background))


def test_small_regions_are_left_out_and_counted(tmp_path: Path) -> None:
    folder, _ = written(tmp_path, Coco(min_area_px=20))
    coco = opened(folder)

    total = Counter[str]()
    for image in coco.loadImgs(coco.getImgIds()):
        every = regions(truth(image))
        small = Counter({key: count for key, count in every.items() if key[1] < 20})
        assert said(coco.imgToAnns[image["id"]]) == every - small
        assert image["num_left_out"] == small.total() > 0
        assert image["left_out_px"] == sum(area * n for (_, area, _), n in small.items())
        total.update({key: image[key] for key in ("num_left_out", "left_out_px")})
    assert {key: coco.dataset["info"][key] for key in total} == total
    assert coco.dataset["info"]["min_area_px"] == 20


def test_nothing_is_left_out_by_default(tmp_path: Path) -> None:
    coco = opened(written(tmp_path)[0])

    assert coco.dataset["info"]["num_left_out"] == 0
    assert min(one["area"] for one in coco.anns.values()) < 20


def test_unlabelled_pixels_are_in_no_annotation_by_default(tmp_path: Path) -> None:
    coco = opened(written(tmp_path)[0])

    assert all(one["iscrowd"] == 0 for one in coco.anns.values())
    for image in coco.loadImgs(coco.getImgIds()):
        masks = [coco.annToMask(one) for one in coco.imgToAnns[image["id"]]]
        assert np.array_equal(sum(masks), truth(image) != UNLABELLED)


def test_unlabelled_pixels_can_be_a_crowd_of_each_category(tmp_path: Path) -> None:
    coco = opened(written(tmp_path, Coco(background=(1,), unlabelled_as_crowd=True))[0])

    for image in coco.loadImgs(coco.getImgIds()):
        labels = truth(image)
        crowds = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]], iscrowd=True))
        rows, columns = (labels == UNLABELLED).nonzero()
        corner = [columns.min(), rows.min()]
        assert [one["category_id"] for one in crowds] == [1, 3, 4, 5]
        for crowd in crowds:
            assert np.array_equal(coco.annToMask(crowd), labels == UNLABELLED)
            assert crowd["area"] == np.count_nonzero(labels == UNLABELLED)
            assert crowd["bbox"] == [*corner, np.ptp(columns) + 1, np.ptp(rows) + 1]
        expected = np.where(labels == 1, UNLABELLED, labels)
        assert np.array_equal(painted(coco, image), expected)


@pytest.mark.parametrize(("as_crowd", "precision"), [(False, 0.5), (True, 1.0)])
def test_what_is_found_in_a_crowd_costs_no_precision(
    tmp_path: Path, *, as_crowd: bool, precision: float
) -> None:
    labels = np.full((40, 40), UNLABELLED, dtype=np.uint8)
    labels[:20] = 0
    labels[5:15, 5:15] = 2
    one = LabelledImage("a", "training", lambda: (np.zeros((40, 40, 3), np.uint8), labels))
    layout = Coco(unlabelled_as_crowd=as_crowd)
    coco = opened(written(tmp_path, layout, replace(dataset(), images=[one]))[0])
    (glomerulus,) = coco.loadAnns(coco.getAnnIds(catIds=[3], iscrowd=False))
    beside = {"size": [40, 40], "counts": rle_of(30, 38)}
    detections = [
        {"image_id": 1, "category_id": 3, "segmentation": beside, "score": 0.9},
        {"image_id": 1, "category_id": 3, "score": 0.8}
        | {"segmentation": glomerulus["segmentation"]},
    ]

    evaluation = COCOeval(coco, coco.loadRes(detections), "segm")
    evaluation.params.catIds = [3]
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()

    assert evaluation.stats[0] == pytest.approx(precision)


def rle_of(first: int, last: int) -> str:
    """A square of a 40 x 40 image."""
    from pycocotools import mask

    square = np.zeros((40, 40), dtype=np.uint8, order="F")
    square[first:last, first:last] = 1
    return str(mask.encode(square)["counts"].decode())


def test_import_annotations_reads_the_label_maps(tmp_path: Path) -> None:
    data = file_of(written(tmp_path)[0]).read_bytes()
    numbers = {name: i for i, name in enumerate(KIDNEY.names)}

    found = dict(label_maps_in_coco(data, "file", numbers))

    assert sorted(found) == ["p000", "p002", "p004"]
    for name, labels in found.items():
        assert np.array_equal(labels, truth({"file_name": name}))


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


def killed(folder: Path, stop: int) -> None:
    with pytest.raises(Killed):
        written(folder, images=dataset(killed_at(stop, [])))


@pytest.mark.parametrize("stop", range(5))
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path, stop: int) -> None:
    undisturbed, _ = written(tmp_path / "a")
    killed(tmp_path / "b", stop)

    folder, count = written(tmp_path / "b")

    assert content(folder) == content(undisturbed)
    assert count == len(SPLITS)


def test_what_is_there_is_not_read_again(tmp_path: Path) -> None:
    killed(tmp_path, 4)
    seen: list[int] = []

    written(tmp_path, images=dataset(killed_at(-1, seen)))

    # Splits are written one after the other: 0, 2 and 4 come first.
    assert seen == [4, 1, 3]


@pytest.mark.parametrize("damage", ["cut", "zeros", "without its image"])
def test_a_note_that_a_kill_has_damaged_is_written_again(tmp_path: Path, damage: str) -> None:
    undisturbed, _ = written(tmp_path / "a")
    folder = tmp_path / "b"
    killed(folder, 4)
    notes = folder / ".unfinished" / "coco" / "training.jsonl"
    first, second = notes.read_bytes().splitlines(keepends=True)
    if damage == "cut":
        os.truncate(notes, len(first) + len(second) // 2)
    elif damage == "zeros":
        notes.write_bytes(first + bytes(len(second)))
    else:
        (folder / "images" / "training" / "p000.png").unlink()

    written(folder)

    assert content(folder) == content(undisturbed)


def test_threads_change_nothing(tmp_path: Path) -> None:
    one, _ = written(tmp_path / "a", Coco(threads=1))
    three, count = written(tmp_path / "b", Coco(threads=3))

    assert content(one) == content(three)
    assert count == len(SPLITS)


def test_memory_does_not_grow_with_the_images(tmp_path: Path) -> None:
    few = megabytes(WRITING, tmp_path / "few", 2)
    many = megabytes(WRITING, tmp_path / "many", 60)

    assert file_of(tmp_path / "many").stat().st_size > 25e6
    assert many < few + 12


def test_a_class_that_is_not_in_the_class_map_is_named(tmp_path: Path) -> None:
    strange = np.full((2, 3), 7, dtype=np.uint8)
    one = LabelledImage("a", "training", lambda: (np.zeros((2, 3, 3), np.uint8), strange))

    with pytest.raises(LabelError, match="The label map of a has 6 pixels of class 7"):
        written(tmp_path, images=replace(dataset(), images=[one]))


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optional_packages, "find_spec", lambda _: None)

    with pytest.raises(SettingsError, match=r'COCO need.*pip install "hdgan\[export\]"'):
        written(tmp_path)


def test_names_that_are_not_latin_stay_as_they_are(tmp_path: Path) -> None:
    one = LabelledImage("p000", "training", reading(0), {"stain": "PAS, Färbung"})

    coco = opened(written(tmp_path, images=replace(dataset(), images=[one]))[0])

    assert coco.imgs[1]["facts"] == {"stain": "PAS, Färbung"}
    assert json.loads(file_of(tmp_path).read_text(encoding="utf-8")) == coco.dataset
