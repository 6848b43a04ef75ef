"""Fitting the context head to annotated images, as an iterator of reports."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.errors import LabelError
from hdgan.method.context_head import ContextHead
from hdgan.method.features import FeaturePyramid, channel_statistics
from hdgan.method.schedule import cosine_rate


@dataclass(frozen=True)
class ContextPlan:
    """Everything that decides what fitting computes, apart from the images."""

    steps: int = 400
    """Steps of the optimizer, AdamW with a rate that falls along a cosine."""

    crops: int = 8
    """Crops a step. Eight of 32 px find as much as of 64 px, at a quarter of the cost."""

    crop_px: int = 32
    """Their side at most, in pixels of the head's resolution."""

    learning_rate: float = 3e-3
    """At the start."""

    weight_decay: float = 1e-3
    """Of all weights."""

    steps_per_report: int = 20
    """Steps between two reports."""

    seed: int = 0
    """Decides crops and dropout."""


@dataclass(frozen=True)
class ContextReport:
    """What happened since the last report."""

    steps: int
    """Steps done since the start."""

    loss: float
    """Mean cross entropy of the labelled pixels of the crops, nats."""


def fit_context(
    head: ContextHead,
    images: Sequence[FeaturePyramid],
    labels: Sequence[LabelMap],
    plan: ContextPlan,
) -> Iterator[ContextReport]:
    """Scale the features that a head reads, and fit it; it is changed in place.

    Args:
        head: left in training mode.
        images: of each training image the maps up to the head's side, as `up_to` gives them.
        labels: of each image, of its own side.
        plan: how.

    Memory: the images, and some tens of MB for a step.

    Raises:
        LabelError: no pixel is labelled.
    """
    side = head.shape.side_px
    crops = _Crops([labels_at(each, side) for each in labels], min(plan.crop_px, side))
    _scale(head, images)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=True
    )
    random = np.random.default_rng([plan.seed, 5])
    dropout = torch.Generator(head.mean.device).manual_seed(int(random.integers(2**63)))
    losses: list[Tensor] = []
    for step in range(plan.steps):
        optimizer.param_groups[0]["lr"] = cosine_rate(plan.learning_rate, step, plan.steps)
        drawn = [crops.draw(random) for _ in range(plan.crops)]
        loss = _loss(head.train(), images, drawn, dropout)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        if (step + 1) % plan.steps_per_report == 0 or step + 1 == plan.steps:
            yield ContextReport(step + 1, float(torch.stack(losses).mean()))
            losses = []


def _scale(head: ContextHead, images: Sequence[FeaturePyramid]) -> None:
    mean, deviation = channel_statistics(iter(images))
    head.mean.copy_(torch.from_numpy(mean))
    head.deviation.copy_(torch.from_numpy(deviation))


@dataclass(frozen=True)
class _Crop:
    """A square of an image, and how it is turned before it is learned from."""

    image: int
    rows: range
    columns: range
    labels: UInt8[np.ndarray, "crop crop"]
    turns: int
    is_flipped: bool

    def turned(self, square: Tensor) -> Tensor:
        """Values of the crop, `[..., side, side]`, as they are learned from."""
        square = torch.rot90(square, self.turns, (-2, -1))
        return square.flip(-1) if self.is_flipped else square


def _loss(
    head: ContextHead,
    images: Sequence[FeaturePyramid],
    crops: Sequence[_Crop],
    dropout: torch.Generator,
) -> Tensor:
    """Cross entropy of the labelled pixels of some crops."""
    # Turned after the first layer, which looks at single pixels: that has fewer channels.
    entered = torch.stack(
        [
            crop.turned(head.entered(images[crop.image].maps, crop.rows, crop.columns))
            for crop in crops
        ]
    )
    classes = torch.stack([crop.turned(torch.from_numpy(crop.labels)) for crop in crops])
    return functional.cross_entropy(
        head.leave(head.hidden(entered, dropout)),
        classes.to(entered.device, torch.int64),
        ignore_index=UNLABELLED,
    )


def labels_at(labels: LabelMap, side_px: int) -> UInt8[np.ndarray, "side side"]:
    """A label map at a side that its own is a power of two of.

    Each cell has the label of the pixel nearest to its centre, or if that has none, of the first
    in it that has one: a thin stroke is not lost.
    """
    step = len(labels) // side_px
    cells = (
        labels.reshape(side_px, step, side_px, step)
        .swapaxes(1, 2)
        .reshape(side_px, side_px, step * step)
    )
    centre = cells[..., (step // 2) * step + step // 2]
    first = (cells != UNLABELLED).argmax(axis=-1)
    labelled = np.take_along_axis(cells, first[..., None], axis=-1)[..., 0]
    return np.where(centre == UNLABELLED, labelled, centre)


class _Crops:
    """Draws squares that have a labelled pixel, each as often."""

    def __init__(self, labels: Sequence[UInt8[np.ndarray, "side side"]], crop_px: int) -> None:
        """Find all of them.

        Raises:
            LabelError: no pixel is labelled.
        """
        self.labels, self.crop_px = np.stack(labels), crop_px
        self.places: Int64[np.ndarray, "crops 3"] = np.argwhere(
            _has_any(self.labels != UNLABELLED, crop_px)
        )
        if not len(self.places):
            raise LabelError(
                "None of the training label maps has a labelled pixel. Paint at least one class."
            )

    def draw(self, random: np.random.Generator) -> _Crop:
        """One of them, turned and flipped at random."""
        image, row, column = self.places[random.integers(len(self.places))].tolist()
        rows, columns = range(row, row + self.crop_px), range(column, column + self.crop_px)
        labels = self.labels[image, rows.start : rows.stop, columns.start : columns.stop]
        turns, is_flipped = int(random.integers(4)), bool(random.integers(2))
        return _Crop(image, rows, columns, labels, turns, is_flipped)


def _has_any(
    wanted: Bool[np.ndarray, "images side side"], side: int
) -> Bool[np.ndarray, "images places places"]:
    """By image, row and column whether the square that begins there holds a wanted pixel."""
    for axis in (1, 2):
        before = np.insert(np.cumsum(wanted, axis=axis), 0, 0, axis=axis)
        count = before.shape[axis] - side
        ends = np.take(before, range(side, side + count), axis=axis)
        wanted = ends > np.take(before, range(count), axis=axis)
    return wanted
