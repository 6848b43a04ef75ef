"""`hdgan train-generator`: unlabelled tiles to a StyleGAN2-ADA generator."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

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
from hdgan.artifacts.decoded import DecodedOnDisk
from hdgan.artifacts.event_log import EVENTS, EventLog
from hdgan.artifacts.generator import (
    DISCRIMINATOR,
    GRIDS,
    PROGRESS,
    SNAPSHOTS,
    WATCH,
    GeneratorFolder,
    write_network,
)
from hdgan.artifacts.images import png_of
from hdgan.artifacts.leaks import known_of
from hdgan.artifacts.manifest import UNFINISHED
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.real_images import (
    Crop,
    RealImages,
    check_sizes,
    decoded_bytes,
    decoded_tiles,
    stain_shares,
)
from hdgan.artifacts.seen import Seen, seen_together
from hdgan.artifacts.team import processes_here, team_and_device
from hdgan.artifacts.tile_set import TileSet
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once, seen_by
from hdgan.artifacts.weights import tensor_bytes, tensors_of
from hdgan.errors import SettingsError
from hdgan.method.generator_watch import Watched
from hdgan.method.stylegan.plan import PATH_LENGTH, R1, TrainingPlan
from hdgan.method.stylegan.presets import planned
from hdgan.method.stylegan.processes import Team
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.training import (
    GeneratorTick,
    Reals,
    TrainingState,
    new_state,
)
from hdgan.method.stylegan.training import (
    train_generator as training_ticks,
)
from hdgan.method.stylegan.transfer import begun_from, begun_share, sees_reduced
from hdgan.pipeline import Fact, Made
from hdgan.report.generator_watch import GeneratorWatch
from hdgan.report.pictures import drawn_grid
from hdgan.report.progress import ProgressBar, announce, peak_memory_bytes
from hdgan.settings.train_generator import TrainGeneratorSettings

CHECKPOINT_SECONDS = 60.0
"""Time between two checkpoints: what a kill may cost."""

DECODED = "decoded"
"""Where decoded tiles lie below `.unfinished` if they do not fit into memory."""


def train_generator(
    tiles: Path, output: Path, settings: TrainGeneratorSettings, start_from: Path | None = None
) -> Made:
    """Train a generator; goes on where an interrupted run of the same command stopped.

    Processes that `torchrun` has started train it together; the first of them writes.

    Args:
        tiles: what to learn from.
        output: where the generator goes.
        settings: how it is trained.
        start_from: a trained generator to begin from; None begins with random weights.

    Memory: the networks four times over (weights, gradients, two moments), a micro-batch's
    feature maps, and up to 2 GB of decoded tiles.

    Raises:
        SettingsError: choices that do not go together, or folds without tiles.
        ImageError: a tile is smaller than the resolution.
    """
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    start = None if start_from is None else GeneratorFolder.open(start_from)
    if start is None and settings.start_rate != 1.0:
        raise SettingsError(
            "--start-rate says how fast goes on what comes from a start, but there is no "
            "--start-from. Give one, or leave it out."
        )
    if (settings.noise_from or 0) > settings.resolution:
        raise SettingsError(
            f"--noise-from is {settings.noise_from}, above --resolution {settings.resolution}: no "
            "feature map is so large. Choose the resolution or less."
        )
    tile_set = TileSet.open(tiles)
    with team_and_device(settings.device) as (team, device):
        task = _planned(settings, tile_set, start, team, device)
        order = Order(
            "generator",
            plain(settings),
            tile_set.parents | ({} if start is None else start.parents),
            seen_together(
                tile_set.seen_in(settings.folds),
                Seen() if start is None else seen_by(start),
            ),
        )
        if team.leads:

            def make(unfinished: UnfinishedArtifact) -> None:
                team.told(b"train")
                _Leader(task, unfinished).complete()

            if not made_once(output, order, make):
                team.told(b"")
        elif team.told(b""):
            _follow(task, output)
    return Made("generator", output, _facts(output, task) if team.leads else {})


@dataclass(frozen=True)
class _Task:
    """What is trained, on what, by whom."""

    settings: TrainGeneratorSettings
    shape: NetworkShape
    plan: TrainingPlan
    tile_set: TileSet
    start: GeneratorFolder | None
    team: Team
    device: torch.device

    @property
    def crop(self) -> Crop:
        """How real images are cut."""
        settings = self.settings
        return Crop(self.shape.resolution, settings.shrink, settings.orientation)

    def new_state(self) -> TrainingState:
        """The networks as the training begins, the same in every process."""
        return new_state(self.shape, self.plan, self.device)

    def reals(self, folder: Path) -> RealImages:
        """The training tiles; what does not fit into memory is kept in a folder."""
        records = self.tile_set.records(self.settings.folds)
        decoded = decoded_tiles(
            self.tile_set, records, self.settings.cache, folder, processes=processes_here()
        )
        reals = RealImages(self.tile_set, records, self.crop, self.settings.seed, decoded)
        reals.tell(self.shape.stains)
        return reals

    def unseen(self) -> RealImages | None:
        """The tiles of the other folds, if there are any that are large enough.

        What the start has learned from is not among them.
        """
        known = known_of(
            self.tile_set, Seen() if self.start is None else self.start.manifest.learned
        )
        records = [
            record
            for record in self.tile_set.records()
            if record.fold not in known.all_folds.union(self.settings.folds)
            and min(record.width, record.height) >= self.crop.needed_px
        ]
        if not records:
            return None
        decoded = decoded_tiles(self.tile_set, records, "none", self.tile_set.folder)
        return RealImages(self.tile_set, records, self.crop, self.settings.seed, decoded)

    def ticks(self, state: TrainingState, reals: RealImages) -> Iterator[GeneratorTick]:
        """Train `state` from where it stands to the end."""
        return training_ticks(state, self.plan, self._drawing(reals), self.team)

    def try_step(self, reals: RealImages) -> tuple[TrainingState, float]:
        """Two steps on networks that are thrown away: those, and seconds of the whole run."""
        trial, times = self.new_state(), [time.monotonic()]
        plan = replace(self.plan, images=2 * self.plan.batch, tick_batches=1, discriminator_first=0)
        for _ in training_ticks(trial, plan, self._drawing(reals), self.team):
            times.append(time.monotonic())
        with_penalties, plain_step = (later - earlier for earlier, later in pairwise(times))
        often = PATH_LENGTH.interval if plan.path_length_weight > 0 else R1.interval
        step = plain_step + max(0.0, with_penalties - plain_step) / often
        return trial, step * self.plan.batches

    def _drawing(self, reals: RealImages) -> "_Drawing":
        return _Drawing(reals, self.plan.batch, self.device)


@dataclass(frozen=True)
class _Drawing:
    """Some real images of a step's batch."""

    reals: RealImages
    batch: int
    device: torch.device

    def __call__(self, step: int, part: slice) -> Reals:
        return self.reals.batch(
            range(step * self.batch, (step + 1) * self.batch)[part], self.device
        )


