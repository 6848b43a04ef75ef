"""Predicted label maps of tiles, samples or whole slides."""

from functools import cached_property

from hdgan.artifacts.annotation_set import CLASSES, class_map_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.table import Name, Record, table_of
from hdgan.class_map import ClassMap
from hdgan.errors import WrongArtifactError

SLIDES = "slides.csv"
AREAS = "areas.csv"


class SegmentedSlide(Record):
    """One slide, and how its label map lies on it."""

    slide: Name
    """Name of the slide; its label map is `slides/{slide}.ome.tif`."""

    file: str
    """The slide's file, below the folder that was segmented."""

    width: int | None
    """Of the label map; empty if the slide was left out."""

    height: int | None
    """Of the label map."""

    spacing_um: float | None
    """Tissue per pixel of the label map, um/px; empty if nobody knows."""

    scale: float | None
    """Level-0 px of the slide per pixel of the label map."""

    windows: int
    """How many windows were predicted."""

    regions: int
    """How many outlines there are."""

    problem: str | None
    """Why the slide was left out; empty if it was not."""

    @property
    def labels(self) -> str:
        """The label map's path in the artifact."""
        return f"slides/{self.slide}.ome.tif"

    @property
    def outlines(self) -> str:
        """The path of its outlines."""
        return f"slides/{self.slide}.geojson"

    @property
    def preview(self) -> str:
        """The path of a small picture of it."""
        return f"previews/{self.slide}.png"


class AreaRecord(Record):
    """How much of a class a slide has."""

    slide: str
    """Name of the slide."""

    tissue_class: str
    """Name of the class."""

    pixels: int
    """Of the label map at its full size."""

    mm2: float | None
    """Square millimetres; empty if nobody knows the spacing."""


class Segmentation(Artifact):
    """`classes.json` and label maps.

    Of tiles or samples: `labels/*.png` (8-bit grey) and `colours/*.png` (to look at). Of slides:
    `slides/*.ome.tif` (8-bit grey, 255 unlabelled), `slides/*.geojson` (outlines in level-0 px of
    the slide), `previews/*.png` (to look at), `slides.csv` and `areas.csv`.
    """

    kind = "segmentation"

    @cached_property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))

    @property
    def is_of_slides(self) -> bool:
        """Whether whole slides were segmented rather than tiles or samples."""
        return SLIDES in self.manifest.files

    def slides(self) -> list[SegmentedSlide]:
        """The slides that were segmented, and those that were left out.

        Raises:
            WrongArtifactError: tiles or samples were segmented.
        """
        return table_of(self._table(SLIDES), SegmentedSlide, str(self.folder / SLIDES))

    def areas(self) -> list[AreaRecord]:
        """How much of each class each slide has.

        Raises:
            WrongArtifactError: tiles or samples were segmented.
        """
        return table_of(self._table(AREAS), AreaRecord, str(self.folder / AREAS))

    def _table(self, name: str) -> bytes:
        if not self.is_of_slides:
            raise WrongArtifactError(
                f"{self.folder} holds label maps of tiles or samples, not of slides. Segment the "
                "slides themselves: hdgan segment SEGMENTER SLIDES OUTPUT."
            )
        return self.read(name)
