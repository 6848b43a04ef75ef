"""Slides: what scanners write is read as it is, and what is damaged is refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from hdgan.artifacts.slide_files import slide_files
from hdgan.artifacts.slides.by_openslide import OpenSlideSlide
from hdgan.artifacts.slides.by_tifffile import TiffSlide
from hdgan.artifacts.slides.opening import open_slide
from hdgan.artifacts.slides.slide import levels_of, overview, read_scaled
from hdgan.errors import ImageError
from hdgan.geometry import Region
from tests.slide_world import halved, tissue_pixels, write_dicom, write_ome, write_tiff

SVS = "slides/cmu-1-small-region.svs"
JPEG_2000 = "slides/tcga-cr-7395-01a-01-ts1.svs"
NDPI = "slides/slideio_test3-DAPI-2-_387_.ndpi"


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lossless pyramid of 301 x 203 pixels; do not change it."""
    path = tmp_path_factory.mktemp("slides") / "made.tif"
    write_tiff(path, tissue_pixels(301, 203), compression="adobe_deflate")
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(x=st.integers(-90, 340), y=st.integers(-90, 240), width=st.integers(1, 150))
def test_a_region_is_a_part_of_the_whole_and_white_outside(
    pyramid: Path, x: int, y: int, width: int
) -> None:
    whole = np.pad(tissue_pixels(301, 203), ((300, 300), (300, 300), (0, 0)), constant_values=255)

    with open_slide(pyramid) as slide:
        read = slide.read(0, Region(x, y, width, 70))

    assert (read == whole[y + 300 : y + 370, x + 300 : x + 300 + width]).all()


