"""`hdgan train-generator`: unlabelled tiles to a StyleGAN2-ADA generator."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hdgan.artifacts.checkpoint import (
    network_tensors,
    optimizer_tensors,
    read_checkpoint,
    restore_network,
    restore_optimizer,
    write_checkpoint,
)
from hdgan.artifacts.curves import curve_line
from hdgan.artifacts.decoded import Decoded
from hdgan.artifacts.generator import (
    DISCRIMINATOR,
    GRIDS,
    PROGRESS,
    SNAPSHOTS,
    GeneratorFolder,
    write_network,
)
from hdgan.artifacts.images import png_of
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.artifacts.unfinished import (
    Order,
    UnfinishedArtifact,
    made_once,
    plain,
    seen_together,
)
from hdgan.artifacts.weights import device_named, tensor_bytes
from hdgan.errors import ImageError, SettingsError
from hdgan.method.latent import tensor_of
from hdgan.method.stylegan.plan import PATH_LENGTH, R1, TrainingPlan
from hdgan.method.stylegan.presets import planned
from hdgan.method.stylegan.training import (
    DrawReals,
    GeneratorTick,
    Reals,
    TrainingState,
    new_state,
)
from hdgan.method.stylegan.training import (
    train_generator as training_ticks,
)
from hdgan.method.stylegan.transfer import begun_from
from hdgan.method.tile_crop import drawn_way, laid, shrunk_crop
from hdgan.pipeline import Made
from hdgan.report.pictures import drawn_grid
from hdgan.report.progress import ProgressBar, announce, peak_memory_bytes
from hdgan.settings.train_generator import TrainGeneratorSettings

CHECKPOINT_SECONDS = 60.0
"""Time between two checkpoints: what a kill may cost."""


def train_generator(
    tiles: Path, output: Path, settings: TrainGeneratorSettings, start_from: Path | None = None
) -> Made:
    """Train a generator; goes on where an interrupted run of the same command stopped.

    Args:
        tiles: what to learn from.
        output: where the generator goes.
        settings: how it is trained.
        start_from: a trained generator to begin from; None begins with random weights.

    Memory: the networks four times over (weights, gradients, two moments), a batch's feature
    maps, and up to 2 GB of decoded tiles.

    Raises:
        SettingsError: choices that do not go together, or folds without tiles.
        ImageError: a tile is smaller than the resolution.
    """
    start = None if start_from is None else GeneratorFolder.open(start_from)
    shape, plan = planned(settings, None if start is None else start.shape)
    tile_set = TileSet.open(tiles)
    records = tile_set.records(settings.folds)
    _check_sizes(tile_set, records, shape.resolution, settings.shrink[1])
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    order = Order(
        "generator",
        plain(settings),
        tile_set.parents | ({} if start is None else start.parents),
        seen_together(
            tile_set.seen_in(settings.folds), {} if start is None else start.manifest.seen
        ),
    )

    def make(unfinished: UnfinishedArtifact) -> None:
        reals = _Reals(tile_set, records, settings, plan)
        device = device_named(settings.device)
        if not unfinished.has(PROGRESS):
            _announce(new_state(shape, plan, device), plan, settings, reals)
        state = new_state(shape, plan, device)
        if start is not None:
            _begin_from(start, state)
        _Run(unfinished, state, plan, settings, reals).complete()

    made_once(output, order, make)
    progress = GeneratorFolder.open(output).progress()
    return Made(
        "generator",
        output,
        {
            "resolution": f"{shape.resolution} px",
            "images shown": f"{plan.batches * plan.batch:,}",
            "tiles": len(records),
            "strength of augmentation at the end": round(progress[-1].strength, 3),
        },
    )


def _announce(
    trial: TrainingState, plan: TrainingPlan, settings: TrainGeneratorSettings, reals: DrawReals
) -> None:
    """Say what the run will need, measured by two steps on networks that are thrown away."""
    times = [time.monotonic()]
    for _ in training_ticks(trial, replace(plan, images=2 * plan.batch, tick_batches=1), reals):
        times.append(time.monotonic())
    with_penalties, plain_step = (later - earlier for earlier, later in pairwise(times))
    often = PATH_LENGTH.interval if plan.path_length_weight > 0 else R1.interval
    step = plain_step + max(0.0, with_penalties - plain_step) / often
    weights = sum(
        tensor.numel() * tensor.element_size() for tensor in trial.average.state_dict().values()
    )
    interval = settings.snapshot_kimg * 1000
    num_snapshots = int(plan.images / interval) if interval else 0
    on_gpu = trial.path_length_mean.is_cuda
    announce(
        "train-generator",
        memory_bytes=torch.cuda.max_memory_allocated() if on_gpu else peak_memory_bytes(),
        disk_bytes=weights * (num_snapshots + 8),
        seconds=step * plan.batches,
    )


def _begin_from(start: GeneratorFolder, state: TrainingState) -> None:
    """Copy what fits of a trained generator and its discriminator.

    Raises:
        SettingsError: nothing fits.
    """
    copied = begun_from(state.generator, start.generator().state_dict())
    if not any(name.endswith("conv1.weight") for name in copied):
        raise SettingsError(
            f"No convolution of {start.folder} fits the new generator. Leave out --channel-base "
            "and --channel-max, so that they follow it."
        )
    begun_from(state.average, state.generator.state_dict())
    begun_from(state.discriminator, start.discriminator_tensors())


def _check_sizes(
    tile_set: TileSet, records: list[TileRecord], resolution: int, shrink: float
) -> None:
    needed = round(resolution * shrink)
    for record in records:
        if min(record.width, record.height) < needed:
            shrunk = "" if shrink == 1 else f" from tiles shrunk {shrink:g} times ({needed} px)"
            lower = "--resolution" if shrink == 1 else "--resolution or --shrink"
            raise ImageError(
                f"{tile_set.folder / record.image} is {record.width} x {record.height} pixels, too "
                f"small for a generator of {resolution} px{shrunk}. Cut larger tiles or lower "
                f"{lower}."
            )


class _Reals:
    """Batches of real images: every tile once in each round, in an order of its own."""

    def __init__(
        self,
        tile_set: TileSet,
        records: list[TileRecord],
        settings: TrainGeneratorSettings,
        plan: TrainingPlan,
    ) -> None:
        self.tiles = Decoded(lambda i: tile_set.image(records[i]))
        self.count = len(records)
        self.settings, self.batch = settings, plan.batch
        self.device = device_named(settings.device)
        self.round = -1
        self.shuffled = np.arange(0)

    def __call__(self, step: int, part: slice) -> Reals:
        """Some images of the batch of a step."""
        numbers = range(step * self.batch, (step + 1) * self.batch)[part]
        images = torch.stack([self._image(number) for number in numbers])
        batch = images.contiguous(memory_format=torch.channels_last)
        return Reals(batch.to(self.device))

    def _image(self, number: int) -> Tensor:
        """The image that is with this number in the run."""
        round_, place = divmod(number, self.count)
        if round_ != self.round:
            random = np.random.default_rng([self.settings.seed, 1, round_])
            self.round, self.shuffled = round_, random.permutation(self.count)
        random = np.random.default_rng([self.settings.seed, 2, number])
        tile = self.tiles[int(self.shuffled[place])]
        crop = shrunk_crop(tile, self.settings.resolution, self.settings.shrink, random)
        return tensor_of(laid(crop, drawn_way(self.settings.orientation, random)))


@dataclass
class _Run:
    """A training that writes what it reaches into its artifact."""

    unfinished: UnfinishedArtifact
    state: TrainingState
    plan: TrainingPlan
    settings: TrainGeneratorSettings
    reals: _Reals
    shown: int = 0
    """Images shown at the tick before."""

    def complete(self) -> None:
        """Train to the end, and write the artifact's files."""
        lines = self._restored()
        self.shown = self.state.batches * self.plan.batch
        saved = time.monotonic()
        for tick in self._ticks():
            lines.append(curve_line(tick))
            self._keep_snapshot(tick)
            if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                self._save(lines)
                saved = time.monotonic()
        self._write_progress(lines)
        self.unfinished.write(DISCRIMINATOR, tensor_bytes(self.state.discriminator.state_dict()))
        self.unfinished.write(f"{GRIDS}/final.png", png_of(drawn_grid(self.state.average)))
        write_network(self.unfinished, self.state.average)

    def _ticks(self) -> Iterator[GeneratorTick]:
        """The ticks of the training, shown as they come."""
        total, done = self.plan.batches * self.plan.batch, self.state.batches * self.plan.batch
        with ProgressBar("train-generator", total, "images", done=done) as progress:
            for tick in training_ticks(self.state, self.plan, self.reals):
                progress.reach(
                    tick.images,
                    f"scores {tick.score_real:+.2f} real {tick.score_drawn:+.2f} drawn, "
                    f"augmentation {tick.strength:.2f}",
                )
                yield tick

    def _keep_snapshot(self, tick: GeneratorTick) -> None:
        """Keep weights and a picture whenever the wanted number of images is passed."""
        interval = round(self.settings.snapshot_kimg * 1000)
        before, self.shown = self.shown, tick.images
        if interval and tick.images // interval > before // interval:
            name = f"kimg-{tick.images // 1000:06d}"
            weights = tensor_bytes(self.state.average.state_dict())
            self.unfinished.write(f"{SNAPSHOTS}/{name}.safetensors", weights)
            self.unfinished.write(f"{GRIDS}/{name}.png", png_of(drawn_grid(self.state.average)))

    def _write_progress(self, lines: list[str]) -> None:
        self.unfinished.write(PROGRESS, "".join(f"{line}\n" for line in lines).encode())

    def _save(self, lines: list[str]) -> None:
        self._write_progress(lines)
        write_checkpoint(
            self.unfinished,
            {
                **network_tensors("generator", self.state.generator),
                **network_tensors("discriminator", self.state.discriminator),
                **network_tensors("average", self.state.average),
                **optimizer_tensors(
                    "generator_optimizer", self.state.generator_optimizer, self.state.generator
                ),
                **optimizer_tensors(
                    "discriminator_optimizer",
                    self.state.discriminator_optimizer,
                    self.state.discriminator,
                ),
                "path_length_mean": self.state.path_length_mean,
            },
            {
                "batches": self.state.batches,
                "ticks": len(lines),
                "adaptation": asdict(self.state.adaptation),
            },
        )

    def _restored(self) -> list[str]:
        """Go back to the last checkpoint, if there is one; the ticks until there come back."""
        checkpoint = read_checkpoint(self.unfinished)
        if checkpoint is None:
            return []
        tensors, about = checkpoint
        state = self.state
        restore_network("generator", state.generator, tensors)
        restore_network("discriminator", state.discriminator, tensors)
        restore_network("average", state.average, tensors)
        restore_optimizer(
            "generator_optimizer", state.generator_optimizer, state.generator, tensors
        )
        restore_optimizer(
            "discriminator_optimizer",
            state.discriminator_optimizer,
            state.discriminator,
            tensors,
        )
        state.path_length_mean.copy_(tensors["path_length_mean"])
        state.batches = about["batches"]
        for name, value in about["adaptation"].items():
            setattr(state.adaptation, name, value)
        progress = (self.unfinished.folder / PROGRESS).read_text().splitlines()
        return progress[: about["ticks"]]
