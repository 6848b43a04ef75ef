"""Choices of `hdgan sample`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SampleSettings:
    """What is drawn."""

    num_samples: int = 500
    """Images to draw. The paper draws 500."""

    truncation: float = 0.7
    """Pull towards the mean image: 1 leaves all variety, 0 none. The paper has 0.7."""

    select: int = 36
    """Samples to suggest for annotation, as different as the whole set. The paper annotates 36."""

    seed: int = 0
    """Sample i is drawn with seed + i."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""
