"""Objects that are half of one class and half of another."""

import numpy as np

from hdgan.method.undecided_objects import no_objects, object_counts


def test_an_object_whose_best_classes_are_near_is_undecided() -> None:
    predicted = np.zeros((20, 40), dtype=np.uint8)
    predicted[2:10, 2:10] = 1
    predicted[2:10, 20:28] = 1
    predicted[15, 15] = 2
    probabilities = np.zeros((3, 20, 40), dtype=np.float32)
    probabilities[0] = 1.0
    probabilities[:, 2:10, 2:10] = np.array([0.0, 0.55, 0.45], dtype=np.float32)[:, None, None]
    probabilities[:, 2:10, 20:28] = np.array([0.0, 0.7, 0.3], dtype=np.float32)[:, None, None]

    counts = object_counts(predicted, probabilities)

    assert counts.objects.tolist() == [1, 2, 0]
    assert counts.undecided.tolist() == [0, 1, 0]
    assert counts.speckles.tolist() == [0, 0, 1]
    assert counts.pixels == 800


def test_it_is_the_mean_over_an_object_that_counts() -> None:
    """Half surely one class, half surely the other: the object is both, though no pixel is."""
    predicted = np.ones((8, 8), dtype=np.uint8)
    probabilities = np.zeros((3, 8, 8), dtype=np.float32)
    probabilities[1, :, :4] = probabilities[2, :, 4:] = 1.0

    assert object_counts(predicted, probabilities).undecided.tolist() == [0, 1, 0]


def test_counts_add_up() -> None:
    predicted = np.ones((8, 8), dtype=np.uint8)
    probabilities = np.full((2, 8, 8), 0.5, dtype=np.float32)
    one = object_counts(predicted, probabilities)

    both = no_objects(2).plus(one).plus(one)

    assert both.undecided.tolist() == [0, 2]
    assert both.pixels == 128
