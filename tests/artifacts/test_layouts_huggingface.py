"""Hugging Face: opened with the library `datasets`, without a network."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hdgan.artifacts.layouts import huggingface
from hdgan.artifacts.layouts.encoding import Encoding
from hdgan.artifacts.layouts.hub_card import front_matter, size_category
from hdgan.artifacts.layouts.huggingface import HuggingFace
from hdgan.artifacts.layouts.huggingface_folder import HuggingFaceFolder
from hdgan.class_map import KIDNEY
from hdgan.errors import SettingsError
from tests.artifacts.layouts_world import (
    facts_of,
    labelled,
    labels_of,
    pixels_of,
    read_as_told,
    with_facts,
    written_in,
)


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library keeps its cache below the test's folder and asks nobody."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def loaded(folder: Path) -> Any:
    from datasets import load_dataset

    return load_dataset(str(folder))


def card_of(folder: Path) -> dict[str, Any]:
    """The README's metadata as the hub's own library reads them."""
    from huggingface_hub import DatasetCard

    content: dict[str, Any] = DatasetCard.load(folder / "README.md").data.to_dict()
    return content


@pytest.mark.parametrize("layout", [HuggingFace(shard_size=2), HuggingFaceFolder()])
def test_images_and_label_maps_come_back_by_split(
    layout: HuggingFace | HuggingFaceFolder, tmp_path: Path
) -> None:
    written_in(tmp_path / "made", layout, labelled(9))

    found = loaded(tmp_path / "made")

    wanted = {"train": [0, 1, 4, 5, 8], "validation": [2, 6], "test": [3, 7]}
    assert {split: len(rows) for split, rows in found.items()} == {
        split: len(numbers) for split, numbers in wanted.items()
    }
    for split, numbers in wanted.items():
        for i, row in zip(numbers, found[split], strict=True):
            assert row["image"].mode == "RGB"
            assert row["labels"].mode == "L"
            np.testing.assert_array_equal(np.array(row["image"]), pixels_of(i))
            np.testing.assert_array_equal(np.array(row["labels"]), labels_of(i))
            assert {name: row[name] for name in facts_of(i)} == facts_of(i)


@pytest.mark.parametrize("layout", [HuggingFace(), HuggingFaceFolder()])
def test_the_code_in_the_readme_reads_the_training_images(
    layout: HuggingFace | HuggingFaceFolder, tmp_path: Path
) -> None:
    written_in(tmp_path / "made", layout, labelled(5))

    found = read_as_told(tmp_path / "made", 'for pair in pairs["train"]', "(image, labels)")

    for i, (image, labels) in zip([0, 1, 4], found, strict=True):
        np.testing.assert_array_equal(image, pixels_of(i))
        np.testing.assert_array_equal(labels, labels_of(i))


def test_class_names_are_in_the_features(tmp_path: Path) -> None:
    written_in(tmp_path / "made", HuggingFace(), labelled(3, splits=["training"]))

    rows = loaded(tmp_path / "made")["train"]

    assert rows.features["classes"].feature.names == KIDNEY.names
    for i, row in enumerate(rows):
        assert row["classes"] == sorted(set(labels_of(i).ravel().tolist()) - {255})


def test_jpeg_images_stay_jpeg(tmp_path: Path) -> None:
    encoding = Encoding("jpeg")
    written_in(tmp_path / "parquet", HuggingFace(encoding), labelled(2))
    written_in(tmp_path / "folder", HuggingFaceFolder(encoding), labelled(2))

    for name in ("parquet", "folder"):
        row = loaded(tmp_path / name)["train"][1]
        assert row["image"].format == "JPEG"
        np.testing.assert_array_equal(np.array(row["labels"]), labels_of(1))


def test_parquet_files_hold_so_many_images_and_say_how_many_files_there_are(tmp_path: Path) -> None:
    written_in(tmp_path / "made", HuggingFace(shard_size=2), labelled(5, splits=["training"]))

    names = sorted(path.name for path in (tmp_path / "made" / "data").iterdir())

    assert names == [f"train-{i:05d}-of-00003.parquet" for i in range(3)]


def test_a_row_group_ends_when_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow.parquet import ParquetFile

    monkeypatch.setattr(huggingface, "GROUP_BYTES", 1000)
    written_in(tmp_path / "made", HuggingFace(), labelled(9, splits=["training"]))

    with ParquetFile(tmp_path / "made" / "data" / "train-00000-of-00001.parquet") as file:
        about = file.metadata
        rows = [about.row_group(i).num_rows for i in range(about.num_row_groups)]

    assert sum(rows) == 9
    assert len(rows) > 1
    assert max(rows) < 9


def test_the_card_has_the_metadata_that_the_hub_asks_for(tmp_path: Path) -> None:
    written_in(tmp_path / "made", HuggingFace(), labelled(9))

    card = card_of(tmp_path / "made")

    assert card["license"] == "cc-by-4.0"
    assert card["pretty_name"] == "Drawn kidney: no. 1"
    assert card["task_categories"] == ["image-segmentation"]
    assert card["size_categories"] == ["n<1K"]
    assert card["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": split, "path": f"data/{split}-*.parquet"}
                for split in ("train", "validation", "test")
            ],
        }
    ]


def test_a_split_without_images_is_not_promised(tmp_path: Path) -> None:
    written_in(tmp_path / "made", HuggingFace(), labelled(2, splits=["training"]))

    assert list(loaded(tmp_path / "made")) == ["train"]


@pytest.mark.parametrize(
    ("licence", "lines"),
    [
        (None, {"license": "unknown"}),
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("CC BY 4.0", {"license": "cc-by-4.0"}),
        ('Ask "us": first', {"license": "other", "license_name": 'Ask "us": first'}),
    ],
)
def test_a_licence_is_named_as_the_hub_names_it(
    licence: str | None, lines: dict[str, str], tmp_path: Path
) -> None:
    dataset = replace(labelled(1), licence=licence)
    (tmp_path / "README.md").write_text(front_matter(dataset, "{split}/**"))

    card = card_of(tmp_path)

    assert {name: card[name] for name in card if name.startswith("license")} == lines


def test_sizes_are_said_as_the_hub_says_them() -> None:
    sizes = {1: "n<1K", 999: "n<1K", 1000: "1K<n<10K", 10**6: "1M<n<10M", 10**7: "10M<n<100M"}

    assert {count: size_category(count) for count in sizes} == sizes


def test_a_fact_that_is_called_like_a_column_is_refused(tmp_path: Path) -> None:
    dataset = with_facts(labelled(2), {"image": 1})

    with pytest.raises(SettingsError, match="called 'image'"):
        written_in(tmp_path / "made", HuggingFace(), dataset)


def test_images_without_facts_can_be_written(tmp_path: Path) -> None:
    written_in(tmp_path / "parquet", HuggingFace(), with_facts(labelled(2), {}))
    written_in(tmp_path / "folder", HuggingFaceFolder(), with_facts(labelled(2), {}))

    assert len(loaded(tmp_path / "parquet")["train"]) == 2
    assert len(loaded(tmp_path / "folder")["train"]) == 2


def test_the_folders_table_names_the_image_first(tmp_path: Path) -> None:
    written_in(tmp_path / "made", HuggingFaceFolder(), labelled(2))

    lines = (tmp_path / "made" / "train" / "metadata.jsonl").read_text().splitlines()

    assert list(json.loads(lines[0]))[:2] == ["file_name", "labels_file_name"]
