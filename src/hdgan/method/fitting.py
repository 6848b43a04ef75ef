"""Fitting the ensemble, as an iterator of epochs (section V)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from hdgan.method.pixel_classifier import PixelClassifier
from hdgan.method.pixel_sampling import ClassMix
from hdgan.method.schedule import cosine_rate


@dataclass(frozen=True)
class FittingPlan:
    """Everything that decides what fitting computes, apart from the pixels."""

    steps: int
    """Steps of the optimizer."""

    batch: int
    """Pixels that each member sees a step."""

    optimizer: Literal["adam", "sgd"]
    """Which optimizer."""

    learning_rate: float
    """Its rate."""

    momentum: float = 0.0
    """Of SGD."""

    decays: bool = False
    """Whether the rate falls to zero along a cosine."""

    label_smoothing: float = 0.0
    """Part of the target that is spread over all classes."""

    feature_noise: float = 0.0
    """Standard deviation of noise on the scaled features of half the pixels."""

    class_mix: ClassMix = "natural"
    """How often each class is drawn."""

    steps_per_epoch: int = 100
    """Steps between two reports."""

    seed: int = 0
    """Decides weights, pixels and dropout."""


class LabelledFeatures(NamedTuple):
    """Features of drawn pixels and their classes."""

    features: Float[Tensor, "members pixels channels"]
    classes: Int[Tensor, "members pixels"]


@dataclass(frozen=True)
class ClassifierEpoch:
    """What happened since the last report."""

    steps: int
    """Steps done since the start."""

    loss: float
    """Mean cross entropy of the pixels drawn for training, nats."""

    validation_loss: float
    """Cross entropy of the mean probability on the validation pixels, nats."""

    validation_accuracy: float
    """Part of the validation pixels whose class is found."""


@dataclass
class FittingState:
    """What a checkpoint holds."""

    classifier: PixelClassifier
    optimizer: torch.optim.Optimizer
    steps: int = 0


DrawPixels = Callable[[int], LabelledFeatures]
"""Step number to pixels for every member; the same number gives the same pixels."""


def new_fitting(classifier: PixelClassifier, plan: FittingPlan) -> FittingState:
    """The start of a fit."""
    parameters = list(classifier.parameters())
    optimizer: torch.optim.Optimizer
    if plan.optimizer == "adam":
        optimizer = torch.optim.Adam(parameters, lr=plan.learning_rate, fused=True)
    else:
        optimizer = torch.optim.SGD(parameters, lr=plan.learning_rate, momentum=plan.momentum)
    return FittingState(classifier, optimizer)


def fit_classifier(
    state: FittingState, plan: FittingPlan, draw: DrawPixels, validation: LabelledFeatures
) -> Iterator[ClassifierEpoch]:
    """Fit from where `state` stands to the end of the plan; `state` is changed in place.

    Args:
        state: where to go on.
        plan: how.
        draw: pixels of the training images.
        validation: pixels of the validation images, the same for all members; only reported.
    """
    losses: list[Tensor] = []
    while state.steps < plan.steps:
        losses.append(_step(state, plan, draw(state.steps)))
        state.steps += 1
        if state.steps % plan.steps_per_epoch == 0 or state.steps == plan.steps:
            loss, accuracy = validated(state.classifier, validation)
            yield ClassifierEpoch(state.steps, float(torch.stack(losses).mean()), loss, accuracy)
            losses = []


def _step(state: FittingState, plan: FittingPlan, drawn: LabelledFeatures) -> Tensor:
    classifier = state.classifier.train()
    random = torch.Generator(drawn.features.device).manual_seed(_seed(plan.seed, state.steps))
    features = _noisy(drawn.features, classifier.deviation * plan.feature_noise, random)
    logits = classifier(features, random)
    loss = functional.cross_entropy(
        logits.flatten(end_dim=1),
        drawn.classes.flatten(),
        label_smoothing=plan.label_smoothing,
    )
    if plan.decays:
        for group in state.optimizer.param_groups:
            group["lr"] = cosine_rate(plan.learning_rate, state.steps, plan.steps)
    state.optimizer.zero_grad(set_to_none=True)
    # Members share no weight: the sum over members gives each its own gradient.
    (loss * classifier.shape.num_members).backward()
    state.optimizer.step()
    return loss.detach()


def _noisy(features: Tensor, spread: Tensor, random: torch.Generator) -> Tensor:
    """Half of the pixels with noise of this spread a channel."""
    if not bool(spread.any()):
        return features
    noise = torch.randn(features.shape, generator=random, device=features.device)
    half = torch.rand(features.shape[:-1], generator=random, device=features.device) < 0.5
    return features + noise * spread * half[..., None]


def _seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0])


@torch.no_grad()
def validated(classifier: PixelClassifier, drawn: LabelledFeatures) -> tuple[float, float]:
    """Cross entropy (nats) and accuracy of the ensemble's mean probability."""
    mean = classifier.eval().probabilities(drawn.features[0]).mean(dim=0)
    classes = drawn.classes[0]
    loss = functional.nll_loss(mean.clamp_min(1e-12).log(), classes)
    return float(loss), float((mean.argmax(dim=-1) == classes).float().mean())
