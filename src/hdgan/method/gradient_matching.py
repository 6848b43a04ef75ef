"""Fitting a pixel classifier to drawings by labels of real images, without seeking latents.

After Yang et al. 2022, "Learning to annotate part segmentation with gradient matching": labels of
drawings are right if a segmenter that learns from them is pulled the same way as by real images
with real labels. The classifier labels drawings; the gradient of a small segmenter's loss on them
is compared with its gradient on real images, and the classifier is changed so that both point the
same way. In turn the segmenter goes on to learn from what the classifier says, and now and then a
fresh one takes its place, so that the classifier suits segmenters at every age.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import nan
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional

from hdgan.class_map import UNLABELLED
from hdgan.method.fitting import ClassifierEpoch
from hdgan.method.pixel_classifier import PixelClassifier
from hdgan.method.schedule import cosine_rate

STRIDE = 2
"""Labels are compared at every second pixel of every second row: a quarter of the work."""


@dataclass(frozen=True)
class MatchingPlan:
    """Everything that decides what matching computes, apart from the images."""

    steps: int = 1500
    """Steps of both networks."""

    learning_rate: float = 3e-3
    """Of the classifier, with Adam; falls to zero along a cosine."""

    segmenter_rate: float = 3e-3
    """Of the segmenters, with Adam."""

    steps_per_segmenter: int = 100
    """After so many steps a fresh segmenter takes its place."""

    width: int = 16
    """Channels of the segmenters."""

    crop_px: int = 64
    """Side of the crops that are compared, at most; a multiple of `STRIDE`."""

    num_real: int = 16
    """Real crops a step."""

    steps_per_epoch: int = 50
    """Steps between two reports."""

    seed: int = 0
    """Decides weights, crops and dropout."""


class DrawnCrops(NamedTuple):
    """Crops of drawings with what the classifier reads of them; member by member."""

    images: Float[Tensor, "members 3 side side"]
    """RGB from -1 to 1: one crop for each member."""

    features: Float[Tensor, "members pixels channels"]
    """Of each crop's pixels of every `STRIDE`-th row and column, row by row."""


class RealPieces(NamedTuple):
    """Labelled pieces of real images."""

    images: Float[Tensor, "batch 3 side side"]
    """RGB from -1 to 1."""

    labels: Int64[Tensor, "batch side side"]
    """255 is unlabelled."""


class SmallSegmenter(nn.Module):
    """Six convolutions that look 31 pixels far; its gradients are what is compared.

    It works at every `STRIDE`-th pixel from the first on.
    """

    def __init__(self, num_classes: int, width: int, *, seed: int) -> None:
        """The same seed gives the same weights."""
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.enter = nn.Conv2d(3, width, 3, stride=STRIDE, padding=1)
            self.around = nn.ModuleList(
                nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
                for dilation in (1, 2, 4, 8)
            )
            self.leave = nn.Conv2d(width, num_classes, 1)

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch classes rows columns"]:
        """Logits of each pixel that it works at."""
        x = functional.leaky_relu(self.enter(images), 0.1)
        for convolution in self.around:
            x = x + functional.leaky_relu(convolution(functional.instance_norm(x)), 0.1)
        return self.leave(x)


@dataclass
class MatchingState:
    """What a checkpoint holds."""

    classifier: PixelClassifier
    optimizer: torch.optim.Optimizer
    segmenter: SmallSegmenter
    segmenter_optimizer: torch.optim.Optimizer
    steps: int = 0
    tested: tuple[float, float] = (nan, nan)
    """Cross entropy and accuracy of the last segmenter that had learned to its end."""


def new_matching(classifier: PixelClassifier, plan: MatchingPlan) -> MatchingState:
    """The start of a matching, with the first segmenter."""
    optimizer = torch.optim.Adam(classifier.parameters(), lr=plan.learning_rate)
    return MatchingState(classifier, optimizer, *_fresh_segmenter(classifier, plan, 0))


def match_gradients(
    state: MatchingState,
    plan: MatchingPlan,
    drawn: Callable[[int], DrawnCrops],
    real: Callable[[int], RealPieces],
) -> Iterator[ClassifierEpoch]:
    """Match from where `state` stands to the end of the plan; `state` is changed in place.

    The reports' loss is the mean gradient distance, from 0 to 2; their cross entropy and accuracy
    are those of the last segmenter that had learned to its end on the real crops of `real(-1)`,
    which are crops to learn from, too. They are NaN until there is one.

    Args:
        state: where to go on.
        plan: how.
        drawn: crops of a step; the same number gives the same ones.
        real: likewise.
    """
    tested = real(-1)
    distances: list[Tensor] = []
    while state.steps < plan.steps:
        if state.steps % plan.steps_per_segmenter == 0:
            number = state.steps // plan.steps_per_segmenter
            state.segmenter, state.segmenter_optimizer = _fresh_segmenter(
                state.classifier, plan, number
            )
        distances.append(_step(state, plan, drawn(state.steps), real(state.steps)))
        state.steps += 1
        if state.steps % min(plan.steps_per_segmenter, plan.steps) == 0:
            state.tested = _tested(state.segmenter, tested)
        if state.steps % plan.steps_per_epoch == 0 or state.steps == plan.steps:
            distance = float(torch.stack(distances).mean())
            yield ClassifierEpoch(state.steps, distance, *state.tested)
            distances = []


