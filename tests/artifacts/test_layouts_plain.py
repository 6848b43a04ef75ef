"""Plain folders, and what all layouts have: names, README, the same bytes after an interruption."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import UInt8
from PIL import Image

from hdgan.artifacts.layouts.coco import Coco
from hdgan.artifacts.layouts.encoding import Encoding
from hdgan.artifacts.layouts.file_names import joined_words, safe_names
from hdgan.artifacts.layouts.huggingface import HuggingFace
from hdgan.artifacts.layouts.huggingface_folder import HuggingFaceFolder
from hdgan.artifacts.layouts.labelled_images import LabelledImages, Layout
from hdgan.artifacts.layouts.monai import Monai
from hdgan.artifacts.layouts.nnunet import NnuNet
from hdgan.artifacts.layouts.plain import Plain
from hdgan.artifacts.layouts.qupath import QuPath
from hdgan.artifacts.layouts.readme import lowered
from hdgan.artifacts.layouts.webdataset import WebDataset
from hdgan.class_map import KIDNEY, painted
from tests.artifacts.layouts_world import (
    files_of,
    labelled,
    labels_of,
    pixels_of,
    read_as_told,
    written_in,
)

LAYOUTS: dict[str, Layout] = {
    "plain": Plain(),
    "nnunet": NnuNet(),
    "coco": Coco(),
    "huggingface": HuggingFace(shard_size=2),
    "huggingface-folder": HuggingFaceFolder(),
    "webdataset": WebDataset(shard_size=2),
    "qupath": QuPath(),
    "monai": Monai(),
}


def test_images_and_label_maps_come_back_as_they_were(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Plain(), labelled(5))

    found = read_as_told(tmp_path / "made", "for row in", "(row, image, labels, names)")

    assert len(found) == 5
    for i, (row, image, labels, names) in enumerate(found):
        np.testing.assert_array_equal(image, pixels_of(i))
        np.testing.assert_array_equal(labels, labels_of(i))
        assert names == [
            KIDNEY.names[c] for c in sorted(set(labels_of(i).ravel().tolist()) - {255})
        ]
        assert row["split"] == ("training", "training", "validation", "test")[i % 4]
        assert (row["seed"], row["uncertainty"]) == (str(1000 + i), str(i / 8))
        assert row["stain"] == "PAS, blue"


def test_label_maps_are_grey_and_never_have_a_palette(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Plain(), labelled(2))

    for path in (tmp_path / "made" / "labels").iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("PNG", "L")


def test_coloured_label_maps_show_the_colours_of_the_classes(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Plain(), labelled(2))

    shown = np.array(Image.open(tmp_path / "made" / "colours" / "p001.png"))

    np.testing.assert_array_equal(shown, painted(labels_of(1), KIDNEY))


def test_jpeg_images_come_near_and_label_maps_stay_exact(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Plain(Encoding("jpeg", jpeg_quality=95)), labelled(2))

    image = Image.open(tmp_path / "made" / "images" / "p001.jpg")
    labels = np.array(Image.open(tmp_path / "made" / "labels" / "p001.png"))

    assert image.format == "JPEG"
    difference = np.abs(np.array(image).astype(int) - pixels_of(1).astype(int))
    assert 0 < difference.max() < 25
    np.testing.assert_array_equal(labels, labels_of(1))


def test_the_table_holds_what_is_known_of_each_image(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Plain(), labelled(3))

    with (tmp_path / "made" / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert list(rows[0]) == [
        *("image", "labels", "colours", "split"),
        *("seed", "uncertainty", "stain"),
    ]
    assert [float(row["uncertainty"]) for row in rows] == [0.0, 0.125, 0.25]


def with_uncertainty(dataset: LabelledImages) -> LabelledImages:
    """The same with uncertainty maps, of which each pixel is the image's number."""

    def reading(i: int) -> Callable[[], UInt8[np.ndarray, "height width"]]:
        return lambda: np.full(labels_of(i).shape, i, dtype=np.uint8)

    images = [replace(image, uncertainty=reading(i)) for i, image in enumerate(dataset.images)]
    return replace(dataset, images=images, largest_uncertainty_nats=1.0986)


def test_uncertainty_maps_are_grey_and_the_readme_says_their_unit(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Plain(), with_uncertainty(labelled(3)))

    with (tmp_path / "made" / "images.csv").open(newline="") as file:
        names = [row["uncertainty_map"] for row in csv.DictReader(file)]
    for i, name in enumerate(names):
        with Image.open(tmp_path / "made" / name) as image:
            assert image.mode == "L"
            assert (np.array(image) == i).all()
    assert "255 is 1.0986 nats" in (tmp_path / "made" / "README.md").read_text()
    assert len(read_as_told(tmp_path / "made", "for row in", "(row, image)")) == 3


def test_without_uncertainty_maps_nothing_is_said_of_them(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Plain(), labelled(3))

    assert not (tmp_path / "made" / "uncertainty").exists()
    assert "nats" not in (tmp_path / "made" / "README.md").read_text()
    assert "{" not in (tmp_path / "made" / "README.md").read_text().split("```")[0]


