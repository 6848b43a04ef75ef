"""One class for each object."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import UInt8
from scipy import ndimage

from hdgan.method.object_vote import voted_by_object


def test_an_object_is_what_most_of_its_pixels_are() -> None:
    labels = np.array([[0, 2, 2, 0], [0, 3, 2, 0], [0, 0, 0, 3]], dtype=np.uint8)

    voted = voted_by_object(labels, [2, 3])

    assert voted.tolist() == [[0, 2, 2, 0], [0, 2, 2, 0], [0, 0, 0, 3]]


def test_the_first_class_wins_a_tie() -> None:
    labels = np.array([[2, 3]], dtype=np.uint8)

    assert voted_by_object(labels, [2, 3]).tolist() == [[2, 2]]
    assert voted_by_object(labels, [3, 2]).tolist() == [[3, 3]]


@pytest.mark.parametrize("classes", [[1, 2], [0, 3, 4]])
@given(labels=arrays(np.uint8, (9, 7), elements=st.integers(0, 4)))
def test_objects_are_whole_and_the_rest_stays(
    classes: list[int], labels: UInt8[np.ndarray, "height width"]
) -> None:
    voted = voted_by_object(labels, classes)

    of_these = np.isin(labels, classes)
    assert np.array_equal(voted[~of_these], labels[~of_these])
    regions, count = ndimage.label(of_these)
    for region in range(1, count + 1):
        inside = regions == region
        counts = [(labels[inside] == i).sum() for i in classes]
        assert set(voted[inside]) == {classes[int(np.argmax(counts))]}
