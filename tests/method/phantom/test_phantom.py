"""Drawn tissue and the rule that reads it."""

import numpy as np
import pytest

from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.method.metrics import confusion_matrix, overall_scores
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.phantom.oracle import REACH, read_labels
from hdgan.method.phantom.tissue import STAIN_COLOURS, Coding, Stain


def test_the_same_arguments_draw_the_same_tile() -> None:
    first = draw_phantom(64, "rose", patient=3, seed=9)
    second = draw_phantom(64, "rose", patient=3, seed=9)

    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.labels, second.labels)
    assert not np.array_equal(first.image, draw_phantom(64, "rose", patient=3, seed=8).image)


@pytest.mark.parametrize("stain", ["rose", "silver"])
def test_every_class_is_drawn(stain: Stain) -> None:
    drawn = np.stack([draw_phantom(64, stain, patient=0, seed=i).labels for i in range(20)])

    assert set(np.unique(drawn)) == set(range(len(KIDNEY)))


@pytest.mark.parametrize(
    ("side", "coding", "needed"),
    [(64, "colour", 0.99), (128, "colour", 0.99), (64, "context", 0.97), (256, "context", 0.97)],
)
def test_the_rule_qualifies_on_drawn_tissue(side: int, coding: Coding, needed: float) -> None:
    matrices = []
    for i in range(30):
        stain: Stain = "rose" if i % 2 else "silver"
        phantom = draw_phantom(side, stain, patient=i // 2, seed=i, coding=coding)
        read = read_labels(phantom.image, coding)
        assert (read == UNLABELLED).mean() < 0.01
        # Where the rule abstains it counts as wrong.
        wrong = (phantom.labels + 1) % len(KIDNEY)
        matrices.append(
            confusion_matrix(phantom.labels, np.where(read == UNLABELLED, wrong, read), len(KIDNEY))
        )

    assert overall_scores(matrices)[0].value >= needed


def test_the_rule_abstains_from_a_colour_of_no_class() -> None:
    green = np.full((4, 4, 3), (0, 255, 0), dtype=np.uint8)

    assert (read_labels(green) == UNLABELLED).all()


def test_the_rule_reads_stains_between_the_two() -> None:
    rose, silver = (np.array(colours) for colours in STAIN_COLOURS.values())
    between = ((rose + silver) / 2).round().astype(np.uint8)[:, None]

    assert read_labels(between)[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_no_pixel_is_within_reach_of_two_classes() -> None:
    rose, silver = (np.array(colours, dtype=float) for colours in STAIN_COLOURS.values())
    part = np.linspace(0, 1, 50)[:, None]
    lines = [a + (b - a) * part for a, b in zip(rose, silver, strict=True)]

    nearest = min(
        np.linalg.norm(lines[i][:, None] - lines[j][None], axis=-1).min()
        for i in range(5)
        for j in range(i)
    )

    assert nearest >= 2 * REACH


def test_structures_keep_their_part_of_the_tile() -> None:
    small = [draw_phantom(64, "rose", patient=0, seed=i).labels for i in range(40)]
    large = [draw_phantom(128, "rose", patient=0, seed=i).labels for i in range(40)]

    shares = [
        np.bincount(np.stack(maps).ravel(), minlength=5) / np.stack(maps).size
        for maps in (small, large)
    ]
    assert np.allclose(shares[0], shares[1], atol=0.02)
