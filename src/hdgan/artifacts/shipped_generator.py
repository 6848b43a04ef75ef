"""What a shipped generator holds beside its weights: annotated drawings, scores, and its card."""

from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import UInt8
from pydantic import BaseModel, ConfigDict, ValidationError

from hdgan.artifacts.annotation_set import class_map_of
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.image_quality import QualityText
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.table import Record, table_of
from hdgan.class_map import ClassMap
from hdgan.errors import DamagedArtifactError

ABOUT = "about.json"
CARD = "card.md"
SCORES = "quality.json"
DISTANCES = "distances.svg"
CLOSEST = "closest.png"
ANNOTATED = "annotations/drawings.csv"
ANNOTATED_CLASSES = "annotations/classes.json"
LABELS = "annotations/labels"

Text = TypeVar("Text", bound=BaseModel)


class AnnotatedDrawing(Record):
    """A drawing that an expert has annotated; the generator draws it again from its seed."""

    seed: int
    """What its z is drawn with."""

    @property
    def sample(self) -> str:
        """What `hdgan sample --seeds` calls it."""
        return f"s{self.seed:06d}"

    @property
    def labels(self) -> str:
        """The label map's path in the artifact."""
        return f"{LABELS}/{self.sample}.png"


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CardWords(_Text):
    """What a person says about a generator."""

    title: str
    lead: str
    """What it draws, in a sentence or two."""
    data: str
    """Where the images come from."""
    licence: str
    annotation: str
    """Who labelled the drawings, and how."""
    limits: str
    use: str
    """What it is for, and what not."""


class TrainingData(_Text):
    """The tiles that a generator was trained on."""

    tiles: int
    images: int
    """Images that the tiles were cut from."""
    patients: int
    folds: list[int]
    held_out_images: int
    held_out_patients: int
    shrink: tuple[float, float]
    """Pixels of a tile to one of the drawn images, least and most."""


class Training(_Text):
    """One of the trainings that led to a generator; each begins where the one before ended."""

    resolution: int
    images_shown: int
    digest: str
    """Of the generator that it made."""
    is_elsewhere: bool = False
    """Whether it learned from another tile set than the last training."""


class HalfPrecision(_Text):
    """What halving the weights' precision changes, measured on drawings."""

    drawings: int
    largest_difference: int
    """Of a channel of a pixel, in grey levels from 0 to 255."""
    mean_difference: float
    """The same, mean over all."""


class AboutText(_Text):
    """What `about.json` says."""

    words: CardWords
    resolution: int
    parameters: int
    """Numbers in `generator.safetensors`."""
    data: TrainingData
    trainings: list[Training]
    """In the order in which they ran."""
    commands: list[str]
    """How it came about."""
    half_precision: HalfPrecision
    drawn_with: dict[str, Any]
    """Choices of `hdgan sample` that the annotated drawings were made with."""
    label_maps: int

    def images_shown(self, *, elsewhere: bool) -> int:
        """Images that the trainings were shown, of its own tile set or of others."""
        return sum(
            training.images_shown
            for training in self.trainings
            if training.is_elsewhere == elsewhere
        )


class ShippedGenerator(GeneratorFolder):
    """A generator with `about.json`, `quality.json`, two pictures, `annotations/`, `card.md`."""

    @cached_property
    def about(self) -> AboutText:
        """What it was made from and how.

        Raises:
            DamagedArtifactError: it cannot be understood, or this is no shipped generator.
        """
        return self._text(ABOUT, AboutText)

    @cached_property
    def quality(self) -> QualityText:
        """How its drawings compare with real tiles.

        Raises:
            DamagedArtifactError: it cannot be understood, or this is no shipped generator.
        """
        return self._text(SCORES, QualityText)

    @property
    def distances(self) -> str:
        """How near drawings come to training crops, beside held-out crops, as a chart in SVG."""
        return self.read(DISTANCES).decode()

    @property
    def closest(self) -> UInt8[np.ndarray, "height width 3"]:
        """The drawings that come nearest to a training crop, the nearest first."""
        return rgb_of(self.read(CLOSEST), str(self.folder / CLOSEST))

    @property
    def class_map(self) -> ClassMap:
        """The classes of the label maps, in order."""
        return class_map_of(self.read(ANNOTATED_CLASSES), str(self.folder / ANNOTATED_CLASSES))

    def annotated(self) -> list[AnnotatedDrawing]:
        """The drawings that have a label map."""
        return table_of(self.read(ANNOTATED), AnnotatedDrawing, str(self.folder / ANNOTATED))

    def labels_folder(self) -> Path:
        """Where the label maps lie, for `import-annotations`; each was checked.

        Raises:
            DamagedArtifactError: a label map is missing or is not the one that was written.
        """
        for drawing in self.annotated():
            self.checked_path(drawing.labels)
        return self.folder / LABELS

    def _text(self, name: str, kind: type[Text]) -> Text:
        try:
            return kind.model_validate_json(self.read(name))
        except ValidationError as error:
            raise DamagedArtifactError(
                f"{self.folder / name} cannot be understood ({error})."
            ) from error


def words_about(generator: GeneratorFolder) -> CardWords | None:
    """What a person says about a generator, if it comes with the package."""
    if ABOUT not in generator.manifest.files:
        return None
    return ShippedGenerator.open(generator.folder).about.words
