"""Signs of trouble while a generator learns: collapse, and drawings that copy training images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from scipy.spatial.distance import cdist
from torch.nn.functional import adaptive_avg_pool2d

from hdgan.method.image_quality import Features, precision_and_recall

THUMBNAIL_PX = 16
"""Side of the small copies that images are compared by."""

FALLEN = 0.5
"""Recall below this part of its best is a sign of collapse."""

COPYING = 0.5
"""Drawings nearer to training images than this part of what unseen images are, copy them."""

FULL_STRENGTH = 0.99
"""Augmentation as strong as this has nothing left to give."""


@dataclass(frozen=True)
class Watched:
    """What drawings are like beside real images, at one moment of the training."""

    images: int
    """Real images shown since the start of the run."""

    precision: float
    """Part of the drawings that lie in the surroundings of training images."""

    recall: float
    """Part of the training images that lie in the surroundings of drawings."""

    nearness: float
    """Median distance of a drawing to the nearest training image, over the same for unseen real
    images; not a number if none are unseen."""

    strength: float
    """Probability of augmentation."""


def watched(
    images: int, strength: float, drawn: Features, training: Features, unseen: Features | None
) -> Watched:
    """Compare drawings with real images in the features of one encoder.

    Args:
        images: shown so far.
        strength: of augmentation.
        drawn: features of drawings.
        training: features of crops of the tiles that are learned from.
        unseen: features of crops of held-out tiles, if there are.
    """
    precision, recall = precision_and_recall(training, drawn)
    nearness = float("nan")
    if unseen is not None:
        usual = nearest(unseen, training)
        nearness = nearest(drawn, training) / usual if usual > 0 else float("nan")
    return Watched(images, precision, recall, nearness, strength)


def nearest(images: Features, others: Features) -> float:
    """Median over the images of the distance to the nearest of the others."""
    return float(np.median(cdist(images, others).min(axis=1)))


def warnings_of(history: Sequence[Watched]) -> list[str]:
    """What is wrong at the last of these moments, one sentence each."""
    now, best = history[-1], max(history, key=lambda moment: moment.recall)
    found = []
    if now.recall < FALLEN * best.recall:
        found.append(
            f"recall has fallen to {now.recall:.2f} from {best.recall:.2f} at {best.images:,} "
            "images: the generator draws fewer kinds of tissue (collapse). Use the snapshot from "
            "then, or start again with a larger --gamma."
        )
    if now.strength >= FULL_STRENGTH:
        found.append(
            "augmentation is at full strength: the discriminator knows the training tiles by "
            "heart. More tiles would help; more training will not."
        )
    if now.nearness < COPYING:
        found.append(
            f"drawings are {now.nearness:.2f} times as far from training tiles as unseen tissue "
            "is: they may copy them (memorisation). See pictures of the nearest with hdgan "
            "score-generator."
        )
    return found


def thumbnail(image: UInt8[np.ndarray, "side side 3"]) -> Float[np.ndarray, " dim"]:
    """The image at 16 x 16 pixels, as a row of numbers from 0 to 1."""
    pixels = torch.from_numpy(image.astype(np.float32) / 255.0).permute(2, 0, 1)
    small = adaptive_avg_pool2d(pixels, min(THUMBNAIL_PX, image.shape[0]))
    row: Float[np.ndarray, " dim"] = small.flatten().numpy().astype(np.float64)
    return row
