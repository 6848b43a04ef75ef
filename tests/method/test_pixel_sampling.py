"""Drawing labelled pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.class_map import UNLABELLED
from hdgan.errors import LabelError
from hdgan.method.pixel_sampling import PixelSampler


def label_maps(seed: int, count: int = 3, side: int = 8) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    values = np.array([0, 1, 4, UNLABELLED], dtype=np.uint8)
    return list(values[random.choice(4, size=(count, side, side), p=[0.5, 0.2, 0.1, 0.2])])


@given(seed=st.integers(0, 99))
def test_a_drawn_pixel_has_the_class_that_is_painted_there(seed: int) -> None:
    maps = label_maps(seed)

    drawn = PixelSampler(maps, "natural").draw(200, np.random.default_rng(seed))

    painted = np.stack(maps)[drawn.images, drawn.rows, drawn.columns]
    assert np.array_equal(drawn.classes, painted)
    assert UNLABELLED not in drawn.classes


def test_every_image_is_in_every_draw() -> None:
    drawn = PixelSampler(label_maps(0), "natural").draw(300, np.random.default_rng(0))

    assert set(drawn.images) == {0, 1, 2}


def test_a_balanced_draw_has_every_class_equally_often() -> None:
    drawn = PixelSampler(label_maps(1), "balanced").draw(9000, np.random.default_rng(0))

    counts = np.bincount(drawn.classes)[[0, 1, 4]]
    assert np.allclose(counts / 9000, 1 / 3, atol=0.03)


def test_a_natural_draw_has_classes_as_often_as_they_are_painted() -> None:
    maps = label_maps(1, count=5, side=32)

    drawn = PixelSampler(maps, "natural").draw(9000, np.random.default_rng(0))

    painted = np.bincount(np.stack(maps).ravel(), minlength=256)[[0, 1, 4]]
    found = np.bincount(drawn.classes)[[0, 1, 4]]
    assert np.allclose(found / 9000, painted / painted.sum(), atol=0.03)


def test_a_few_scribbles_are_enough() -> None:
    scribbled = np.full((8, 8), UNLABELLED, dtype=np.uint8)
    scribbled[2, 3] = 1

    drawn = PixelSampler([scribbled], "natural").draw(5, np.random.default_rng(0))

    assert set(zip(drawn.rows, drawn.columns, strict=True)) == {(2, 3)}


def test_maps_without_a_label_are_refused() -> None:
    with pytest.raises(LabelError, match="has a labelled pixel"):
        PixelSampler([np.full((4, 4), UNLABELLED, dtype=np.uint8)], "natural")


def test_classes_are_drawn_in_the_wanted_proportions() -> None:
    wanted = (1.0, 3.0, 5.0, 5.0, 0.0)  # class 2 and 3 are not painted

    drawn = PixelSampler(label_maps(1), wanted).draw(9000, np.random.default_rng(0))

    counts = np.bincount(drawn.classes, minlength=5)
    assert np.allclose(counts / 9000, [0.25, 0.75, 0, 0, 0], atol=0.03)


def test_proportions_that_leave_nothing_to_draw_are_refused() -> None:
    with pytest.raises(LabelError, match=r"Only classes \[0, 1, 4\] are labelled"):
        PixelSampler(label_maps(1), (0.0, 0.0, 1.0, 1.0, 0.0))
