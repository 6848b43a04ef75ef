"""Tiled TIFF files that are written a few rows at a time."""

import errno
from pathlib import Path

import numpy as np
import pytest
import tifffile

from hdgan.artifacts.images import grey_of, rgb_of
from hdgan.artifacts.tiled_image import TILE_PX, TiledImage, tiled_images
from hdgan.errors import StorageError
from tests.peak_memory import megabytes

WRITING = """
import sys
from pathlib import Path
import numpy as np
from hdgan.artifacts.tiled_image import tiled_images
side = int(sys.argv[1])
with tiled_images({Path(sys.argv[2]): 3}, side) as (image,):
    for top in range(0, side, 64):
        image.add(np.full((64, side, 3), top // 64, dtype=np.uint8))
print(peak_kb())
"""


@pytest.mark.parametrize(("side", "rows"), [(64, 16), (64, 64), (1024, 128), (1024, 1024)])
def test_what_was_given_row_by_row_is_read_back(tmp_path: Path, side: int, rows: int) -> None:
    random = np.random.default_rng(3)
    colours = random.integers(0, 256, size=(side, side, 3), dtype=np.uint8)
    classes = random.integers(0, 5, size=(side, side), dtype=np.uint8)
    paths = {tmp_path / "deep" / "image.tif": 3, tmp_path / "labels.tif": 1}

    with tiled_images(paths, side) as (image, labels):
        for top in range(0, side, rows):
            image.add(colours[top : top + rows])
            labels.add(classes[top : top + rows])

    read = [path.read_bytes() for path in paths]
    assert np.array_equal(rgb_of(read[0], "image"), colours)
    assert np.array_equal(grey_of(read[1], "labels"), classes)
    with tifffile.TiffFile(tmp_path / "labels.tif") as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        assert page.is_tiled
        assert page.tile == (min(side, TILE_PX),) * 2


def test_the_same_pixels_give_the_same_bytes(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).integers(0, 256, size=(64, 64, 3), dtype=np.uint8)

    for name in ("a.tif", "b.tif"):
        with tiled_images({tmp_path / name: 3}, 64) as (image,):
            image.add(rows)

    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_an_image_that_was_left_is_not_there(tmp_path: Path) -> None:
    rows = np.zeros((512, 1024), dtype=np.uint8)

    def leave() -> None:
        with tiled_images({tmp_path / "labels.tif": 1}, 1024) as (image,):
            image.add(rows)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TiledImage, "_write", full)

    with (
        pytest.raises(StorageError, match=r"labels\.tif could not be written: the disk is full"),
        tiled_images({tmp_path / "labels.tif": 1}, 512) as (image,),
    ):
        image.add(np.zeros((512, 512), dtype=np.uint8))

    assert list(tmp_path.iterdir()) == []


def test_writing_holds_some_rows_and_not_the_image(tmp_path: Path) -> None:
    """The larger image has 192 MB, a row of its tiles 12."""
    small = megabytes(WRITING, 512, tmp_path / "small.tif")
    large = megabytes(WRITING, 8192, tmp_path / "large.tif")

    assert large - small < 80
