"""Choices of `hdgan score-generator`."""

from dataclasses import dataclass

from hdgan.settings.bounds import ascending, at_least, within


@dataclass(frozen=True)
class ScoreGeneratorSettings:
    """How many images are compared, and in which features."""

    num_images: int = 1000
    """Drawings, and as many random crops of training tiles and of held-out tiles."""

    truncation: float = 1.0
    """Pull towards the mean image: 1 leaves all variety, which is what a generator is judged by."""

    shrink: tuple[float, float] | None = None
    """Pixels of a tile to one of the drawn images, least and most; without it, what the generator
    was trained with."""

    snapshots: bool = True
    """Whether the kept snapshots are scored too, to find the best."""

    num_nearest: int = 12
    """Drawings to show beside their nearest training crops: those that come nearest."""

    seed: int = 0
    """Decides drawings and crops."""

    trust_encoder: bool = False
    """Whether an encoder in TorchScript may be run; such a file is a program, so say it only of
    files whose source you trust."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 20, "num_images")
        at_least(self, 0, "num_nearest", "seed")
        within(self, 0, 1, "truncation")
        if self.shrink is not None:
            ascending(self, 1, "shrink")
