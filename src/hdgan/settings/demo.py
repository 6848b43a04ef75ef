"""Choices of `hdgan demo`."""

from dataclasses import dataclass

from hdgan.settings.bounds import above_zero, at_least


@dataclass(frozen=True)
class DemoSettings:
    """How large the demonstration is."""

    kimg: float = 14.0
    """Thousands of drawn tiles that the generator is shown."""

    num_tiles: int = 1000
    """Drawn tiles."""

    num_samples: int = 500
    """Drawings to choose 36 from for annotation. The paper draws 500."""

    classifier_steps: int = 600
    """Steps in which the ensemble is fitted."""

    num_pairs: int = 300
    """Labelled pairs to make."""

    segmenter_steps: int = 300
    """Steps of the segmenter that is trained on the pairs."""

    seed: int = 0
    """Another seed draws other tissue."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 50, "num_tiles")
        at_least(self, 36, "num_samples")
        at_least(self, 1, "num_pairs", "segmenter_steps", "classifier_steps")
        at_least(self, 0, "seed")
        above_zero(self, "kimg")
