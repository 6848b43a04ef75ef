"""Choices of `hdgan demo`."""

from dataclasses import asdict, dataclass, fields

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least

PREFERRED_GENERATORS = ("kidney", "nuclei")
"""The shipped generators that the demonstration begins with: the first that is there."""


@dataclass(frozen=True)
class DemoNumbers:
    """How large a demonstration is."""

    num_samples: int
    classifier_steps: int
    num_pairs: int
    kimg: float = 14.0
    num_tiles: int = 1000
    segmenter_steps: int = 300


FROM_SCRATCH = DemoNumbers(num_samples=500, classifier_steps=600, num_pairs=300)
"""Four to six minutes on two cores."""

FROM_SHIPPED = DemoNumbers(num_samples=200, classifier_steps=400, num_pairs=80)
"""Under two minutes on two cores, at 128 pixels."""

_ONLY_FROM_SCRATCH = ("kimg", "num_tiles", "segmenter_steps")


@dataclass(frozen=True)
class DemoSettings:
    """What the demonstration begins with, and how large it is."""

    generator: str | None = None
    """Name of a generator that comes with hdgan, with drawings that were annotated. Without it,
    `kidney` if there is one, else `nuclei`."""

    from_scratch: bool = False
    """Train a generator instead, on tissue that is drawn by rule, so that every number can be
    checked against the truth."""

    kimg: float | None = None
    """Thousands of drawn tiles that the generator is shown; from scratch only: 14."""

    num_tiles: int | None = None
    """Drawn tiles; from scratch only: 1000."""

    num_samples: int | None = None
    """Drawings, with those that are annotated: 200, or 500 from scratch, as in the paper."""

    classifier_steps: int | None = None
    """Steps in which the ensemble is fitted: 400, or 600 from scratch."""

    num_pairs: int | None = None
    """Labelled pairs to make: 80, or 300 from scratch."""

    segmenter_steps: int | None = None
    """Steps of the segmenter that is trained on the pairs; from scratch only: 300."""

    seed: int = 0
    """Another seed draws other tissue."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 50, "num_tiles")
        at_least(self, 36, "num_samples")
        at_least(self, 1, "num_pairs", "segmenter_steps", "classifier_steps")
        at_least(self, 0, "seed")
        above_zero(self, "kimg")
        if self.from_scratch and self.generator is not None:
            raise SettingsError(
                f"--generator {self.generator} and --from-scratch cannot both be: from scratch, "
                "the generator is trained. Leave out one of them."
            )
        given = [name for name in _ONLY_FROM_SCRATCH if getattr(self, name) is not None]
        if given and not self.from_scratch:
            raise SettingsError(
                f"--{given[0].replace('_', '-')} changes nothing where a generator comes with "
                "hdgan. Give --from-scratch too, or leave it out."
            )

    def numbers(self, *, from_scratch: bool) -> DemoNumbers:
        """The numbers that were given, and the usual ones for those that were left out."""
        usual = asdict(FROM_SCRATCH if from_scratch else FROM_SHIPPED)
        given = {field.name: getattr(self, field.name) for field in fields(DemoNumbers)}
        return DemoNumbers(
            **usual | {name: value for name, value in given.items() if value is not None}
        )
