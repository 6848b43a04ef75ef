"""What a training step is shown: crops, laid and stained otherwise, or cut into one another."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, Shaped, UInt8
from torch import Tensor

from hdgan.method.segmenter.plan import SegmenterPlan
from hdgan.method.tile_crop import drawn_way, laid, random_crop


class LabelledCrops(NamedTuple):
    """Crops of which a person, or a classifier, has said what they show."""

    images: Float[Tensor, "batch 3 side side"]
    """From -1 to 1."""

    labels: Int[Tensor, "batch side side"]
    """Class indices, or `UNLABELLED`."""


class StepCrops(NamedTuple):
    """What one step sees, and what its further changes are drawn from."""

    labelled: LabelledCrops

    unlabelled: Float[Tensor, "unlabelled 3 side side"] | None
    """Crops of real tiles, changed as little as the labelled ones; None if the rule needs none."""

    random: np.random.Generator
    """Of this step alone."""


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


def drawn_boxes(
    batch: int, side: int, chance: float, random: np.random.Generator
) -> Bool[Tensor, "batch side side"]:
    """Where each crop gets the pixels of another: a rectangle, or nothing.

    The part of the crop that is kept is uniform on 0 to 1, and the rectangle's middle uniform over
    the crop, whose edge cuts it off (Yun et al., CutMix, 2019, section 3.1 with alpha 1).

    Args:
        batch: how many crops.
        side: of a crop, px.
        chance: of each crop to get a rectangle.
        random: where the numbers come from.
    """
    boxes: Bool[Tensor, "batch side side"] = torch.zeros(batch, side, side, dtype=torch.bool)
    for box in boxes:
        is_cut = random.random() < chance
        half = side * np.sqrt(random.random()) / 2
        middle = random.uniform(0, side, size=2)
        top, left = np.clip(np.rint(middle - half), 0, side).astype(int)
        bottom, right = np.clip(np.rint(middle + half), 0, side).astype(int)
        box[top:bottom, left:right] = is_cut
    return boxes


def cut_mixed(
    crops: Shaped[Tensor, "batch *axes side side"], boxes: Bool[Tensor, "batch side side"]
) -> Shaped[Tensor, "batch *axes side side"]:
    """Each crop with its box filled from the one before it; images, labels or probabilities."""
    boxes = boxes.to(crops.device)
    return torch.where(boxes if crops.ndim == 3 else boxes[:, None], crops.roll(1, dims=0), crops)
