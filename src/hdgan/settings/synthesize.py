"""Choices of `hdgan synthesize`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least, bytes_in, seconds_in, share_in, within

NUM_PAIRS = 1000
"""Pairs that are drawn if neither a number nor a time is given."""

MOST_THREADS = 1024
"""More at once are a slip."""

LAST_SEED = 4_000_000_000
"""Of pairs: a latent's random numbers follow the last 32 bits of its seed."""


@dataclass(frozen=True)
class SynthesizeSources:
    """Where the artifacts are that pairs are made from or compared with."""

    generator: Path | None = None
    """The classifier's generator, if it is not in a folder beside it."""

    annotations: Path | None = None
    """The annotations that the classifier was fitted to, if they are not in a folder beside it. The
    card compares the pairs with them; without them it says so."""

    samples: Path | None = None
    """The samples that were annotated, if they are not in a folder beside the annotations."""

    tiles: Path | None = None
    """Tile set that the generator was trained on. With it and --encoder, each pair's nearest tile
    is found, and --min-realism works."""

    encoder: Path | None = None
    """Network that tells how alike images are, as for `score-generator`: a file, or a name."""


@dataclass(frozen=True)
class SynthesizeSettings:
    """How many pairs are drawn, which, and how the work is spread."""

    num_pairs: int | None = None
    """Pairs to draw, before any are dropped; 1000 unless there is a --budget. The same command with
    a larger number adds to what is there."""

    budget: str | None = None
    """Time to draw for, such as `30min` or `8h`, instead of a number of pairs, or at most."""

    drop_fraction: float = 0.1
    """The most uncertain part, which is dropped: exactly its ceiling. DatasetGAN drops a tenth."""

    max_uncertainty: float | None = None
    """Drop, before that part is taken, every pair whose score exceeds this, nats. The score is the
    mean of the most uncertain tenth of an image's pixels."""

    truncation: float = 0.7
    """Pull towards the mean image: 1 leaves all variety, 0 none. The paper has 0.7."""

    seed: int = 1_000_000
    """Pair i is drawn with seed + i (with --noise-draws, latent i); far from the seeds of samples,
    so that pairs are new. Two commands whose ranges do not meet make different pairs."""

    stain: str | None = None
    """Stain to draw, of a generator that was trained with `--condition stain`; without it, each
    seed decides its own."""

    noise_draws: int = 1
    """Drawings of each latent, which differ in their noise: fine detail changes, the layout stays.
    The first has the generator's own."""

    at_least: tuple[str, ...] = ()
    """Least part of the pixels of a class in every pair, such as `arteriole=0.05`: pairs are
    searched for, and no longer drawn as the generator would. Several classes may be given."""

    most_draws: int = 16
    """Drawings at most for a pair that --at-least asks for, and as many again in the search; a pair
    that is not found by then is left out."""

    num_pilot: int = 128
    """Drawings without selection, from which --at-least learns which latents are promising, and
    which say what the generator draws by itself."""

    search: bool = True
    """Change latents where --at-least finds no drawing that has enough; without it, drawings are
    only chosen."""

    min_realism: float | None = None
    """Drop pairs outside the range of the real tiles: whose realism (Kynkäänniemi et al. 2019) is
    lower. 1 is the edge, which half of all real tiles miss, too: 0.6 to 0.8 is usual. Needs --tiles
    and --encoder."""

    trust_encoder: bool = False
    """Run an encoder that is a program (TorchScript). Only for files whose source you trust."""

    licence: str | None = None
    """What the card says about who may use the dataset, and how."""

    memory: str | None = None
    """Most memory of each process on a CPU, such as `2GB`: it decides into which pieces the work is
    cut, not the result."""

    files: Literal["auto", "png", "tiff", "shards"] = "auto"
    """How images, label maps and uncertainty maps are written. A PNG is in memory as a whole (eight
    bytes a pixel with its maps); a tiled TIFF goes to disk band by band. `shards` packs the PNG
    files of 256 pairs into one ZIP archive: for very many pairs. `auto` is TIFF above 4096 px, else
    PNG."""

    workers: int | None = None
    """Processes that draw. Without it one for each core if that is worth their start, as far as
    memory allows; one on a GPU."""

    threads: int = 1
    """CPU threads of each process. Another number changes the result by rounding."""

    cluster: str | None = None
    """Draw on a Dask cluster that sees the same files: the address of its scheduler, or `slurm`."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    @property
    def budget_seconds(self) -> float | None:
        """The time to draw for."""
        return None if self.budget is None else seconds_in(self.budget, "--budget")

    @property
    def wanted(self) -> dict[str, float]:
        """Least part of the pixels by class."""
        return dict(share_in(text, "--at-least") for text in self.at_least)

    @property
    def most_pairs(self) -> int | None:
        """How many are drawn, if it is not the time alone that decides."""
        if self.num_pairs is None and self.budget is None:
            return NUM_PAIRS
        return self.num_pairs

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 1, "num_pairs", "noise_draws", "most_draws")
        at_least(self, 2, "num_pilot")
        if self.memory is not None:
            bytes_in(self.memory, "--memory")
        at_least(self, 0, "max_uncertainty")
        at_least(self, 0, "seed")
        within(self, 1, MOST_THREADS, "workers", "threads")
        above_zero(self, "min_realism")
        within(self, 0, 1, "truncation")
        within(self, 0, 0.999, "drop_fraction")
        self._refuse_odd()

    def _refuse_odd(self) -> None:
        """Refuse texts that say nothing, and choices that exclude one another."""
        _ = self.budget_seconds
        if len(self.wanted) < len(self.at_least):
            raise SettingsError("--at-least names a class twice. Give each class once.")
        if sum(self.wanted.values()) > 1:
            raise SettingsError(
                f"--at-least asks for {sum(self.wanted.values()):.0%} of the pixels in all. Ask "
                "for less."
            )
        if self.cluster is not None and self.workers is not None and self.cluster != "slurm":
            raise SettingsError(
                "--workers changes nothing for a Dask cluster that is there already: it has its "
                "own. Leave it out."
            )
        last = self.seed + (self.most_pairs or 0) // self.noise_draws
        if last > LAST_SEED:
            raise SettingsError(
                f"--seed is {self.seed}, so the last pair's would be {last}; it must not exceed "
                f"{LAST_SEED}, because only 32 bits of a seed are used. Begin lower."
            )
        if self.wanted and self.noise_draws > 1:
            raise SettingsError("--noise-draws and --at-least exclude one another: choose one.")
