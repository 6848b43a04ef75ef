"""A classifier learns to label drawings from labels of real images alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from hdgan.method.gradient_matching import (
    STRIDE,
    DrawnCrops,
    MatchingPlan,
    RealPieces,
    SmallSegmenter,
    at_stride,
    gradient_distance,
    match_gradients,
    new_matching,
    segmenter_gradient,
    segmenter_loss,
)
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier

MEMBERS, SIDE, HALF = 2, 16, 8
PLAN = MatchingPlan(steps=150, num_real=4, crop_px=SIDE, steps_per_epoch=25, width=8)


def scenes(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Dark squares on light ground with a little noise, and which pixels are dark."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.zeros(count, SIDE, SIDE, dtype=torch.int64)
    for each in labels:
        y, x = torch.randint(0, SIDE - 6, (2,), generator=random).tolist()
        each[y : y + 6, x : x + 6] = 1
    noise = 0.1 * torch.randn(count, 3, SIDE, SIDE, generator=random)
    return 0.7 - 1.4 * labels[:, None] + noise, labels


def colours(images: Tensor) -> Tensor:
    """Of the pixels that labels are compared at."""
    return images[..., ::STRIDE, ::STRIDE].flatten(2).mT


def drawn(step: int) -> DrawnCrops:
    """The features of a pixel are its colour, and two numbers that mean nothing."""
    images, _ = scenes(MEMBERS, 10_000 + step)
    random = torch.Generator().manual_seed(step)
    nothing = torch.randn(MEMBERS, HALF * HALF, 2, generator=random)
    return DrawnCrops(images, torch.cat([colours(images), nothing], dim=-1))


def real(step: int) -> RealPieces:
    return RealPieces(*scenes(PLAN.num_real, step + 1))


def fresh() -> PixelClassifier:
    return PixelClassifier(ClassifierShape(5, 2, MEMBERS, widths=(16, 8), dropout=0.0), seed=0)


def test_drawings_are_labelled_right_though_none_was_labelled() -> None:
    state = new_matching(fresh(), PLAN)

    epochs = list(match_gradients(state, PLAN, drawn, real))

    images, labels = scenes(MEMBERS, 99)
    features = torch.cat([colours(images), torch.zeros(MEMBERS, HALF * HALF, 2)], dim=-1)
    said = state.classifier.eval()(features).argmax(dim=-1)
    assert float((said == at_stride(labels).flatten(1)).float().mean()) > 0.95
    assert _distance(state.classifier) < 0.7 * _distance(fresh())
    assert all(np.isfinite(epoch.loss) for epoch in epochs)
    assert np.isfinite(epochs[-1].validation_loss)


def _distance(classifier: PixelClassifier) -> float:
    """How far the gradients are apart of a segmenter that has learned from neither."""
    segmenter, (images, features) = SmallSegmenter(2, 8, seed=7), drawn(5000)
    images_of_real, labels = scenes(8, 3)
    said = classifier.eval()(features).softmax(dim=-1).unflatten(1, (HALF, HALF))
    return gradient_distance(
        segmenter_gradient(segmenter, images, said.permute(0, 3, 1, 2), keeps_graph=False),
        segmenter_gradient(segmenter, images_of_real, at_stride(labels), keeps_graph=False),
    ).item()


def test_the_right_labels_pull_a_segmenter_as_real_ones_do() -> None:
    segmenter = SmallSegmenter(2, 8, seed=0)
    images, labels = scenes(8, 1)
    right = torch.nn.functional.one_hot(at_stride(scenes(8, 2)[1]), 2).permute(0, 3, 1, 2).float()
    wanted = segmenter_gradient(segmenter, images, at_stride(labels), keeps_graph=False)

    distances = [
        float(
            gradient_distance(
                segmenter_gradient(segmenter, scenes(8, 2)[0], said, keeps_graph=False), wanted
            )
        )
        for said in (right, right.flip(1))
    ]

    assert distances[0] < 0.3
    assert distances[1] > 1.0


def test_a_distance_is_0_for_the_same_direction_and_2_for_the_opposite() -> None:
    gradient = [torch.randn(3, 4), torch.randn(5)]

    same = gradient_distance(gradient, [3.0 * each for each in gradient])
    opposite = gradient_distance(gradient, [-0.1 * each for each in gradient])

    assert torch.allclose(same, torch.zeros(()), atol=1e-6)
    assert torch.allclose(opposite, torch.full((), 2.0), atol=1e-6)


def test_unlabelled_pixels_pull_nowhere() -> None:
    segmenter = SmallSegmenter(2, 8, seed=0)
    images, labels = scenes(2, 1)
    labels = at_stride(labels)
    left_out = labels.clone()
    left_out[:, :4] = 255

    loss = segmenter_loss(segmenter, images, left_out)

    kept = torch.nn.functional.cross_entropy(segmenter(images)[:, :, 4:], labels[:, 4:])
    assert torch.allclose(loss, kept)
    assert segmenter_loss(segmenter, images, torch.full_like(labels, 255)).item() == 0.0


def test_only_segmenters_that_have_learned_to_their_end_are_told_of() -> None:
    plan = replace(PLAN, steps=12, steps_per_segmenter=5, steps_per_epoch=1)
    state = new_matching(fresh(), plan)

    found = []
    for epoch in match_gradients(state, plan, drawn, real):
        loss = segmenter_loss(state.segmenter, real(-1).images, at_stride(real(-1).labels))
        found.append((epoch.validation_loss, loss.item()))

    told = [each for each, _ in found]
    assert np.isnan(told[:4]).all()
    assert told[4:9] == [pytest.approx(found[4][1])] * 5
    assert told[9:] == [pytest.approx(found[9][1])] * 3
    assert found[11][0] != pytest.approx(found[11][1])


def test_a_matching_that_is_shorter_than_a_segmenter_tells_of_its_last_step() -> None:
    plan = replace(PLAN, steps=3, steps_per_segmenter=5, steps_per_epoch=2)

    first, last = match_gradients(new_matching(fresh(), plan), plan, drawn, real)

    assert np.isnan(first.validation_accuracy)
    assert np.isfinite(last.validation_accuracy)


def test_matching_goes_on_where_it_stood() -> None:
    plan = replace(PLAN, steps=12, steps_per_segmenter=5, steps_per_epoch=4)
    whole, parted = new_matching(fresh(), plan), new_matching(fresh(), plan)
    list(match_gradients(whole, plan, drawn, real))

    next(match_gradients(parted, plan, drawn, real))
    rest = list(match_gradients(parted, plan, drawn, real))

    assert [epoch.steps for epoch in rest] == [8, 12]
    for one, other in zip(
        whole.classifier.parameters(), parted.classifier.parameters(), strict=True
    ):
        assert torch.equal(one, other)
