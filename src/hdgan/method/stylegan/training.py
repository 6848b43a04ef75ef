"""The training loop of StyleGAN2-ADA, as an iterator of ticks.

The state after a tick is all that is needed to go on: every step draws its random numbers from a
generator seeded with the run's seed and the number of the step.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from hdgan.errors import SettingsError
from hdgan.method.stylegan.adaptation import AdaptiveStrength
from hdgan.method.stylegan.augment import AugmentDraw, augmented, draw_augmentation
from hdgan.method.stylegan.discriminator import Discriminator
from hdgan.method.stylegan.losses import (
    discriminator_loss,
    drawn_directions,
    generator_loss,
    path_length_slopes,
    path_lengths,
    r1_penalty,
)
from hdgan.method.stylegan.plan import ADAPTATION_INTERVAL, PATH_LENGTH, R1, Lazy, TrainingPlan
from hdgan.method.stylegan.precision import use_half
from hdgan.method.stylegan.processes import ALONE, Team
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator, Noise
from hdgan.method.stylegan.transfer import first_layers

PATH_LENGTH_DECAY = 0.01
"""Weight of a step's path lengths in their running mean."""


class Reals(NamedTuple):
    """Real images of a batch."""

    images: Float[Tensor, "batch 3 side side"]
    """-1 to 1."""

    stains: Int[Tensor, " batch"] | None = None
    """The number of each one's stain, if the networks are told stains."""


DrawReals = Callable[[int, slice], Reals]
"""Number of a step, and which images of its batch, to these images; always the same ones."""


HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
"""Half precision by name."""


@dataclass(frozen=True)
class GeneratorTick:
    """What happened since the last tick; losses are means over the steps that had them."""

    batches: int
    """Steps done since the start of the run."""

    images: int
    """Real images shown since the start of the run."""

    generator_loss: float
    """Non-saturating logistic loss of the generator."""

    discriminator_loss: float
    """Logistic loss of the discriminator, without the penalty."""

    r1: float
    """Squared gradient of the scores of real images, before its weight."""

    path_length: float
    """Mean path length."""

    score_real: float
    """Mean score of real images."""

    score_drawn: float
    """Mean score of drawings, as the discriminator's step sees them."""

    strength: float
    """Probability of augmentation."""


@dataclass
class TrainingState:
    """Networks, optimizers and counters: what a checkpoint holds."""

    generator: Generator
    discriminator: Discriminator
    average: Generator
    """Moving average of the generator: what is used afterwards."""
    generator_optimizer: torch.optim.Adam
    discriminator_optimizer: torch.optim.Adam
    adaptation: AdaptiveStrength
    path_length_mean: Tensor
    """Running mean of the path length, a scalar."""
    frozen: list[nn.Parameter] = field(default_factory=list)
    """Parameters of the discriminator that stay as they are."""
    begun: list[tuple[nn.Parameter, Tensor]] = field(default_factory=list)
    """Parameters of the generator that come from its start: 1 where they do, 0 where not."""
    batches: int = 0
    """Steps done."""


def new_state(shape: NetworkShape, plan: TrainingPlan, device: torch.device) -> TrainingState:
    """Fresh networks; the same seed gives the same weights."""
    plan.checked(shape.minibatch_group)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        generator, discriminator = Generator(shape), Discriminator(shape)
    for network in (generator, discriminator):
        network.to(device)
        _lay_channels_last(network)
    average = copy.deepcopy(generator).eval().requires_grad_(requires_grad=False)
    half = None if plan.half is None else HALVES[plan.half]
    use_half(generator.synthesis, half)
    use_half(discriminator, half)
    return TrainingState(
        generator=generator,
        discriminator=discriminator,
        average=average,
        generator_optimizer=_optimizer(generator, plan, PATH_LENGTH),
        discriminator_optimizer=_optimizer(discriminator, plan, R1),
        adaptation=AdaptiveStrength(plan.ada_images, strength=plan.fixed_strength or 0.0),
        path_length_mean=torch.zeros([], device=device),
        frozen=first_layers(discriminator, plan.frozen_layers),
    )


