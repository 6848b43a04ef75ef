"""Images and label maps as files have them, a few at a time."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Literal, TypeVar

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from hdgan.artifacts.images import png_of
from hdgan.artifacts.layouts.labelled_images import LabelledImage
from hdgan.class_map import LabelMap

Result = TypeVar("Result")


@dataclass(frozen=True)
class Encoded:
    """An image as its files hold it."""

    image: LabelledImage
    """Which one."""

    pixels: bytes
    """RGB, as PNG or JPEG."""

    labels_png: bytes
    """The label map as 8-bit grey PNG, never with a palette."""

    labels: LabelMap
    """The label map."""


@dataclass(frozen=True)
class Encoding:
    """How images become files. Label maps are always lossless."""

    image_format: Literal["png", "jpeg"] = "png"
    """JPEG is smaller, and not what was drawn."""

    jpeg_quality: int = 95
    """Of JPEG, 1 to 100; colours are not subsampled."""

    threads: int = 1
    """Images that are encoded at once; so many and one more are in memory."""

    @property
    def ending(self) -> Literal["png", "jpg"]:
        """Of the images' names."""
        return "jpg" if self.image_format == "jpeg" else "png"

    def of(self, image: LabelledImage) -> Encoded:
        """An image, read and encoded."""
        pixels, labels = image.read()
        data = png_of(pixels) if self.image_format == "png" else jpeg_of(pixels, self.jpeg_quality)
        return Encoded(image, data, png_of(labels), labels)

    def each(self, images: Sequence[LabelledImage]) -> Iterator[Encoded]:
        """The images in their order, each encoded shortly before it comes."""
        return self.done(self.of, images)

    def done(
        self, work: Callable[[LabelledImage], Result], images: Sequence[LabelledImage]
    ) -> Iterator[Result]:
        """What `work` gives for each image, in order; it runs in threads."""
        if self.threads == 1:
            yield from map(work, images)
            return
        waiting: deque[Future[Result]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for image in images:
                    waiting.append(pool.submit(work, image))
                    if len(waiting) > self.threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


PNG = Encoding()
"""Lossless, one image at a time."""


def jpeg_of(pixels: UInt8[np.ndarray, "height width 3"], quality: int) -> bytes:
    """RGB as JPEG, colours not subsampled."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def shards_of(images: Sequence[LabelledImage], size: int) -> list[Sequence[LabelledImage]]:
    """The images in their order, `size` of them at a time."""
    return [images[first : first + size] for first in range(0, len(images), size)]
