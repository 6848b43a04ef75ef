"""One slide to its label map, outlines and areas."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from hdgan.artifacts.images import png_of
from hdgan.artifacts.label_polygons import OnSlide, outlined_level, write_label_polygons
from hdgan.artifacts.label_pyramid import LabelPicture, label_level, write_label_pyramid
from hdgan.artifacts.segmentation import AreaRecord, SegmentedSlide
from hdgan.artifacts.slide_files import SlideFile
from hdgan.artifacts.slides.looking import brightfield_overview, known_spacing, scale_to
from hdgan.artifacts.slides.opening import open_slide
from hdgan.artifacts.slides.slide import Pixels, Slide, read_scaled
from hdgan.artifacts.writing import write_atomically
from hdgan.class_map import ClassMap, painted
from hdgan.geometry import Region
from hdgan.method.segmenter.blending import WindowGrid, WindowNetwork, blended_rows, windows_on
from hdgan.method.tissue import tissue_mask
from hdgan.settings.segment import SegmentSettings

PREVIEW_PX = 2048
"""Longer side of the picture to look at, at most."""


@dataclass(frozen=True)
class SlidePlan:
    """What is to be predicted of a slide."""

    file: SlideFile
    width: int
    """Of the slide, level-0 px."""
    height: int
    """Of the slide, level-0 px."""
    slide_spacing_um: float | None
    """Of the slide, um per level-0 px."""
    grid: WindowGrid
    """Of the label map."""
    wanted: Bool[np.ndarray, "window_rows window_columns"]
    """The windows with tissue."""

    @property
    def num_windows(self) -> int:
        """How many windows are predicted."""
        return int(self.wanted.sum())

    @property
    def place(self) -> OnSlide:
        """How the label map lies on the slide."""
        across, down = self.width / self.grid.width, self.height / self.grid.height
        return OnSlide(self.width, self.height, across, down)

    @cached_property
    def spacing_um(self) -> tuple[float, float] | None:
        """Tissue per pixel of the label map along y and x, um/px."""
        if self.slide_spacing_um is None:
            return None
        place = self.place
        down, across = (self.slide_spacing_um * scale for scale in (place.down, place.across))
        return round(down, 9), round(across, 9)

    def region(self, y: int, x: int, height: int, width: int) -> Region:
        """A window on the slide, its edges on whole level-0 px."""
        place = self.place
        left, right = (round(column * place.across) for column in (x, x + width))
        top, bottom = (round(row * place.down) for row in (y, y + height))
        return Region(left, top, max(1, right - left), max(1, bottom - top))


def planned(file: SlideFile, settings: SegmentSettings) -> SlidePlan:
    """Look at a slide: how large it is at the wanted spacing, and where there is tissue.

    Plain images are not judged: all their windows are predicted.

    Raises:
        ImageError: the slide cannot be read, is no brightfield, is coarser than what is wanted, or
            nobody says how much tissue a pixel covers.
    """
    with open_slide(file.path) as slide:
        full = slide.levels[0]
        needed = settings.to_spacing_um is not None or settings.min_area_um2 is not None
        spacing_um = known_spacing(slide, settings.spacing_um, is_needed=needed)
        scale = scale_to(slide, spacing_um, settings.to_spacing_um)
        grid = WindowGrid(
            max(1, round(full.height / scale)),
            max(1, round(full.width / scale)),
            settings.window_px,
            settings.overlap,
        )
        return SlidePlan(
            file, full.width, full.height, spacing_um, grid, _wanted(slide, grid, spacing_um)
        )


@dataclass(frozen=True)
class SlideSegmenter:
    """Makes what a segmentation holds of a slide."""

    network: WindowNetwork
    class_map: ClassMap
    settings: SegmentSettings
    folder: Path
    """Of the artifact."""

    def segment(
        self, plan: SlidePlan, window_read: Callable[[], None]
    ) -> tuple[SegmentedSlide, list[AreaRecord]]:
        """Write a slide's label map, outlines and preview; its rows of the tables come back.

        Memory: what `blended_rows`, `write_label_pyramid` and `write_label_polygons` say.

        Args:
            plan: the slide.
            window_read: is called at each window.

        Raises:
            ImageError: the slide is damaged.
            StorageError: the disk is full or read-only.
        """
        record = SegmentedSlide(
            slide=plan.file.name,
            file="",
            width=plan.grid.width,
            height=plan.grid.height,
            spacing_um=plan.spacing_um and plan.spacing_um[1],
            scale=round(plan.place.across, 9),
            windows=plan.num_windows,
            regions=0,
            problem=None,
        )
        counts = self._write_labels(plan, self.folder / record.labels, window_read)
        preview, _ = label_level(self.folder / record.labels, PREVIEW_PX)
        write_atomically(self.folder / record.preview, png_of(painted(preview, self.class_map)))
        regions = self._write_outlines(plan, record)
        return record.model_copy(update={"regions": regions}), self._areas(plan, counts)

    def _write_labels(
        self, plan: SlidePlan, path: Path, window_read: Callable[[], None]
    ) -> Int64[np.ndarray, " values"]:
        """Predict the label map; how many pixels each value has comes back."""
        picture = LabelPicture(
            plan.file.name, plan.grid.height, plan.grid.width, self.class_map, plan.spacing_um
        )
        counts = np.zeros(256, dtype=np.int64)
        with open_slide(plan.file.path) as slide:

            def read(y: int, x: int, height: int, width: int) -> Pixels:
                pixels = read_scaled(slide, plan.region(y, x, height, width), width, height)
                window_read()
                return pixels

            rows = blended_rows(plan.grid, read, self.network, plan.wanted)
            write_label_pyramid(path, _counted(rows, counts), picture)
        return counts

    def _write_outlines(self, plan: SlidePlan, record: SegmentedSlide) -> int:
        labels, smaller = outlined_level(self.folder / record.labels)
        place = plan.place
        place = OnSlide(place.width, place.height, place.across * smaller, place.down * smaller)
        least = float(self.settings.min_area_px)
        if self.settings.min_area_um2 is not None and plan.spacing_um is not None:
            down, across = plan.spacing_um
            least = max(least, self.settings.min_area_um2 / (down * across))
        return write_label_polygons(
            self.folder / record.outlines, labels, self.class_map, place, least / smaller**2
        )

    def _areas(self, plan: SlidePlan, counts: Int64[np.ndarray, " values"]) -> list[AreaRecord]:
        down, across = plan.spacing_um or (None, None)
        pixel_um2 = down * across if down and across else None
        return [
            AreaRecord(
                slide=plan.file.name,
                tissue_class=name,
                pixels=int(count),
                mm2=None if pixel_um2 is None else round(int(count) * pixel_um2 / 1e6, 6),
            )
            for name, count in zip(self.class_map.names, counts, strict=False)
        ]


def _counted(
    rows: Iterable[UInt8[np.ndarray, "rows width"]], counts: Int64[np.ndarray, " values"]
) -> Iterator[UInt8[np.ndarray, "rows width"]]:
    """The same rows; their pixels are added to the counts, a row at a time to save memory."""
    for some in rows:
        for row in some:
            counts += np.bincount(row, minlength=len(counts))
        yield some


def _wanted(
    slide: Slide, grid: WindowGrid, spacing_um: float | None
) -> Bool[np.ndarray, "window_rows window_columns"]:
    """The windows that hold tissue."""
    if slide.kind == "plain image":
        return np.ones((len(grid.rows), len(grid.columns)), dtype=np.bool_)
    small = brightfield_overview(slide)
    larger = slide.levels[0].width / small.shape[1]
    return windows_on(tissue_mask(small, spacing_um and spacing_um * larger), grid)
