"""Choices of `hdgan export`."""

from dataclasses import dataclass, replace
from typing import Literal

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least, within

LayoutName = Literal[
    "plain",
    "nnunet",
    "coco",
    "huggingface",
    "huggingface-folder",
    "webdataset",
    "qupath",
    "monai",
]
"""Layouts that a dataset can be written in."""


@dataclass(frozen=True)
class ExportSettings:
    """What is exported, and how it is laid out."""

    layout: LayoutName = "plain"
    """Whose layout: plain folders, nnU-Net v2, COCO, Hugging Face as Parquet or as folders,
    WebDataset shards, QuPath, or MONAI."""

    validation: float | None = None
    """The part of the pairs that is for validation, by default 0.1. The seed of a pair decides, so
    a pair of a larger pair set has the same place, and drawings of one latent stay together."""

    test: float | None = None
    """The part of the pairs that is for testing, by default none. Scores on drawings say nothing
    about tissue."""

    seed: int = 0
    """Another seed deals the pairs in another way."""

    validation_folds: tuple[int, ...] | None = None
    """Of annotated tiles: folds for validation, by default none."""

    test_folds: tuple[int, ...] | None = None
    """Of annotated tiles: folds for testing, by default 0, the one that generators do not see."""

    unsure_above: float | None = None
    """Pixels of pairs whose uncertainty is above this many nats become unlabelled (255). How many
    did is said at the end: try values such as 0.03 with --limit 100."""

    image_format: Literal["png", "jpeg"] = "png"
    """How images are stored; `jpeg` is less than half of the size, and not what was drawn. Label
    maps are always lossless."""

    jpeg_quality: int = 95
    """Quality of JPEG, without subsampling of colours."""

    limit: int | None = None
    """Export only the first so many images."""

    title: str | None = None
    """Of the dataset; without it, it says what the images are."""

    licence: str | None = None
    """Under which the dataset may be used; without it, what the source says."""

    dataset_number: int = 42
    """Of the dataset among those of nnU-Net, 1 to 999."""

    background: tuple[str, ...] = ()
    """Classes without instances in COCO, such as `whitespace`."""

    min_area_px: int = 0
    """Smallest instance of COCO, px; speckles are many. How many are left out is said."""

    spacing_um: float | None = None
    """Tissue per pixel of the images for QuPath, um/px, where tiles do not say theirs."""

    shard_size: int = 1000
    """Images of a WebDataset shard, or of a Parquet file."""

    threads: int | None = None
    """Images that are encoded at once; without it, as many as there are cores, up to 8."""

    def __post_init__(self) -> None:
        """Refuse choices that cannot work."""
        within(self, 0, 1, "validation", "test")
        at_least(self, 0, "unsure_above", "seed", "min_area_px")
        above_zero(self, "spacing_um")
        at_least(self, 1, "limit", "shard_size", "threads")
        within(self, 1, 100, "jpeg_quality")
        within(self, 1, 999, "dataset_number")
        if sum(self.parts) > 1:
            validation, test = self.parts
            raise SettingsError(
                f"--validation {validation:g} and --test {test:g} are more than all pairs "
                "together. Lower one of them."
            )
        both = sorted(set.intersection(*map(set, self.folds)))
        if both:
            raise SettingsError(
                f"Fold {both[0]} is in --validation-folds and in --test-folds. Give it one place."
            )

    @property
    def parts(self) -> tuple[float, float]:
        """The parts of the pairs for validation and for testing."""
        validation = 0.1 if self.validation is None else self.validation
        return validation, self.test or 0.0

    @property
    def folds(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The folds for validation and for testing."""
        test = (0,) if self.test_folds is None else self.test_folds
        return self.validation_folds or (), test

    def complete(self) -> "ExportSettings":
        """The same, with what holds by default where nothing was said of parts and folds."""
        (validation, test), (validation_folds, test_folds) = self.parts, self.folds
        return replace(
            self,
            validation=validation,
            test=test,
            validation_folds=validation_folds,
            test_folds=test_folds,
        )
