"""Choices of `hdgan train-segmenter`."""

from dataclasses import dataclass

from hdgan.settings.bounds import above_zero, at_least, within


@dataclass(frozen=True)
class TrainSegmenterSettings:
    """How the U-Net is trained."""

    steps: int = 2000
    """Steps of the optimizer."""

    batch: int = 8
    """Crops a step."""

    crop_px: int | None = None
    """Side of a crop; every image must be at least that large, and it must divide by 8. Without
    it, 128, or what fits into the first image if that is smaller."""

    learning_rate: float = 1e-3
    """Of AdamW; falls to zero along a cosine."""

    width: int = 16
    """Channels of the U-Net at full resolution."""

    stain_jitter: float = 0.1
    """Largest relative change of each colour channel's optical density."""

    num_images: int | None = None
    """Use only so many of the labelled images, drawn at random; without it, all."""

    folds: tuple[int, ...] = (1, 2, 3, 4)
    """Of annotated tiles: folds to learn from."""

    seed: int = 0
    """Decides weights, images and crops."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 1, "steps", "batch", "width", "num_images")
        at_least(self, 16, "crop_px")
        at_least(self, 0, "seed")
        above_zero(self, "learning_rate")
        within(self, 0, 0.9, "stain_jitter")
