"""The segmenter: its loss, what it is shown, what it predicts."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from hdgan.class_map import UNLABELLED
from hdgan.method.segmenter.crops import LabelledCrops, StepCrops, changed_crop
from hdgan.method.segmenter.losses import segmentation_loss
from hdgan.method.segmenter.network import SegmenterShape, predicted_labels, unet
from hdgan.method.segmenter.plan import SegmenterPlan
from hdgan.method.segmenter.supervised import Supervised
from hdgan.method.segmenter.training import new_segmenter_state, train_segmenter

PLAN = SegmenterPlan(steps=40, batch=4, crop_px=32, learning_rate=3e-3, stain_jitter=0.1)
SHAPE = SegmenterShape(num_classes=2, width=4, num_levels=3)


def test_the_loss_is_cross_entropy_plus_soft_dice_loss() -> None:
    logits = torch.randn(2, 3, 8, 8)
    labels = torch.randint(0, 3, (2, 8, 8))

    loss = segmentation_loss(logits, labels)

    probabilities = logits.softmax(dim=1)
    target = functional.one_hot(labels, 3).permute(0, 3, 1, 2)
    overlap = (probabilities * target).sum(dim=(0, 2, 3))
    whole = probabilities.sum(dim=(0, 2, 3)) + target.sum(dim=(0, 2, 3))
    dice = ((2 * overlap + 1e-5) / (whole + 1e-5)).mean()
    wanted = functional.cross_entropy(logits, labels) + 1 - dice
    assert float(loss) == pytest.approx(float(wanted), abs=1e-5)


def test_unlabelled_pixels_do_not_change_the_loss() -> None:
    logits = torch.randn(1, 3, 8, 8)
    labels = torch.randint(0, 3, (1, 8, 8))
    labels[:, :4] = UNLABELLED
    other = logits.clone()
    other[:, :, :4] = torch.randn(1, 3, 4, 8)

    assert torch.allclose(segmentation_loss(logits, labels), segmentation_loss(other, labels))


def test_a_crop_without_any_label_gives_a_finite_loss() -> None:
    labels = torch.full((1, 8, 8), UNLABELLED)

    assert bool(torch.isfinite(segmentation_loss(torch.randn(1, 3, 8, 8), labels)))


def test_a_crop_and_its_label_map_stay_together() -> None:
    image = np.zeros((40, 50, 3), dtype=np.uint8)
    image[10:25, 20:33] = 255
    labels = (image[..., 0] > 0).astype(np.uint8)
    plan = SegmenterPlan(1, 1, 32, 1e-3, stain_jitter=0.0)

    for seed in range(10):
        crop, cropped = changed_crop(image, labels, plan, np.random.default_rng(seed))
        assert np.array_equal(crop[..., 0] > 0, cropped == 1)


def test_stain_jitter_changes_colours_a_little_and_leaves_white_white() -> None:
    image = np.full((32, 32, 3), 255, dtype=np.uint8)
    image[:16] = (180, 120, 160)
    plan = SegmenterPlan(1, 1, 32, 1e-3, stain_jitter=0.2)

    changed, _ = changed_crop(image, image[..., 0], plan, np.random.default_rng(0))

    assert np.allclose(changed.max(), 1.0, atol=1e-5)
    tissue = changed[changed < 0.9].mean()
    assert 0.0 < abs(tissue - ((180 + 120 + 160) / 3 / 127.5 - 1)) < 0.3


def bright_is_one(step: int) -> StepCrops:
    random = torch.Generator().manual_seed(step)
    coarse = torch.randn(4, 1, 8, 8, generator=random)
    images = functional.interpolate(coarse, scale_factor=4).expand(-1, 3, -1, -1)
    labelled = LabelledCrops(images, (images[:, 0] > 0).long())
    return StepCrops(labelled, None, np.random.default_rng(step))


def test_training_finds_a_rule_that_is_there() -> None:
    state = new_segmenter_state(unet(SHAPE), PLAN, Supervised())

    ticks = list(train_segmenter(state, PLAN, Supervised(), bright_is_one))

    assert [tick.steps for tick in ticks] == [20, 40]
    assert ticks[-1].loss < ticks[0].loss
    image = np.zeros((32, 32, 3), dtype=np.uint8)
    image[:, 16:] = 255
    labels = predicted_labels(state.network.eval(), image)
    assert (labels[:, :12] == 0).mean() > 0.9
    assert (labels[:, 20:] == 1).mean() > 0.9


@pytest.mark.parametrize("size", [(20, 33), (32, 32), (600, 70)])
def test_an_image_of_any_size_gets_a_label_map_of_its_size(size: tuple[int, int]) -> None:
    image = np.zeros((*size, 3), dtype=np.uint8)

    assert predicted_labels(unet(SHAPE).eval(), image).shape == size


def test_the_same_seed_gives_the_same_network() -> None:
    first, second, other = unet(SHAPE), unet(SHAPE), unet(SHAPE, seed=1)

    weights = [next(network.parameters()) for network in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
