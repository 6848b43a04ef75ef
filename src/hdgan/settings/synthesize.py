"""Choices of `hdgan synthesize`."""

from dataclasses import dataclass
from typing import Literal

from hdgan.settings.bounds import at_least, bytes_in, within


@dataclass(frozen=True)
class SynthesizeSettings:
    """How many pairs are drawn and which are kept."""

    num_pairs: int = 1000
    """Pairs to draw, before the uncertain ones are dropped."""

    drop_fraction: float = 0.1
    """The most uncertain part, which is dropped: exactly its ceiling. DatasetGAN drops a tenth."""

    truncation: float = 0.7
    """Pull towards the mean image: 1 leaves all variety, 0 none. The paper has 0.7."""

    seed: int = 1_000_000
    """Pair i is drawn with seed + i; far from the seeds of samples, so that pairs are new."""

    stain: str | None = None
    """Stain to draw, of a generator that was trained with `--condition stain`; without it, each
    seed decides its own."""

    memory: str | None = None
    """Most memory of the process on a CPU, such as `2GB`: it decides into which pieces the work is
    cut, not the result."""

    files: Literal["auto", "png", "tiff"] = "auto"
    """How images, label maps and uncertainty maps are written. A PNG is in memory as a whole (eight
    bytes a pixel with its maps); a tiled TIFF goes to disk band by band. `auto` is TIFF above 4096
    px."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 1, "num_pairs")
        if self.memory is not None:
            bytes_in(self.memory, "--memory")
        at_least(self, 0, "seed")
        within(self, 0, 1, "truncation")
        within(self, 0, 0.999, "drop_fraction")
