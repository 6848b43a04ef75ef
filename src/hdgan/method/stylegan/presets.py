"""From a user's choices to a network shape and a training plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from hdgan.method.stylegan.augment import groups_named
from hdgan.method.stylegan.plan import TrainingPlan
from hdgan.method.stylegan.precision import CLAMP
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.settings.train_generator import TrainGeneratorSettings

Number = TypeVar("Number", bool, int, float)


@dataclass(frozen=True)
class Preset:
    """The numbers of a named way to train."""

    batch: int
    channel_base: int
    channel_max: int
    latent_dim: int
    mapping_layers: int
    learning_rate: float
    gamma: float
    ema_kimg: float
    ema_ramp: float | None
    minibatch_group: int
    path_length_weight: float = 2.0
    style_mixing: float = 0.9
    augment: str = "both"
    noise: bool = True


def preset_named(name: str, resolution: int) -> Preset:
    """The preset at a resolution.

    `auto`, `stylegan2` and `paper256` are published with StyleGAN2-ADA (for one GPU); `hdgan` is
    the run of the paper (section IV; 4 GPUs, one image each). `small` was measured here to give
    pictures soonest on two CPU cores: narrow, four images a step, a strong penalty, no mixing, and
    no noise, which short trainings otherwise make their layouts of.
    """
    auto_batch = max(min(4096 // resolution, 32), 1)
    auto = Preset(
        batch=auto_batch,
        channel_base=32768 if resolution >= 512 else 16384,
        channel_max=512,
        latent_dim=512,
        mapping_layers=2,
        learning_rate=0.002 if resolution >= 1024 else 0.0025,
        gamma=0.0002 * resolution**2 / auto_batch,
        ema_kimg=auto_batch * 10 / 32,
        ema_ramp=0.05,
        minibatch_group=min(auto_batch, 4),
    )
    presets = {
        "auto": auto,
        "stylegan2": Preset(32, 32768, 512, 512, 8, 0.002, 10.0, 10.0, None, 4),
        "paper256": Preset(64, 16384, 512, 512, 8, 0.0025, 1.0, 20.0, None, 8),
        "hdgan": Preset(
            4,
            32768,
            512,
            512,
            8,
            0.002,
            0.0002 * resolution**2 / 4,
            1.25,
            0.05,
            1,
            augment="colour",
        ),
        "small": Preset(
            4,
            16 * resolution,
            128,
            32,
            2,
            0.0025,
            0.005 * resolution**2 / 4,
            1.5,
            0.05,
            4,
            path_length_weight=0.0,
            style_mixing=0.0,
            augment="flips-and-colour",
            noise=False,
        ),
    }
    return presets[name]


def planned(
    settings: TrainGeneratorSettings,
    start: NetworkShape | None = None,
    *,
    processes: int = 1,
    half: str | None = None,
    stain_shares: Mapping[str, float] | None = None,
) -> tuple[NetworkShape, TrainingPlan]:
    """What to build and how to train it.

    Args:
        settings: the user's choices.
        start: shape of the trained network to begin from; what the user leaves open follows it,
            and ADA adapts five times as fast without a ramp of the average, as published.
        processes: how many train together.
        half: `bfloat16` or `float16`, in which the largest resolutions are computed.
        stain_shares: how often each stain comes, if the networks are told stains.

    Raises:
        SettingsError: a number that cannot work.
    """
    preset = preset_named(settings.preset, settings.resolution)
    batch = _chosen(settings.batch, preset.batch)
    stain_shares = stain_shares or {}
    # As published: a process compares the images that it has at a time.
    together = settings.micro_batch or batch // processes or 1
    shape = _shape(settings, preset, start, together)
    shape = replace(
        shape,
        clamp=shape.clamp if half is None else shape.clamp or CLAMP,
        stains=tuple(stain_shares),
    )
    plan = TrainingPlan(
        images=round(settings.kimg * 1000),
        batch=batch,
        micro_batch=settings.micro_batch,
        half=half,
        stain_shares=tuple(stain_shares.values()),
        learning_rate=_chosen(settings.learning_rate, preset.learning_rate),
        gamma=_chosen(settings.gamma, preset.gamma),
        ema_images=preset.ema_kimg * 1000,
        ema_ramp=preset.ema_ramp if start is None else None,
        ada_images=500_000 if start is None else 100_000,
        frozen_layers=settings.freeze_layers,
        start_rate=settings.start_rate,
        discriminator_first=round(settings.discriminator_first * 1000),
        augment=groups_named(settings.augment or preset.augment),
        fixed_strength=settings.augment_strength,
        noise=settings.noise_from is not None or _chosen(settings.noise, preset.noise),
        noise_from=settings.noise_from or 0,
        style_mixing=_chosen(settings.style_mixing, preset.style_mixing),
        path_length_weight=_chosen(settings.path_length_weight, preset.path_length_weight),
        seed=settings.seed,
    )
    plan.num_parts(processes)
    return shape, plan.checked(shape.minibatch_group)


def _shape(
    settings: TrainGeneratorSettings, preset: Preset, start: NetworkShape | None, together: int
) -> NetworkShape:
    """The user's sizes, then those of the start, then the preset's.

    Args:
        settings: the user's choices.
        preset: what they leave open, without a start.
        start: shape of the network to begin from.
        together: images that are computed together.
    """
    usual = start or NetworkShape(
        resolution=settings.resolution,
        channel_base=preset.channel_base,
        channel_max=preset.channel_max,
        z_dim=preset.latent_dim,
        w_dim=preset.latent_dim,
        mapping_layers=preset.mapping_layers,
        minibatch_group=preset.minibatch_group,
    )
    return replace(
        usual,
        resolution=settings.resolution,
        channel_base=_chosen(settings.channel_base, usual.channel_base),
        channel_max=_chosen(settings.channel_max, usual.channel_max),
        channel_min=_chosen(settings.channel_min, usual.channel_min),
        z_dim=_chosen(settings.latent_dim, usual.z_dim),
        w_dim=_chosen(settings.latent_dim, usual.w_dim),
        mapping_layers=_chosen(settings.mapping_layers, usual.mapping_layers),
        minibatch_group=min(usual.minibatch_group, together),
    )


def _chosen(given: Number | None, otherwise: Number) -> Number:
    return otherwise if given is None else given
