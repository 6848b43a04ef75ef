"""How long and how fast to train: the numbers of a training run, and the published presets."""

from dataclasses import dataclass
from fractions import Fraction

from hdgan.errors import SettingsError
from hdgan.method.stylegan.augment import ALL_GROUPS, AugmentGroups


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that decides what a training run computes, apart from the images."""

    images: int
    """Real images shown to the discriminator in the whole run."""

    batch: int
    """Images a step."""

    learning_rate: float
    """Of both networks, before the correction for lazy regularisation."""

    gamma: float
    """Weight of the R1 penalty."""

    ema_images: float
    """Half-life of the generator's moving average, in images."""

    ema_ramp: float | None
    """The half-life is at most this part of the images seen; None: never less than the whole."""

    augment: AugmentGroups = ALL_GROUPS
    """What may happen to the images that the discriminator sees."""

    fixed_strength: float | None = None
    """Probability of each augmentation throughout; None adapts it."""

    style_mixing: float = 0.9
    """Probability that a batch takes its fine styles from other latents."""

    noise: bool = True
    """Whether feature maps get random noise; without it, w alone decides what is drawn."""

    noise_from: int = 0
    """Side of the smallest feature maps that get it."""

    path_length_weight: float = 2.0
    """Weight of the path-length penalty; 0 leaves it out."""

    start_rate: float = 1.0
    """Part of the learning rate for what the generator has from its start."""

    discriminator_first: int = 0
    """Images in which the discriminator alone learns, the generator staying as it is."""

    frozen_layers: int = 0
    """Layers of the discriminator, counted from the image, that stay as they are."""

    ada_images: int = 500_000
    """Images in which the strength of augmentation can go from 0 to 1."""

    micro_batch: int | None = None
    """Images computed together, for less memory; None: each process's whole part of the batch."""

    stain_shares: tuple[float, ...] = ()
    """How often each stain is drawn; none: the networks are told no stain."""

    half: str | None = None
    """`bfloat16` or `float16` for the largest resolutions; None: single precision throughout."""

    tick_batches: int = 32
    """Batches between two reports of the training loop."""

    seed: int = 0
    """Decides weights, latents, noise and augmentation."""

    @property
    def batches(self) -> int:
        """Steps in the whole run, the last one whole."""
        return -(-self.images // self.batch)

    def num_parts(self, processes: int = 1) -> int:
        """Parts that a batch is cut into: the same number for each process.

        Raises:
            SettingsError: the batch cannot be cut so.
        """
        if self.batch % processes:
            raise SettingsError(
                f"A batch of {self.batch} cannot be dealt to {processes} processes. Choose a "
                "multiple with --batch."
            )
        own = self.batch // processes
        micro = min(self.micro_batch or own, own)
        if own % micro:
            raise SettingsError(
                f"--micro-batch is {micro}, but each process has {own} images of a batch of "
                f"{self.batch}. Choose a number that divides {own}."
            )
        return self.batch // micro

    def checked(self, minibatch_group: int) -> "TrainingPlan":
        """The plan itself.

        Raises:
            SettingsError: batch and minibatch group do not go together.
        """
        if self.batch % min(minibatch_group, self.batch):
            raise SettingsError(
                f"A batch of {self.batch} cannot be cut into groups of {minibatch_group}, in which "
                "the discriminator compares images. Choose a multiple with --batch."
            )
        return self


@dataclass(frozen=True)
class Lazy:
    """A regularisation that is computed every so many steps only."""

    interval: int
    """Steps between two computations."""

    @property
    def correction(self) -> Fraction:
        """What Adam's rate is multiplied with and its decays are raised to."""
        return Fraction(self.interval, self.interval + 1)


R1 = Lazy(16)
PATH_LENGTH = Lazy(4)
ADAPTATION_INTERVAL = 4