def _planned(
    settings: TrainGeneratorSettings,
    tile_set: TileSet,
    start: GeneratorFolder | None,
    team: Team,
    device: torch.device,
) -> _Task:
    """Everything decided, and checked before anything is written."""
    records = tile_set.records(settings.folds)
    half = {"auto": "float16" if device.type == "cuda" else None, "float32": None}
    if start is not None and settings.noise is None and settings.noise_from is None:
        least = _noise_from(start)
        settings = replace(settings, noise=least is not None, noise_from=least)
    shape, plan = planned(
        settings,
        None if start is None else start.shape,
        processes=team.size,
        half=half.get(settings.precision, settings.precision),
        stain_shares=stain_shares(tile_set, records) if settings.condition == "stain" else None,
    )
    task = _Task(settings, shape, plan, tile_set, start, team, device)
    check_sizes(tile_set, records, task.crop)
    return task


def _follow(task: _Task, output: Path) -> None:
    """Train with the leading process, and leave the writing to it."""
    reals = task.reals(output / UNFINISHED / DECODED)
    if task.team.told(b""):
        task.try_step(reals)
    state = task.new_state()
    if task.start is not None:
        _begin_from(task.start, state, task.plan)
    about = json.loads(task.team.told(b""))
    if about is not None:
        _restore(state, tensors_of(task.team.told(b""), "the checkpoint"), about)
    for _ in task.ticks(state, reals):
        pass


