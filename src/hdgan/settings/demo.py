"""Choices of `hdgan demo`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoSettings:
    """How large the demonstration is."""

    kimg: float = 12.0
    """Thousands of drawn tiles that the generator is shown."""

    num_tiles: int = 1000
    """Drawn tiles."""

    num_pairs: int = 300
    """Labelled pairs to make."""

    segmenter_steps: int = 300
    """Steps of the segmenter that is trained on the pairs."""

    seed: int = 0
    """Another seed draws other tissue."""
