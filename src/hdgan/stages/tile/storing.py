"""Where the pixels of tiles go."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from hdgan.artifacts.images import png_of
from hdgan.artifacts.shards import shard_being_made
from hdgan.artifacts.slides.slide import Pixels
from hdgan.artifacts.tile_set import Stored
from hdgan.artifacts.writing import write_atomically
from hdgan.settings.tile import TileSettings


def stored_as(settings: TileSettings) -> Stored:
    """What the table says of where tiles are."""
    if settings.storage == "virtual":
        return "slide"
    if settings.image_format == "png":
        return "zip/png" if settings.storage == "shards" else "png"
    return "zip/jpg" if settings.storage == "shards" else "jpg"


@contextmanager
def tile_store(
    output: Path, slide: str, settings: TileSettings
) -> Iterator[Callable[[str, bytes], None]]:
    """Takes in tiles by their path in the artifact."""
    if settings.storage == "shards":
        archive = f"images/{slide}.zip"
        with shard_being_made(output / archive) as shard:
            yield lambda image, data: shard.add(image.rpartition("/")[2], data)
        return
    yield lambda image, data: write_atomically(output / image, data)


def encoded(pixels: Pixels, settings: TileSettings) -> bytes:
    """A tile as the user wants it stored."""
    if settings.image_format == "png":
        return png_of(np.ascontiguousarray(pixels))
    return jpeg_of(pixels, settings.jpeg_quality)


def jpeg_of(pixels: Pixels, quality: int) -> bytes:
    """RGB as JPEG, colours not subsampled."""
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        buffer, "JPEG", quality=quality, subsampling=0
    )
    return buffer.getvalue()