def _facts(output: Path, task: _Task) -> dict[str, Fact]:
    folder = GeneratorFolder.open(output)
    shape, plan = task.shape, task.plan
    return {
        "resolution": f"{shape.resolution} px",
        **({"stains": " ".join(shape.stains)} if shape.stains else {}),
        "images shown": f"{plan.batches * plan.batch:,}",
        "tiles": len(task.tile_set.records(task.settings.folds)),
        "strength of augmentation at the end": round(folder.progress()[-1].strength, 3),
    }


def _announce(task: _Task, reals: RealImages) -> None:
    """Say what the run will need, measured by a trial."""
    trial, seconds = task.try_step(reals)
    weights = sum(
        tensor.numel() * tensor.element_size() for tensor in trial.average.state_dict().values()
    )
    interval = task.settings.snapshot_kimg * 1000
    num_snapshots = int(task.plan.images / interval) if interval else 0
    on_disk = decoded_bytes(reals.records) if isinstance(reals.tiles, DecodedOnDisk) else 0
    on_gpu = trial.path_length_mean.is_cuda
    announce(
        "train-generator",
        memory_bytes=torch.cuda.max_memory_allocated() if on_gpu else peak_memory_bytes(),
        disk_bytes=weights * (num_snapshots + 8) + on_disk,
        seconds=seconds,
    )


def _noise_from(start: GeneratorFolder) -> int | None:
    """Side of the smallest feature maps whose noise changes what a generator draws."""
    layers = start.generator().synthesis.convolutions
    return min(
        (layer.resolution for layer in layers if float(layer.noise_strength) != 0.0), default=None
    )


def _begin_from(start: GeneratorFolder, state: TrainingState, plan: TrainingPlan) -> None:
    """Copy what fits of a trained generator and its discriminator.

    A training without noise leaves out what the start's noise adds. Blocks above the start's
    resolution add nothing to the image at first: it begins as the start's image, enlarged, and
    its score as that of the image reduced.

    Raises:
        SettingsError: nothing fits.
    """
    tensors = start.generator().state_dict()
    copied = begun_from(state.generator, tensors)
    state.begun = begun_share(state.generator, tensors)
    if not any(name.endswith("conv1.weight") for name in copied):
        raise SettingsError(
            f"No convolution of {start.folder} fits the new generator. Leave out --channel-base "
            "and --channel-max, so that they follow it."
        )
    synthesis = state.generator.synthesis
    for layer in synthesis.convolutions:
        if not plan.noise or layer.resolution < plan.noise_from:
            layer.noise_strength.data.zero_()
    for block in synthesis.block_list:
        if block.resolution > start.shape.resolution:
            block.torgb.weight.data.zero_()
    begun_from(state.average, state.generator.state_dict())
    judged = start.discriminator_tensors()
    begun_from(state.discriminator, judged)
    sees_reduced(state.discriminator, judged, start.shape.resolution)


