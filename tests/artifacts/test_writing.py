"""Writing that survives a full disk and a kill."""

import errno
import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hdgan.artifacts.curves import curve_line, curve_of
from hdgan.artifacts.decoded import Decoded
from hdgan.artifacts.feature_store import FeatureStore
from hdgan.artifacts.order import Order
from hdgan.artifacts.table import Record, table_bytes, table_of
from hdgan.artifacts.unfinished import being_made
from hdgan.artifacts.writing import storage_errors, write_atomically
from hdgan.errors import DamagedArtifactError, StorageError, WrongArtifactError
from hdgan.method.features import FeaturePyramid


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_atomically(tmp_path / "deep" / "file", b"old")
    write_atomically(tmp_path / "deep" / "file", b"new")

    assert (tmp_path / "deep" / "file").read_bytes() == b"new"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file"]


def test_a_failed_write_leaves_the_old_file_and_no_debris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_atomically(tmp_path / "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"file could not be written: the disk is full"):
        write_atomically(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_errors_that_have_nothing_to_do_with_storage_pass(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), storage_errors(tmp_path):
        (tmp_path / "nowhere").read_bytes()


class Row(Record):
    """A row."""

    name: str
    count: int
    share: float | None
    kept: bool


def test_a_table_survives_writing_and_reading() -> None:
    rows = [
        Row(name="a, b", count=3, share=0.1 + 0.2, kept=True),
        Row(name='"c"', count=0, share=None, kept=False),
    ]

    assert table_of(table_bytes(rows, Row), Row, "x") == rows
    assert table_of(table_bytes([], Row), Row, "x") == []


@pytest.mark.parametrize(
    "data", [b"name,count,share,kept\na,many,,True\n", b"name\na\n", b"\xff\xfe"]
)
def test_a_broken_table_is_named(data: bytes) -> None:
    with pytest.raises(DamagedArtifactError, match=r"rows.csv is damaged"):
        table_of(data, Row, "rows.csv")


def test_features_are_mapped_from_disk_as_they_were_written(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    maps = [random.normal(size=(s, s, 3)).astype(np.float16) for s in (4, 8)]

    with being_made(tmp_path / "a", Order("classifier", {}, {})) as unfinished:
        assert unfinished is not None
        store = FeatureStore(unfinished)
        assert not store.has("s1")
        store.write("s1", FeaturePyramid(maps, 8))
        found = store.read("s1")

        assert store.has("s1")
        assert all(isinstance(m, np.memmap) for m in found.maps)
        assert all(np.array_equal(a, b) for a, b in zip(found.maps, maps, strict=True))
        assert found.side == 8
        rows = np.arange(8)
        assert np.allclose(found.at(rows, rows), FeaturePyramid(maps, 8).at(rows, rows))


def test_decoded_images_are_forgotten_when_they_no_longer_fit() -> None:
    read: list[int] = []

    def decode(number: int) -> np.ndarray:
        read.append(number)
        return np.full(100, number, dtype=np.uint8)

    images = Decoded(decode, limit=250)
    for number in (0, 1, 0, 2, 0, 1):
        assert int(images[number][0]) == number

    assert read == [0, 1, 2, 1]


@dataclass(frozen=True)
class Point:
    """A point of a curve."""

    steps: int
    loss: float


def test_a_curve_survives_writing_and_reading_and_is_valid_json() -> None:
    points = [Point(1, 0.25), Point(2, math.nan)]

    data = "\n".join(curve_line(point) for point in points).encode()

    assert b"NaN" not in data
    found = curve_of(data, Point, "x")
    assert found[0] == points[0]
    assert math.isnan(found[1].loss)


@pytest.mark.parametrize("line", [b"{", b"3", b'{"steps": 1}', b'{"steps": 1, "loss": "low"}'])
def test_a_broken_curve_is_named(line: bytes) -> None:
    with pytest.raises(DamagedArtifactError, match=r"curves.jsonl is damaged"):
        curve_of(line, Point, "curves.jsonl")


def test_work_goes_on_another_way_but_not_to_another_end(tmp_path: Path) -> None:
    def order(**settings: object) -> Order:
        return Order("pairs", {"memory": None, "threads": 1, "seed": 0} | settings, {})

    with being_made(tmp_path / "pairs", order()) as begun:
        assert begun is not None
        begun.write("file", b"done so far")

    with (
        pytest.raises(WrongArtifactError, match="seed was 0, now 1"),
        being_made(tmp_path / "pairs", order(seed=1)),
    ):
        pass
    with being_made(tmp_path / "pairs", order(memory="2GB", threads=2)) as goes_on:
        assert goes_on is not None
        assert goes_on.has("file")
        goes_on.finish()
    with being_made(tmp_path / "pairs", order(memory="1GB")) as again:
        assert again is None


def test_two_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    contents = [bytes([i]) * 5000 for i in range(8)]

    with ThreadPoolExecutor(8) as threads:
        for _ in range(20):
            list(threads.map(lambda data: write_atomically(tmp_path / "one", data), contents))
            assert (tmp_path / "one").read_bytes() in contents

    assert [path.name for path in tmp_path.iterdir()] == ["one"]