def test_levels_are_those_of_the_file(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        assert [(level.width, level.height) for level in slide.levels] == [
            (301, 203),
            (150, 101),
            (75, 50),
        ]
        assert (slide.read(1, Region(0, 0, 150, 101)) == halved(tissue_pixels(301, 203))).all()


def test_a_region_at_its_own_size_is_not_resampled(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        read = read_scaled(slide, Region(13, 17, 100, 90), 100, 90)

    assert (read == tissue_pixels(301, 203)[17:107, 13:113]).all()


def test_neighbours_made_smaller_fit_together(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        both = read_scaled(slide, Region(0, 0, 192, 96), 128, 64)
        parts = [read_scaled(slide, Region(x, 0, 96, 96), 64, 64) for x in (0, 96)]

    assert (np.concatenate(parts, axis=1) == both).all()


def test_a_smaller_region_shows_the_same_place(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:400, :400]
    ramp = np.stack([rows // 2, columns // 2, np.full_like(rows, 100)], axis=-1).astype(np.uint8)
    write_tiff(tmp_path / "ramp.tif", ramp, compression="adobe_deflate")

    with open_slide(tmp_path / "ramp.tif") as slide:
        read = read_scaled(slide, Region(60, 30, 150, 120), 50, 40).astype(float)

    middle_rows = (30 + (np.arange(40) + 0.5) * 3 - 0.5) / 2
    middle_columns = (60 + (np.arange(50) + 0.5) * 3 - 0.5) / 2
    assert np.abs(read[..., 0] - middle_rows[:, None]).max() < 1.0
    assert np.abs(read[..., 1] - middle_columns[None]).max() < 1.0


def test_what_is_made_smaller_at_the_edge_has_no_white(tmp_path: Path) -> None:
    grey = np.full((256, 256, 3), 100, dtype=np.uint8)
    write_tiff(tmp_path / "grey.tif", grey, num_levels=1, compression="adobe_deflate")

    with open_slide(tmp_path / "grey.tif") as slide:
        assert (read_scaled(slide, Region(128, 128, 128, 128), 32, 32) == 100).all()
        assert (overview(slide, 50) == 100).all()


def test_sides_that_were_rounded_move_no_pixel() -> None:
    levels = levels_of([(50_000, 1001), (12_500, 251), (3125, 62), (1562, 33)])

    assert [(level.across, level.down) for level in levels[:3]] == [(1, 1), (4, 4), (16, 16)]
    assert levels[3].across == 32
    assert levels_of([(1000, 1000), (300, 300)])[1].across == pytest.approx(10 / 3)


def test_an_overview_shows_the_whole_slide_whatever_its_bands(
    pyramid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_slide(pyramid) as slide:
        at_once = overview(slide, 100)
        monkeypatch.setattr("hdgan.artifacts.slides.slide._BAND_PIXELS", 3000)
        in_bands = overview(slide, 100)

    assert at_once.shape == in_bands.shape == (67, 100, 3)
    assert np.abs(at_once.astype(int) - in_bands.astype(int)).mean() < 3


def test_an_overview_of_a_small_slide_is_the_slide(pyramid: Path) -> None:
    with open_slide(pyramid) as slide:
        assert (overview(slide) == tissue_pixels(301, 203)).all()


def test_a_plain_image_is_a_slide_of_one_level(tmp_path: Path) -> None:
    pixels = tissue_pixels(60, 40)
    Image.fromarray(pixels).save(tmp_path / "plain.png")

    with open_slide(tmp_path / "plain.png") as slide:
        read = slide.read(0, Region(50, 30, 20, 20))

    assert slide.kind == "plain image"
    assert (read[:10, :10] == pixels[30:, 50:]).all()
    assert (read[10:] == 255).all()
    assert (read[:, 10:] == 255).all()


def test_an_untiled_tiff_is_a_plain_image(tmp_path: Path) -> None:
    pixels = tissue_pixels(60, 40)
    Image.fromarray(pixels).save(tmp_path / "plain.tif")

    with open_slide(tmp_path / "plain.tif") as slide:
        assert slide.kind == "plain image"
        assert (slide.read(0, Region(0, 0, 60, 40)) == pixels).all()


@pytest.mark.parametrize(
    ("size_x", "unit", "spacing_um"),
    [("0.5", "µm", 0.5), ("250", "nm", 0.25), ("0.001", "mm", 1.0), ("0", "µm", None)],
)
def test_ome_tiff_tells_its_spacing(
    tmp_path: Path, size_x: str, unit: str, spacing_um: float | None
) -> None:
    write_ome(tmp_path / "made.ome.tif", tissue_pixels(130, 70), size_x=size_x, unit=unit)

    with open_slide(tmp_path / "made.ome.tif") as slide:
        assert slide.kind == "ome-tiff"
        assert slide.spacing_um == spacing_um


@pytest.mark.parametrize(("given", "believed"), [(0.25, 0.25), (None, None), (352.8, None)])
def test_resolution_tags_are_believed_if_a_microscope_could_have_them(
    tmp_path: Path, given: float | None, believed: float | None
) -> None:
    write_tiff(tmp_path / "made.tif", tissue_pixels(130, 70), spacing_um=given)

    with open_slide(tmp_path / "made.tif") as slide:
        assert (slide.spacing_um or 0) == pytest.approx(believed or 0, rel=1e-4)


def test_oblong_pixels_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "oblong.tif",
        tissue_pixels(130, 70),
        tile=(64, 64),
        photometric="rgb",
        resolution=(20000, 40000),
        resolutionunit="CENTIMETER",
    )

    with pytest.raises(ImageError, match=r"oblong.tif has pixels of 0.5 x 0.25 um; square ones"):
        open_slide(tmp_path / "oblong.tif")


def test_parts_that_were_not_scanned_are_white(tmp_path: Path) -> None:
    write_tiff(tmp_path / "sparse.tif", tissue_pixels(128, 64), num_levels=1)
    data = bytearray((tmp_path / "sparse.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "sparse.tif") as file:
        counts = file.pages.first.tags["TileByteCounts"]
        place, kind = counts.valueoffset, counts.dtype
    size = {3: 2, 4: 4}[int(kind)]
    data[place : place + size] = bytes(size)
    (tmp_path / "sparse.tif").write_bytes(data)

    with open_slide(tmp_path / "sparse.tif") as slide:
        read = slide.read(0, Region(0, 0, 128, 64))

    assert (read[:, :64] == 255).all()
    assert read[:, 64:].min() < 200


@pytest.mark.parametrize("name", [SVS, JPEG_2000])
def test_tifffile_reads_the_pixels_that_openslide_reads(shared_data: Path, name: str) -> None:
    random = np.random.default_rng(0)
    with TiffSlide(shared_data / name) as ours, OpenSlideSlide(shared_data / name) as theirs:
        full = ours.levels[0]
        assert [(level.width, level.height) for level in ours.levels] == [
            (level.width, level.height) for level in theirs.levels
        ]
        assert ours.spacing_um == theirs.spacing_um
        for _ in range(12):
            x, y = (int(random.integers(-200, side)) for side in (full.width, full.height))
            region = Region(x, y, int(random.integers(1, 600)), int(random.integers(1, 600)))
            assert (ours.read(0, region) == theirs.read(0, region)).all()
        for number, level in enumerate(ours.levels):
            whole = Region(0, 0, level.width, level.height)
            assert (ours.read(number, whole) == theirs.read(number, whole)).all()


def test_slides_of_scanners_tell_their_spacing(shared_data: Path) -> None:
    told = {}
    for path in sorted((shared_data / "slides").iterdir()):
        if path.suffix in (".svs", ".ndpi", ".tif"):
            with open_slide(path) as slide:
                told[path.name.split(".")[0]] = (slide.kind, slide.spacing_um)

    assert told == {
        "OS-1-detail": ("ome-tiff", pytest.approx(0.2271, abs=1e-4)),
        "OS-2-ndpi": ("ome-tiff", pytest.approx(0.2271, abs=1e-4)),
        "OS-2-vsi": ("ome-tiff", pytest.approx(0.34605, abs=1e-4)),
        "cmu-1-small-region": ("aperio", 0.499),
        "slideio_test3-DAPI-2-_387_": ("hamamatsu", pytest.approx(0.22818, abs=1e-4)),
        "slideio_test3-TRITC_2__560_": ("hamamatsu", pytest.approx(0.22818, abs=1e-4)),
        "tcga-cr-7395-01a-01-ts1": ("aperio", None),
    }


def test_an_ome_tiff_is_what_tifffile_decodes_at_once(shared_data: Path) -> None:
    path = shared_data / "slides" / "OS-1-detail.ome.tif"

    with open_slide(path) as slide:
        read = slide.read(0, Region(0, 0, 1101, 1101))

    assert (read == tifffile.imread(path)).all()


def tiff(*, width: int, height: int, tile_px: int = 512, loops: bool = False) -> bytes:
    """A TIFF with one directory that declares what it is told to, and hardly any data."""
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 2), (277, 3)]
    entries += [(322, tile_px), (323, tile_px), (324, 300), (325, 512 * 512 * 3)]
    directory = struct.pack("<H", len(entries))
    for tag, value in entries:
        directory += struct.pack("<HHII", tag, 4, 1, value)
    directory += struct.pack("<I", 8 if loops else 0)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(1000)


HOSTILE = {
    "huge": (tiff(width=10**9, height=10**9), "damaged or cut short"),
    "huge tiles": (tiff(width=10**6, height=10**6, tile_px=10**6), "has tiles of 1000000"),
    "no pixels": (tiff(width=0, height=0), "damaged or cut short"),
    "few tiles": (tiff(width=1_900_000, height=1_900_000), "1 tiles are there, not"),
    "cut short": (tiff(width=512, height=512), "damaged or cut short"),
    "loops": (tiff(width=512, height=512, loops=True), "damaged or cut short"),
    "nothing": (b"", "damaged|not an image"),
    "text": (b"hello " * 100, "not an image"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_tiff_is_one_sentence(tmp_path: Path, case: str) -> None:
    data, sentence = HOSTILE[case]
    (tmp_path / "hostile.tif").write_bytes(data)

    with (
        pytest.raises(ImageError, match=rf"hostile\.tif.*({sentence})"),
        open_slide(tmp_path / "hostile.tif") as slide,
    ):
        overview(slide)


def test_a_directory_that_loops_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "loop.tif").write_bytes(
        tiff(width=512, height=512, loops=True) + bytes(512 * 512 * 3)
    )

    with open_slide(tmp_path / "loop.tif") as slide:
        assert len(slide.levels) == 1


@pytest.mark.parametrize("part", [0.05, 0.3, 0.7, 0.9])
def test_a_truncated_pyramid_is_one_sentence(tmp_path: Path, part: float) -> None:
    write_tiff(tmp_path / "whole.tif", tissue_pixels(700, 500))
    data = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(data[: int(part * len(data))])

    with pytest.raises(ImageError, match=r"cut\.tif is damaged or cut short"):
        read_all(tmp_path / "cut.tif")


def read_all(path: Path) -> None:
    with open_slide(path) as slide:
        for number, level in enumerate(slide.levels):
            slide.read(number, Region(0, 0, level.width, level.height))


@pytest.mark.parametrize("ending", ["svs", "ndpi", "mrxs", "scn", "bif", "dcm"])
def test_what_no_reader_knows_is_one_sentence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"strange.{ending}"
    path.write_bytes(b"\x93strange" * 50)

    with pytest.raises(ImageError, match=rf"strange\.{ending} is no slide that can be read"):
        open_slide(path)


def test_a_damaged_tile_is_one_sentence(tmp_path: Path) -> None:
    write_tiff(tmp_path / "made.tif", tissue_pixels(128, 128))
    data = bytearray((tmp_path / "made.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "made.tif") as file:
        start = file.pages.first.dataoffsets[0]
    data[start : start + 400] = bytes(400)
    (tmp_path / "made.tif").write_bytes(data)

    with (
        pytest.raises(ImageError, match=r"made\.tif is damaged or cut short"),
        open_slide(tmp_path / "made.tif") as slide,
    ):
        slide.read(0, Region(0, 0, 64, 64))


def test_a_dicom_slide_is_a_folder(tmp_path: Path) -> None:
    pixels = tissue_pixels(700, 500)
    write_dicom(tmp_path / "in" / "S1", pixels, spacing_um=0.5)

    (file,) = slide_files(tmp_path / "in")
    with open_slide(file.path) as slide:
        read = slide.read(0, Region(0, 0, 700, 500))

    assert (file.name, slide.kind, slide.spacing_um) == ("S1", "dicom", 0.5)
    assert [level.width for level in slide.levels] == [700, 350]
    assert np.abs(read.astype(float) - pixels).mean() < 5


def test_two_dicom_slides_in_one_folder_are_refused(tmp_path: Path) -> None:
    write_dicom(tmp_path / "S1", tissue_pixels(300, 200), spacing_um=0.5)
    write_dicom(tmp_path / "S2", tissue_pixels(300, 200), spacing_um=0.5)
    for path in (tmp_path / "S2").iterdir():
        path.rename(tmp_path / "S1" / f"other-{path.name}")

    with pytest.raises(ImageError, match=r"holds 4 DICOM files, of which 2 are of one slide"):
        open_slide(tmp_path / "S1" / "1.dcm")


@pytest.mark.parametrize("name", [NDPI])
def test_what_openslide_alone_reads_goes_to_openslide(shared_data: Path, name: str) -> None:
    with open_slide(shared_data / name) as slide:
        read = slide.read(2, Region(-10, -10, 100, 100))

    assert (read[:10] == 255).all()
    assert read[10:, 10:].shape == (90, 90, 3)