def _fresh_segmenter(
    classifier: PixelClassifier, plan: MatchingPlan, number: int
) -> tuple[SmallSegmenter, torch.optim.Optimizer]:
    seed = plan.seed * 100_003 + number
    segmenter = SmallSegmenter(classifier.shape.num_classes, plan.width, seed=seed)
    segmenter.to(classifier.mean.device)
    return segmenter, torch.optim.Adam(segmenter.parameters(), lr=plan.segmenter_rate)


def _step(state: MatchingState, plan: MatchingPlan, drawn: DrawnCrops, real: RealPieces) -> Tensor:
    """Change the classifier once, then the segmenter; the gradient distance comes back."""
    random = torch.Generator(drawn.features.device).manual_seed(plan.seed * 100_003 + state.steps)
    labels = _labels(state.classifier.train(), drawn, random)
    distance = gradient_distance(
        *(
            segmenter_gradient(state.segmenter, images, labels, keeps_graph=keeps)
            for images, labels, keeps in (
                (drawn.images, labels, True),
                (real.images, at_stride(real.labels), False),
            )
        )
    )
    for group in state.optimizer.param_groups:
        group["lr"] = cosine_rate(plan.learning_rate, state.steps, plan.steps)
    parameters = list(state.classifier.parameters())
    for parameter, gradient in zip(
        parameters, torch.autograd.grad(distance, parameters), strict=True
    ):
        parameter.grad = gradient
    state.optimizer.step()
    loss = segmenter_loss(state.segmenter, drawn.images, labels.detach())
    state.segmenter_optimizer.zero_grad(set_to_none=True)
    loss.backward()
    state.segmenter_optimizer.step()
    return distance.detach()


def _labels(
    classifier: PixelClassifier, drawn: DrawnCrops, random: torch.Generator
) -> Float[Tensor, "members classes rows rows"]:
    """What each member says of its crop: probabilities."""
    said = classifier(drawn.features, random).softmax(dim=-1)
    side = -(-drawn.images.shape[-1] // STRIDE)
    return said.unflatten(1, (side, side)).permute(0, 3, 1, 2)


def at_stride(labels: Int64[Tensor, "batch side side"]) -> Int64[Tensor, "batch rows rows"]:
    """The labels of the pixels that a `SmallSegmenter` works at."""
    return labels[:, ::STRIDE, ::STRIDE]


def segmenter_loss(
    segmenter: nn.Module,
    images: Float[Tensor, "batch 3 side side"],
    labels: Int64[Tensor, "batch rows rows"] | Float[Tensor, "batch classes rows rows"],
) -> Float[Tensor, ""]:
    """Mean cross entropy against classes, or against probabilities of classes."""
    logits = segmenter(images)
    if labels.is_floating_point():
        return functional.cross_entropy(logits, labels)
    total = functional.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum")
    return total / (labels != UNLABELLED).sum().clamp_min(1)


def segmenter_gradient(
    segmenter: nn.Module,
    images: Float[Tensor, "batch 3 side side"],
    labels: Int64[Tensor, "batch rows rows"] | Float[Tensor, "batch classes rows rows"],
    *,
    keeps_graph: bool,
) -> Sequence[Tensor]:
    """The gradient of the loss, one tensor a parameter of the segmenter.

    Args:
        segmenter: whose.
        images: RGB from -1 to 1.
        labels: classes or probabilities.
        keeps_graph: whether the gradient is to be differentiated by the labels.
    """
    loss = segmenter_loss(segmenter, images, labels)
    return torch.autograd.grad(loss, list(segmenter.parameters()), create_graph=keeps_graph)


def gradient_distance(one: Sequence[Tensor], other: Sequence[Tensor]) -> Float[Tensor, ""]:
    """1 minus the cosine of the angle between gradients, a layer at a time, in the mean.

    From 0, the same direction in each layer, to 2. Lengths do not count.
    """
    cosines = [
        functional.cosine_similarity(mine.flatten(), yours.flatten(), dim=0)
        for mine, yours in zip(one, other, strict=True)
    ]
    return 1.0 - torch.stack(cosines).mean()


@torch.no_grad()
def _tested(segmenter: nn.Module, real: RealPieces) -> tuple[float, float]:
    """Cross entropy (nats) and accuracy on labelled pixels."""
    labels = at_stride(real.labels)
    loss = segmenter_loss(segmenter, real.images, labels)
    said = segmenter(real.images).argmax(dim=1)
    right = (said == labels)[labels != UNLABELLED].float()
    return float(loss), float(right.mean()) if len(right) else 0.0
