"""Centres, patients, and what they change."""

import numpy as np
import pytest
from jaxtyping import Float
from scipy import ndimage

from hdgan.method.phantom.centre import LOOKS, Centre, Look, scanned
from hdgan.method.phantom.context import ARTERIOLE_RADII, ARTERY_RADII
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.phantom.oracle import REACH
from hdgan.method.phantom.patient import ALIKE, habits_of, tint_of
from hdgan.method.phantom.tissue import GLOMERULUS, TUBULOINTERSTITIUM, WHITESPACE, Coding

AWAY: list[Centre] = ["amber", "dusk", "haze"]


def mean_colour(centre: Centre, tissue: int) -> Float[np.ndarray, "3"]:
    """Of a class in one patient's tiles."""
    drawn = [draw_phantom(64, "rose", patient=3, seed=i, centre=centre) for i in range(12)]
    pixels = np.concatenate([phantom.image[phantom.labels == tissue] for phantom in drawn])
    return np.array(pixels.mean(axis=0))


def test_a_look_changes_balance_and_gamma_by_their_formulas() -> None:
    image = np.full((4, 4, 3), (51.0, 102.0, 204.0))

    seen = scanned(image, Look(balance=(1.0, 0.9, 0.8), gamma=2.0))

    assert np.allclose(seen[0, 0], (255 * 0.04, 255 * 0.16 * 0.9, 255 * 0.64 * 0.8))


def test_a_blurred_look_keeps_the_mean_and_softens_an_edge() -> None:
    image = np.zeros((16, 16, 3))
    image[:, 8:] = 200.0

    seen = scanned(image, Look(blur_px=0.4))

    assert seen.mean() == pytest.approx(image.mean())
    assert 0.0 < seen[8, 7, 0] < 50.0
    assert np.array_equal(seen[..., 0], seen[..., 2])


@pytest.mark.parametrize("centre", AWAY)
def test_a_centre_moves_every_colour_a_little(centre: Centre) -> None:
    for tissue in (WHITESPACE, TUBULOINTERSTITIUM, GLOMERULUS):
        moved = np.linalg.norm(mean_colour(centre, tissue) - mean_colour("home", tissue))

        assert 1.0 < moved < REACH


def test_centres_differ_from_one_another() -> None:
    colours = np.stack([mean_colour(centre, TUBULOINTERSTITIUM) for centre in LOOKS])

    apart = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    assert apart[~np.eye(len(colours), dtype=bool)].min() > 5.0


def test_grain_is_as_strong_as_the_look_says() -> None:
    for centre, look in LOOKS.items():
        phantom = draw_phantom(128, "silver", patient=0, seed=1, centre=centre)
        inside = ndimage.binary_erosion(phantom.labels == TUBULOINTERSTITIUM, iterations=4)
        # Neighbours of one class differ by grain alone, which has twice its variance there.
        steps = np.diff(phantom.image.astype(float), axis=1)[inside[:, 1:]]

        assert steps.std() / np.sqrt(2) == pytest.approx(look.grain, rel=0.1)


def test_a_patient_keeps_tint_and_habits() -> None:
    assert np.array_equal(tint_of(4), tint_of(4))
    assert not np.array_equal(tint_of(4), tint_of(5))
    assert habits_of(4) == habits_of(4)
    assert len({habits_of(patient) for patient in range(30)}) == 30


def test_habits_stay_within_what_the_rule_can_read() -> None:
    for patient in range(200):
        habits = habits_of(patient)
        for usual in (ARTERIOLE_RADII, ARTERY_RADII):
            least, most = habits.radii(usual)
            assert usual[0] <= least < most <= usual[1]
        assert 1 <= habits.most(2) <= 2
        assert 1 <= habits.most(3) <= 3


def test_patients_who_are_alike_have_the_whole_range() -> None:
    assert ALIKE.radii(ARTERY_RADII) == ARTERY_RADII
    assert (ALIKE.most(2), ALIKE.most(3)) == (2, 3)


@pytest.mark.parametrize("coding", ["colour", "context"])
def test_patients_differ_in_the_size_of_their_glomeruli_away_from_home(coding: Coding) -> None:
    ordered = sorted(range(40), key=lambda patient: habits_of(patient).sizes)

    def size(patient: int, centre: Centre) -> float:
        drawn = [
            draw_phantom(64, "rose", patient=patient, seed=i, coding=coding, centre=centre).labels
            for i in range(16)
        ]
        areas = [float((labels == GLOMERULUS).mean()) for labels in drawn]
        return float(np.mean([area for area in areas if area > 0]))

    small, large = ordered[0], ordered[-1]
    assert size(large, "dusk") > 1.15 * size(small, "dusk")
    assert size(large, "home") < 1.15 * size(small, "home")
