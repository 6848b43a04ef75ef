"""How a drawing that was made again differs from the one that was kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.redrawn import MOST_LABELS, MOST_PIXELS, Difference
from hdgan.method.regeneration import TOLERANCE, regenerates


def changed(shape: tuple[int, ...], seed: int, share: float, most: int) -> np.ndarray:
    """How much each pixel or channel is raised."""
    random = np.random.default_rng(seed)
    return (random.random(shape) < share) * random.integers(0, most + 1, shape)


@given(
    seed=st.integers(0, 2**20),
    share=st.sampled_from([0.0, 0.0005, 0.001, 0.01, 0.5]),
    most=st.integers(0, 9),
)
def test_an_image_is_the_same_but_for_rounding_as_elsewhere(
    seed: int, share: float, most: int
) -> None:
    kept = np.random.default_rng(seed).integers(0, 240, (40, 40, 3)).astype(np.uint8)
    redrawn = (kept + changed(kept.shape, seed, share, most)).astype(np.uint8)

    difference = Difference.between(kept, redrawn)

    assert difference.is_rounding_of_image == regenerates(kept, redrawn)
    assert difference.largest == int(np.abs(kept.astype(int) - redrawn).max())


@given(seed=st.integers(0, 2**20), top=st.integers(0, 20))
def test_parts_together_differ_as_the_whole(seed: int, top: int) -> None:
    kept = np.zeros((20, 8), dtype=np.uint8)
    redrawn = changed(kept.shape, seed, 0.3, 200).astype(np.uint8)

    parts = Difference.between(kept[:top], redrawn[:top]) + Difference.between(
        kept[top:], redrawn[top:]
    )

    assert parts == Difference.between(kept, redrawn)


def test_a_pixel_is_counted_once_for_all_its_channels() -> None:
    kept = np.zeros((2, 5, 3), dtype=np.uint8)
    redrawn = kept.copy()
    redrawn[0, 0] = (1, 2, TOLERANCE + 1)
    redrawn[0, 1] = (0, TOLERANCE, 0)

    difference = Difference.between(kept, redrawn)

    assert (difference.num_differing, difference.num_beyond, difference.num_pixels) == (2, 1, 10)
    assert difference.share_differing == pytest.approx(0.2)
    assert difference.share_beyond == pytest.approx(0.1)


def test_of_a_label_map_every_difference_counts() -> None:
    kept = np.zeros((100, 100), dtype=np.uint8)
    redrawn = kept.copy()
    redrawn.flat[: round(MOST_LABELS * kept.size)] = 1
    just_so = Difference.between(kept, redrawn)
    redrawn.flat[: round(MOST_LABELS * kept.size) + 1] = 1

    assert just_so.is_rounding_of_labels
    assert not Difference.between(kept, redrawn).is_rounding_of_labels


def test_nothing_differs_from_nothing() -> None:
    nothing = np.zeros((0, 8), dtype=np.uint8)

    assert Difference.between(nothing, nothing) == Difference()
    assert Difference().share_beyond == 0.0 < MOST_PIXELS