def train_generator(
    state: TrainingState, plan: TrainingPlan, draw_reals: DrawReals, team: Team = ALONE
) -> Iterator[GeneratorTick]:
    """Train from where `state` stands to the end of the plan; `state` is changed in place.

    Processes of a team hold the same state before and after; each calls this, and asks
    `draw_reals` for its own images only.
    """
    _check_parts(state, plan, team)
    record = _Record()
    while state.batches < plan.batches:
        _Step(state, plan, record, team).run(draw_reals)
        state.batches += 1
        if state.batches % plan.tick_batches == 0 or state.batches == plan.batches:
            yield record.tick(state, plan, team)
            record = _Record()


def _check_parts(state: TrainingState, plan: TrainingPlan, team: Team) -> None:
    part, group = plan.batch // plan.num_parts(team.size), state.discriminator.b4.minibatch_group
    if part % min(group, plan.batch):
        raise SettingsError(
            f"The batch of {plan.batch} is computed in parts of {part} images, but the "
            f"discriminator compares images in groups of {group}. Choose a larger --micro-batch "
            "or --batch."
        )


@dataclass
class _Record:
    """Sums over images of what is reported, by name."""

    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, values: Tensor) -> None:
        """Take in one number an image, or a mean over a batch as one number."""
        total = values.detach().sum()
        self.sums[name] = self.sums[name] + total if name in self.sums else total
        self.counts[name] = self.counts.get(name, 0) + values.numel()

    def tick(self, state: TrainingState, plan: TrainingPlan, team: Team) -> GeneratorTick:
        """The means over all processes."""
        device = state.path_length_mean.device
        sums = [float(self.sums.get(name, torch.zeros([]))) for name in _REPORTED]
        counts = [self.counts.get(name, 0) for name in _REPORTED]
        (both,) = team.summed([torch.tensor([*sums, *counts], dtype=torch.float64, device=device)])
        totals = both.tolist()
        means = {
            name: total / count if count else float("nan")
            for name, total, count in zip(
                _REPORTED, totals[: len(sums)], totals[len(sums) :], strict=True
            )
        }
        return GeneratorTick(
            batches=state.batches,
            images=state.batches * plan.batch,
            strength=state.adaptation.strength,
            **means,
        )


_REPORTED = (
    "generator_loss",
    "discriminator_loss",
    "r1",
    "path_length",
    "score_real",
    "score_drawn",
)


@dataclass(frozen=True)
class _Latents:
    """What a batch of drawings is made from, decided before it is cut into parts."""

    z: Tensor
    others: Tensor | None
    """Latents of the fine styles, if the batch mixes."""
    first_of_others: int
    """The first style that comes from them."""
    stains: Tensor | None
    noise: Noise

    def part(self, images: slice) -> "_Latents":
        """What some of the drawings are made from."""
        return _Latents(
            self.z[images],
            None if self.others is None else self.others[images],
            self.first_of_others,
            None if self.stains is None else self.stains[images],
            [None if layer is None else layer[images] for layer in self.noise],
        )


