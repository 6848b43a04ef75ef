"""Learning from labels alone."""

from hdgan.method.segmenter.crops import StepCrops
from hdgan.method.segmenter.losses import segmentation_loss
from hdgan.method.segmenter.rule import Networks, StepLoss


class Supervised:
    """Cross entropy plus soft Dice on the labelled crops."""

    decay = None

    def __call__(self, networks: Networks, crops: StepCrops, done: float) -> StepLoss:
        """The loss of a step."""
        images, labels = crops.labelled
        return StepLoss(segmentation_loss(networks.answered(images), labels))
