"""Signs of collapse and of copying."""

from dataclasses import replace

import numpy as np
import pytest

from hdgan.method.generator_watch import Watched, nearest, thumbnail, warnings_of, watched

GOOD = Watched(1000, precision=0.8, recall=0.6, nearness=0.9, strength=0.3)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (replace(GOOD, recall=0.29), "recall has fallen to 0.29 from 0.60 at 1,000 images"),
        (replace(GOOD, strength=1.0), "augmentation is at full strength"),
        (replace(GOOD, nearness=0.4), "drawings are 0.40 times as far from training tiles"),
    ],
)
def test_each_sign_is_said(now: Watched, said: str) -> None:
    (warning,) = warnings_of([GOOD, now])

    assert warning.startswith(said)


def test_nothing_is_said_of_a_good_training() -> None:
    assert warnings_of([GOOD]) == []
    assert warnings_of([GOOD, replace(GOOD, recall=0.31, nearness=float("nan"))]) == []


def test_copies_are_near_and_few_kinds_have_little_recall() -> None:
    random = np.random.default_rng(0)
    training, unseen = random.normal(size=(60, 8)), random.normal(size=(60, 8))

    good = watched(8, 0.0, random.normal(size=(60, 8)), training, unseen)
    copies = watched(8, 0.0, training + 1e-3, training, unseen)
    few = watched(8, 0.0, np.repeat(training[:2], 30, axis=0) + 1e-3, training, unseen)

    assert good.nearness == pytest.approx(1.0, abs=0.3)
    assert good.recall > 0.5
    assert copies.nearness < 0.01
    assert few.recall < 0.1
    assert np.isnan(watched(8, 0.0, training, training, None).nearness)


def test_the_nearest_is_the_smallest_distance() -> None:
    images, others = np.array([[0.0], [10.0], [20.0]]), np.array([[1.0], [14.0]])

    assert nearest(images, others) == 4.0  # of 1, 4 and 6


def test_a_thumbnail_is_the_mean_of_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)

    row = thumbnail(image)

    means = image.reshape(16, 2, 16, 2, 3).mean(axis=(1, 3)) / 255
    assert np.allclose(row.reshape(3, 16, 16), means.transpose(2, 0, 1), atol=1e-6)
