"""Labelled drawings: the dataset that everything else is for."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Float32, UInt8
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hdgan.artifacts.annotation_set import CLASSES, class_map_of
from hdgan.artifacts.arrays import latents_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.images import grey_of, rgb_of
from hdgan.artifacts.manifest import Manifest
from hdgan.artifacts.not_understood import not_understood
from hdgan.artifacts.shards import Shards
from hdgan.artifacts.table import Name, Record, table_of
from hdgan.class_map import ClassMap, LabelMap

PAIRS = "pairs.csv"
LATENTS = "latents.safetensors"
DATASET = "dataset.json"
CARD = "README.md"
TALLIES = "tallies.safetensors"
PROBE = "composition.safetensors"
"""What told, at a glance, how much of a class a latent would have."""

NEAREST = "nearest.png"

SHARD_PAIRS = 256
"""Pairs in one archive."""

Why = Literal["uncertain", "outside", "missed"]
"""A pair was left out: it was among the most uncertain, it lay outside the range of real tiles, or
the composition that was asked for was not found."""

Way = Literal["first", "rejection", "search", "missed"]
"""How the composition that was asked for was found: at once, among other drawings, by changing a
latent, or not."""

Ending = Literal["png", "tif"]
"""Of the files of a pair."""


class PairRecord(Record):
    """One drawing and its label map."""

    pair: Name
    """Its name."""

    row: int
    """Its row in the table of latents."""

    seed: int
    """What its z was drawn with."""

    uncertainty: float
    """Mean divergence of its most uncertain tenth of the pixels, nats."""

    kept: bool
    """Whether it is in the dataset; the files of dropped pairs are gone, but a seed can be drawn
    again."""

    stain: str | None = None
    """What the generator was told; empty if it is told none."""

    ending: Ending = "png"
    """Of the names of its files: PNG, or tiled TIFF."""

    why: Why | None = None
    """Why it is not in the dataset."""

    noise: int = 0
    """Which of the latent's noises; 0 is the generator's own."""

    shard: str | None = None
    """The archive that its files are in, by its path in the artifact."""

    way: Way | None = None
    """How the composition was found that was asked for; empty if none was."""

    draws: int = 1
    """Drawings that it took."""

    looks: int = 0
    """Latents that were only looked at."""

    realism: float | None = None
    """How well it lies within the range of the real tiles; 1 is the edge."""

    nearest_tile: str | None = None
    """The tile that it is most like."""

    nearest_distance: float | None = None
    """How far that is, in the encoder's features."""

    @property
    def image(self) -> str:
        """The image's path in the artifact."""
        return f"images/{self.pair}.{self.ending}"

    @property
    def labels(self) -> str:
        """The label map's path in the artifact."""
        return f"labels/{self.pair}.{self.ending}"

    @property
    def uncertainty_map(self) -> str:
        """The uncertainty map's path in the artifact."""
        return f"uncertainty/{self.pair}.{self.ending}"


class _DatasetText(BaseModel):
    """What is read of `dataset.json`; there is more in it, and earlier versions have less."""

    model_config = ConfigDict(extra="allow")
    num_kept: int = Field(ge=0)
    num_drawn: int = Field(ge=0)
    largest_uncertainty_nats: float = Field(ge=0, allow_inf_nan=False)
    noise_draws: int | None = Field(default=None, ge=0)
    licence: str | None = None
    share_of_pixels: dict[str, float | None] = {}
    labels_quality: dict[str, Any] | None = None


class PairSet(Artifact):
    """`pairs.csv`, `images/`, `labels/`, `uncertainty/`, `latents.safetensors`, `README.md`.

    The files of very many pairs lie in archives, `shards/*.zip`.
    """

    kind = "pair-set"

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder, manifest)
        self._shards = Shards()

    @cached_property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))

    @cached_property
    def about(self) -> dict[str, Any]:
        """Counts, shares of the classes, and the unit of the uncertainty maps.

        Raises:
            DamagedArtifactError: `dataset.json` cannot be understood.
        """
        try:
            content = _DatasetText.model_validate_json(self.read(DATASET))
        except ValidationError as error:
            raise not_understood(self.folder / DATASET, error) from error
        return content.model_dump(exclude_unset=True)

    def all_records(self) -> list[PairRecord]:
        """Every pair that was drawn, kept or dropped."""
        return table_of(self.read(PAIRS), PairRecord, str(self.folder / PAIRS))

    def records(self) -> list[PairRecord]:
        """The pairs of the dataset."""
        return [record for record in self.all_records() if record.kept]

    def latents(self) -> Float32[np.ndarray, "pairs w_dim"]:
        """W of every pair that was drawn, after truncation."""
        return latents_of(self.read(LATENTS), str(self.folder / LATENTS))

    def image(self, record: PairRecord) -> UInt8[np.ndarray, "side side 3"]:
        """A pair's image, RGB."""
        return rgb_of(self._content(record, record.image), str(self.folder / record.image))

    def labels(self, record: PairRecord) -> LabelMap:
        """A pair's label map."""
        return grey_of(self._content(record, record.labels), str(self.folder / record.labels))

    def uncertainty(self, record: PairRecord) -> Float[np.ndarray, "side side"]:
        """A pair's uncertainty map, nats, in 255 steps."""
        name = record.uncertainty_map
        grey = grey_of(self._content(record, name), str(self.folder / name))
        return grey * (float(self.about["largest_uncertainty_nats"]) / 255.0)

    def _content(self, record: PairRecord, name: str) -> bytes:
        """A file of a pair; of an archive, its own checksum is looked at."""
        if record.shard is None:
            return self.read(name)
        return self._shards.read(self.path(record.shard), name)
