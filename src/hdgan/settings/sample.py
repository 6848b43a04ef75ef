"""Choices of `hdgan sample`."""

from dataclasses import dataclass

from hdgan.settings.bounds import at_least, within


@dataclass(frozen=True)
class SampleSettings:
    """What is drawn."""

    num_samples: int = 500
    """Images to draw. The paper draws 500."""

    truncation: float = 0.7
    """Pull towards the mean image: 1 leaves all variety, 0 none. The paper has 0.7."""

    select: int | None = None
    """Samples to suggest for annotation, as different as the whole set; without it 36, as many as
    the paper annotates, or all if there are fewer."""

    seed: int = 0
    """Sample i is drawn with seed + i."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 1, "num_samples")
        at_least(self, 0, "select", "seed")
        within(self, 0, 1, "truncation")
