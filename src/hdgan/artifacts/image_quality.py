"""How a generator's drawings compare with real tiles, and what was compared."""

from dataclasses import asdict
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import json_bytes
from hdgan.errors import DamagedArtifactError
from hdgan.method.image_quality import ImageQuality

QUALITY = "quality.json"
DISTANCES = "pictures/distances.svg"
CLOSEST = "pictures/closest.png"
NEAREST = "pictures/nearest.png"

HELD_OUT_CROPS = "held-out crops"

DEFINITIONS = {
    "kid": "squared maximum mean discrepancy with the kernel (x.y / dim + 1)^3, unbiased, mean of "
    "100 random subsets; 0 for equal distributions, and a little below 0 by chance",
    "kid_deviation": "standard deviation of that over the subsets",
    "fid": "Frechet distance of two normal distributions; depends on the number of images",
    "precision": "part of the drawings within reach (3rd neighbour) of a real image",
    "recall": "part of the real images within reach (3rd neighbour) of a drawing",
    "density": "mean number of real images within whose reach (5th neighbour) a drawing lies, / 5",
    "coverage": "part of the real images that have a drawing within their reach (5th neighbour)",
    "noise floor": "the same between crops of training tiles and crops of held-out tiles",
    "nearest": "median distance, in the encoder's features, to the training crop that is nearest; "
    "drawings that are much nearer than held-out crops are copies",
    "kid ratio": "kid / kid of the noise floor: 1 would be as close as other real tissue",
}


class SnapshotScore(BaseModel):
    """The distance of one snapshot's drawings from the real crops."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    snapshot: str
    """Its name, such as `kimg-000040`; `final` is the generator itself."""
    kid: float
    kid_deviation: float


class QualityText(BaseModel):
    """What `quality.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    encoder: str
    """Its name and the beginning of its file's SHA-256."""
    encoder_digest: str
    num_images: int
    """Drawings, and as many crops of each kind of tiles."""
    truncation: float
    training_folds: list[int]
    held_out_folds: list[int]
    """Empty if the generator has seen all folds, or nobody knows which."""
    scores: dict[str, float]
    """Of the drawings against crops of the training tiles."""
    floor: dict[str, float] | None
    """Of crops of held-out tiles against the same, if there are held-out tiles."""
    kid_ratio: float | None
    """None without a floor, or if the floor is not above 0."""
    nearest: dict[str, float] = {}
    """Median distance to the nearest training crop, of `drawings` and of `held-out crops`; empty
    in scores of earlier versions."""
    nearest_of_each: dict[str, list[float]] = {}
    """The same of each drawing and of each held-out crop, in the order in which they were drawn;
    empty in scores of earlier versions."""
    snapshots: list[SnapshotScore]
    best_snapshot: str
    """The one of least KID."""
    definitions: dict[str, str] = DEFINITIONS


class ImageQualityFolder(Artifact):
    """`quality.json`, and pictures that show whether drawings are copies.

    `pictures/distances.svg` and `pictures/closest.png` show numbers and drawings alone,
    `pictures/nearest.png` also the real crops.
    """

    kind = "image-quality"

    @cached_property
    def text(self) -> QualityText:
        """The scores.

        Raises:
            DamagedArtifactError: they cannot be understood.
        """
        try:
            return QualityText.model_validate_json(self.read(QUALITY))
        except ValidationError as error:
            raise DamagedArtifactError(
                f"{self.folder / QUALITY} cannot be understood ({error})."
            ) from error


def quality_bytes(text: QualityText) -> bytes:
    """The content of `quality.json`."""
    return json_bytes(text.model_dump())


def plain_scores(quality: ImageQuality) -> dict[str, Any]:
    """Scores by name."""
    return asdict(quality)
