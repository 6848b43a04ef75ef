"""Choices of `hdgan train-generator`."""

from dataclasses import dataclass
from typing import Literal

from hdgan.errors import SettingsError
from hdgan.settings.bounds import above_zero, ascending, at_least, within

Augmentation = Literal["none", "flips", "colour", "flips-and-colour", "geometry", "both"]
GeneratorPreset = Literal["small", "auto", "stylegan2", "paper256", "hdgan"]


@dataclass(frozen=True)
class TrainGeneratorSettings:
    """What is trained, on what, for how long. What is left out comes from the preset."""

    resolution: int = 256
    """Side of the drawn images in pixels: a power of two. Tiles are cropped to it at random."""

    kimg: float = 1000.0
    """Thousands of real images to show. The paper shows 2600."""

    preset: GeneratorPreset = "auto"
    """Where the other numbers come from. `small` is for a computer without a GPU; `auto`,
    `stylegan2` and `paper256` are those of StyleGAN2-ADA; `hdgan` is the paper's run."""

    folds: tuple[int, ...] = (1, 2, 3, 4)
    """Folds to learn from. The others stay unseen, for tests on real tissue."""

    batch: int | None = None
    """Images a step."""

    micro_batch: int | None = None
    """Images computed at a time, to save memory: what is learned stays the same but for rounding,
    unless it is fewer than the images that the discriminator compares (4 in most presets)."""

    channel_base: int | None = None
    """Feature maps: `channel_base / r` at resolution r."""

    channel_max: int | None = None
    """Feature maps at most."""

    channel_min: int | None = None
    """Feature maps at least: for the new blocks of a generator that begins from a small one."""

    latent_dim: int | None = None
    """Length of z and of w."""

    mapping_layers: int | None = None
    """Layers from z to w."""

    learning_rate: float | None = None
    """Of both networks."""

    gamma: float | None = None
    """Weight of the R1 penalty; raise it if training breaks down."""

    path_length_weight: float | None = None
    """Weight of the path-length penalty; 0 leaves it out and saves time."""

    style_mixing: float | None = None
    """Probability that a batch takes its fine styles from other latents."""

    noise: bool | None = None
    """Whether feature maps get random noise, as published. Without it, as in `small`, the latent
    alone decides what is drawn: short trainings otherwise tend to one layout, made of noise. With
    `--start-from` it follows the start."""

    noise_from: int | None = None
    """Noise in feature maps of this many pixels and more only, such as `128`: it becomes their
    grain, and the latent alone decides the layout."""

    augment: Augmentation | None = None
    """What ADA may do to the images that the discriminator sees: nothing; mirror images and
    right-angle turns; colour changes; those two; mirror images, turns and warps; or everything."""

    augment_strength: float | None = None
    """Probability of each augmentation, fixed; without it, ADA finds one as it goes."""

    freeze_layers: int = 0
    """Layers of the discriminator, counted from the image, that are not trained (FreezeD). For a
    start from a trained generator; about 10 is usual."""

    start_rate: float = 1.0
    """Part of the learning rate at which what the generator has from its start (`--start-from`)
    goes on learning; what is new learns at the whole rate. 0 leaves it as it is."""

    discriminator_first: float = 0.0
    """Thousands of images, of those of `--kimg`, in which the discriminator alone learns. For a
    start from a generator that comes without one: a random discriminator would spoil it first. As
    many as `--kimg` or more leave the generator as it is."""

    orientation: Literal["as-is", "mirrored", "any"] = "any"
    """Ways to lay a tile: tissue has no up, so all eight are true. The paper mirrors."""

    shrink: tuple[float, float] = (1.0, 1.0)
    """Pixels of a tile to one of the drawn images, least and most: each crop takes a number between
    them. `4 4` learns from tiles at a quarter of their size, `1 2` from a range of sizes."""

    condition: Literal["none", "stain"] = "none"
    """What the generator is told: nothing, or the stain of each tile, so that `hdgan sample` can
    draw the one that is asked for."""

    snapshot_kimg: float = 100.0
    """Thousands of images between two kept snapshots of the weights."""

    cache: Literal["auto", "memory", "disk", "none"] = "auto"
    """Where decoded tiles are kept: in memory (up to 2 GB), in files beside the unfinished
    generator, which go with it, or nowhere. `auto` is memory if all fit, else the disk if they
    fit there."""

    tensorboard: bool = False
    """Whether curves and pictures are also written for TensorBoard, to `events/`."""

    seed: int = 0
    """Decides weights, order of tiles, latents and noise."""

    device: str = "auto"
    """`cpu`, `cuda`, or the first GPU if there is one."""

    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the four largest resolutions; the others are always float32. `auto` is float16 on a GPU,
    as published, and float32 on a CPU. There `bfloat16` makes wide networks faster if the processor
    computes in it (AVX-512 BF16 or AMX), and narrow ones slower."""

    threads: int | None = None
    """CPU threads. 1 is fastest for very small networks."""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        at_least(
            self,
            1,
            "batch",
            "micro_batch",
            "channel_base",
            "channel_max",
            "channel_min",
            "latent_dim",
            "mapping_layers",
        )
        at_least(self, 1, "threads")
        at_least(self, 0, "gamma", "path_length_weight", "snapshot_kimg", "seed")
        at_least(self, 0, "freeze_layers", "discriminator_first", "noise_from")
        if self.noise is False and self.noise_from is not None:
            raise SettingsError(
                "--no-noise wants no noise, --noise-from wants some. Leave one of them out."
            )
        above_zero(self, "kimg", "learning_rate")
        within(self, 0, 1, "style_mixing", "augment_strength", "start_rate")
        ascending(self, 1, "shrink")
