"""Choices of `hdgan demo`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoSettings:
    """How large the demonstration is."""

    kimg: float = 12.0
    """Thousands of drawn tiles that the generator is shown."""

    num_tiles: int = 1500
    """Drawn tiles."""

    num_pairs: int = 300
    """Labelled pairs to make."""

    seed: int = 0
    """Another seed draws other tissue."""