def test_an_interrupted_export_goes_on_with_uncertainty_maps(tmp_path: Path) -> None:
    written_in(tmp_path / "undisturbed", Plain(), with_uncertainty(labelled(9)))

    with pytest.raises(KeyboardInterrupt):
        written_in(tmp_path / "disturbed", Plain(), with_uncertainty(labelled(9, stops_at=6)))
    (tmp_path / "disturbed" / "uncertainty" / "p002.png").unlink()
    written_in(tmp_path / "disturbed", Plain(), with_uncertainty(labelled(9)))

    assert files_of(tmp_path / "disturbed") == files_of(tmp_path / "undisturbed")


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_interrupted_export_goes_on_to_the_same_bytes(name: str, tmp_path: Path) -> None:
    layout, reads = LAYOUTS[name], list[int]()
    written_in(tmp_path / "undisturbed", layout, labelled(9))

    with pytest.raises(KeyboardInterrupt):
        written_in(tmp_path / "disturbed", layout, labelled(9, stops_at=6))
    left = files_of(tmp_path / "disturbed")
    told = written_in(tmp_path / "disturbed", layout, labelled(9, reads=reads))

    assert "manifest.json" not in left
    assert len(told) == 9
    assert sorted(set(reads)) != list(range(9)), "nothing was kept of the interrupted run"
    found, wanted = files_of(tmp_path / "disturbed"), files_of(tmp_path / "undisturbed")
    assert set(found) == set(wanted)
    assert [path for path in wanted if found[path] != wanted[path]] == []


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_file_that_is_there_under_its_name_is_whole(name: str, tmp_path: Path) -> None:
    written_in(tmp_path / "undisturbed", LAYOUTS[name], labelled(9))

    with pytest.raises(KeyboardInterrupt):
        written_in(tmp_path / "disturbed", LAYOUTS[name], labelled(9, stops_at=6))

    wanted = files_of(tmp_path / "undisturbed")
    for path, data in files_of(tmp_path / "disturbed").items():
        assert path.startswith(".unfinished/") or wanted[path] == data, path


@pytest.mark.parametrize("threads", [2, 5])
@pytest.mark.parametrize(
    "layout", [Plain, NnuNet, HuggingFace, HuggingFaceFolder, WebDataset, Monai]
)
def test_threads_change_no_byte(layout: type[Plain], threads: int, tmp_path: Path) -> None:
    written_in(tmp_path / "one", layout(), labelled(9))
    written_in(tmp_path / "many", layout(encoding=Encoding(threads=threads)), labelled(9))

    assert files_of(tmp_path / "one") == files_of(tmp_path / "many")


def test_threads_read_few_images_ahead() -> None:
    reads = list[int]()

    first = next(Encoding(threads=3).each(labelled(50, reads=reads).images))

    assert first.image.name == "p000"
    assert len(reads) <= 4


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_readme_says_what_the_sources_card_says(name: str, tmp_path: Path) -> None:
    written_in(tmp_path / "made", LAYOUTS[name], labelled(4))

    text = (tmp_path / "made" / "README.md").read_text()

    assert "# Drawn kidney: no. 1\n" in text
    assert "Licence: CC BY 4.0" in text
    assert "### Drawn\n" in text
    assert "\n#### How\n\nBy rule." in text
    assert text.count("\n# not a heading") == 1
    for tissue in KIDNEY.classes:
        assert tissue.name in text
    classes = json.loads((tmp_path / "made" / "classes.json").read_text())
    assert classes["classes"] == KIDNEY.to_records()


def test_metadata_in_front_of_a_card_does_not_get_into_the_text() -> None:
    assert lowered("---\nlicense: mit\n---\n# One\n", 1) == "## One"


def test_safe_names_hold_no_point_space_or_strange_letter() -> None:
    names = safe_names(["S17.0412 A/1", "Märtz", "p0000001", "..", "-x", "con"])

    assert names == ["S17_0412_A_1", "M_rtz", "p0000001", "_", "x", "image_con"]


def test_safe_names_are_unique_even_where_case_is_ignored() -> None:
    names = safe_names(["a b", "a_b", "A_B", "a.b", "a_b-2"])

    assert len({name.casefold() for name in names}) == 5
    assert names[0] == "a_b"


def test_long_names_stay_apart() -> None:
    names = safe_names(["x" * 300, "x" * 301])

    assert names[0] != names[1]
    assert max(map(len, names)) < 90


def test_a_title_becomes_one_word() -> None:
    assert joined_words("Synthetic kidney, PAS (2)") == "SyntheticKidneyPAS2"
    assert joined_words("肾") == "Dataset"


def test_jpeg_colours_are_not_subsampled(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Plain(Encoding("jpeg")), labelled(1))

    image = Image.open(BytesIO((tmp_path / "made" / "images" / "p000.jpg").read_bytes()))

    assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
