"""Slides that OpenSlide reads: SVS, NDPI, MRXS, SCN, BIF, DICOM, and more."""

from pathlib import Path

import numpy as np
import openslide

from hdgan.artifacts.slides.slide import GLASS, Pixels, Slide, levels_of
from hdgan.artifacts.slides.spacing import believed
from hdgan.errors import ImageError
from hdgan.geometry import Region


class OpenSlideSlide(Slide):
    """A slide in OpenSlide's hands."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            ImageError: OpenSlide cannot read it.
        """
        self.name = str(path)
        try:
            self._slide = openslide.OpenSlide(path)
            self.levels = levels_of(self._slide.level_dimensions)
            self._downsamples = self._slide.level_downsamples
        except openslide.OpenSlideError as error:
            raise ImageError(
                f"{path} is a damaged slide, or one of its files is missing ({error}). Copy it "
                "again from the scanner, with all files that belong to it."
            ) from error
        properties = self._slide.properties
        self.kind = properties.get(openslide.PROPERTY_NAME_VENDOR, "slide")
        self.spacing_um = believed(
            properties.get(openslide.PROPERTY_NAME_MPP_X),
            properties.get(openslide.PROPERTY_NAME_MPP_Y),
            self.name,
        )

        self._refuse_strangers(path)

    def _refuse_strangers(self, path: Path) -> None:
        """A folder of DICOM files is one slide, a file for each level, label or macro image.

        Raises:
            ImageError: it holds files of another slide, which would be passed over.
        """
        if self.kind != "dicom":
            return
        num_files = len(list(path.parent.glob(f"*{path.suffix}")))
        num_own = len(self.levels) + len(self._slide.associated_images)
        if num_files > num_own:
            self.close()
            raise ImageError(
                f"{path.parent} holds {num_files} DICOM files, of which {num_own} are of one "
                "slide. Put the files of each slide into a folder of their own."
            )

    def read(self, level: int, region: Region) -> Pixels:
        """Read a region, given in pixels of the level; white where nothing was scanned.

        Raises:
            ImageError: the file is damaged there.
        """
        down = self._downsamples[level]  # by which OpenSlide finds a level's pixel
        corner = (round(region.x * down), round(region.y * down))
        try:
            read = self._slide.read_region(corner, level, (region.width, region.height))
        except openslide.OpenSlideError as error:
            raise ImageError(
                f"{self.name} is damaged at x {corner[0]}, y {corner[1]} ({error}). Copy it again "
                "from the scanner, or leave the slide out."
            ) from error
        rgba = np.asarray(read)
        opaque = rgba[..., 3:]
        if opaque.min(initial=255) == 255:
            return np.ascontiguousarray(rgba[..., :3])
        mixed = rgba[..., :3] * (opaque / 255.0) + GLASS * (1 - opaque / 255.0)
        return mixed.round().astype(np.uint8)

    def close(self) -> None:
        """Let go of the file."""
        self._slide.close()
