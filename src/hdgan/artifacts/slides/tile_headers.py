"""What the compressed tiles of a TIFF declare of themselves, read before memory is taken for them.

Decoders of images believe the header that is inside a tile, whatever size the TIFF declares. Only
headers are read here, as their specifications have them; what another reader might understand
otherwise is refused.
"""

import math
import struct
from collections.abc import Callable, Iterator

_MOST_COMPONENTS = 4
"""Of an image; a decoder takes memory for each."""
_MOST_PARTS = 1024
"""A JPEG 2000 image may itself be in tiles; a decoder takes 10 kB for each before it has one."""

_SOI, _SOS = b"\xff\xd8", 0xDA
_SEGMENTS = frozenset(range(0xC0, 0xFF)) - frozenset(range(0xD0, 0xDA))
"""Markers of JPEG that a length follows."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOC_SIZ = b"\xff\x4f\xff\x51"
_JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_PNG = b"\x89PNG\r\n\x1a\n"
_PACKED_CHUNKS = frozenset({b"zTXt", b"iTXt"})
"""Of a PNG: what is unpacked beside the pixels, and may take seconds each. No tile needs them."""

SIZED_BY_TIFF = frozenset({1, 5, 8, 32773, 32946, 34925, 34926, 50000, 50013})
"""Compressions of plain bytes (none, LZW, Deflate, PackBits, LZMA, Zstandard): they are decoded
into the memory of a tile, and no further."""

Size = tuple[int, int]
"""Width and height, px."""


def check_tile(data: bytes, compression: int, tile: Size) -> None:
    """Refuse a tile whose own header declares a larger image than the tile.

    Args:
        data: the tile as it is stored.
        compression: number of the TIFF tag; one of `SIZED_BY_TIFF` or `SIZED_BY_TILE`.
        tile: that the TIFF declares.

    Raises:
        ValueError: it is larger, or its header is not there or not understood.
        struct.error: the header is cut short.
    """
    if compression in SIZED_BY_TIFF:
        return
    for width, height in SIZED_BY_TILE[compression](data):
        if width > tile[0] or height > tile[1]:
            raise ValueError(f"a tile of {tile[0]} x {tile[1]} pixels holds {width} x {height}")


def _jpeg(data: bytes) -> list[Size]:
    """ITU T.81, annex B: segments with their lengths, up to the first scan."""
    sizes = []
    for marker, start in _segments(data):
        if marker in _FRAMES:
            height, width, components = struct.unpack_from(">HHB", data, start + 5)
            _check_components(components)
            sizes.append((width, height))
    if not sizes:
        raise ValueError("a tile has no JPEG frame")
    return sizes


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Markers and their places."""
    if not data.startswith(_SOI):
        raise ValueError("a tile is no JPEG")
    place, marker = 2, 0
    while marker != _SOS:
        begin, marker, length = struct.unpack_from(">BBH", data, place)
        if begin != 0xFF or marker not in _SEGMENTS or length < 2:
            raise ValueError("the header of a JPEG tile is damaged")
        yield marker, place
        place += 2 + length


def _jpeg_2000(data: bytes) -> list[Size]:
    """ITU T.800, annexes A.5.1 and I: the SIZ marker, right at the codestream's begin."""
    begin = _codestream(data)
    if data[begin : begin + 4] != _SOC_SIZ:
        raise ValueError("a tile is no JPEG 2000")
    sides = struct.unpack_from(">8IH", data, begin + 8)
    right, bottom, left, top, part_width, part_height, part_left, part_top, components = sides
    _check_components(components)
    across = math.ceil((right - part_left) / part_width)
    if across * math.ceil((bottom - part_top) / part_height) > _MOST_PARTS:
        raise ValueError(f"a JPEG 2000 tile has more than {_MOST_PARTS} parts")
    return [(right - left, bottom - top)]


def _codestream(data: bytes) -> int:
    """Where it begins: at once, or in a box of a JP2 file."""
    if not data.startswith(_JP2):
        return 0
    place = 0
    while True:
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind == b"jp2c":
            return place + (16 if length == 1 else 8)
        if length < 8:
            raise ValueError("the boxes of a JPEG 2000 tile are damaged")
        place += length


def _png(data: bytes) -> list[Size]:
    """W3C PNG, 11.2.1: the first chunk."""
    if not data.startswith(_PNG) or data[12:16] != b"IHDR":
        raise ValueError("a tile is no PNG")
    width, height = struct.unpack_from(">II", data, 16)
    place = len(_PNG)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind in _PACKED_CHUNKS:
            raise ValueError("a tile has packed texts")
        place += length + 12
    return [(width, height)]


def _webp(data: bytes) -> list[Size]:
    """RFC 9649, 2.5 to 2.7 and 3.4; RFC 6386, 9.1: the first chunk."""
    form, kind = data[:4] + data[8:12], data[12:16]
    if form != b"RIFFWEBP" or kind not in _WEBP_SIZES:
        raise ValueError("a tile is no WebP")
    if len(data) < 30:
        raise ValueError("a WebP tile is cut short")
    return [_WEBP_SIZES[kind](data)]


def _vp8(data: bytes) -> Size:
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _vp8l(data: bytes) -> Size:
    (bits,) = struct.unpack_from("<I", data, 21)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _vp8x(data: bytes) -> Size:
    return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1


def _check_components(count: int) -> None:
    if count > _MOST_COMPONENTS:
        raise ValueError(f"a tile has {count} components")


_WEBP_SIZES: dict[bytes, Callable[[bytes], Size]] = {b"VP8 ": _vp8, b"VP8L": _vp8l, b"VP8X": _vp8x}

SIZED_BY_TILE: dict[int, Callable[[bytes], list[Size]]] = {
    **dict.fromkeys((6, 7, 33007, 34892), _jpeg),
    **dict.fromkeys((33003, 33004, 33005, 34712), _jpeg_2000),
    34933: _png,
    **dict.fromkeys((34927, 50001), _webp),
}
"""Compressions of whole images, and how their headers are read."""
