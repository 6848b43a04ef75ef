"""Whether the rule may stand in for an expert."""

from typing import get_args

import numpy as np
import pytest

from hdgan.class_map import UNLABELLED
from hdgan.method.phantom.centre import LOOKS, Centre
from hdgan.method.phantom.drawing import draw_phantom
from hdgan.method.phantom.oracle import read_labels
from hdgan.method.phantom.qualification import FIRST_SEED, qualification
from hdgan.method.phantom.tissue import PALETTES, Coding, Stain

CODINGS = get_args(Coding)
STAINS, CENTRES = list(PALETTES), list(LOOKS)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("centre", CENTRES)
@pytest.mark.parametrize("stain", STAINS)
def test_the_rule_qualifies_in_every_stain_at_every_centre(
    stain: Stain, centre: Centre, coding: Coding
) -> None:
    assert qualification(64, stain, coding, centre=centre, num_tiles=8).qualifies


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(("stain", "centre"), list(zip(STAINS, CENTRES, strict=True)))
@pytest.mark.parametrize("side", [128, 256])
def test_the_rule_qualifies_at_larger_sides(
    side: int, stain: Stain, centre: Centre, coding: Coding
) -> None:
    assert qualification(side, stain, coding, centre=centre, num_tiles=4).qualifies


@pytest.mark.parametrize("coding", CODINGS)
def test_the_rule_qualifies_at_512_pixels(coding: Coding) -> None:
    for stain, centre in zip(STAINS, reversed(CENTRES), strict=True):
        assert qualification(512, stain, coding, centre=centre, num_tiles=1).qualifies


def test_a_rule_for_the_wrong_stain_does_not_qualify() -> None:
    found = qualification(64, "silver", "colour", num_tiles=4, stains=["rose"])

    assert not found.qualifies
    assert found.dice < 0.7


def test_dice_is_that_of_each_class_over_all_tiles_with_abstaining_wrong() -> None:
    # Read with the wrong stain, so that there is something to abstain from.
    drawn = [draw_phantom(64, "umber", patient=i, seed=FIRST_SEED + i) for i in range(3)]
    read = np.stack([read_labels(phantom.image, stains=["azure"]) for phantom in drawn])
    truth = np.stack([phantom.labels for phantom in drawn])

    found = qualification(64, "umber", "colour", num_tiles=3, stains=["azure"])

    abstained = read == UNLABELLED
    assert 0.0 < abstained.mean() == pytest.approx(found.abstained)
    dice = [
        2 * ((read == i) & (truth == i)).sum() / ((read == i).sum() + (truth == i).sum())
        for i in range(5)
    ]
    assert found.dice == pytest.approx(float(np.mean(dice)))
