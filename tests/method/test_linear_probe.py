"""The linear probe against scikit-learn's logistic regression."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from hdgan.method.fitting import LabelledFeatures
from hdgan.method.linear_probe import DECAY, fit_linear_probe, linear_shape
from hdgan.method.pixel_classifier import PixelClassifier


def test_a_linear_probe_is_logistic_regression() -> None:
    random = np.random.default_rng(0)
    classes = random.integers(0, 3, 600)
    features = random.normal(size=(600, 5)) * 2 + random.normal(size=(3, 5))[classes] + 7
    classifier = PixelClassifier(linear_shape(5, 3))
    classifier.mean.copy_(torch.from_numpy(features.mean(axis=0)))
    classifier.deviation.copy_(torch.from_numpy(features.std(axis=0)))
    drawn = LabelledFeatures(
        torch.from_numpy(features).float()[None], torch.from_numpy(classes)[None]
    )

    loss = fit_linear_probe(classifier, drawn)

    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    other = LogisticRegression(C=1 / (2 * DECAY * 600), max_iter=1000, tol=1e-8)
    wanted = other.fit(scaled, classes).predict_proba(scaled)
    got = classifier.eval().probabilities(drawn.features[0])[0].detach().numpy()
    assert np.allclose(got, wanted, atol=2e-3)
    assert loss < np.log(3)


def test_a_linear_probe_does_not_depend_on_chance() -> None:
    drawn = LabelledFeatures(
        torch.randn(1, 50, 4, generator=torch.Generator().manual_seed(0)),
        torch.arange(50)[None] % 2,
    )
    first, second = (PixelClassifier(linear_shape(4, 2), seed=seed) for seed in (0, 1))

    assert fit_linear_probe(first, drawn) == fit_linear_probe(second, drawn)
    assert torch.equal(first.get_parameter("weight0"), second.get_parameter("weight0"))
