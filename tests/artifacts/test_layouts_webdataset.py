"""WebDataset shards: opened with the library `webdataset`."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import webdataset

from hdgan.artifacts.layouts.encoding import Encoding
from hdgan.artifacts.layouts.webdataset import WebDataset
from hdgan.class_map import KIDNEY
from tests.artifacts.layouts_world import (
    facts_of,
    labelled,
    labels_of,
    pixels_of,
    read_as_told,
    written_in,
)

# The library leaves the last shard open until it is collected.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*tar:pytest.PytestUnraisableExceptionWarning",
    "ignore:unclosed file.*tar:ResourceWarning",
)


def test_the_code_in_the_readme_reads_the_training_images(tmp_path: Path) -> None:
    written_in(tmp_path / "made", WebDataset(shard_size=2), labelled(9))

    found = read_as_told(tmp_path / "made", "for image, labels, about in", "(image, labels, about)")

    for i, (image, labels, about) in zip([0, 1, 4, 5, 8], found, strict=True):
        np.testing.assert_array_equal(image, pixels_of(i))
        np.testing.assert_array_equal(labels, labels_of(i))
        there = sorted(set(labels_of(i).ravel().tolist()) - {255})
        assert about == {
            "name": f"p{i:03d}",
            "classes": [KIDNEY.names[c] for c in there],
            **facts_of(i),
        }


def test_a_shard_holds_so_many_images_of_one_split(tmp_path: Path) -> None:
    written_in(tmp_path / "made", WebDataset(shard_size=2), labelled(9))

    names = sorted(path.name for path in (tmp_path / "made").glob("*.tar"))

    assert names == [
        "test-000000.tar",
        *(f"train-{i:06d}.tar" for i in range(3)),
        "validation-000000.tar",
    ]
    with tarfile.open(tmp_path / "made" / "train-000001.tar") as archive:
        assert archive.getnames() == [
            f"{name}.{ending}"
            for name in ("p004", "p005")
            for ending in ("image.png", "labels.png", "json")
        ]


def test_braces_name_several_shards(tmp_path: Path) -> None:
    written_in(tmp_path / "made", WebDataset(shard_size=2), labelled(9, splits=["training"]))

    shards = str(tmp_path / "made" / "train-{000000..000004}.tar")
    found = [sample["__key__"] for sample in webdataset.WebDataset(shards, shardshuffle=False)]

    assert [Path(key).name for key in found] == [f"p{i:03d}" for i in range(9)]


def test_jpeg_images_have_their_own_ending(tmp_path: Path) -> None:
    written_in(tmp_path / "made", WebDataset(Encoding("jpeg")), labelled(2))

    found = read_as_told(tmp_path / "made", "for image, labels, about in", "(image, labels)")

    assert len(found) == 2
    for i, (image, labels) in enumerate(found):
        assert np.abs(image.astype(int) - pixels_of(i).astype(int)).max() < 25
        np.testing.assert_array_equal(labels, labels_of(i))


def test_archives_say_nothing_of_the_computer(tmp_path: Path) -> None:
    written_in(tmp_path / "made", WebDataset(), labelled(1))

    data = (tmp_path / "made" / "train-000000.tar").read_bytes()

    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
            assert (member.uname, member.gname) == ("", "")
