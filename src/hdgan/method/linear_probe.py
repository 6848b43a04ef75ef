"""A linear probe: one linear layer from features to classes, fitted in seconds.

What it reads off a generator's features, any classifier can; what it misses, the hidden layers are
for.
"""

import torch
from torch.nn import functional

from hdgan.method.fitting import LabelledFeatures
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier

DECAY = 1e-4
"""Weight of the squared weights in the loss."""

ITERATIONS = 100
"""Of L-BFGS, at most."""


def linear_shape(num_channels: int, num_classes: int) -> ClassifierShape:
    """A pixel classifier that is linear: hidden layers that pass the classes' scores on."""
    return ClassifierShape(
        num_channels,
        num_classes,
        num_members=1,
        widths=(num_classes, num_classes),
        num_normalised=0,
        dropout=0.0,
    )


def fit_linear_probe(classifier: PixelClassifier, drawn: LabelledFeatures) -> float:
    """Fit a classifier of `linear_shape` to pixels; the loss comes back, nats.

    Multinomial logistic regression with a small penalty, by L-BFGS from zero: nothing is random.

    Args:
        classifier: changed in place; its features' mean and deviation are known.
        drawn: pixels of the training images, one member's.
    """
    with torch.no_grad():
        for i in range(3):
            classifier.get_parameter(f"weight{i}").zero_()
            classifier.get_parameter(f"bias{i}").zero_()
        for i in (1, 2):
            classifier.get_parameter(f"weight{i}")[0].fill_diagonal_(1.0)
        features = (drawn.features[0] - classifier.mean) / classifier.deviation
    classes = drawn.classes[0]
    weight, bias = classifier.get_parameter("weight0"), classifier.get_parameter("bias0")
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=ITERATIONS, history_size=20, line_search_fn="strong_wolfe"
    )

    def cross_entropy() -> torch.Tensor:
        # Classes before channels: products of so few columns are three times as fast that way.
        scores = functional.linear(features, weight[0].t().contiguous(), bias[0, 0])
        return functional.cross_entropy(scores, classes)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = cross_entropy() + DECAY * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        return float(cross_entropy())
