"""Tiles without pixels of their own: read from the slides whenever they are needed."""

import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.slides.opening import open_slide
from hdgan.artifacts.slides.slide import Pixels, Slide, read_scaled
from hdgan.errors import DamagedArtifactError, ImageError
from hdgan.geometry import Region

SLIDES_VARIABLE = "HDGAN_SLIDES"
"""Environment variable: the folder of the slides, where it is no longer the one that was tiled."""

MAX_OPEN = 8
"""Slides that are held open."""


@dataclass(frozen=True)
class SlideSource:
    """The file that a slide is read from."""

    file: str
    """Below the folder of slides."""

    size_bytes: int
    """When it was tiled."""


def source_bytes(folder: Path) -> bytes:
    """What a tile set notes of the folder that its slides lie in."""
    return json_bytes({"slides": str(folder.resolve())})


class VirtualTiles:
    """Reads regions of slides; the last few slides stay open. Threads may share it."""

    def __init__(self, source: bytes, files: Mapping[str, SlideSource]) -> None:
        """Read what `source_bytes` noted.

        Raises:
            DamagedArtifactError: it is something else.
        """
        try:
            noted = Path(json.loads(source)["slides"])
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedArtifactError(
                f"source.json of a tile set is damaged ({error})."
            ) from error
        self.folder = Path(os.environ.get(SLIDES_VARIABLE, noted))
        self._files = files
        self._open: OrderedDict[tuple[int, str], Slide] = OrderedDict()
        self._lock = Lock()

    def read(self, slide: str, region: Region, width: int, height: int) -> Pixels:
        """A region of a slide, as an image of this size.

        Raises:
            ImageError: the slide is not there, is another file, or cannot be read.
        """
        with self._lock:
            return read_scaled(self._slide(slide), region, width, height)

    def __del__(self) -> None:
        """Let go of the slides."""
        for slide in self.__dict__.get("_open", {}).values():
            slide.close()

    def _slide(self, name: str) -> "Slide":
        key = (os.getpid(), name)  # a file that was opened before a fork is not read after it
        if key not in self._open:
            self._open[key] = open_slide(self._path(name))
            if len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(key)
        return self._open[key]

    def _path(self, name: str) -> Path:
        source = self._files[name]
        path = self.folder / source.file
        if not path.is_file():
            raise ImageError(
                f"The slide {path} is not there, and the tiles are virtual. Set {SLIDES_VARIABLE} "
                "to the folder that now holds the slides."
            )
        if path.stat().st_size != source.size_bytes:
            raise ImageError(
                f"{path} is {path.stat().st_size:,} bytes, but the slide that was tiled had "
                f"{source.size_bytes:,}. Restore that file, or tile the slides again."
            )
        return path
