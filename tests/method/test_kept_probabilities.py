"""Probabilities that come with the labels, against the plain definition."""

import numpy as np
import pytest
import torch

from hdgan.method.features import channels_of, image_and_features
from hdgan.method.labelled_drawing import LabelledGenerator
from hdgan.method.segmenter.network import (
    SegmenterShape,
    predicted_labels,
    predicted_with_probabilities,
    unet,
)
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from tests.method.test_labelling import ensemble_of


@pytest.mark.parametrize("resolution", [64, 512])
def test_they_are_the_mean_over_the_members_whole_or_in_bands(resolution: int) -> None:
    torch.manual_seed(0)
    shape = NetworkShape(
        resolution=resolution, channel_base=512, channel_max=16, z_dim=8, w_dim=8, mapping_layers=1
    )
    generator = Generator(shape).eval()
    w = torch.randn(1, 8)
    classifier = ensemble_of(channels_of(shape, 3), members=2)
    keeping = LabelledGenerator(generator, classifier, 3, keeps_probabilities=True)

    drawing = keeping.drawing(w)

    _, pyramid = image_and_features(generator, w, 3)
    features = pyramid.band(0, resolution).flatten(end_dim=1)
    plain = classifier.probabilities(features).mean(dim=0).T.reshape(-1, resolution, resolution)
    assert drawing.probabilities is not None
    assert np.allclose(drawing.probabilities, plain.numpy(), rtol=0, atol=1e-5)
    assert np.array_equal(drawing.probabilities.argmax(axis=0), drawing.labels)
    usual = LabelledGenerator(generator, classifier, 3).drawing(w)
    assert usual.probabilities is None
    assert np.array_equal(usual.labels, drawing.labels)


def test_those_of_a_segmenter_belong_to_its_labels() -> None:
    network = unet(SegmenterShape(4, width=4)).eval()
    image = np.random.default_rng(0).integers(0, 256, size=(40, 56, 3), dtype=np.uint8)

    labels, probabilities = predicted_with_probabilities(network, image)

    assert np.array_equal(labels, predicted_labels(network, image))
    assert np.array_equal(labels, probabilities.argmax(axis=0))
    assert np.allclose(probabilities.sum(axis=0), 1.0, atol=1e-5)
