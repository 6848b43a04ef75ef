"""Images on disk: read with care, written as PNG."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from hdgan.errors import ImageError

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"})
"""Endings of files that are taken for images."""

MAX_PIXELS = 89_000_000
"""Largest declared size that is decoded: 9,400 x 9,400, for 0.6 GB of memory. Beyond it
Pillow warns of bombs."""

_BAND_PIXELS = 4_000_000
"""Whose colours are worked on at once."""


DAMAGES = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, AssertionError,
    ArithmeticError, EOFError, RuntimeError, MemoryError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow and its decoders raise where a file is not what it says."""


def image_files(folder: Path) -> list[Path]:
    """The images below a folder, sorted by name.

    Raises:
        ImageError: the folder is not there or has no image.
    """
    if not folder.is_dir():
        raise ImageError(f"There is no folder {folder}. Check the path.")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )
    if not files:
        endings = ", ".join(sorted(IMAGE_SUFFIXES))
        raise ImageError(f"{folder} holds no image. Needed: files that end in {endings}.")
    return files


def open_image(data: bytes, name: str) -> Image.Image:
    """A decoded image, in whatever mode it was stored.

    Args:
        data: content of the file.
        name: what errors call it.

    Raises:
        ImageError: it is no image, is cut short, or declares an absurd size.
    """
    try:
        image = Image.open(BytesIO(data))
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageError(
                f"{name} declares {width} x {height} pixels, more than the {MAX_PIXELS:,} that are "
                "read at once. Cut it into smaller images first."
            )
        image.load()
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not an image that can be read. Remove it or save it as PNG."
        ) from error
    except DAMAGES as error:
        raise _damaged(name, error) from error
    return image


def _damaged(name: str, error: Exception) -> ImageError:
    said = str(error)[:200] or type(error).__name__
    return ImageError(f"{name} is damaged or cut short ({said}). Copy it again from its source.")


def rgb_of(data: bytes, name: str) -> UInt8[np.ndarray, "height width 3"]:
    """The pixels of an image; what is transparent becomes white glass.

    Raises:
        ImageError: it cannot be read, or has more than eight bits a channel.
    """
    image = open_image(data, name)
    if image.mode == "P" and image.palette is None:
        raise ImageError(f"{name} has a palette without colours. Save it again as PNG.")
    if image.mode.startswith(("I", "F")):
        raise ImageError(
            f"{name} has more than 8 bits a pixel (mode {image.mode}), and who made it knows what "
            "is black and what is white. Save it as 8-bit RGB."
        )
    pixels = np.empty((image.height, image.width, 3), dtype=np.uint8)
    try:
        for top, band in bands_of(image):
            pixels[top : top + band.height] = np.asarray(_on_glass(band))
    except DAMAGES as error:
        raise _damaged(name, error) from error
    return pixels


def bands_of(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """An image cut into bands, each with its first row, so that no copy is made of the whole."""
    rows = max(1, _BAND_PIXELS // max(1, image.width))
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _on_glass(image: Image.Image) -> Image.Image:
    """In RGB, with white behind what is transparent."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        glass = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(glass, image)
    return image.convert("RGB")


def png_of(pixels: UInt8[np.ndarray, "height width *channels"]) -> bytes:
    """RGB or 8-bit grey pixels as PNG."""
    buffer = BytesIO()
    # Runs alone: on tissue smaller than zlib's own first level, in three quarters of its time.
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def grey_of(data: bytes, name: str) -> UInt8[np.ndarray, "height width"]:
    """The pixels of an 8-bit grey image.

    Raises:
        ImageError: it cannot be read or is not grey.
    """
    image = open_image(data, name)
    if image.mode != "L":
        raise ImageError(f"{name} is not an 8-bit grey image, but of mode {image.mode}.")
    return np.asarray(image)
