"""MixMatch (Berthelot et al. 2019) for pixels: averaged, sharpened guesses, and mixed images."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from hdgan.method.segmenter.changes import drawn_ways, recoloured, turned, turned_back
from hdgan.method.segmenter.crops import StepCrops
from hdgan.method.segmenter.losses import mixture_loss, one_hot, squared_error
from hdgan.method.segmenter.rule import Networks, StepLoss, unlabelled_of


class Targets(NamedTuple):
    """Images with what they should be taken for."""

    images: Float[Tensor, "batch 3 side side"]

    classes: Float[Tensor, "batch classes side side"]
    """Probabilities."""

    known: Bool[Tensor, "batch side side"]
    """Pixels that have a target."""


class MixMatch:
    """The labelled and the unlabelled crops of a step are mixed, and their targets with them.

    The guess for an unlabelled crop is the mean over its changed versions, each turned back, made
    sharper. What is learned from is a mixture of two images, whose pixels have mixed targets. The
    network at the end is the moving average, as in the paper. As many changed unlabelled crops as
    labelled ones are learned from, so that the cost is that of the other rules.
    """

    decay = 0.99
    num_versions = 2
    """Changed versions of an unlabelled crop (K of the paper)."""

    temperature = 0.5
    """Of `sharpened` (T)."""

    concentration = 0.75
    """Of the Beta distribution that mixtures are drawn from (alpha)."""

    largest = 5.0
    """Weight of the squared error (lambda_U). With 75, the paper's for CIFAR-10, every pixel became
    background on 16 images of nuclei (macro Dice 30); with 5 it had 75."""

    full = 0.4
    """The part of the run in which the weight rises, linearly."""

    def __call__(self, networks: Networks, crops: StepCrops, done: float) -> StepLoss:
        """The loss of a step."""
        images, labels = crops.labelled
        unlabelled = unlabelled_of(crops)
        few = unlabelled[: max(1, len(unlabelled) // self.num_versions)]
        free = self.guessed(networks, few, crops.random)
        known = Targets(images, *one_hot(labels, free.classes.shape[1]))
        mixed = mixed_up(joined([known, free]), self.concentration, crops.random)
        logits = networks.answered(mixed.images)
        first = slice(len(images))
        rest = slice(len(images), None)
        return StepLoss(
            mixture_loss(logits[first], mixed.classes[first], mixed.known[first]),
            self.weight(done) * squared_error(logits[rest], mixed.classes[rest], mixed.known[rest]),
        )

    def guessed(
        self,
        networks: Networks,
        unlabelled: Float[Tensor, "unlabelled 3 side side"],
        random: np.random.Generator,
    ) -> Targets:
        """Changed versions of each crop, each with the guess that all versions of it share."""
        versions, guesses, ways = [], [], []
        for _ in range(self.num_versions):
            ways.append(drawn_ways(len(unlabelled), random))
            versions.append(turned(recoloured(unlabelled, random), ways[-1]))
            guesses.append(turned_back(networks.student_guessed(versions[-1]), ways[-1]))
        classes = sharpened(torch.stack(guesses).mean(dim=0), self.temperature)
        everywhere = torch.ones_like(classes[:, 0], dtype=torch.bool)
        return joined(
            [
                Targets(version, turned(classes, way), everywhere)
                for version, way in zip(versions, ways, strict=True)
            ]
        )

    def weight(self, done: float) -> float:
        """How much unlabelled crops count when this part of the run is done."""
        return self.largest * min(done / self.full, 1.0)


def sharpened(
    probabilities: Float[Tensor, "batch classes side side"], temperature: float
) -> Float[Tensor, "batch classes side side"]:
    """Probabilities to the power of 1 / temperature, that sum to 1 again (equation 7)."""
    # From logarithms, so that nothing small becomes 0 / 0.
    return (probabilities.clamp_min(1e-12).log() / temperature).softmax(dim=1)


def mixed_up(targets: Targets, concentration: float, random: np.random.Generator) -> Targets:
    """Each image mixed with another one of the batch, and its target likewise (MixUp).

    An image's own part is drawn from a Beta distribution and is at least a half (equations 8 to
    11). A pixel of which either target is not known has none.
    """
    count = len(targets.images)
    own = random.beta(concentration, concentration, size=count)
    part = torch.from_numpy(np.maximum(own, 1.0 - own)).to(targets.images)[:, None, None, None]
    others = torch.from_numpy(random.permutation(count)).to(targets.images.device)
    return Targets(
        part * targets.images + (1.0 - part) * targets.images[others],
        part * targets.classes + (1.0 - part) * targets.classes[others],
        targets.known & targets.known[others],
    )


def joined(parts: Sequence[Targets]) -> Targets:
    """All of them as one batch."""
    return Targets(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))
