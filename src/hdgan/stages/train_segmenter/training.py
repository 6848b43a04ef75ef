"""Training a U-Net, with checkpoints, into an artifact."""

import time
from collections.abc import Sequence

import torch

from hdgan.artifacts.checkpoint import Learning
from hdgan.artifacts.curves import curve_line
from hdgan.artifacts.segmenter import write_segmenter
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.method.segmenter.network import SegmenterShape, unet
from hdgan.method.segmenter.plan import SegmenterPlan
from hdgan.method.segmenter.rules import rule_named
from hdgan.method.segmenter.training import (
    SegmenterState,
    new_segmenter_state,
    train_segmenter,
)
from hdgan.report.progress import ProgressBar
from hdgan.settings.train_segmenter import TrainSegmenterSettings
from hdgan.stages.train_segmenter.crops import Crops
from hdgan.stages.train_segmenter.sources import ReadImage

CHECKPOINT_SECONDS = 30.0
"""Time between two checkpoints: what a kill may cost."""


def fit_network(
    unfinished: UnfinishedArtifact,
    settings: TrainSegmenterSettings,
    num_classes: int,
    crops: Crops,
) -> list[str]:
    """Train a U-Net to the end and put it into the artifact; goes on from the last checkpoint.

    Returns:
        The lines of its curves.
    """
    plan = crops.plan
    rule = rule_named(settings.method, threshold=settings.threshold)
    shape = SegmenterShape(num_classes, settings.width)
    network = unet(shape, seed=plan.seed).to(crops.device)
    state = new_segmenter_state(network, plan, rule)
    learning = _learning(state)
    state.steps, lines = learning.restored(unfinished)
    saved = time.monotonic()
    with ProgressBar("train-segmenter", plan.steps, "steps", done=state.steps) as progress:
        for tick in train_segmenter(state, plan, rule, crops):
            lines.append(curve_line(tick))
            progress.reach(tick.steps, f"loss {tick.loss:.3f}")
            if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                learning.save(unfinished, state.steps, lines)
                saved = time.monotonic()
    write_segmenter(unfinished, state.result, shape)
    return lines


def plan_of(settings: TrainSegmenterSettings, images: Sequence[ReadImage]) -> SegmenterPlan:
    """What the settings mean for these images."""
    return SegmenterPlan(
        steps=settings.steps,
        batch=settings.batch,
        crop_px=settings.crop_px or fitting_crop([read.size() for read in images]),
        learning_rate=settings.learning_rate,
        stain_jitter=settings.stain_jitter,
        cut_mix=settings.cut_mix,
        precision=torch.bfloat16 if settings.precision == "bfloat16" else torch.float32,
        seed=settings.seed,
    )


def fitting_crop(sizes: Sequence[tuple[int, int]]) -> int:
    """The largest side up to 128 that divides by 8 and fits into all images, but at least 16.

    Args:
        sizes: of the images, px.
    """
    return max(16, min(128, min(map(min, sizes)) // 8 * 8))


def _learning(state: SegmenterState) -> Learning:
    teacher = {} if state.teacher is None else {"teacher": state.teacher}
    return Learning(
        {"network": state.network, **teacher}, {"optimizer": (state.optimizer, state.network)}
    )
