"""Compressed tiles of a TIFF: what fits is read, what swells is refused before it is decoded."""

import struct
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hdgan.artifacts.slides.by_tifffile import TiffSlide
from hdgan.artifacts.slides.opening import open_slide
from hdgan.artifacts.slides.slide import Pixels
from hdgan.artifacts.slides.tile_headers import check_tile
from hdgan.errors import ImageError
from hdgan.geometry import Region
from tests.slide_world import tissue_pixels

LIKE_A_FRAME = b"\xff\xc0\x00\x11\x08\x01\x00\x01\x00\x03"
"""What a JPEG of 256 x 256 pixels begins its frame with."""


def written(path: Path, data: bytes, compression: str | int) -> Path:
    """A TIFF of one tile of 256 x 256 pixels, with something in it."""
    tifffile.imwrite(
        path,
        iter([data]),
        shape=(256, 256, 3),
        dtype="uint8",
        tile=(256, 256),
        compression=compression,
        photometric="rgb",
    )
    return path


def read(path: Path) -> Pixels:
    with open_slide(path) as slide:
        return slide.read(0, Region(0, 0, 256, 256))


def saved(pixels: Pixels, kind: str, **more: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **more)
    return buffer.getvalue()


def segment(marker: int, content: bytes) -> bytes:
    """Of a JPEG file."""
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def frame(marker: int, width: int, height: int, components: int = 3) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, height, width, components) + bytes(9))


def jpeg(pixels: Pixels, before: bytes = b"") -> bytes:
    data = saved(pixels, "JPEG")
    return data[:2] + before + data[2:]


def with_texts(count: int) -> bytes:
    """A PNG with texts of a megabyte each, which are packed into a kilobyte."""
    texts = PngInfo()
    for number in range(count):
        texts.add_text(f"text {number}", "a" * 10**6, zip=True)
    return saved(tissue_pixels(8, 8), "PNG", pnginfo=texts)


def jpeg_2000(pixels: Pixels, kind: str) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(pixels, codecformat=kind))


def stored(pixels: Pixels) -> dict[str, tuple[bytes, str]]:
    """An image as tiles store it, and its TIFF compression."""
    return {
        "JPEG": (jpeg(pixels), "jpeg"),
        "JPEG after a comment like a frame": (jpeg(pixels, segment(0xFE, LIKE_A_FRAME)), "jpeg"),
        "progressive JPEG": (saved(pixels, "JPEG", progressive=True), "jpeg"),
        "JPEG 2000": (jpeg_2000(pixels, "j2k"), "jpeg2000"),
        "JPEG 2000 in a JP2 file": (jpeg_2000(pixels, "jp2"), "jpeg2000"),
        "PNG": (saved(pixels, "PNG"), "png"),
        "WebP": (saved(pixels, "WEBP"), "webp"),
        "WebP without loss": (saved(pixels, "WEBP", lossless=True), "webp"),
        "WebP with a header of its own": (saved(pixels, "WEBP", exif=b"Exif\0\0" * 9), "webp"),
    }


