"""Choices of `hdgan evaluate`."""

from dataclasses import dataclass
from typing import Literal

from hdgan.settings.bounds import at_least, within


@dataclass(frozen=True)
class EvaluateSettings:
    """Which annotated images are compared."""

    split: Literal["training", "validation", "test"] = "test"
    """Of annotated samples: which part."""

    fold: int | None = None
    """Of annotated tiles: which fold. It must be new to what is tested."""

    num_pictures: int = 8
    """Images to keep as pictures, the worst first."""

    trust: bool = True
    """Whether calibration, the use of the uncertainty, conformal margins and contours are measured
    too."""

    margin_coverage: float = 0.99
    """The part of a true region that the predicted one, grown by its margin, is to cover."""

    margin_alpha: float = 0.1
    """The part of the tiles, or of the patients, of which a margin may fail. Smaller needs more of
    them: .1 nine, .05 nineteen."""

    noise_images: int = 4
    """Of annotated samples: how many are drawn again with other noise, to see what changes."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 0, "fold", "num_pictures", "noise_images")
        within(self, 0.5, 1, "margin_coverage")
        within(self, 0.001, 0.5, "margin_alpha")
