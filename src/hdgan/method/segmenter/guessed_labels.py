"""Learning from labels that the network has guessed: pseudo-label and FixMatch."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from hdgan.class_map import UNLABELLED
from hdgan.method.segmenter.changes import noisy, recoloured, strongly_changed
from hdgan.method.segmenter.consistency import answered_together
from hdgan.method.segmenter.crops import StepCrops, cut_mixed, drawn_boxes
from hdgan.method.segmenter.losses import entropy_over_all, segmentation_loss
from hdgan.method.segmenter.rule import Networks, StepLoss, unlabelled_of
from hdgan.method.segmenter.supervised import Supervised


def confident_labels(
    probabilities: Float[Tensor, "batch classes side side"], threshold: float
) -> Int[Tensor, "batch side side"]:
    """The likeliest class where its probability is at least the threshold, else unlabelled."""
    largest, labels = probabilities.max(dim=1)
    return labels.where(largest >= threshold, UNLABELLED)


@dataclass(frozen=True)
class FixMatch:
    """Labels guessed from a hardly changed crop are learned from a strongly changed one.

    Sohn et al. 2020: what is guessed with less than the threshold counts nowhere, and the weight is
    1. For pixels, CutMix is the change that matters (French et al. 2020), and the guess comes from
    the moving average.
    """

    threshold: float = 0.95
    """Least probability of a guess that counts; 0 takes every pixel."""

    cut_mix: float = 0.5
    """Chance of a strongly changed crop to get a rectangle of another."""

    decay: float | None = 0.996

    def __call__(self, networks: Networks, crops: StepCrops, done: float) -> StepLoss:
        """The loss of a step."""
        images, labels = crops.labelled
        unlabelled, random = unlabelled_of(crops), crops.random
        guess = confident_labels(networks.guessed(unlabelled), self.threshold)
        boxes = drawn_boxes(len(unlabelled), unlabelled.shape[-1], self.cut_mix, random)
        shown = cut_mixed(strongly_changed(unlabelled, random), boxes)
        known, free = answered_together(networks, images, shown)
        return StepLoss(
            segmentation_loss(known, labels), entropy_over_all(free, cut_mixed(guess, boxes))
        )


class PseudoLabel:
    """The network's likeliest class of each unlabelled pixel counts as its label.

    Lee 2013, with its weight: nothing at first, then rising linearly. Dropout, which makes guess
    and answer differ there, is noise and other colours here. There is no teacher.
    """

    decay = None
    start = 0.1
    """Where the weight begins to rise, as a part of the run."""

    full = 0.6
    """Where it is at its largest."""

    largest = 1.0
    """Lee has 3; with 1, guesses weigh as much as those of FixMatch."""

    def __call__(self, networks: Networks, crops: StepCrops, done: float) -> StepLoss:
        """The loss of a step."""
        weight = self.weight(done)
        if weight == 0.0:
            return Supervised()(networks, crops, done)
        images, labels = crops.labelled
        unlabelled, random = unlabelled_of(crops), crops.random
        guess = confident_labels(networks.guessed(unlabelled), 0.0)
        shown = noisy(recoloured(unlabelled, random), random)
        known, free = answered_together(networks, images, shown)
        return StepLoss(segmentation_loss(known, labels), weight * entropy_over_all(free, guess))

    def weight(self, done: float) -> float:
        """How much guessed labels count when this part of the run is done (Lee, equation 16)."""
        risen = (done - self.start) / (self.full - self.start)
        return self.largest * min(max(risen, 0.0), 1.0)