KINDS = list(stored(tissue_pixels(8, 8)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_tile_that_fits_is_read(tmp_path: Path, kind: str) -> None:
    pixels = tissue_pixels(256, 256)
    data, compression = stored(pixels)[kind]

    got = read(written(tmp_path / "fits.tif", data, compression))

    if compression == "jpeg":  # which the file declares to be RGB, so that hues are others
        assert got.shape == (256, 256, 3)
        assert got.std() > 1
    else:
        assert np.abs(got.astype(float) - pixels).mean() < 6


@pytest.mark.parametrize("size", [(257, 256), (256, 257), (300, 200)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tile_that_swells_is_refused_before_it_is_decoded(
    tmp_path: Path, kind: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, compression = stored(tissue_pixels(*size))[kind]
    path = written(tmp_path / "swells.tif", data, compression)
    monkeypatch.setattr(tifffile.TiffPage, "decode", property(lambda _: pytest.fail("decoded")))

    with pytest.raises(
        ImageError,
        match=rf"swells\.tif is damaged .*a tile of 256 x 256 pixels holds {size[0]} x {size[1]}\)",
    ):
        read(path)


@pytest.mark.parametrize(
    "declared", ["ff c0 00 11 08 40 00 40 00 03", "ff c2 00 0b 08 ff ff ff ff 01"]
)
def test_what_looks_like_a_frame_in_a_comment_is_none(tmp_path: Path, declared: str) -> None:
    pixels = tissue_pixels(256, 256)
    plain = written(tmp_path / "plain.tif", jpeg(pixels), "jpeg")
    more = segment(0xFE, bytes.fromhex(declared)) + segment(0xE1, bytes.fromhex(declared))
    commented = written(tmp_path / "commented.tif", jpeg(pixels, more), "jpeg")

    assert (read(commented) == read(plain)).all()


SOS = segment(0xDA, bytes(10))
RAW = jpeg_2000(tissue_pixels(64, 64), "j2k")
BOXED = jpeg_2000(tissue_pixels(64, 64), "jp2")


def with_siz(place: int, layout: str, *values: int) -> bytes:
    """A JPEG 2000 whose SIZ marker says something else."""
    data = bytearray(RAW)
    struct.pack_into(layout, data, place, *values)
    return bytes(data)


HEADERS = {
    "a frame after one that no decoder knows": (
        b"\xff\xd8" + frame(0xC5, 64, 64) + frame(0xC3, 16_000, 16_000) + SOS,
        7,
        "holds 16000 x 16000",
    ),
    "a frame of many components": (b"\xff\xd8" + frame(0xC3, 64, 64, 255) + SOS, 7, "components"),
    "bytes that fill up": (b"\xff\xd8\xff" + frame(0xC0, 64, 64) + SOS, 7, "header of a JPEG"),
    "bytes between segments": (b"\xff\xd8\0" + frame(0xC0, 64, 64) + SOS, 7, "header of a JPEG"),
    "an end before the scan": (b"\xff\xd8" + frame(0xC0, 64, 64) + b"\xff\xd9\0\0", 7, "of a JPEG"),
    "a segment of no length": (b"\xff\xd8\xff\xc0\0\0", 7, "header of a JPEG"),
    "tables alone": (b"\xff\xd8" + segment(0xDB, bytes(65)) + SOS, 7, "no JPEG frame"),
    "a JPEG that stops": (b"\xff\xd8" + frame(0xC0, 64, 64), 7, "unpack"),
    "another image": (saved(tissue_pixels(8, 8), "PNG"), 7, "is no JPEG"),
    "a JPEG 2000 in many parts": (with_siz(24, ">II", 1, 1), 33005, "more than 1024 parts"),
    "a JPEG 2000 of many components": (with_siz(40, ">H", 16_384), 33003, "16384 components"),
    "a JPEG 2000 far to the left": (with_siz(8, ">II", 16_000, 64), 34712, "holds 16000 x 64"),
    "no SIZ": (RAW[:2] + b"\xff\x30" + RAW[2:], 33004, "is no JPEG 2000"),
    "a box of no length": (BOXED[:12] + bytes(8) + BOXED[12:], 34712, "boxes"),
    "boxes that stop": (BOXED[:40], 34712, "unpack"),
    "a PNG that begins otherwise": (b"\x89PNG\r\n\x1a\n\0\0\0\0tEXt" + bytes(16), 34933, "no PNG"),
    "a PNG with packed texts": (with_texts(60), 34933, "packed texts"),
    "a WebP without a chunk": (b"RIFF\0\0\0\0WEBP" + bytes(40), 50001, "is no WebP"),
    "a WebP that stops": (saved(tissue_pixels(8, 8), "WEBP")[:29], 34927, "is cut short"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_another_reader_may_take_otherwise_is_refused(name: str) -> None:
    data, compression, says = HEADERS[name]

    with pytest.raises((ValueError, struct.error), match=says):
        check_tile(data, compression, (64, 64))


def test_a_codestream_that_begins_further_in_is_as_large_as_what_is_left() -> None:
    data = bytearray(RAW)
    struct.pack_into(">8I", data, 8, 164, 164, 100, 100, 164, 164, 0, 0)

    check_tile(bytes(data), 34712, (64, 64))
    with pytest.raises(ValueError, match="holds 64 x 64"):
        check_tile(bytes(data), 34712, (63, 64))


@pytest.mark.parametrize(("compression", "called"), [(50002, "JPEGXL"), (34934, "JPEGXR")])
def test_what_cannot_be_checked_is_refused(tmp_path: Path, compression: int, called: str) -> None:
    path = written(tmp_path / "unknown.tif", bytes(100), compression)

    with pytest.raises(ImageError, match=rf"unknown\.tif is compressed as {called}, whose size"):
        TiffSlide(path)


def test_both_limits_of_a_tile_are_told(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "long.tif",
        tissue_pixels(64, 64),
        tile=(16, 32_768),
        photometric="rgb",
        compression="zlib",
    )

    with pytest.raises(
        ImageError, match=r"32768 x 16 .* 16,384 pixels on a side and 16,777,216 in"
    ):
        open_slide(tmp_path / "long.tif")
