"""Divergence, image scores and the filter."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Float
from scipy.spatial.distance import jensenshannon

from hdgan.method.uncertainty import (
    ScoreOfRows,
    divergence,
    image_score,
    kept_after_filter,
    largest_divergence,
    num_dropped,
)


def probabilities(members: int, classes: int, seed: int) -> torch.Tensor:
    logits = torch.randn(
        members, 20, classes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return torch.softmax(logits * 4, dim=-1)


@given(members=st.integers(1, 12), classes=st.integers(2, 6), seed=st.integers(0, 99))
def test_divergence_lies_between_zero_and_the_logarithm_of_the_members(
    members: int, classes: int, seed: int
) -> None:
    values = divergence(probabilities(members, classes, seed))

    assert float(values.min()) >= 0.0
    assert float(values.max()) <= largest_divergence(members, classes) + 1e-9
    assert largest_divergence(members, classes) <= math.log(members)


def test_divergence_of_two_members_is_that_of_scipy() -> None:
    two = probabilities(2, 5, 0)

    theirs = jensenshannon(two[0].numpy(), two[1].numpy(), axis=1) ** 2

    assert np.allclose(divergence(two).numpy(), theirs)


def test_members_that_agree_have_no_divergence() -> None:
    one = probabilities(1, 4, 0)

    assert float(divergence(one.expand(7, -1, -1)).max()) == pytest.approx(0.0, abs=1e-12)


def test_members_that_are_sure_of_different_classes_reach_the_bound() -> None:
    sure = torch.eye(3)[:, None, :]

    assert float(divergence(sure)) == pytest.approx(math.log(3))


def test_divergence_is_of_probabilities_and_not_of_logits() -> None:
    """Averaging logits gives other numbers: DatasetGAN corrected this in 2021."""
    logits = torch.tensor([[[8.0, 0.0]], [[0.0, 1.0]]], dtype=torch.float64)
    members = torch.softmax(logits, dim=-1)
    mean_of_logits = torch.softmax(logits.mean(dim=0), dim=-1)

    by_hand = (
        torch.special.entr(members.mean(dim=0)).sum()
        - torch.special.entr(members).sum(dim=-1).mean()
    )
    wrong = (
        torch.special.entr(mean_of_logits).sum() - torch.special.entr(members).sum(dim=-1).mean()
    )

    assert float(divergence(members)) == pytest.approx(float(by_hand))
    assert abs(float(divergence(members)) - float(wrong)) > 0.1


@given(arrays(np.float32, (20, 16), elements=st.floats(0, 1.5, width=32)), st.integers(1, 20))
def test_a_score_of_rows_is_that_of_the_image(
    uncertainty: Float[np.ndarray, "height width"], rows: int
) -> None:
    score = ScoreOfRows(np.log(5.0))
    for top in range(0, len(uncertainty), rows):
        score.add(uncertainty[top : top + rows])

    assert score.value == pytest.approx(image_score(uncertainty), abs=2e-4)


def test_an_image_score_is_the_mean_of_the_most_uncertain_tenth() -> None:
    values = np.arange(100, dtype=np.float32).reshape(10, 10)

    assert image_score(values) == pytest.approx(np.arange(90, 100).mean())


@given(
    count=st.integers(0, 400),
    fraction=st.sampled_from([0.0, 0.01, 0.07, 0.1, 0.25, 0.3, 1 / 3, 0.5, 0.9, 1.0]),
)
def test_the_filter_drops_exactly_the_ceiling_of_its_part(count: int, fraction: float) -> None:
    scores = np.random.default_rng(count).random(count)

    kept = kept_after_filter(scores, fraction)

    assert int(kept.sum()) == count - num_dropped(count, fraction)


@pytest.mark.parametrize(
    ("count", "fraction", "dropped"), [(100, 0.07, 7), (30, 0.1, 3), (1000, 0.1, 100), (7, 0.1, 1)]
)
def test_the_ceiling_does_not_suffer_from_binary_fractions(
    count: int, fraction: float, dropped: int
) -> None:
    assert num_dropped(count, fraction) == dropped


@given(count=st.integers(1, 100), seed=st.integers(0, 99))
def test_the_filter_drops_the_most_uncertain(count: int, seed: int) -> None:
    scores = np.random.default_rng(seed).random(count)

    kept = kept_after_filter(scores, 0.2)

    if kept.any() and not kept.all():
        assert scores[kept].max() <= scores[~kept].min()


def test_a_small_set_is_not_emptied() -> None:
    """The predecessor's slice returned nothing when n x fraction was 30 or less."""
    assert int(kept_after_filter(np.arange(100.0), 0.1).sum()) == 90
    assert int(kept_after_filter(np.arange(300.0), 0.1).sum()) == 270


def test_the_least_uncertain_are_kept_too() -> None:
    """The predecessor's slice began at 30 and lost the thirty best."""
    assert kept_after_filter(np.arange(1000.0), 0.1)[:30].all()


def test_of_equal_scores_the_later_go_first() -> None:
    assert kept_after_filter(np.zeros(5), 0.4).tolist() == [True, True, True, False, False]
