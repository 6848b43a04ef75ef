"""Learning that a crop's classes stay when it is changed: two rules with a teacher."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.method.segmenter.changes import drawn_ways, noisy, recoloured, turned
from hdgan.method.segmenter.crops import StepCrops
from hdgan.method.segmenter.losses import segmentation_loss, squared_error
from hdgan.method.segmenter.rule import Networks, StepLoss, unlabelled_of
from hdgan.method.segmenter.supervised import Supervised

OFF_UNTIL = 0.1
"""The part of a run in which only labels count: a teacher that knows nothing teaches nothing."""


def consistency_weight(largest: float, done: float) -> float:
    """How much agreement counts when this part of the run is done: 0 at first, then rising.

    `largest` exp(-5 (1 - done)^2), the ramp of Laine & Aila (2017) that both rules' papers take.
    """
    return 0.0 if done < OFF_UNTIL else largest * math.exp(-5.0 * (1.0 - done) ** 2)


class MeanTeacher:
    """The student agrees with the average of its past, under other noise and colours.

    Tarvainen & Valpola 2017; weight of the squared error and its ramp as in segmentation (Yu et
    al. 2019, section 2.3).
    """

    decay = 0.99
    largest = 0.1

    def __call__(self, networks: Networks, crops: StepCrops, done: float) -> StepLoss:
        """The loss of a step."""
        weight = consistency_weight(self.largest, done)
        if weight == 0.0:
            return Supervised()(networks, crops, done)
        images, labels = crops.labelled
        unlabelled, random = unlabelled_of(crops), crops.random
        target = networks.guessed(noisy(recoloured(unlabelled, random), random))
        shown = noisy(recoloured(unlabelled, random), random)
        known, free = answered_together(networks, images, shown)
        difference = squared_error(free, target)
        return StepLoss(segmentation_loss(known, labels), weight * difference)


class TransformationConsistency:
    """What the student says of a crop, turned, is what the teacher says of the turned crop.

    Li et al., Semi-supervised skin lesion segmentation via transformation consistent
    self-ensembling (2018), and its sequel of 2020, whose weight is 1.
    """

    decay = 0.99
    largest = 1.0

    def __call__(self, networks: Networks, crops: StepCrops, done: float) -> StepLoss:
        """The loss of a step."""
        weight = consistency_weight(self.largest, done)
        if weight == 0.0:
            return Supervised()(networks, crops, done)
        images, labels = crops.labelled
        unlabelled, random = unlabelled_of(crops), crops.random
        ways = drawn_ways(len(unlabelled), random)
        target = networks.guessed(noisy(turned(unlabelled, ways), random))
        known, free = answered_together(networks, images, noisy(unlabelled, random))
        difference = squared_error(turned(free, ways), target)
        return StepLoss(segmentation_loss(known, labels), weight * difference)


def answered_together(
    networks: Networks,
    labelled: Float[Tensor, "batch 3 side side"],
    unlabelled: Float[Tensor, "unlabelled 3 side side"],
) -> tuple[Float[Tensor, "batch classes side side"], Float[Tensor, "unlabelled classes side side"]]:
    """Logits of both in one pass: batch normalisation sees labelled and unlabelled tissue."""
    logits = networks.answered(torch.cat([labelled, unlabelled]))
    return logits[: len(labelled)], logits[len(labelled) :]