@dataclass
class _Leader:
    """The process that writes what the training reaches into its artifact."""

    task: _Task
    unfinished: UnfinishedArtifact
    lines: list[str] = field(default_factory=list)
    """Of `progress.jsonl`."""
    seen: list[str] = field(default_factory=list)
    """Of `watch.jsonl`."""
    shown: int = 0
    """Images shown at the tick before."""

    def complete(self) -> None:
        """Train to the end, and write the artifact's files."""
        task, unfinished = self.task, self.unfinished
        reals = task.reals(unfinished.scratch / DECODED)
        is_new = not unfinished.has(PROGRESS)
        task.team.told(b"try" if is_new else b"")
        if is_new:
            _announce(task, reals)
        self.state = task.new_state()
        if task.start is not None:
            _begin_from(task.start, self.state, task.plan)
        self._restore()
        self.watch = GeneratorWatch(reals, task.unseen())
        self.watch.history = [Watched(**json.loads(line)) for line in self.seen]
        self.shown = self.state.batches * task.plan.batch
        folder = unfinished.folder / EVENTS if task.settings.tensorboard else None
        self.events = EventLog(folder, first_step=self.shown + 1 if self.shown else 0)
        self._train(reals)
        self.events.close()
        self._write_curves()
        unfinished.write(DISCRIMINATOR, tensor_bytes(self.state.discriminator.state_dict()))
        unfinished.write(f"{GRIDS}/final.png", png_of(drawn_grid(self.state.average)))
        write_network(unfinished, self.state.average)

    def _train(self, reals: RealImages) -> None:
        total, saved = self.task.plan.batches * self.task.plan.batch, time.monotonic()
        with ProgressBar("train-generator", total, "images", done=self.shown) as progress:
            for tick in self.task.ticks(self.state, reals):
                progress.reach(
                    tick.images,
                    f"scores {tick.score_real:+.2f} real {tick.score_drawn:+.2f} drawn, "
                    f"augmentation {tick.strength:.2f}",
                )
                self.lines.append(curve_line(tick))
                self.events.numbers(tick.images, asdict(tick), "training")
                for warning in self._keep_snapshot(tick):
                    progress.say(f"train-generator: warning: {warning}")
                if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                    self._save()
                    saved = time.monotonic()

    def _keep_snapshot(self, tick: GeneratorTick) -> list[str]:
        """Keep weights and a picture whenever the wanted number of images is passed.

        Drawings are then compared with real images; what is wrong comes back.
        """
        interval = round(self.task.settings.snapshot_kimg * 1000)
        before, self.shown = self.shown, tick.images
        if not interval or tick.images // interval == before // interval:
            return []
        name = f"kimg-{tick.images // 1000:06d}"
        picture = drawn_grid(self.state.average)
        weights = tensor_bytes(self.state.average.state_dict())
        self.unfinished.write(f"{SNAPSHOTS}/{name}.safetensors", weights)
        self.unfinished.write(f"{GRIDS}/{name}.png", png_of(picture))
        warnings = self.watch.look(self.state.average, tick.images, tick.strength)
        moment = self.watch.history[-1]
        self.seen.append(curve_line(moment))
        self.events.picture(tick.images, "drawings", picture)
        self.events.numbers(tick.images, asdict(moment), "watch")
        return warnings

    def _write_curves(self) -> None:
        for name, lines in ((PROGRESS, self.lines), (WATCH, self.seen)):
            self.unfinished.write(name, "".join(f"{line}\n" for line in lines).encode())

    def _save(self) -> None:
        state = self.state
        self._write_curves()
        write_checkpoint(
            self.unfinished,
            {
                **network_tensors("generator", state.generator),
                **network_tensors("discriminator", state.discriminator),
                **network_tensors("average", state.average),
                **optimizer_tensors(
                    "generator_optimizer", state.generator_optimizer, state.generator
                ),
                **optimizer_tensors(
                    "discriminator_optimizer", state.discriminator_optimizer, state.discriminator
                ),
                "path_length_mean": state.path_length_mean,
            },
            {
                "batches": state.batches,
                "ticks": len(self.lines),
                "looks": len(self.seen),
                "adaptation": asdict(state.adaptation),
            },
        )

    def _restore(self) -> None:
        """Go back to the last checkpoint, if there is one; the curves until there come back."""
        checkpoint, team = read_checkpoint(self.unfinished), self.task.team
        if checkpoint is None:
            team.told(json.dumps(None).encode())
            return
        tensors, about = checkpoint
        team.told(json.dumps(about).encode())
        if team.size > 1:
            team.told(tensor_bytes(tensors))
        _restore(self.state, tensors, about)
        self.lines = self._lines(PROGRESS)[: about["ticks"]]
        self.seen = self._lines(WATCH)[: about.get("looks", 0)]

    def _lines(self, name: str) -> list[str]:
        path = self.unfinished.folder / name
        return path.read_text().splitlines() if path.is_file() else []


def _restore(state: TrainingState, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Put a checkpoint back."""
    restore_network("generator", state.generator, tensors)
    restore_network("discriminator", state.discriminator, tensors)
    restore_network("average", state.average, tensors)
    restore_optimizer("generator_optimizer", state.generator_optimizer, state.generator, tensors)
    restore_optimizer(
        "discriminator_optimizer", state.discriminator_optimizer, state.discriminator, tensors
    )
    state.path_length_mean.copy_(tensors["path_length_mean"])
    state.batches = about["batches"]
    for name, value in about["adaptation"].items():
        setattr(state.adaptation, name, value)
