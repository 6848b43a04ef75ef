"""Shapes that share a colour, and the rule that tells them apart."""

import numpy as np
import pytest
from jaxtyping import Bool

from hdgan.class_map import UNLABELLED
from hdgan.method.phantom.context import told_by_context
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.phantom.tissue import ARTERIOLE, ARTERY, GLOMERULUS

SIDE = 128


def disc(y: float, x: float, radius: float) -> Bool[np.ndarray, "side side"]:
    """Lengths are parts of the side."""
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE
    inside: Bool[np.ndarray, "side side"] = np.hypot(rows - y, columns - x) < radius
    return inside


def told(
    stained: Bool[np.ndarray, "side side"], white: Bool[np.ndarray, "side side"] | None = None
) -> set[int]:
    labels = told_by_context(stained, np.zeros_like(stained) if white is None else white)
    assert (labels[~stained] == UNLABELLED).all()
    return set(np.unique(labels[stained]).tolist())


def test_a_ring_about_a_lumen_is_an_artery() -> None:
    lumen = disc(0.5, 0.5, 0.06)

    assert told(disc(0.5, 0.5, 0.12) & ~lumen, lumen) == {ARTERY}


def test_a_ring_about_tissue_is_nothing() -> None:
    assert told(disc(0.5, 0.5, 0.12) & ~disc(0.5, 0.5, 0.06)) == {UNLABELLED}


def test_a_ring_that_is_open_is_nothing() -> None:
    lumen = disc(0.5, 0.5, 0.06)
    ring = disc(0.5, 0.5, 0.13) & ~lumen
    ring[:, SIDE // 2 - 2 : SIDE // 2 + 3][: SIDE // 2] = False

    assert told(ring, lumen) == {UNLABELLED}


def test_a_glomerulus_that_has_grown_together_with_an_artery_is_nothing() -> None:
    lumen = disc(0.3, 0.75, 0.06)

    assert told((disc(0.4, 0.45, 0.19) | disc(0.3, 0.75, 0.13)) & ~lumen, lumen) == {UNLABELLED}


def test_a_big_disc_is_a_glomerulus_also_at_the_edge() -> None:
    assert told(disc(0.5, 0.5, 0.2)) == {GLOMERULUS}
    assert told(disc(0.1, 0.5, 0.2)) == {GLOMERULUS}


def test_a_small_disc_is_an_arteriole() -> None:
    assert told(disc(0.3, 0.7, 0.05)) == {ARTERIOLE}


@pytest.mark.parametrize("radius", [0.01, 0.1])
def test_a_disc_of_a_size_that_is_never_drawn_is_nothing(radius: float) -> None:
    assert told(disc(0.5, 0.5, radius)) == {UNLABELLED}


def test_a_stalk_of_a_glomerulus_is_an_arteriole() -> None:
    stained = disc(0.5, 0.4, 0.18)
    stained[60:70, 70:97] = True

    labels = told_by_context(stained, np.zeros_like(stained))

    assert labels[65, 90] == ARTERIOLE
    assert labels[65, 50] == GLOMERULUS


def test_the_three_share_a_colour() -> None:
    colours = []
    for tissue in (GLOMERULUS, ARTERIOLE, ARTERY):
        drawn = [draw_phantom(64, "rose", patient=1, seed=i, coding="context") for i in range(20)]
        pixels = np.concatenate([phantom.image[phantom.labels == tissue] for phantom in drawn])
        colours.append(pixels.mean(axis=0))

    assert np.ptp(np.stack(colours), axis=0).max() < 3.0
