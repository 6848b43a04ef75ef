"""Choices of `hdgan evaluate`."""

from dataclasses import dataclass
from typing import Literal

from hdgan.settings.bounds import at_least


@dataclass(frozen=True)
class EvaluateSettings:
    """Which annotated images are compared."""

    split: Literal["training", "validation", "test"] = "test"
    """Of annotated samples: which part."""

    fold: int | None = None
    """Of annotated tiles: which fold. It must be new to what is tested."""

    num_pictures: int = 8
    """Images to keep as pictures, the worst first."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 0, "fold", "num_pictures")
