"""The training loop of StyleGAN2-ADA, as an iterator of ticks.

The state after a tick is all that is needed to go on: every step draws its random numbers from a
generator seeded with the run's seed and the number of the step.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from hdgan.method.stylegan.adaptation import AdaptiveStrength
from hdgan.method.stylegan.augment import augment
from hdgan.method.stylegan.discriminator import Discriminator
from hdgan.method.stylegan.losses import (
    discriminator_loss,
    generator_loss,
    path_lengths,
    r1_penalty,
)
from hdgan.method.stylegan.plan import ADAPTATION_INTERVAL, PATH_LENGTH, R1, Lazy, TrainingPlan
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.stylegan.transfer import first_layers

DrawReals = Callable[[int], Float[Tensor, "batch 3 side side"]]
"""Step number to a batch of real images, -1 to 1; the same number gives the same batch."""


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
    return TrainingState(
        generator=generator,
        discriminator=discriminator,
        average=copy.deepcopy(generator).eval().requires_grad_(requires_grad=False),
        generator_optimizer=_optimizer(generator, plan, PATH_LENGTH),
        discriminator_optimizer=_optimizer(discriminator, plan, R1),
        adaptation=AdaptiveStrength(plan.ada_images, strength=plan.fixed_strength or 0.0),
        path_length_mean=torch.zeros([], device=device),
        frozen=first_layers(discriminator, plan.frozen_layers),
    )


def train_generator(
    state: TrainingState, plan: TrainingPlan, draw_reals: DrawReals
) -> Iterator[GeneratorTick]:
    """Train from where `state` stands to the end of the plan; `state` is changed in place."""
    record = _Record()
    while state.batches < plan.batches:
        _Step(state, plan, record).run(draw_reals(state.batches))
        state.batches += 1
        if state.batches % plan.tick_batches == 0 or state.batches == plan.batches:
            yield record.tick(state, plan)
            record = _Record()


@dataclass
class _Record:
    """Sums of what is reported, by name."""

    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: Tensor) -> None:
        value = value.detach().mean()
        self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.counts[name] = self.counts.get(name, 0) + 1

    def mean(self, name: str) -> float:
        return float(self.sums[name]) / self.counts[name] if name in self.sums else float("nan")

    def tick(self, state: TrainingState, plan: TrainingPlan) -> GeneratorTick:
        return GeneratorTick(
            batches=state.batches,
            images=state.batches * plan.batch,
            strength=state.adaptation.strength,
            generator_loss=self.mean("generator_loss"),
            discriminator_loss=self.mean("discriminator_loss"),
            r1=self.mean("r1"),
            path_length=self.mean("path_length"),
            score_real=self.mean("score_real"),
            score_drawn=self.mean("score_drawn"),
        )


class _Step:
    """One step: generator, its lazy penalty, discriminator, its lazy penalty, averages."""

    def __init__(self, state: TrainingState, plan: TrainingPlan, record: _Record) -> None:
        self.state, self.plan, self.record = state, plan, record
        self.number = state.batches
        device = state.path_length_mean.device
        seeds = np.random.SeedSequence([plan.seed, self.number]).generate_state(1, np.uint64)
        self.random = torch.Generator(device).manual_seed(int(seeds[0]))

    def run(self, real: Tensor) -> None:
        """Change the state by one step on this batch of real images."""
        state = self.state
        state.discriminator.requires_grad_(requires_grad=False)
        self._main_of_generator()
        if self.plan.path_length_weight > 0 and self.number % PATH_LENGTH.interval == 0:
            self._path_length()
        state.discriminator.requires_grad_(requires_grad=True)
        for parameter in state.frozen:
            parameter.requires_grad = False
        self._main_of_discriminator(real)
        if self.plan.gamma > 0 and self.number % R1.interval == 0:
            self._r1(real)
        self._average()
        adapts = self.plan.augment.has_any and self.plan.fixed_strength is None
        if adapts and (self.number + 1) % ADAPTATION_INTERVAL == 0:
            state.adaptation.move(self.plan.batch * ADAPTATION_INTERVAL)

    def _main_of_generator(self) -> None:
        images, _ = self._drawn(self.plan.batch)
        loss = generator_loss(self._scores(images))
        self.record.add("generator_loss", loss)
        _descend(self.state.generator, self.state.generator_optimizer, loss)

    def _path_length(self) -> None:
        images, ws = self._drawn(max(1, self.plan.batch // 2))
        lengths = path_lengths(images, ws, self.random)
        mean = torch.lerp(self.state.path_length_mean, lengths.mean(), 0.01)
        self.state.path_length_mean.copy_(mean.detach())
        self.record.add("path_length", lengths)
        loss = (lengths - mean).square().mean() * self.plan.path_length_weight
        _descend(self.state.generator, self.state.generator_optimizer, loss * PATH_LENGTH.interval)

    def _main_of_discriminator(self, real: Tensor) -> None:
        with torch.no_grad():
            drawn, _ = self._drawn(self.plan.batch)
        score_drawn = self._scores(drawn)
        score_real = self._scores(real)
        self._see(score_real)
        loss = discriminator_loss(score_drawn, score_real)
        self.record.add("discriminator_loss", loss)
        self.record.add("score_real", score_real)
        self.record.add("score_drawn", score_drawn)
        _descend(self.state.discriminator, self.state.discriminator_optimizer, loss)

    def _r1(self, real: Tensor) -> None:
        real = real.detach().requires_grad_()
        scores = self._scores(real)
        self._see(scores)
        penalty = r1_penalty(scores, real)
        self.record.add("r1", penalty)
        loss = penalty.mean() * (self.plan.gamma / 2 * R1.interval)
        _descend(self.state.discriminator, self.state.discriminator_optimizer, loss)

    def _drawn(self, batch: int) -> tuple[Tensor, Tensor]:
        """Images of the generator in training, and the styles that they were drawn from."""
        generator = self.state.generator
        w = generator.mapping(self._z(batch))
        generator.mapping.track(w)
        ws = self._mixed(generator.styles(w), batch)
        return generator.synthesis(ws, generator.synthesis.random_noise(batch, self.random)), ws

    def _mixed(self, ws: Tensor, batch: int) -> Tensor:
        """With the plan's probability, the styles from one layer on come from other latents."""
        chance, where = torch.rand(2, generator=self.random, device=ws.device).tolist()
        if chance >= self.plan.style_mixing:
            return ws
        first = 1 + int(where * (ws.shape[1] - 1))
        others = self.state.generator.styles(self.state.generator.mapping(self._z(batch)))
        return torch.cat([ws[:, :first], others[:, first:]], dim=1)

    def _z(self, batch: int) -> Tensor:
        z_dim = self.state.generator.shape.z_dim
        return torch.randn(
            batch, z_dim, generator=self.random, device=self.state.path_length_mean.device
        )

    def _scores(self, images: Tensor) -> Tensor:
        strength = self.state.adaptation.strength
        scores: Tensor = self.state.discriminator(
            augment(images, strength, self.plan.augment, self.random)
        )
        return scores

    def _see(self, scores: Tensor) -> None:
        self.state.adaptation.see(float(scores.detach().sign().sum()), scores.numel())

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


def _descend(network: nn.Module, optimizer: torch.optim.Adam, loss: Tensor) -> None:
    """One step downhill; gradients that are no numbers count as none."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for parameter in network.parameters():
        if parameter.grad is not None:
            torch.nan_to_num(parameter.grad, nan=0.0, posinf=1e5, neginf=-1e5, out=parameter.grad)
    optimizer.step()
