"""Choices of `hdgan compare`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least, seconds_in, within

Arm = Literal[
    "supervised",
    "frozen-features",
    "random-forest",
    "mean-teacher",
    "fixmatch",
    "pseudo-label",
    "transformation-consistency",
    "mixmatch",
    "hdgan",
    "hdgan-paper",
    "hdgan+real",
    "hdgan-fixmatch",
    "all-labels",
]
"""A way to a segmenter. All of them get the same number of human labels, but for the last."""

ARMS: tuple[Arm, ...] = get_args(Arm)

NEED_DRAWINGS: tuple[Arm, ...] = ("hdgan", "hdgan-paper", "hdgan+real", "hdgan-fixmatch")
"""Arms that need annotated drawings of a generator."""

NOT_BY_DEFAULT: tuple[Arm, ...] = ("pseudo-label", "transformation-consistency", "mixmatch")
"""Arms that run only if they are named."""

MOST_WORKERS = 1024
"""More at once are a slip."""

USUAL_AT = 16
"""Labels of the verdict, where they are among the counts: what the paper fits its classifier to."""


@dataclass(frozen=True)
class CompareSources:
    """What else is at hand."""

    annotated_samples: tuple[Path, ...] = ()
    """Annotated drawings of a generator, for the arms of HDGAN. Each set is tested on folds that
    its generator has not seen; with several generators, more folds can be tested."""

    tiles: Path | None = None
    """The tile set of the annotated tiles, if it is not in a folder beside them."""

    encoder: Path | None = None
    """Network whose features the arm `frozen-features` reads, as for `train-segmenter`: a file, or
    the name of an installed one."""


@dataclass(frozen=True)
class CompareSettings:
    """What is compared, how often, and how each segmenter is trained."""

    arms: tuple[Arm, ...] | None = None
    """Ways to a segmenter that are compared. Without it all that the inputs allow, but for
    `pseudo-label`, `transformation-consistency` and `mixmatch`, which must be named."""

    counts: tuple[int, ...] = (4, 8, 16, 36)
    """Numbers of human labels: annotated tiles for the arms without a generator, annotated drawings
    for the others."""

    at: int | None = None
    """Number of labels of the verdict; 16 if that is among the counts, else the largest."""

    candidate: Arm | None = None
    """The arm that the verdict is about; `hdgan` if there are annotated drawings, else `fixmatch`,
    or the first arm that runs."""

    reference: Arm = "supervised"
    """The arm that it is measured against."""

    draws: int = 3
    """How often other images are chosen to be the labelled ones."""

    seeds: int = 3
    """How often each training is repeated on the same labels."""

    folds: tuple[int, ...] | None = None
    """Folds to test on, one after another; the others are learned from. Without it, all that can be
    tested."""

    num_pairs: int = 300
    """Pairs that each arm of HDGAN draws, before the most uncertain tenth is dropped."""

    truncation: float = 0.7
    """Of the pairs: 1 leaves all variety, 0 none. The paper has 0.7."""

    classifier_steps: int | None = None
    """Steps of the classifier; without it, those of its preset."""

    classifier_members: int | None = None
    """Perceptrons in the classifier; without it, those of its preset."""

    steps: int = 2000
    """Steps of every U-Net, whatever the arm."""

    batch: int = 8
    """Crops a step."""

    crop_px: int | None = None
    """Side of a crop, px, as for `train-segmenter`."""

    width: int = 16
    """Channels of the U-Net at full resolution."""

    learning_rate: float = 1e-3
    """Of AdamW; falls to zero along a cosine."""

    stain_jitter: float = 0.1
    """Largest relative change of each colour channel's optical density."""

    num_pictures: int = 8
    """Test images that the report shows, the worst first."""

    budget: str | None = None
    """Time that the comparison may take, such as `30min` or `8h`: after a short trial fewer
    repetitions and counts are planned, and it says what they can show."""

    workers: int | None = None
    """Processes that train at the same time; without it one for each core, one on a GPU."""

    seed: int = 0
    """Decides which images are labelled, and every training."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    @property
    def budget_seconds(self) -> float | None:
        """The time that it may take."""
        return None if self.budget is None else seconds_in(self.budget, "--budget")

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 1, "at", "draws", "seeds", "steps", "batch", "width")
        at_least(self, 2, "num_pairs")
        at_least(self, 1, "classifier_steps", "classifier_members")
        at_least(self, 16, "crop_px")
        at_least(self, 0, "seed", "num_pictures")
        above_zero(self, "learning_rate")
        within(self, 0, 1, "truncation")
        within(self, 0, 0.9, "stain_jitter")
        within(self, 1, MOST_WORKERS, "workers")
        _ = self.budget_seconds
        self._refuse_odd()

    def _refuse_odd(self) -> None:
        """Refuse lists that say nothing, and choices that do not fit one another."""
        if not self.counts or min(self.counts) < 1 or len(set(self.counts)) < len(self.counts):
            raise SettingsError(
                f"--counts is {' '.join(map(str, self.counts)) or 'empty'}; needed are numbers of "
                "labels from 1 on, each once."
            )
        if self.at is not None and self.at not in self.counts:
            raise SettingsError(
                f"--at is {self.at}, which is not among --counts "
                f"{' '.join(map(str, self.counts))}. Choose one of them."
            )
        if self.folds is not None and not self.folds:
            raise SettingsError("--folds is empty. Name the folds to test on, or leave it out.")
        if self.candidate == self.reference:
            raise SettingsError(
                f"--candidate and --reference are both {self.candidate}. Choose two arms."
            )
        for name, arm in (("candidate", self.candidate), ("reference", self.reference)):
            if arm == "all-labels":
                raise SettingsError(
                    f"--{name} is all-labels, which has more labels than any other arm. It is "
                    "shown beside the others; choose one of those."
                )
            if self.arms is not None and arm is not None and arm not in self.arms:
                raise SettingsError(
                    f"--{name} is {arm}, which is not among --arms {' '.join(self.arms)}. Add it."
                )