class _Step:
    """One step: generator, its lazy penalty, discriminator, its lazy penalty, averages.

    All random numbers of a batch are drawn at once, in every process the same; then each process
    computes its own parts of the batch, one after another. A part is every so manieth image, so
    that it holds whole groups of those whose spread the discriminator sees: parts make no
    difference but rounding.
    """

    def __init__(
        self, state: TrainingState, plan: TrainingPlan, record: _Record, team: Team
    ) -> None:
        self.state, self.plan, self.record, self.team = state, plan, record, team
        self.number = state.batches
        self.device = state.path_length_mean.device
        seeds = np.random.SeedSequence([plan.seed, self.number]).generate_state(1, np.uint64)
        self.random = torch.Generator(self.device).manual_seed(int(seeds[0]))
        self.seen = torch.zeros(2, dtype=torch.float64, device=self.device)
        num_parts = plan.num_parts(team.size)
        self.parts = [
            slice(part, None, num_parts) for part in range(team.rank, num_parts, team.size)
        ]

    def run(self, draw_reals: DrawReals) -> None:
        """Change the state by one step on this step's batch of real images."""
        state = self.state
        if self.number * self.plan.batch >= self.plan.discriminator_first:
            state.discriminator.requires_grad_(requires_grad=False)
            self._main_of_generator()
            if self.plan.path_length_weight > 0 and self.number % PATH_LENGTH.interval == 0:
                self._path_length()
        state.discriminator.requires_grad_(requires_grad=True)
        for parameter in state.frozen:
            parameter.requires_grad = False
        real = [draw_reals(self.number, part) for part in self.parts]
        self._main_of_discriminator(real)
        if self.plan.gamma > 0 and self.number % R1.interval == 0:
            self._r1(real)
        self._average()
        self._adapt()

    def _main_of_generator(self) -> None:
        latents = self._latents(self.plan.batch)
        augmentation = self._augmentation()
        for part in self._parts_of(self.plan.batch):
            own = latents.part(part)
            images, _ = self._drawn(own)
            scores = self._scores(images, augmentation.part(part), own.stains)
            self.record.add("generator_loss", functional.softplus(-scores))
            (generator_loss(scores) * self._share(scores)).backward()
        self._descend_generator()

    def _path_length(self) -> None:
        count = max(1, self.plan.batch // 2)
        latents = self._latents(count)
        side = self.state.generator.shape.resolution
        directions = drawn_directions((count, 3, side, side), self.random)
        parts = self._parts_of(count)

        def lengths_of(part: slice) -> Tensor:
            images, ws = self._drawn(latents.part(part))
            return path_lengths(images, ws, directions[part])

        # Each length's slope depends on the mean of all: with one part the lengths are kept, with
        # several they are computed twice, so that one part at a time is in memory.
        kept = [lengths_of(part) for part in parts] if len(self.parts) == 1 else []
        known = kept or [lengths_of(part).detach() for part in parts]
        total = sum((lengths.detach().sum() for lengths in known), self.seen.new_zeros(()).float())
        mean = self.team.summed([total])[0] / count
        running = torch.lerp(self.state.path_length_mean, mean, PATH_LENGTH_DECAY)
        self.state.path_length_mean.copy_(running)
        weight = self.plan.path_length_weight * PATH_LENGTH.interval
        for i, part in enumerate(parts):
            lengths = kept[i] if kept else lengths_of(part)
            self.record.add("path_length", lengths)
            slopes = path_length_slopes(
                lengths, float(mean), float(running), decay=PATH_LENGTH_DECAY, count=count
            )
            ((lengths * slopes).sum() * weight).backward()
        self._descend_generator()

    def _main_of_discriminator(self, real: list[Reals]) -> None:
        with torch.no_grad():
            latents = self._latents(self.plan.batch)
        drawn_augmentation, real_augmentation = self._augmentation(), self._augmentation()
        for part, reals in zip(self._parts_of(self.plan.batch), real, strict=True):
            own = latents.part(part)
            with torch.no_grad():
                drawn, _ = self._drawn(own)
            score_drawn = self._scores(drawn, drawn_augmentation.part(part), own.stains)
            score_real = self._scores(reals.images, real_augmentation.part(part), reals.stains)
            self._see(score_real)
            loss = discriminator_loss(score_drawn, score_real)
            self.record.add(
                "discriminator_loss",
                functional.softplus(score_drawn) + functional.softplus(-score_real),
            )
            self.record.add("score_real", score_real)
            self.record.add("score_drawn", score_drawn)
            (loss * self._share(score_real)).backward()
        self._descend(self.state.discriminator, self.state.discriminator_optimizer)

    def _r1(self, real: list[Reals]) -> None:
        augmentation = self._augmentation()
        for part, reals in zip(self._parts_of(self.plan.batch), real, strict=True):
            images = reals.images.detach().requires_grad_()
            scores = self._scores(images, augmentation.part(part), reals.stains)
            self._see(scores)
            penalty = r1_penalty(scores, images)
            self.record.add("r1", penalty)
            loss = penalty.mean() * (self.plan.gamma / 2 * R1.interval)
            (loss * self._share(scores)).backward()
        self._descend(self.state.discriminator, self.state.discriminator_optimizer)

    def _parts_of(self, count: int) -> list[slice]:
        """This process's parts of a batch of so many images; those without an image are left out.

        With fewer images than the batch a part may be empty, never with the whole batch.
        """
        return [part for part in self.parts if len(range(*part.indices(count)))]

    def _share(self, scores: Tensor) -> float:
        """A part's share of its batch."""
        return len(scores) / self.plan.batch

    def _latents(self, batch: int) -> _Latents:
        """Random numbers for a batch of drawings; the running mean of w takes them in."""
        generator = self.state.generator
        z = self._z(batch)
        stains = self._stains(batch)
        with torch.no_grad():
            generator.mapping.track(generator.mapping(z, stains))
        synthesis = generator.synthesis
        chance, where = torch.rand(2, generator=self.random, device=self.device).tolist()
        mixes = chance < self.plan.style_mixing
        return _Latents(
            z=z,
            others=self._z(batch) if mixes else None,
            first_of_others=1 + int(where * (generator.shape.num_ws - 1)),
            stains=stains,
            noise=synthesis.random_noise(batch, self.random, self.plan.noise_from)
            if self.plan.noise
            else synthesis.no_noise(),
        )

    def _z(self, batch: int) -> Tensor:
        z_dim = self.state.generator.shape.z_dim
        return torch.randn(batch, z_dim, generator=self.random, device=self.device)

    def _stains(self, batch: int) -> Tensor | None:
        """Stains as often as the real images have them."""
        if not self.plan.stain_shares:
            return None
        shares = torch.tensor(self.plan.stain_shares, device=self.device)
        return torch.multinomial(shares, batch, replacement=True, generator=self.random)

    def _drawn(self, latents: _Latents) -> tuple[Tensor, Tensor]:
        """Images of the generator in training, and the styles that they were drawn from."""
        generator = self.state.generator
        ws = generator.styles(generator.mapping(latents.z, latents.stains))
        if latents.others is not None:
            first = latents.first_of_others
            others = generator.styles(generator.mapping(latents.others, latents.stains))
            ws = torch.cat([ws[:, :first], others[:, first:]], dim=1)
        return generator.synthesis(ws, latents.noise), ws

    def _augmentation(self) -> AugmentDraw:
        """What happens to the images of a batch."""
        side, strength = self.state.generator.shape.resolution, self.state.adaptation.strength
        return draw_augmentation(self.plan.batch, side, strength, self.plan.augment, self.random)

    def _scores(self, images: Tensor, augmentation: AugmentDraw, stains: Tensor | None) -> Tensor:
        scores: Tensor = self.state.discriminator(augmented(images, augmentation), stains)
        return scores

    def _see(self, scores: Tensor) -> None:
        self.seen += torch.stack([scores.detach().sign().sum(), self.seen.new_tensor(len(scores))])

    def _adapt(self) -> None:
        """Tell the controller of augmentation what was scored, and let it move now and then."""
        signs, scores = self.team.summed([self.seen])[0].tolist()
        adaptation = self.state.adaptation
        adaptation.see(signs, int(scores))
        adapts = self.plan.augment.has_any and self.plan.fixed_strength is None
        if adapts and (self.number + 1) % ADAPTATION_INTERVAL == 0:
            adaptation.move(self.plan.batch * ADAPTATION_INTERVAL)

    def _descend_generator(self) -> None:
        """One step; what comes from the start goes a part of it, as with a part of Adam's rate."""
        state, part = self.state, self.plan.start_rate
        begun = state.begun if part < 1.0 else []
        before = [parameter.detach().clone() for parameter, _ in begun]
        self._descend(state.generator, state.generator_optimizer)
        with torch.no_grad():
            for (parameter, share), old in zip(begun, before, strict=True):
                parameter.lerp_(old, share * (1.0 - part))

    def _descend(self, network: nn.Module, optimizer: torch.optim.Adam) -> None:
        """One step downhill; gradients that are no numbers count as none."""
        parameters = list(network.parameters())
        self.team.sum_gradients(parameters)
        for parameter in parameters:
            if parameter.grad is not None:
                torch.nan_to_num(
                    parameter.grad, nan=0.0, posinf=1e5, neginf=-1e5, out=parameter.grad
                )
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def _average(self) -> None:
        """Move the average towards the generator; what is not learned is copied."""
        seen = (self.number + 1) * self.plan.batch
        half_life = self.plan.ema_images
        if self.plan.ema_ramp is not None:
            half_life = min(half_life, seen * self.plan.ema_ramp)
        decay = 0.5 ** (self.plan.batch / max(half_life, 1e-8))
        average, generator = self.state.average, self.state.generator
        torch._foreach_lerp_(list(average.parameters()), list(generator.parameters()), 1.0 - decay)
        for held, current in zip(average.buffers(), generator.buffers(), strict=True):
            held.copy_(current)


def _lay_channels_last(network: nn.Module) -> None:
    """Lay the convolutions' weights in memory as they are fastest."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _optimizer(network: nn.Module, plan: TrainingPlan, lazy: Lazy) -> torch.optim.Adam:
    correction = float(lazy.correction)
    return torch.optim.Adam(
        network.parameters(),
        lr=plan.learning_rate * correction,
        betas=(0.0, 0.99**correction),
        eps=1e-8,
        fused=True,
    )
