"""Choices of `hdgan train-segmenter`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least, within

SegmenterMethod = Literal[
    "supervised",
    "mean-teacher",
    "fixmatch",
    "pseudo-label",
    "transformation-consistency",
    "mixmatch",
    "frozen-features",
    "random-forest",
]
"""Ways to learn. The first six train a U-Net; the last two decide pixel by pixel."""

PIXEL_METHODS: tuple[SegmenterMethod, ...] = ("frozen-features", "random-forest")
"""Those that train no U-Net."""

UNLABELLED_METHODS: tuple[SegmenterMethod, ...] = (
    "mean-teacher",
    "fixmatch",
    "pseudo-label",
    "transformation-consistency",
    "mixmatch",
)
"""Those that learn from unlabelled tiles, too."""

_OF_NETWORKS = (
    "steps",
    "batch",
    "crop_px",
    "learning_rate",
    "width",
    "cut_mix",
    "equal_sources",
    "precision",
)
"""What only a U-Net has."""


@dataclass(frozen=True)
class SegmenterSources:
    """Where the artifacts are that a segmenter learns from besides its labelled images."""

    tiles: Path | None = None
    """The tile set of annotated tiles, if it is not in a folder beside them."""

    unlabelled: Path | None = None
    """Tile set to learn from without labels, of the same stains and resolution as the labelled
    images; the --folds are taken, on which the segmenter can then no longer be tested. Of another
    tile set than the one to test on, see yourself that no test patient is in it."""

    samples: Path | None = None
    """The sample set of annotated samples, if it is not in a folder beside them."""

    encoder: Path | None = None
    """Network whose features `frozen-features` decides by: a file of weights, or (without it) the
    name efficientnet-lite0."""


@dataclass(frozen=True)
class TrainSegmenterSettings:
    """How the network is trained."""

    method: SegmenterMethod = "supervised"
    """From labels alone (supervised); from labels and --unlabelled tiles (mean-teacher, fixmatch,
    pseudo-label, transformation-consistency, mixmatch; about 2.3 times the time); or pixel by pixel
    (frozen-features, random-forest), for which only the options of images, seed and device count,
    and of frozen-features --stain-jitter."""

    steps: int = 2000
    """Steps of the optimizer."""

    batch: int = 8
    """Crops a step; of unlabelled tiles as many again."""

    crop_px: int | None = None
    """Side of a crop; every image must be at least that large, and it must divide by 8. Without
    it, 128, or what fits into the smallest labelled image if that is less."""

    learning_rate: float = 1e-3
    """Of AdamW; falls to zero along a cosine."""

    width: int = 16
    """Channels of the U-Net at full resolution."""

    stain_jitter: float = 0.1
    """Largest relative change of each colour channel's optical density."""

    cut_mix: float = 0.0
    """Chance of a labelled crop to get a rectangle of another, with its labels (CutMix). Off,
    because .5 helped neither drawn tissue (3 images) nor nuclei (16) in 400 steps."""

    threshold: float = 0.95
    """FixMatch learns from the unlabelled pixels whose likeliest class has at least this
    probability; 0 takes all."""

    num_images: int | None = None
    """Use only so many of SOURCE's labelled images, drawn at random; without it, all. Those of
    --also are always all used."""

    draw: int | None = None
    """Decides which images --num-images takes; without it, the seed does."""

    equal_sources: bool = False
    """Show every source equally often, however many images it has, not every image."""

    folds: tuple[int, ...] = (1, 2, 3, 4)
    """Of annotated and of unlabelled tiles: folds to learn from."""

    precision: Literal["float32", "bfloat16"] = "float32"
    """What convolutions are computed in; bfloat16 is quicker on recent GPUs. Weights are float32
    either way."""

    seed: int = 0
    """Decides weights, images and crops."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 1, "steps", "batch", "width", "num_images")
        at_least(self, 16, "crop_px")
        at_least(self, 0, "seed", "draw")
        above_zero(self, "learning_rate")
        within(self, 0, 0.9, "stain_jitter")
        within(self, 0, 1, "cut_mix", "threshold")
        self._refuse_unread()

    def _refuse_unread(self) -> None:
        """Refuse choices that would change nothing."""
        given = [name for name in unread_by(self.method) if getattr(self, name) != _default(name)]
        if given:
            what = "is for FixMatch" if given[0] == "threshold" else "is for U-Nets"
            raise SettingsError(
                f"--{given[0].replace('_', '-')} changes nothing for --method {self.method}: it "
                f"{what}. Leave it out, or choose another method."
            )
        if self.draw is not None and self.num_images is None:
            raise SettingsError(
                "--draw decides which images --num-images takes, which is not given. Leave it out, "
                "or say how many."
            )


def unread_by(method: SegmenterMethod) -> tuple[str, ...]:
    """Names of the settings that change nothing for a method; refused if they are given."""
    unread: tuple[str, ...] = _OF_NETWORKS if method in PIXEL_METHODS else ()
    if method == "random-forest":
        unread += ("stain_jitter",)
    return unread if method == "fixmatch" else (*unread, "threshold")


def _default(name: str) -> object:
    return getattr(TrainSegmenterSettings, name)
