"""MONAI: its lists opened with `monai.data`."""

import json
from pathlib import Path

import numpy as np
import pytest

from hdgan.artifacts.layouts.encoding import Encoding
from hdgan.artifacts.layouts.monai import Monai
from hdgan.class_map import KIDNEY
from tests.artifacts.layouts_world import (
    facts_of,
    labelled,
    labels_of,
    pixels_of,
    read_as_told,
    written_in,
)

# MONAI makes all its readers, also for files of others; one wants a library that is not there.
pytestmark = pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader:UserWarning")


@pytest.mark.parametrize("image_format", ["png", "jpeg"])
def test_the_code_in_the_readme_reads_the_training_images(
    image_format: str, tmp_path: Path
) -> None:
    encoding = Encoding("jpeg" if image_format == "jpeg" else "png")
    written_in(tmp_path / "made", Monai(encoding), labelled(9))

    found = read_as_told(tmp_path / "made", "for pair in Dataset(", "(image, labels, pair)")

    for i, (image, labels, pair) in zip([0, 1, 4, 5, 8], found, strict=True):
        away = np.abs(np.asarray(image).transpose(1, 2, 0) - pixels_of(i).astype(float))
        assert away.max() < (25 if image_format == "jpeg" else 1e-6)
        np.testing.assert_array_equal(np.asarray(labels)[0], labels_of(i))
        assert {name: pair[name] for name in facts_of(i)} == facts_of(i)


@pytest.mark.parametrize(
    ("split", "name", "numbers"),
    [
        ("training", "dataset_train.json", [0, 1, 4, 5, 8]),
        ("validation", "dataset_val.json", [2, 6]),
        ("test", "dataset_test.json", [3, 7]),
    ],
)
def test_each_split_is_a_list_and_a_file_of_its_own(
    split: str, name: str, numbers: list[int], tmp_path: Path
) -> None:
    from monai.data.decathlon_datalist import load_decathlon_datalist

    written_in(tmp_path / "made", Monai(), labelled(9))

    for path in ("dataset.json", name):
        items = load_decathlon_datalist(tmp_path / "made" / path, data_list_key=split)
        assert [Path(item["image"]).stem for item in items] == [f"p{i:03d}" for i in numbers]
        assert all(
            Path(item["image"]).is_file() and Path(item["label"]).is_file() for item in items
        )


def test_the_list_names_classes_channels_and_counts(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Monai(), labelled(9))

    about = json.loads((tmp_path / "made" / "dataset.json").read_text())

    assert [about["labels"][str(i)] for i in range(5)] == KIDNEY.names
    assert list(about["modality"]) == ["0", "1", "2"]
    assert (about["numTraining"], about["numTest"]) == (5, 2)
    assert (about["name"], about["licence"]) == ("Drawn kidney: no. 1", "CC BY 4.0")


def test_a_split_without_images_has_no_file(tmp_path: Path) -> None:
    written_in(tmp_path / "made", Monai(), labelled(3, splits=["training"]))

    assert not (tmp_path / "made" / "dataset_val.json").exists()
    assert json.loads((tmp_path / "made" / "dataset.json").read_text())["validation"] == []
