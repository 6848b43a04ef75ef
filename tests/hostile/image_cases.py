"""Hostile images, label maps and slides: bombs, sizes that lie, ends that are missing."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from tests.hostile.case import Case, in_a_folder
from tests.slide_world import tissue_pixels, write_tiff
from tests.tiny_world import TinyWorld

TILE = "tile IN OUT --workers 1 --num-folds 1"
IMPORT = "import-annotations samples IN OUT --classes classes"


def chunk(kind: bytes, content: bytes) -> bytes:
    """Of a PNG file."""
    check = zlib.crc32(kind + content).to_bytes(4)
    return len(content).to_bytes(4) + kind + content + check


def png(
    width: int, height: int, kind: int = 2, rows: int | None = None, more: bytes = b""
) -> bytes:
    """A PNG of one colour.

    Args:
        width: declared.
        height: declared.
        kind: 0 grey, 2 RGB, 3 palette, 6 RGBA.
        rows: that are there; None for all.
        more: chunks before the pixels.
    """
    row = b"\x00" + bytes([1]) * (width * {0: 1, 2: 3, 3: 1, 6: 4}[kind])
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height if rows is None else rows))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", packed + packer.flush())
    return b"\x89PNG\r\n\x1a\n" + header + more + pixels + chunk(b"IEND", b"")


def _saved(kind: str, **more: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(tissue_pixels(64, 48)).save(buffer, kind, **more)
    return buffer.getvalue()


def _labels() -> bytes:
    buffer = BytesIO()
    labels = np.random.default_rng(0).integers(0, 5, (16, 16), dtype=np.uint8)
    Image.fromarray(labels).save(buffer, "PNG")
    return buffer.getvalue()


def _image(name: str, data: bytes | Callable[[], bytes], says: str | None, ending: str) -> Case:
    return Case("image", name, TILE, in_a_folder(f"a.{ending}", data), says)


def _label_map(name: str, data: bytes | Callable[[], bytes], says: str | None) -> Case:
    return Case("label map", name, IMPORT, in_a_folder("s000000.png", data), says)


def _slide(name: str, data: bytes | Callable[[], bytes], says: str | None) -> Case:
    words = f"{TILE} --side-px 64 --spacing-um 0.5"
    return Case("slide", name, words, in_a_folder("a.tif", data), says)


def tiff(width: int, height: int, tile_px: int, data: bytes, compression: int = 8) -> bytes:
    """A tiled RGB TIFF of one tile, whatever it declares."""
    tags = (
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, compression),
        (262, 3, 2),
        (277, 3, 3),
        (322, 4, tile_px),
        (323, 4, tile_px),
        (324, 4, 8),
        (325, 4, len(data)),
    )
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\x00" + struct.pack("<I", 8 + len(data)) + data + directory


def directories_without_end(count: int) -> bytes:
    """A TIFF of so many images of one pixel."""
    out = bytearray(b"II*\x00\x08\x00\x00\x00")
    for _ in range(count):
        tags = ((256, 4, 1), (257, 4, 1), (273, 4, 8), (279, 4, 1))
        entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
        out += struct.pack("<H", len(tags)) + entries + struct.pack("<I", len(out) + 54)
    return bytes(out[:-4] + bytes(4))


def _ome(text: str) -> bytes:
    buffer = BytesIO()
    pixels = tissue_pixels(160, 130)
    tifffile.imwrite(
        buffer, pixels, tile=(64, 64), photometric="rgb", description=text, metadata=None
    )
    return buffer.getvalue()


def _cut(part: float) -> Callable[[TinyWorld, Path], Path]:
    def make(_: TinyWorld, folder: Path) -> Path:
        write_tiff(folder / "a.tif", tissue_pixels(300, 200))
        data = (folder / "a.tif").read_bytes()
        (folder / "a.tif").write_bytes(data[: int(part * len(data))])
        return folder

    return make


def _link(_: TinyWorld, folder: Path) -> Path:
    (folder / "in").mkdir()
    (folder / "secret.png").write_bytes(png(64, 64))
    (folder / "in" / "a.png").symlink_to(folder / "secret.png")
    return folder / "in"


_LAUGHS = '<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
)
OME_BOMB = f"{_LAUGHS}]><OME xmlns='http://www.openmicroscopy.org/Schemas/OME/2016-06'>&m;</OME>"

CASES = [
    _image("empty", b"", "not an image", "png"),
    _image("text", b"hello " * 100, "not an image", "jpg"),
    _image(
        "a bomb", lambda: png(20_000, 20_000, rows=1), "declares 20000 x 20000|is damaged", "png"
    ),
    _image(
        "2**31 wide",
        png(1, 1).replace(b"\x00\x00\x00\x01", b"\x7f\xff\xff\xff", 1),
        "damaged|not an image",
        "png",
    ),
    _image("rows are missing", _saved("PNG")[:4000], "is damaged or cut short", "png"),
    _image(
        "a text that grows",
        lambda: png(64, 64, more=chunk(b"zTXt", b"a\x00\x00" + zlib.compress(bytes(10**8)))),
        "is damaged|not an image",
        "png",
    ),
    _image(
        "a palette without colours", png(64, 64, kind=3), "damaged|palette without colours", "png"
    ),
    _image("half a JPEG", _saved("JPEG")[:900], "is damaged or cut short", "jpg"),
    _image("half a WebP", _saved("WEBP")[:90], "damaged|not an image", "webp"),
    _image("half a BMP", _saved("BMP")[:900], "is damaged or cut short", "bmp"),
    _image(
        "a BMP of 2**31",
        _saved("BMP")[:18] + b"\xff\xff\xff\x7f" * 2 + _saved("BMP")[26:],
        "declares|damaged",
        "bmp",
    ),
    Case("image", "a link out of the folder", TILE, _link, "outside"),
    _label_map("empty", b"", "not an image"),
    _label_map("of another size", png(2000, 2000, kind=0), "pixels"),
    _label_map("a bomb", lambda: png(20_000, 20_000, kind=0, rows=1), "declares 20000|damaged"),
    _label_map("all that is decoded", lambda: png(9_400, 9_400, kind=0), "pixels"),
    _label_map("in colours", lambda: png(9_400, 9_400, kind=2), "colour that is no class's"),
    _label_map("rows are missing", _labels()[:150], "is damaged or cut short"),
    _slide("empty", b"", "damaged|not an image"),
    _slide(
        "a tile of 16,384 px",
        lambda: tiff(16_384, 16_384, 16_384, zlib.compress(bytes(3 * 2**28), 9)),
        "tiles of",
    ),
    _slide(
        "a tile that grows", lambda: tiff(256, 256, 256, zlib.compress(bytes(10**9), 9)), "damaged"
    ),
    _slide(
        "a JPEG of another size",
        lambda: tiff(64, 64, 64, _jpeg_of(65_000), 7),
        "holds 65000 x 65000",
    ),
    _slide(
        "a JPEG behind a comment",
        lambda: tiff(256, 256, 256, _behind_a_comment(_jpeg_of(16_000)), 7),
        "holds 16000 x 16000",
    ),
    _slide(
        "a JPEG 2000 of another size",
        lambda: tiff(256, 256, 256, _jpeg_2000_of(12_000), 33005),
        "holds 12000 x 12000",
    ),
    _slide(
        "a WebP that grows",
        lambda: tiff(256, 256, 256, _black("WEBP", 8_000, lossless=True), 50001),
        "holds 8000 x 8000",
    ),
    _slide(
        "a PNG that grows", lambda: tiff(256, 256, 256, png(12_000, 12_000), 34933), "holds 12000"
    ),
    _slide("a JPEG XL", lambda: tiff(256, 256, 256, bytes(99), 50002), "compressed as JPEGXL"),
    _slide("a million images", lambda: directories_without_end(1_000_000), "images|damaged"),
    _slide("a text with a bomb", lambda: _ome(OME_BOMB), None),
    Case("slide", "cut short", f"{TILE} --side-px 64", _cut(0.5), "is damaged or cut short"),
]
"""Of images."""


def _black(kind: str, side: int, **more: object) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (side, side)).save(buffer, kind, **more)
    return buffer.getvalue()


def _behind_a_comment(jpeg: bytes) -> bytes:
    """A JPEG with a comment before its frame that looks like one of 256 x 256 pixels."""
    like_a_frame = b"\xff\xc0\x00\x11\x08\x01\x00\x01\x00\x03"
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(like_a_frame)) + like_a_frame
    return jpeg[:2] + comment + jpeg[2:]


def _jpeg_2000_of(side: int) -> bytes:
    """A small JPEG 2000 whose header says that it is large."""
    data = bytearray(_saved("JPEG2000", no_jp2=True))
    struct.pack_into(">8I", data, 8, side, side, 0, 0, side, side, 0, 0)
    return bytes(data)


def _jpeg_of(side: int) -> bytes:
    """A small JPEG whose header says that it is large."""
    data = bytearray(_saved("JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", side, side)
    return bytes(data)
