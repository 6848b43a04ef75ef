"""Images that are written a few rows at a time, into tiled TIFF files."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from queue import Full, Queue

import numpy as np
import tifffile
from jaxtyping import UInt8

from hdgan.artifacts.writing import renamed_when_whole

TILE_PX = 512
"""Side of a tile."""

_WAIT_SECONDS = 0.2
"""Time between two looks whether the writing thread is still at work."""


class TiledImage:
    """An 8-bit image on its way into a tiled, losslessly compressed TIFF file.

    The library that writes tiles asks for them; whoever draws gives rows. So it runs in a thread,
    which gets a row of tiles at a time and holds two at most.
    """

    def __init__(self, path: Path, side: int, channels: int) -> None:
        """Begin a file.

        Args:
            path: where it lies; it is not whole before `finish`.
            side: of the square image in pixels.
            channels: 3 for RGB, 1 for grey.
        """
        self._side, self._tile = side, min(TILE_PX, side)
        self._ending = () if channels == 1 else (channels,)
        self._waiting: list[UInt8[np.ndarray, "rows side *channels"]] = []
        self._queue: Queue[UInt8[np.ndarray, "rows side *channels"] | None] = Queue(maxsize=1)
        self._threads = ThreadPoolExecutor(1)
        self._written: Future[None] = self._threads.submit(self._write, path)

    def add(self, rows: UInt8[np.ndarray, "rows side *channels"]) -> None:
        """The next rows, from the top.

        Raises:
            OSError: writing failed.
        """
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) < self._tile:
            return
        block = np.concatenate(self._waiting)
        whole = len(block) - len(block) % self._tile
        for top in range(0, whole, self._tile):
            self._give(block[top : top + self._tile])
        self._waiting = [block[whole:]]

    def finish(self) -> None:
        """Wait until all is written.

        Raises:
            OSError: writing failed.
        """
        self._give(None)
        self._written.result()

    def close(self) -> None:
        """End the thread; a file that is not whole by now never will be."""
        if not self._written.done():
            self._give(None)
        self._threads.shutdown()

    def _give(self, block: UInt8[np.ndarray, "rows side *channels"] | None) -> None:
        while True:
            if self._written.done():
                self._written.result()  # tells what went wrong
                return
            try:
                self._queue.put(block, timeout=_WAIT_SECONDS)
            except Full:
                continue
            return

    def _write(self, path: Path) -> None:
        is_colour = bool(self._ending)
        with tifffile.TiffWriter(path, bigtiff=self._side >= 2**15) as file:
            file.write(
                self._tiles(),
                shape=(self._side, self._side, *self._ending),
                dtype=np.uint8,
                tile=(self._tile, self._tile),
                photometric="rgb" if is_colour else "minisblack",
                compression="adobe_deflate",
                compressionargs={"level": 1},
                predictor=is_colour,
                metadata=None,
                software="hdgan",
                maxworkers=1,
            )

    def _tiles(self) -> Iterator[UInt8[np.ndarray, "tile tile *channels"]]:
        """Tiles row by row; an image that was left too early ends in an error."""
        for _ in range(self._side // self._tile):
            block = self._queue.get()
            if block is None:
                raise InterruptedError("the drawing was left before its last row")
            for left in range(0, self._side, self._tile):
                yield np.ascontiguousarray(block[:, left : left + self._tile])
        while self._queue.get() is not None:
            pass


@contextmanager
def tiled_images(paths: dict[Path, int], side: int) -> Iterator[list[TiledImage]]:
    """Several images that are written together; they are there once all are whole.

    Args:
        paths: where each goes, and its channels.
        side: of each, in pixels.

    Raises:
        StorageError: the disk is full or read-only.
    """
    with ExitStack() as stack:
        temporary = [stack.enter_context(renamed_when_whole(path)) for path in paths]
        with ExitStack() as writing:
            images = [
                writing.enter_context(closing(TiledImage(path, side, channels)))
                for path, channels in zip(temporary, paths.values(), strict=True)
            ]
            yield images
            for image in images:
                image.finish()
