"""A folder of slides to a segmentation, slide by slide."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.label_polygons import MOST_CORNERS, need_rasterio
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.segmentation import (
    AREAS,
    SLIDES,
    AreaRecord,
    Segmentation,
    SegmentedSlide,
)
from hdgan.artifacts.segmenter import SegmenterFolder
from hdgan.artifacts.slide_files import SlideFile, fingerprint, slide_files
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.artifacts.weights import device_named
from hdgan.errors import ImageError, InputError, SettingsError
from hdgan.method.segmenter.blending import WindowNetwork
from hdgan.pipeline import Fact, Made
from hdgan.report.progress import ProgressBar, announce, peak_memory_bytes, remark
from hdgan.settings.segment import SegmentSettings
from hdgan.stages.segment.whole_slide import SlidePlan, SlideSegmenter, planned


def segment_slides(
    model: SegmenterFolder, slides: Path, output: Path, settings: SegmentSettings
) -> Made:
    """Predict the label map of a slide, or of every slide and image in a folder.

    Memory grows with the width of a slide, not with its height.

    Raises:
        SettingsError: a choice is for tiles, the output lies among the slides, or rasterio is not
            installed.
        ImageError: a slide cannot be read.
        StorageError: the disk is full or read-only.
    """
    _refuse_settings(slides, output, settings)
    need_rasterio()
    files = slide_files(slides)
    choices = {name: value for name, value in plain(settings).items() if name != "folds"}
    order = Order(
        "segmentation",
        choices,
        model.parents | {"images": fingerprint(slides, files)},
        seen_by(model),
        late=("keep_going",),
    )
    base = slides.parent if slides.is_file() else slides
    made_once(output, order, lambda unfinished: _Run(model, base, settings, unfinished).make(files))
    return Made("segmentation", output, _facts(output))


def _refuse_settings(slides: Path, output: Path, settings: SegmentSettings) -> None:
    if settings.folds is not None:
        raise SettingsError(
            f"--folds is for tile sets, but {slides} holds slides. Leave it out: all of them are "
            "segmented."
        )
    if slides.is_dir() and output.resolve().is_relative_to(slides.resolve()):
        raise SettingsError(
            f"{output} lies inside {slides}, so its pictures would be taken for slides the next "
            "time. Choose a folder beside it."
        )


@dataclass
class _Run:
    """Slides on their way to a segmentation."""

    model: SegmenterFolder
    base: Path
    """What the slides' paths begin with."""
    settings: SegmentSettings
    unfinished: UnfinishedArtifact
    problems: dict[str, str] = field(default_factory=dict)
    """Why slides were left out, by name."""

    def make(self, files: Sequence[SlideFile]) -> None:
        """Fill the artifact. What was made of a slide is written down last, and not made again."""
        device = device_named(self.settings.device)
        plans = self._plans(files)
        if plans:
            # A third faster on a CPU than with the channels first.
            network = self.model.network().to(device)
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._announce(plans)
            self._segment(plans, WindowNetwork(network, len(self.model.class_map)))
        slides, areas = self._tables(files)
        self._remove_others(slides)
        self.unfinished.write(SLIDES, table_bytes(slides, SegmentedSlide))
        self.unfinished.write(AREAS, table_bytes(areas, AreaRecord))
        self.unfinished.write(CLASSES, class_map_bytes(self.model.class_map))

    def _plans(self, files: Sequence[SlideFile]) -> list[SlidePlan]:
        """Look at all slides before the long work begins: what cannot be read is told at once."""
        plans = []
        left = [file for file in files if self._note(file) is None]
        done = len(files) - len(left)
        with ProgressBar("segment: looking at slides", len(files), "slides", done=done) as progress:
            for file in left:
                self._note_path(file).unlink(missing_ok=True)  # its files are about to change
                with self._left_out_if_bad(file):
                    plans.append(planned(file, self.settings))
                progress.advance()
        return plans

    def _segment(self, plans: Sequence[SlidePlan], network: WindowNetwork) -> None:
        segmenter = SlideSegmenter(
            network, self.model.class_map, self.settings, self.unfinished.folder
        )
        total = sum(plan.num_windows for plan in plans)
        with ProgressBar("segment", total, "windows") as progress:
            for number, plan in enumerate(plans, start=1):
                done, name = progress.done, f"slide {number} of {len(plans)}"
                with self._left_out_if_bad(plan.file):
                    slide, areas = segmenter.segment(plan, partial(progress.advance, name))
                    self._write_note(plan.file, slide, areas)
                progress.reach(done + plan.num_windows, name)

    @contextmanager
    def _left_out_if_bad(self, file: SlideFile) -> Iterator[None]:
        """Write down what is wrong with a slide, if the run is to keep going."""
        try:
            yield
        except InputError as error:
            if not self.settings.keep_going:
                raise
            remark("segment", f"left out: {error}")
            self.problems[file.name] = str(error)

    def _announce(self, plans: Sequence[SlidePlan]) -> None:
        """Say about how much memory the widest slide needs, and how much disk all of them."""
        num_classes = len(self.model.class_map)
        areas = [plan.grid.height * plan.grid.width for plan in plans]
        corners = [min(MOST_CORNERS, area // 10) for area in areas]
        carried = max(plan.grid.carried_bytes(num_classes) for plan in plans)
        windows = 24 * num_classes * self.settings.window_px**2
        announce(
            "segment",
            memory_bytes=(peak_memory_bytes() or 0) + carried + windows + 100 * max(corners),
            disk_bytes=sum(areas) // 20 + 20 * sum(corners) + max(areas) // 3,
        )

    def _made_from(self, file: SlideFile) -> dict[str, object]:
        """What tells whether something was made of this slide with this segmenter."""
        return {
            "segmenter": self.model.digest,
            "file": file.path.relative_to(self.base).as_posix(),
            "size_bytes": file.path.stat().st_size,
        }

    def _note_path(self, file: SlideFile) -> Path:
        return self.unfinished.scratch / "slides" / f"{file.name}.json"

    def _write_note(
        self, file: SlideFile, slide: SegmentedSlide, areas: Sequence[AreaRecord]
    ) -> None:
        content = {
            "made_from": self._made_from(file),
            "slide": slide.model_dump(),
            "areas": [area.model_dump() for area in areas],
        }
        name = self._note_path(file).relative_to(self.unfinished.scratch).as_posix()
        self.unfinished.write_scratch(name, json_bytes(content))

    def _note(self, file: SlideFile) -> dict[str, Any] | None:
        """What was written down of a slide; None if it is still to be made."""
        path = self._note_path(file)
        if not path.is_file():
            return None
        note: dict[str, Any] = json.loads(path.read_bytes())
        return note if note["made_from"] == self._made_from(file) else None

    def _tables(self, files: Sequence[SlideFile]) -> tuple[list[SegmentedSlide], list[AreaRecord]]:
        """The rows of both tables.

        Raises:
            ImageError: every slide was left out.
        """
        if len(self.problems) == len(files):
            raise ImageError(
                f"None of the {len(files)} slides in {self.base} could be segmented; the first "
                f"because {self.problems[files[0].name]}"
            )
        slides: list[SegmentedSlide] = []
        areas: list[AreaRecord] = []
        for file in files:
            place = file.path.relative_to(self.base).as_posix()
            note = None if file.name in self.problems else self._note(file)
            if note is None and file.name not in self.problems:
                raise ImageError(f"{file.path} was changed while it was read. Run it again.")
            if note is None:
                slides.append(_left_out(file.name, place, self.problems[file.name]))
                continue
            slides.append(SegmentedSlide(**note["slide"] | {"file": place}))
            areas.extend(AreaRecord(**area) for area in note["areas"])
        return slides, areas

    def _remove_others(self, slides: Sequence[SegmentedSlide]) -> None:
        """Take away what an earlier run has made of slides that are no longer there."""
        wanted = {
            name
            for slide in slides
            if slide.problem is None
            for name in (slide.labels, slide.outlines, slide.preview)
        }
        names = {slide.slide for slide in slides if slide.problem is None}
        for note in (self.unfinished.scratch / "slides").glob("*.json"):
            if note.stem not in names:
                note.unlink()  # first: notes promise that the files are there
        for folder in ("slides", "previews"):
            for path in (self.unfinished.folder / folder).glob("*"):
                if f"{folder}/{path.name}" not in wanted:
                    self.unfinished.remove(f"{folder}/{path.name}")


def _left_out(name: str, file: str, problem: str) -> SegmentedSlide:
    nothing = dict.fromkeys(("width", "height", "spacing_um", "scale"))
    return SegmentedSlide(slide=name, file=file, windows=0, regions=0, problem=problem, **nothing)


def _facts(output: Path) -> dict[str, Fact]:
    segmentation = Segmentation.open(output)
    slides, areas = segmentation.slides(), segmentation.areas()
    problems = [slide.slide for slide in slides if slide.problem is not None]
    facts: dict[str, Fact] = {"slides": len(slides) - len(problems)}
    if problems:
        facts["slides left out"] = ", ".join(problems)
    total = max(1, sum(area.pixels for area in areas))
    for name in segmentation.class_map.names:
        of_class = [area for area in areas if area.tissue_class == name]
        share = f"{sum(area.pixels for area in of_class) / total:.1%}"
        sizes = [area.mm2 for area in of_class if area.mm2 is not None]
        known = len(sizes) == len(of_class)
        facts[name] = f"{sum(sizes):.3f} mm2 ({share})" if known else share
    facts["outlines"] = f"{sum(slide.regions for slide in slides)} in {output / 'slides'}/*.geojson"
    return facts
