"""Choices of `hdgan train-classifier`."""

from dataclasses import dataclass
from typing import Literal

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, at_least, within

ClassifierPreset = Literal["default", "linear", "paper", "authors-code", "datasetgan"]

RealLabels = Literal["projection", "gradient-matching"]

DEFAULT_REAL_LABELS: RealLabels = "projection"
"""The better one on nuclei."""


_NOT_LINEAR = (
    "steps",
    "num_members",
    "optimizer",
    "learning_rate",
    "label_smoothing",
    "dropout",
    "num_normalised",
    "context",
)
"""What a linear probe does not have."""


@dataclass(frozen=True)
class TrainClassifierSettings:
    """How the ensemble is fitted. What is left out comes from the preset."""

    preset: ClassifierPreset = "default"
    """`paper`: as the paper says. `authors-code`: as its published code does. `datasetgan`: as its
    ancestor does. `default`: the later half of the blocks (of few annotated images the coarse
    ones are learned by heart) and their context, Adam with a falling rate. `linear`: one linear
    layer on 20,000 pixels, in seconds and without uncertainty; of the numbers below it takes
    `--batch`, `--num-blocks`, `--class-mix` and `--class-weights`."""

    steps: int | None = None
    """Steps of the optimizer."""

    batch: int | None = None
    """Pixels that each member sees a step, drawn over all training images."""

    num_members: int | None = None
    """Perceptrons in the ensemble."""

    num_blocks: int | None = None
    """Last blocks of the generator whose features are read; 0 reads all. `default` reads half:
    three of 64 or 128 px, four of 256 px, six of 4096 px."""

    optimizer: Literal["adam", "sgd"] | None = None
    """Which optimizer."""

    learning_rate: float | None = None
    """Its rate."""

    class_mix: Literal["natural", "balanced"] | None = None
    """Draw pixels as often as their class is labelled, or every class equally often."""

    class_weights: tuple[float, ...] | None = None
    """Proportions in which pixels of the classes are drawn, one number a class in their order, such
    as `1 1 4 2 2`; instead of `--class-mix`."""

    label_smoothing: float | None = None
    """Part of the target that is spread over all classes."""

    dropout: float | None = None
    """Part of the hidden values that is left out in training."""

    num_normalised: int | None = None
    """After how many of the two hidden layers ReLU, batch norm and dropout stand."""

    context: bool | None = None
    """Whether a small convolutional network reads what lies around each pixel, in the feature maps
    up to 128 px, and the ensemble reads what it says as well. Default: that of the preset, of which
    only `default` has it, where any map is that small."""

    object_vote: tuple[str, ...] = ()
    """Classes that are told apart object by object, such as `arteriole artery`: each connected
    region of them becomes, as a whole, what most of its pixels are."""

    features: Literal["memory-map", "regenerate"] = "memory-map"
    """Keep the feature maps of the annotated images on disk while fitting; or keep none, and draw
    the images again whenever pixels are needed, which is slower. The result is the same."""

    num_images: int | None = None
    """Fit to only so many of the annotated images; without it, to all that are for training."""

    draw: int | None = None
    """Decides which images `--num-images` takes; without it, the seed does."""

    all_splits: bool = False
    """Take annotated drawings of every split instead of training alone. Those of the validation
    split that are not taken are still validated on; a classifier that was shown test drawings is
    not to be tested on them."""

    real_labels: RealLabels | None = None
    """How labels of real tiles are learned from, if the annotations are of tiles. `projection`:
    latents are sought whose drawings look like the tiles. `gradient-matching`: the classifier is
    fitted, in 1500 steps unless `--steps` says otherwise and without context, so that a small
    segmenter learns the same from 64 drawings (fewer of large ones) as from real tiles. Default:
    `projection`, which was better on nuclei in three of three draws (docs/results.md)."""

    folds: tuple[int, ...] = (1, 2, 3, 4)
    """Of annotated tiles: folds to learn from."""

    crops_per_tile: int = 4
    """Of annotated tiles: squares of the generator's size that are cut from each, side by side, at
    most; fewer fit into smaller tiles."""

    projection_steps: int = 500
    """Of `--real-labels projection`: steps of the search for each latent. StyleGAN2 has 1000."""

    trust_encoder: bool = False
    """Run an encoder that is a program (TorchScript). Only for files whose source you trust."""

    seed: int = 0
    """Decides weights, pixels and dropout."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(self, 1, "steps", "batch", "num_members", "num_images")
        at_least(self, 1, "crops_per_tile", "projection_steps")
        at_least(self, 0, "num_blocks", "seed", "draw")
        above_zero(self, "learning_rate")
        within(self, 0, 0.99, "label_smoothing", "dropout")
        within(self, 0, 2, "num_normalised")
        if len(set(self.object_vote)) == 1:
            raise SettingsError(
                f"--object-vote names {self.object_vote[0]} alone. Name the classes among which an "
                "object is to be decided, at least two."
            )
        if self.class_weights is not None:
            self._check_class_weights(self.class_weights)
        given = [name for name in _NOT_LINEAR if getattr(self, name) is not None]
        if self.preset == "linear" and given:
            raise SettingsError(
                f"--{given[0].replace('_', '-')} changes nothing for --preset linear, which is one "
                "layer, fitted at once. Leave it out, or choose another preset."
            )

    def _check_class_weights(self, weights: tuple[float, ...]) -> None:
        if self.class_mix is not None:
            raise SettingsError(
                "--class-weights and --class-mix both say how often each class is drawn. Leave one "
                "of them out."
            )
        if min(weights, default=-1) < 0 or not 0 < sum(weights) < float("inf"):
            raise SettingsError(
                f"--class-weights is {' '.join(f'{weight:g}' for weight in weights)}; it must be a "
                "number of 0 or more for each class, and not all 0."
            )
