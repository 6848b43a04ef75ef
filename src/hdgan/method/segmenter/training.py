"""Training the segmenter by a rule, as an iterator of ticks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hdgan.method.schedule import cosine_rate
from hdgan.method.segmenter.crops import StepCrops
from hdgan.method.segmenter.plan import SegmenterPlan
from hdgan.method.segmenter.rule import Networks, Rule, StepLoss
from hdgan.method.segmenter.teacher import follow, ramped_decay, teacher_of


@dataclass(frozen=True)
class SegmenterTick:
    """What happened since the last report."""

    steps: int
    """Steps done since the start."""

    loss: float
    """Mean of cross entropy (nats) plus one minus soft Dice, of the labelled crops."""

    unlabelled_loss: float = 0.0
    """Mean of what unlabelled crops add, as it is weighted."""


@dataclass
class SegmenterState:
    """What a checkpoint holds."""

    network: nn.Module
    """What learns."""

    optimizer: torch.optim.Optimizer

    teacher: nn.Module | None = None
    """Its moving average, if the rule has one."""

    steps: int = 0

    @property
    def result(self) -> nn.Module:
        """The network to keep at the end: the teacher where there is one."""
        return self.network if self.teacher is None else self.teacher


def new_segmenter_state(network: nn.Module, plan: SegmenterPlan, rule: Rule) -> SegmenterState:
    """The start of a training."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, fused=True)
    teacher = None if rule.decay is None else teacher_of(network)
    return SegmenterState(network, optimizer, teacher)


DrawCrops = Callable[[int], StepCrops]
"""Step number to crops; the same number gives the same crops."""


def train_segmenter(
    state: SegmenterState, plan: SegmenterPlan, rule: Rule, draw: DrawCrops
) -> Iterator[SegmenterTick]:
    """Train from where `state` stands to the end of the plan; `state` is changed in place."""
    networks = Networks(state.network, state.teacher, plan.precision)
    losses: list[tuple[Tensor, Tensor]] = []
    while state.steps < plan.steps:
        for group in state.optimizer.param_groups:
            group["lr"] = cosine_rate(plan.learning_rate, state.steps, plan.steps)
        loss = rule(networks, draw(state.steps), state.steps / plan.steps)
        losses.append(_learned(state, loss))
        if state.teacher is not None and rule.decay is not None:
            decay = ramped_decay(rule.decay, state.steps, plan.steps)
            follow(state.teacher, state.network, decay)
        state.steps += 1
        if state.steps % plan.tick_steps == 0 or state.steps == plan.steps:
            means = [float(torch.stack(values).mean()) for values in zip(*losses, strict=True)]
            yield SegmenterTick(state.steps, *means)
            losses = []


def _learned(state: SegmenterState, loss: StepLoss) -> tuple[Tensor, Tensor]:
    """Take a step down; both parts of the loss come back."""
    unlabelled = torch.zeros_like(loss.labelled) if loss.unlabelled is None else loss.unlabelled
    state.optimizer.zero_grad(set_to_none=True)
    (loss.labelled + unlabelled).backward()
    state.optimizer.step()
    return loss.labelled.detach(), unlabelled.detach()
