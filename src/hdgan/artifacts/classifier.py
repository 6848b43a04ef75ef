"""A fitted ensemble with the split, the class map and the features that it belongs to."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hdgan.artifacts.annotation_set import CLASSES, AnnotationRecord, class_map_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.curves import curve_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.not_understood import not_understood
from hdgan.artifacts.table import Record, table_of
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import tensor_bytes, with_weights
from hdgan.class_map import ClassMap
from hdgan.method.context_head import ContextHead, ContextShape
from hdgan.method.decision import Decision
from hdgan.method.fitting import ClassifierEpoch
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier

ENSEMBLE = "ensemble.json"
WEIGHTS = "ensemble.safetensors"
CONTEXT = "context.safetensors"
CURVES = "curves.jsonl"
SPLIT = "split.csv"
PROJECTIONS = "projections.csv"
PROJECTIONS_PICTURE = "projections.png"


class ProjectionRecord(Record):
    """How near a drawing came to a crop of a real tile."""

    crop: str
    """Its name."""

    tile: str
    """The tile that it was cut from."""

    x: int
    """Left edge, px of the tile's image."""

    y: int
    """Upper edge, px of the tile's image."""

    start: float
    """Distance of the mean drawing, from which the search began."""

    distance: float
    """Distance of the drawing that was found."""

    limit: float
    """How far it may be."""

    accepted: bool
    """Whether it was learned from."""


class EnsembleText(BaseModel):
    """What `ensemble.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    num_channels: int
    num_classes: int
    num_members: int
    widths: tuple[int, int]
    num_normalised: int = Field(ge=0, le=2)
    dropout: float = Field(ge=0, le=1)
    num_blocks: int | None = Field(ge=1)
    decision: Decision
    by_object: tuple[int, ...] = ()
    """Classes that are told apart object by object."""
    context: ContextShape | None = None
    """The head whose map it reads as well; its channels count among `num_channels`."""

    @property
    def shape(self) -> ClassifierShape:
        """The shape of the ensemble."""
        fields = self.model_dump(exclude={"num_blocks", "decision", "by_object", "context"})
        return ClassifierShape(**fields)


class ClassifierFolder(Artifact):
    """`ensemble.json`, `ensemble.safetensors`, `classes.json`, `split.csv`, `curves.jsonl`.

    With a context head also `context.safetensors`; of labels of real tiles that were projected also
    `projections.csv` and `projections.png`, crops beside their drawings.
    """

    kind = "classifier"

    @cached_property
    def text(self) -> EnsembleText:
        """What the ensemble is.

        Raises:
            DamagedArtifactError: `ensemble.json` cannot be understood.
        """
        try:
            return EnsembleText.model_validate_json(self.read(ENSEMBLE))
        except ValidationError as error:
            raise not_understood(self.folder / ENSEMBLE, error) from error

    @cached_property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))

    @property
    def decision(self) -> Decision:
        """How members are joined."""
        return self.text.decision

    def classifier(self) -> PixelClassifier:
        """The ensemble, on the CPU, ready to be asked."""
        return with_weights(lambda: PixelClassifier(self.text.shape), self, WEIGHTS).eval()

    def context(self) -> ContextHead | None:
        """The head that reads what lies around each pixel, on the CPU, ready to be asked."""
        shape = self.text.context
        if shape is None:
            return None
        return with_weights(lambda: ContextHead(shape), self, CONTEXT).eval()

    def projections(self) -> list[ProjectionRecord]:
        """The crops of real tiles that latents were sought for; none if it was fitted otherwise."""
        if PROJECTIONS not in self.manifest.files:
            return []
        name = str(self.folder / PROJECTIONS)
        return table_of(self.read(PROJECTIONS), ProjectionRecord, name)

    def learned_from(self) -> list[str]:
        """Names of the images that it was fitted to; samples are called after their seeds."""
        return [row.image for row in self._split() if row.split == "training"]

    @property
    def validated_on(self) -> str:
        """What the curves tell of, in words: training pixels if no others were left."""
        if TileSet.kind in self.manifest.parents and PROJECTIONS not in self.manifest.files:
            return "training pixels of real tiles, of a small segmenter that it has taught"
        has_own = any(row.split == "validation" for row in self._split())
        return "validation pixels" if has_own else "training pixels"

    def _split(self) -> list[AnnotationRecord]:
        return table_of(self.read(SPLIT), AnnotationRecord, str(self.folder / SPLIT))

    def curves(self) -> list[ClassifierEpoch]:
        """How fitting went."""
        return curve_of(self.read(CURVES), ClassifierEpoch, str(self.folder / CURVES))


def write_ensemble(
    unfinished: UnfinishedArtifact,
    classifier: PixelClassifier,
    num_blocks: int | None,
    decision: Decision,
    *,
    by_object: Sequence[int] = (),
    context: ContextHead | None = None,
) -> None:
    """Put an ensemble into an artifact, and the head that it reads."""
    text = asdict(classifier.shape) | {
        "num_blocks": num_blocks,
        "decision": decision,
        "by_object": list(by_object),
        "context": None if context is None else asdict(context.shape),
    }
    unfinished.write(ENSEMBLE, json_bytes(text))
    unfinished.write(WEIGHTS, tensor_bytes(classifier.state_dict()))
    if context is not None:
        unfinished.write(CONTEXT, tensor_bytes(context.state_dict()))
