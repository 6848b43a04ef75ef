"""Choices of `hdgan sample`."""

from dataclasses import dataclass

from hdgan.errors import SettingsError
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
    """Sample i is drawn with seed + i, and called after that number."""

    seeds: tuple[int, ...] | None = None
    """Draw exactly these seeds, instead of `num-samples` seeds that follow one another."""

    stain: str | None = None
    """Stain to draw, of a generator that was trained with `--condition stain`; without it, each
    seed decides its own."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 1, "num_samples")
        at_least(self, 0, "select", "seed")
        within(self, 0, 1, "truncation")
        if self.seeds is not None:
            self._check_seeds(self.seeds)

    @property
    def count(self) -> int:
        """Images that are drawn."""
        return self.num_samples if self.seeds is None else len(self.seeds)

    def _check_seeds(self, seeds: tuple[int, ...]) -> None:
        if self.num_samples != SampleSettings.num_samples or self.seed != SampleSettings.seed:
            raise SettingsError(
                "--seeds says which images are drawn, and so do --num-samples and --seed. Leave "
                "those out, or --seeds."
            )
        if not seeds:
            raise SettingsError("--seeds names no seed; give at least one, such as --seeds 3 17.")
        wrong = [seed for seed in seeds if not 0 <= seed < 2**63 or seeds.count(seed) > 1]
        if wrong:
            raise SettingsError(
                f"--seeds has {wrong[0]}; each seed is a whole number from 0 on, named once."
            )
