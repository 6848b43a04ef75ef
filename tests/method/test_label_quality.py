"""How label maps lie on their images."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from jaxtyping import Float32, UInt8
from sklearn.metrics import roc_auc_score

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.method.label_quality import (
    WINDOW_PX,
    edge_alignment,
    edge_strength,
    on_border,
    rank_auc,
)

SIDE = 96


def disc_labels(centre: tuple[int, int] = (48, 48), radius: float = 20) -> LabelMap:
    y, x = np.mgrid[:SIDE, :SIDE]
    return (np.hypot(y - centre[0], x - centre[1]) < radius).astype(np.uint8)


def coloured(labels: LabelMap) -> UInt8[np.ndarray, "side side 3"]:
    """Each class in its own colour, with a little noise."""
    noise = np.random.default_rng(0).integers(-5, 6, (*labels.shape, 3))
    colours = np.array([[220, 180, 210], [130, 90, 160]])
    return (colours[labels] + noise).astype(np.uint8)


@given(
    arrays.arrays(np.float32, (6, 7), elements=st.integers(0, 40).map(float)),
    arrays.arrays(bool, (6, 7)),
)
def test_the_area_under_the_curve_is_that_of_another_library(
    strength: Float32[np.ndarray, "6 7"], yes: np.ndarray
) -> None:
    found = rank_auc(strength, yes, ~yes)

    if yes.all() or not yes.any():
        assert math.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score(yes.ravel(), strength.ravel()))


def test_labels_on_the_edges_of_the_image_are_told_from_shifted_ones() -> None:
    labels = disc_labels()

    found = edge_alignment(coloured(labels), labels)

    assert found.auc > 0.95
    assert found.shifted < 0.7
    assert found.shift_px == SIDE // 16


def test_labels_without_a_relation_to_the_image_are_at_chance() -> None:
    image = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)

    found = edge_alignment(image, disc_labels())

    assert found.auc == pytest.approx(0.5, abs=0.06)


def test_shifted_labels_are_compared_where_both_are() -> None:
    labels = disc_labels((40, 30))
    image = coloured(disc_labels((52, 60)))
    shift = SIDE // 16
    strength = edge_strength(image)
    expected = []
    for y, x in ((shift, 0), (-shift, 0), (0, shift), (0, -shift)):
        moved = np.full((SIDE + 2 * shift,) * 2, UNLABELLED, dtype=np.uint8)
        moved[shift + y : shift + y + SIDE, shift + x : shift + x + SIDE] = labels
        moved = moved[shift:-shift, shift:-shift]
        known = moved != UNLABELLED
        expected.append(roc_auc_score(on_border(moved)[known], strength[known]))

    found = edge_alignment(image, labels)

    assert found.shifted == pytest.approx(np.mean(expected), abs=1e-3)


def test_labels_that_were_shifted_fit_better_when_shifted_back() -> None:
    labels = disc_labels()
    shift = SIDE // 16
    moved = np.roll(labels, shift, axis=0)

    found = edge_alignment(coloured(labels), moved)

    assert found.auc < edge_alignment(coloured(labels), labels).auc - 0.2


def test_a_border_has_two_sides_and_none_with_what_is_unlabelled() -> None:
    labels = np.array([[0, 0, 1, 1, 255, 0]], dtype=np.uint8)

    assert on_border(labels).tolist() == [[False, True, True, False, False, False]]


def test_unlabelled_pixels_are_left_out() -> None:
    labels = disc_labels()
    image = coloured(labels)
    image[:, 80:] = np.random.default_rng(1).integers(0, 256, (SIDE, 16, 3), dtype=np.uint8)
    hidden = labels.copy()
    hidden[:, 76:] = UNLABELLED

    assert edge_alignment(image, hidden).auc > edge_alignment(image, labels).auc + 0.05


def test_a_label_map_of_one_class_has_no_alignment() -> None:
    labels = np.zeros((SIDE, SIDE), dtype=np.uint8)

    found = edge_alignment(coloured(labels), labels)

    assert math.isnan(found.auc)
    assert math.isnan(found.shifted)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (3, 2)])
def test_the_smallest_images_have_an_answer(shape: tuple[int, int]) -> None:
    labels = np.arange(shape[0] * shape[1], dtype=np.uint8).reshape(shape) % 2

    found = edge_alignment(np.zeros((*shape, 3), dtype=np.uint8), labels)

    assert math.isnan(found.auc) or 0.0 <= found.auc <= 1.0


def test_of_a_large_image_the_middle_decides() -> None:
    side = WINDOW_PX + 40
    labels = np.zeros((side, side), dtype=np.uint8)
    labels[200:700, 300:800] = 1
    image = coloured(labels)
    framed = labels.copy()
    framed[:20] = 1

    assert edge_alignment(image, framed) == edge_alignment(image, labels)


def test_an_edge_of_one_channel_is_an_edge() -> None:
    image = np.full((9, 9, 3), 200, dtype=np.uint8)
    image[:, 5:, 1] = 100

    strength = edge_strength(image)

    assert strength[4].argmax() in (4, 5)
    assert strength[4].max() > 0.05
    assert strength[4, 0] == pytest.approx(0.0, abs=1e-3)
