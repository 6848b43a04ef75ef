"""Label maps of slides as pyramidal OME-TIFF."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import UInt8

from hdgan.artifacts.label_pyramid import (
    LabelPicture,
    halved_labels,
    label_level,
    write_label_pyramid,
)
from hdgan.class_map import KIDNEY, UNLABELLED
from tests.peak_memory import megabytes

Labels = UInt8[np.ndarray, "height width"]

WRITING = """
import sys
from pathlib import Path
import numpy as np
from hdgan.artifacts.label_pyramid import LabelPicture, write_label_pyramid
from hdgan.class_map import KIDNEY
height = int(sys.argv[1])
rows = (np.full((100, 4096), top // 100 % 5, dtype=np.uint8) for top in range(0, height, 100))
picture = LabelPicture("slide", height, 4096, KIDNEY, None)
write_label_pyramid(Path(sys.argv[2]), rows, picture)
print(peak_kb())
"""


def blobs(height: int, width: int) -> Labels:
    """Regions of the five classes, and some that are unlabelled."""
    random = np.random.default_rng(2)
    coarse = random.integers(0, 6, (height // 37 + 1, width // 37 + 1), dtype=np.uint8)
    fine = coarse.repeat(37, axis=0).repeat(37, axis=1)[:height, :width]
    return np.where(fine == 5, UNLABELLED, fine).astype(np.uint8)


def rows_of(labels: Labels, count: int) -> Iterator[Labels]:
    for top in range(0, len(labels), count):
        yield labels[top : top + count]


def written(path: Path, labels: Labels, *, count: int = 100, um: float | None = 0.5) -> Path:
    spacing_um = None if um is None else (um, um)
    height, width = labels.shape
    picture = LabelPicture("slide <1>", height, width, KIDNEY, spacing_um)
    write_label_pyramid(path, rows_of(labels, count), picture)
    return path


@pytest.mark.parametrize("size", [(1, 1), (511, 513), (1024, 600), (1500, 2701)])
@pytest.mark.parametrize("count", [7, 512, 9999])
def test_each_level_is_the_one_before_at_half_its_size(
    tmp_path: Path, size: tuple[int, int], count: int
) -> None:
    labels = blobs(*size)

    path = written(tmp_path / "deep" / "slide.ome.tif", labels, count=count)

    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        levels = [level.asarray() for level in file.series[0].levels]
        pages = [level.keyframe for level in file.series[0].levels]
    assert np.array_equal(levels[0], labels)
    for above, level in pairwise(levels):
        assert np.array_equal(level, halved_labels(above))
    assert max(levels[-1].shape) <= 512
    assert all(max(level.shape) > 512 for level in levels[:-1])
    assert {page.tile for page in pages} == {(512, 512)}
    assert {page.compression for page in pages} == {tifffile.COMPRESSION.ADOBE_DEFLATE}
    assert {page.photometric for page in pages} == {tifffile.PHOTOMETRIC.MINISBLACK}


def test_the_file_says_how_large_a_pixel_is_and_what_its_values_mean(tmp_path: Path) -> None:
    path = written(tmp_path / "slide.ome.tif", blobs(600, 700), um=0.25)

    with tifffile.TiffFile(path) as file:
        document = ElementTree.fromstring(file.ome_metadata or "")
        first = file.pages[0]
        assert isinstance(first, tifffile.TiffPage)
        resolution = first.get_resolution("MICROMETER")
    ome = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
    image = document.find(f"{ome}Image")
    pixels = document.find(f".//{ome}Pixels")
    assert image is not None
    assert pixels is not None
    assert image.attrib["Name"] == "slide <1>"
    assert (pixels.attrib["SizeX"], pixels.attrib["SizeY"]) == ("700", "600")
    assert [pixels.attrib[f"PhysicalSize{axis}"] for axis in "XY"] == ["0.25", "0.25"]
    assert {pixels.attrib[f"PhysicalSize{axis}Unit"] for axis in "XY"} == {"µm"}
    classes = {pair.attrib["K"]: pair.text for pair in document.iter(f"{ome}M")}
    names = dict(zip("01234", KIDNEY.names, strict=True))
    assert classes == names | {"255": "unlabelled"}
    assert resolution == pytest.approx((4.0, 4.0), rel=1e-4)


def test_nothing_is_said_of_a_spacing_that_nobody_knows(tmp_path: Path) -> None:
    path = written(tmp_path / "slide.ome.tif", blobs(60, 70), um=None)

    with tifffile.TiffFile(path) as file:
        assert "PhysicalSize" not in (file.ome_metadata or "")


def test_the_same_labels_give_the_same_bytes(tmp_path: Path) -> None:
    files = [written(tmp_path / name, blobs(700, 600)) for name in ("a.ome.tif", "b.ome.tif")]

    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_level_is_read_by_its_longer_side(tmp_path: Path) -> None:
    path = written(tmp_path / "slide.ome.tif", blobs(1500, 2701))

    found = {
        longest: (label_level(path, longest)[0].shape, label_level(path, longest)[1])
        for longest in (8192, 2048, 512)
    }

    assert found == {
        8192: ((1500, 2701), 1),
        2048: ((750, 1351), 2),
        512: ((188, 338), 8),
    }


@given(
    values=st.lists(
        st.lists(st.sampled_from([0, 1, 2, 3, 255]), min_size=4, max_size=4), min_size=1
    )
)
def test_the_commonest_label_of_four_wins(values: list[list[int]]) -> None:
    labels = np.array(values, dtype=np.uint8).reshape(-1, 2)

    halved = halved_labels(labels)

    for four, label in zip(values, halved[:, 0].tolist(), strict=True):
        assert label == max(four, key=lambda value: (four.count(value), -four.index(value)))


def test_what_was_left_too_early_is_not_there(tmp_path: Path) -> None:
    picture = LabelPicture("slide", 900, 700, KIDNEY, None)

    def interrupted() -> Iterator[Labels]:
        yield blobs(600, 700)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_label_pyramid(tmp_path / "slide.ome.tif", interrupted(), picture)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("labels", "what"),
    [(blobs(100, 701), "rows of 701 pixels"), (blobs(100, 700), "100 rows came for a height")],
)
def test_rows_that_are_not_the_pictures_are_refused(
    tmp_path: Path, labels: Labels, what: str
) -> None:
    picture = LabelPicture("slide", 900, 700, KIDNEY, None)

    with pytest.raises(ValueError, match=what):
        write_label_pyramid(tmp_path / "slide.ome.tif", [labels], picture)


def test_memory_does_not_grow_with_the_height(tmp_path: Path) -> None:
    """The larger label map alone would take 156 MB."""
    small, large = (megabytes(WRITING, height, tmp_path / "x.tif") for height in (4000, 40000))

    assert large - small < 10
