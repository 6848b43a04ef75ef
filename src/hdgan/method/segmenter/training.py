"""Training the segmenter, as an iterator of ticks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, UInt8
from monai.losses.dice import DiceLoss
from torch import Tensor, nn
from torch.nn import functional

from hdgan.class_map import UNLABELLED
from hdgan.method.schedule import cosine_rate
from hdgan.method.tile_crop import drawn_way, laid, random_crop


@dataclass(frozen=True)
class SegmenterPlan:
    """Everything that decides what training computes, apart from the images."""

    steps: int
    """Steps of the optimizer."""

    batch: int
    """Crops a step."""

    crop_px: int
    """Side of a crop."""

    learning_rate: float
    """Of AdamW; it falls to zero along a cosine."""

    stain_jitter: float
    """Largest relative change of each colour channel's optical density."""

    tick_steps: int = 20
    """Steps between two reports."""

    seed: int = 0
    """Decides weights, crops and their changes."""


@dataclass(frozen=True)
class SegmenterTick:
    """What happened since the last report."""

    steps: int
    """Steps done since the start."""

    loss: float
    """Mean of cross entropy (nats) plus one minus soft Dice."""


class LabelledCrops(NamedTuple):
    """What a step sees."""

    images: Float[Tensor, "batch 3 side side"]
    labels: Int[Tensor, "batch side side"]


@dataclass
class SegmenterState:
    """What a checkpoint holds."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    steps: int = 0


def new_segmenter_state(network: nn.Module, plan: SegmenterPlan) -> SegmenterState:
    """The start of a training."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, fused=True)
    return SegmenterState(network, optimizer)


DrawCrops = Callable[[int], LabelledCrops]
"""Step number to crops; the same number gives the same crops."""


def train_segmenter(
    state: SegmenterState, plan: SegmenterPlan, draw: DrawCrops
) -> Iterator[SegmenterTick]:
    """Train from where `state` stands to the end of the plan; `state` is changed in place."""
    losses: list[Tensor] = []
    while state.steps < plan.steps:
        for group in state.optimizer.param_groups:
            group["lr"] = cosine_rate(plan.learning_rate, state.steps, plan.steps)
        crops = draw(state.steps)
        loss = segmentation_loss(state.network.train()(crops.images), crops.labels)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        state.optimizer.step()
        losses.append(loss.detach())
        state.steps += 1
        if state.steps % plan.tick_steps == 0 or state.steps == plan.steps:
            yield SegmenterTick(state.steps, float(torch.stack(losses).mean()))
            losses = []


def segmentation_loss(
    logits: Float[Tensor, "batch classes side side"], labels: Int[Tensor, "batch side side"]
) -> Float[Tensor, ""]:
    """Cross entropy plus soft Dice loss over the labelled pixels; unlabelled ones do not count."""
    known = labels != UNLABELLED
    entropy = functional.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum")
    target = functional.one_hot(labels.where(known, 0), logits.shape[1]).permute(0, 3, 1, 2)
    mask = known[:, None].to(logits.dtype)
    overlap: Tensor = DiceLoss(batch=True)(logits.softmax(dim=1) * mask, target * mask)
    return entropy / known.sum().clamp_min(1) + overlap


def changed_crop(
    image: UInt8[np.ndarray, "height width 3"],
    labels: UInt8[np.ndarray, "height width"],
    plan: SegmenterPlan,
    random: np.random.Generator,
) -> tuple[Float32[np.ndarray, "side side 3"], UInt8[np.ndarray, "side side"]]:
    """A random crop, laid in one of eight ways, with its stain changed a little; -1 to 1."""
    both = np.concatenate([image, labels[..., None]], axis=2)
    both = laid(random_crop(both, plan.crop_px, random), drawn_way("any", random))
    change = 1.0 + random.uniform(-plan.stain_jitter, plan.stain_jitter, size=3)
    density = -np.log((both[..., :3].astype(np.float32) + 1.0) / 256.0)
    changed = np.exp(-density * change.astype(np.float32)) * 256.0 - 1.0
    return (changed / 127.5 - 1.0).astype(np.float32), both[..., 3]
