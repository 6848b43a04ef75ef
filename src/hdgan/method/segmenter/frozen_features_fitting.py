"""Fitting perceptrons to the frozen features of labelled pixels that are drawn once and kept."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from hdgan.method.fitting import (
    ClassifierEpoch,
    FittingPlan,
    LabelledFeatures,
    fit_classifier,
    new_fitting,
)
from hdgan.method.pixel_classifier import PixelClassifier
from hdgan.method.segmenter.pixel_drawing import rare_weights

POOL_BYTES = 512 * 2**20
"""What the features of the drawn pixels may take."""

MOST_PIXELS = 200_000
"""That are drawn, even if more would fit."""

NUM_VIEWS = 5
"""Ways in which pieces are shown besides as they are: worth half a point of Dice on nuclei."""

NUM_MEMBERS = 3
"""Perceptrons asked together; each costs 130 values a pixel in prediction."""

SCORED_PIXELS = 10_000
"""Pixels of the pool that are scored at each report."""


def pool_size(num_channels: int) -> int:
    """How many pixels are drawn, of so many features each."""
    return min(MOST_PIXELS, POOL_BYTES // (4 * num_channels))


def frozen_features_plan(seed: int) -> FittingPlan:
    """How perceptrons are fitted to frozen features: as they are to a generator's."""
    return FittingPlan(
        steps=600, batch=512, optimizer="adam", learning_rate=3e-3, decays=True, seed=seed
    )


def fit_frozen_features(
    classifier: PixelClassifier,
    features: Float[Tensor, "pixels channels"],
    classes: Int64[Tensor, " pixels"],
    plan: FittingPlan,
) -> Iterator[ClassifierEpoch]:
    """Fit from the start to the end of the plan; `classifier` is changed in place.

    Each channel is scaled to mean 0 and deviation 1 over the pixels given, which must be of
    training images alone. Each member draws pixels of its own at every step, as often as
    `rare_weights` says. What is reported as validation is on pixels of the same pool.
    """
    deviation, mean = torch.std_mean(features, dim=0, correction=0)
    classifier.mean.copy_(mean)
    classifier.deviation.copy_(torch.where(deviation > 1e-6, deviation, 1.0))
    reached = np.cumsum(rare_weights(classes.cpu().numpy()))

    def drawn(step: int) -> LabelledFeatures:
        random = np.random.default_rng([plan.seed, 3, step])
        size = (classifier.shape.num_members, plan.batch)
        below = random.random(size) * reached[-1]
        places = torch.from_numpy(np.searchsorted(reached, below, side="right"))
        places = places.clamp_max(len(features) - 1).to(features.device)
        return LabelledFeatures(features[places], classes[places])

    random = np.random.default_rng([plan.seed, 4])
    scored = torch.from_numpy(random.permutation(len(features))[:SCORED_PIXELS])
    validation = LabelledFeatures(
        features[scored.to(features.device)][None], classes[scored.to(classes.device)][None]
    )
    yield from fit_classifier(new_fitting(classifier, plan), plan, drawn, validation)
