"""nnU-Net v2 cannot be installed beside this package: its published rules, one by one.

They are on the pages documentation/dataset_format.md, ignore_label.md and manual_data_splits.md of
github.com/MIC-DKFZ/nnUNet, and in its classes `NaturalImage2DIO`, `LabelManager` and its function
`verify_dataset_integrity`.
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import io

from hdgan.artifacts.layouts.encoding import Encoding
from hdgan.artifacts.layouts.nnunet import NnuNet
from hdgan.class_map import ClassMap, TissueClass
from hdgan.errors import SettingsError
from tests.artifacts.layouts_world import labelled, labels_of, pixels_of, written_in

TOP = "Dataset042_DrawnKidneyNo1"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """nnUNet_raw, with images for all three splits, some of them with unlabelled pixels."""
    written_in(tmp_path / "raw", NnuNet(), labelled(9))
    return tmp_path / "raw"


def description_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "dataset.json").read_text())
    return content


def read_image(path: Path) -> np.ndarray:
    """As `NaturalImage2DIO.read_images` does: skimage, and channels first."""
    pixels = io.imread(path)
    if pixels.ndim == 3:
        assert pixels.shape[-1] in (3, 4)
        return pixels.transpose(2, 0, 1)[:, None].astype(np.float32)
    return pixels[None, None].astype(np.float32)


def test_the_folder_is_called_dataset_and_a_number_of_three_digits(made: Path) -> None:
    """dataset_format.md: DatasetXXX_Name, XXX the identifier, in nnUNet_raw."""
    folders = [path.name for path in made.iterdir() if path.is_dir()]

    assert folders == [TOP]
    assert re.fullmatch(r"Dataset\d{3}_\w+", TOP)


def test_dataset_json_has_the_required_keys(made: Path) -> None:
    """verify_dataset_integrity: labels, channel_names, numTraining, file_ending; no `dataset`."""
    description = description_of(made / TOP)

    assert {"labels", "channel_names", "numTraining", "file_ending"} <= set(description)
    assert "dataset" not in description
    assert description["file_ending"] == ".png"
    assert description["overwrite_image_reader_writer"] == "NaturalImage2DIO"


def test_every_training_image_has_a_label_map_and_they_are_counted(made: Path) -> None:
    """dataset_format.md: CASE_0000.png in imagesTr, CASE.png in labelsTr; numTraining counts."""
    images = sorted(path.name for path in (made / TOP / "imagesTr").iterdir())
    labels = sorted(path.name for path in (made / TOP / "labelsTr").iterdir())

    cases = [name.removesuffix(".png")[:-5] for name in images]
    assert [f"{case}_0000.png" for case in cases] == images
    assert [f"{case}.png" for case in cases] == labels
    assert len(set(cases)) == len(cases) == description_of(made / TOP)["numTraining"] == 7


def test_an_rgb_image_is_one_file_of_as_many_channels_as_are_named(made: Path) -> None:
    """dataset_format.md: RGB images are the one exception from a file a channel."""
    description = description_of(made / TOP)

    image = read_image(made / TOP / "imagesTr" / "p000_0000.png")
    labels = read_image(made / TOP / "labelsTr" / "p000.png")

    assert list(description["channel_names"]) == ["0", "1", "2"]
    assert len(image) == len(description["channel_names"])
    assert image.shape[1:] == labels.shape[1:]
    np.testing.assert_array_equal(image[:, 0].transpose(1, 2, 0), pixels_of(0))
    np.testing.assert_array_equal(labels[0, 0], labels_of(0))


def test_labels_begin_with_background_and_are_consecutive(made: Path) -> None:
    """LabelManager: `background` must be there and be 0; verify_dataset_integrity: no gaps."""
    labels = description_of(made / TOP)["labels"]

    assert labels["background"] == 0
    assert sorted(labels.values()) == list(range(len(labels)))
    assert list(labels)[1:5] == [
        "cortical tubulointerstitium",
        "glomerulus",
        "arteriole",
        "artery",
    ]


def test_the_ignore_label_is_the_highest_and_stands_where_nothing_is_labelled(made: Path) -> None:
    """ignore_label.md: it must be named `ignore` and be the highest integer."""
    labels = description_of(made / TOP)["labels"]

    found = read_image(made / TOP / "labelsTr" / "p001.png")[0, 0]

    assert labels["ignore"] == max(labels.values()) == 5
    np.testing.assert_array_equal(found == 5, labels_of(1) == 255)
    np.testing.assert_array_equal(found[found != 5], labels_of(1)[labels_of(1) != 255])


def test_label_maps_hold_declared_values_only(made: Path) -> None:
    """verify_dataset_integrity: a value that is not declared is an error."""
    declared = set(description_of(made / TOP)["labels"].values())

    for path in (made / TOP).glob("labels*/*.png"):
        assert set(np.unique(io.imread(path)).tolist()) <= declared


def test_without_unlabelled_pixels_no_ignore_label_is_declared(tmp_path: Path) -> None:
    """With one, nnU-Net trains in another, slower way."""
    written_in(tmp_path / "raw", NnuNet(), labelled(4, unlabelled=False))

    text = (tmp_path / "raw" / "README.md").read_text()
    assert "ignore" not in description_of(tmp_path / "raw" / TOP)["labels"]
    assert "ignore label" not in text
    assert "| unlabelled |" not in text


def test_the_split_of_fold_0_names_each_training_case_once(made: Path) -> None:
    """manual_data_splits.md: a list of splits, each with the cases of `train` and `val`."""
    splits = json.loads((made / TOP / "splits_final.json").read_text())

    cases = {path.stem for path in (made / TOP / "labelsTr").iterdir()}
    assert len(splits) == 1
    assert sorted(splits[0]) == ["train", "val"]
    assert splits[0]["val"] == ["p002", "p006"]
    assert not set(splits[0]["train"]) & set(splits[0]["val"])
    assert set(splits[0]["train"]) | set(splits[0]["val"]) == cases


def test_without_validation_images_nnunet_deals_its_own_folds(tmp_path: Path) -> None:
    written_in(tmp_path / "raw", NnuNet(), labelled(3, splits=["training"]))

    assert not (tmp_path / "raw" / TOP / "splits_final.json").exists()
    assert "cp " not in (tmp_path / "raw" / "README.md").read_text()


def test_test_images_lie_apart_with_their_label_maps(made: Path) -> None:
    """dataset_format.md: imagesTs is optional and not used in training."""
    assert sorted(path.name for path in (made / TOP / "imagesTs").iterdir()) == [
        "p003_0000.png",
        "p007_0000.png",
    ]
    assert sorted(path.name for path in (made / TOP / "labelsTs").iterdir()) == [
        "p003.png",
        "p007.png",
    ]


def test_classes_with_names_that_nnunet_keeps_get_others(tmp_path: Path) -> None:
    strange = ClassMap(
        (
            TissueClass("tissue", "#000001"),
            TissueClass("background", "#000002"),
            TissueClass("ignore", "#000003"),
            *(TissueClass(f"class {i}", f"#0001{i:02d}") for i in range(3)),
        )
    )
    dataset = replace(labelled(2, unlabelled=False), class_map=strange)

    written_in(tmp_path / "raw", NnuNet(number=7), dataset)

    labels = description_of(tmp_path / "raw" / "Dataset007_DrawnKidneyNo1")["labels"]
    assert labels == {
        "background": 0,
        "background (class 1)": 1,
        "ignore (class 2)": 2,
        "class 0": 3,
        "class 1": 4,
        "class 2": 5,
    }


def test_the_readme_says_which_class_is_the_background(made: Path) -> None:
    text = (made / "README.md").read_text()

    assert "*whitespace*" in text
    assert "| 5 | unlabelled | |" in text
    assert "are 5 here, nnU-Net's ignore label" in text
    assert f'cp {TOP}/splits_final.json "$nnUNet_preprocessed/{TOP}/"' in text


def test_jpeg_is_refused(tmp_path: Path) -> None:
    """dataset_format.md: lossless formats only, one for images and label maps."""
    with pytest.raises(SettingsError, match="takes PNG images only"):
        written_in(tmp_path / "raw", NnuNet(encoding=Encoding("jpeg")), labelled(3))


def test_a_dataset_without_training_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No image is left for training"):
        written_in(tmp_path / "raw", NnuNet(), labelled(3, splits=["test"]))
