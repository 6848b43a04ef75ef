"""Label maps of whole images."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.decision import Decision
from hdgan.method.features import FeaturePyramid
from hdgan.method.label_image import decided, label_image, label_image_plainly
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.uncertainty import divergence

SHAPE = ClassifierShape(num_channels=6, num_classes=4, num_members=3, widths=(8, 6))


def pyramid() -> FeaturePyramid:
    random = np.random.default_rng(0)
    sizes = ((4, 1), (8, 2), (16, 3))
    return FeaturePyramid(
        [random.normal(size=(s, s, c)).astype(np.float16) * 3 for s, c in sizes], 16
    )


def classifier() -> PixelClassifier:
    return PixelClassifier(SHAPE, seed=1).eval()


@given(band_rows=st.integers(1, 20), decision=st.sampled_from(["mean", "vote"]))
def test_a_plain_label_map_does_not_depend_on_the_height_of_the_bands(
    band_rows: int, decision: Decision
) -> None:
    whole = label_image_plainly(pyramid(), classifier(), decision=decision, band_rows=16)

    banded = label_image_plainly(pyramid(), classifier(), decision=decision, band_rows=band_rows)

    assert np.array_equal(banded.labels, whole.labels)
    assert np.allclose(banded.uncertainty, whole.uncertainty, atol=1e-6)


def test_a_label_map_is_that_of_the_upsampled_stack() -> None:
    ensemble = classifier()
    stack = pyramid().upsampled().flatten(start_dim=1).t()

    labelled = label_image(pyramid(), ensemble)

    probabilities = torch.softmax(ensemble(stack[None]), dim=-1)
    assert np.array_equal(labelled.labels.ravel(), probabilities.mean(dim=0).argmax(dim=1).numpy())
    assert np.allclose(
        labelled.uncertainty.ravel(), divergence(probabilities.detach()).numpy(), atol=1e-5
    )


def test_most_votes_win_even_against_a_higher_mean() -> None:
    probabilities = torch.tensor([[[0.55, 0.45, 0.0]], [[0.55, 0.45, 0.0]], [[0.0, 1.0, 0.0]]])

    assert int(decided(probabilities, "vote")) == 0
    assert int(decided(probabilities, "mean")) == 1


def test_a_tie_goes_to_the_more_probable_class_not_to_the_first() -> None:
    probabilities = torch.tensor([[[0.6, 0.4]], [[0.1, 0.9]]])

    assert int(decided(probabilities, "vote")) == 1
