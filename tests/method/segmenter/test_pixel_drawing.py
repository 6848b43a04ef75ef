"""Labelled pixels, drawn from pieces of images."""

import numpy as np
from jaxtyping import UInt8

from hdgan.class_map import UNLABELLED
from hdgan.method.segmenter.pixel_drawing import (
    PIECE_PX,
    DrawnPiece,
    Views,
    drawn_pieces,
    rare_weights,
)


def labelled(height: int, width: int) -> UInt8[np.ndarray, "height width 4"]:
    """The class of each pixel is its red, of 0 to 2."""
    random = np.random.default_rng(1)
    image = random.integers(0, 3, (height, width, 4), dtype=np.uint8)
    image[..., 3] = image[..., 0]
    return image


def pieces_of(
    image: UInt8[np.ndarray, "height width 4"], count: int, most: int
) -> list[DrawnPiece]:
    return list(drawn_pieces(image, count, most, np.random.default_rng(0)))


def test_pixels_come_with_their_own_classes_and_none_twice() -> None:
    (piece,) = pieces_of(labelled(30, 40), 500, 4)

    assert piece.image.shape == (30, 40, 3)
    assert len({(int(y), int(x)) for y, x in zip(piece.rows, piece.columns, strict=True)}) == 500
    assert np.array_equal(piece.image[piece.rows, piece.columns, 0], piece.classes)


def test_unlabelled_pixels_are_never_drawn() -> None:
    image = labelled(30, 40)
    image[:, 5:, 3] = UNLABELLED

    (piece,) = pieces_of(image, 500, 4)

    assert piece.classes.size == 30 * 5
    assert piece.columns.max() == 4


def test_a_large_image_is_cut_and_only_some_labelled_pieces_are_used() -> None:
    image = labelled(PIECE_PX + 8, 2 * PIECE_PX + 1)
    image[:, :400, 3] = UNLABELLED

    pieces = pieces_of(image, 300, 3)

    assert len(pieces) == 3
    assert all(max(piece.image.shape[:2]) <= PIECE_PX for piece in pieces)
    assert sum(piece.classes.size for piece in pieces) == 300


def test_an_image_without_labels_gives_nothing() -> None:
    image = labelled(20, 20)
    image[..., 3] = UNLABELLED

    assert pieces_of(image, 10, 2) == []


def test_views_are_squares_whose_labels_are_turned_with_them() -> None:
    image = labelled(30, 40)
    image[..., :3] *= 100

    whole, *views = drawn_pieces(image, 400, 1, np.random.default_rng(0), Views(3, 0.05))

    assert whole.image.shape == (30, 40, 3)
    assert [view.image.shape for view in views] == [(30, 30, 3)] * 3
    for view in views:
        assert view.classes.size == 100
        # The stain is a little different, but dark stays darker than middle, and middle than light.
        red = view.image[view.rows, view.columns, 0]
        assert np.array_equal(np.digitize(red, [50, 150]), view.classes)
    assert not np.array_equal(views[0].image, views[1].image)


def test_a_class_counts_as_the_square_root_of_its_pixels() -> None:
    classes = np.repeat([0, 3], [90, 10])

    weights = rare_weights(classes)

    assert np.isclose(weights.mean(), 1.0)
    assert np.isclose(weights[:90].sum() / weights[90:].sum(), 3.0)
    assert np.unique(weights).size == 2
