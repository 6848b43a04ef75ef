"""Labelled pixels of many images, as few as fit into memory, for methods that decide per pixel."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from hdgan.class_map import UNLABELLED
from hdgan.method.segmenter.crops import changed_crop
from hdgan.method.segmenter.plan import SegmenterPlan

PIECE_PX = 512
"""Side of the largest piece whose features are made at once: that of a window in prediction."""


@dataclass(frozen=True)
class Views:
    """In which other ways pieces are shown, as crops are to a U-Net."""

    count: int = 0
    """How many; each is a square of the piece's shorter side, laid in one of eight ways."""

    stain_jitter: float = 0.0
    """Largest relative change of each colour channel's optical density in them."""


class DrawnPiece(NamedTuple):
    """A part of an image, and some of its labelled pixels."""

    image: UInt8[np.ndarray, "height width 3"]
    rows: Int64[np.ndarray, " pixels"]
    columns: Int64[np.ndarray, " pixels"]
    classes: UInt8[np.ndarray, " pixels"]


def drawn_pieces(
    labelled: UInt8[np.ndarray, "height width 4"],
    num_pixels: int,
    most_pieces: int,
    random: np.random.Generator,
    views: Views | None = None,
) -> Iterator[DrawnPiece]:
    """Labelled pixels of an image, every one as likely as the others in its piece.

    Args:
        labelled: an image with its label map as fourth channel.
        num_pixels: how many are drawn, an equal part from each view; less where there are less.
        most_pieces: how many of the pieces that have labels are used, at random. An image of up
            to `PIECE_PX` is one piece.
        random: decides which.
        views: how else a piece is shown; without it, only as it is.
    """
    height, width, _ = labelled.shape
    pieces = [labelled[rows, columns] for rows in _cuts(height) for columns in _cuts(width)]
    pieces = [piece for piece in pieces if (piece[..., 3] != UNLABELLED).any()]
    chosen = sorted(random.permutation(len(pieces))[:most_pieces])
    views = views or Views()
    for number in chosen:
        for view in _shown(pieces[number], views, random):
            yield _drawn(view, num_pixels // (len(chosen) * (1 + views.count)), random)


def rare_weights(
    classes: Int64[np.ndarray, " pixels"],
) -> Float64[np.ndarray, " pixels"]:
    """How much each pixel counts, 1 on average: the rarer its class, the more.

    All pixels of a class together count as the square root of how many they are. As many as they
    are, and rare classes drown; all classes alike, and common ones are mistaken for them. On nuclei
    this was worth a point of macro Dice and more to the forest and to the perceptrons.
    """
    counts = np.bincount(classes)
    weights = 1.0 / np.sqrt(counts[classes])
    return weights / weights.mean()


def _shown(
    piece: UInt8[np.ndarray, "height width 4"], views: Views, random: np.random.Generator
) -> Iterator[UInt8[np.ndarray, "_ _ 4"]]:
    """The piece as it is, and its views; those that have no labels are left out."""
    yield piece
    plan = SegmenterPlan(
        steps=1,
        batch=1,
        crop_px=min(piece.shape[:2]),
        learning_rate=1.0,
        stain_jitter=views.stain_jitter,
    )
    for _ in range(views.count):
        image, labels = changed_crop(piece[..., :3], piece[..., 3], plan, random)
        if (labels != UNLABELLED).any():
            pixels = ((image + 1.0) * 127.5).round().clip(0, 255).astype(np.uint8)
            yield np.concatenate([pixels, labels[..., None]], axis=2)


def _drawn(
    piece: UInt8[np.ndarray, "height width 4"], count: int, random: np.random.Generator
) -> DrawnPiece:
    labels = piece[..., 3]
    known = np.flatnonzero(labels != UNLABELLED)
    places = np.sort(random.choice(known, min(max(1, count), known.size), replace=False))
    rows, columns = np.divmod(places, labels.shape[1])
    return DrawnPiece(piece[..., :3], rows, columns, labels[rows, columns])


def _cuts(length: int) -> list[slice]:
    """Equal parts of a side, none longer than `PIECE_PX`."""
    edges = np.linspace(0, length, -(-length // PIECE_PX) + 1).round().astype(np.int64)
    return [slice(int(first), int(last)) for first, last in pairwise(edges)]
