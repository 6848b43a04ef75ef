"""Augmentation and its controller."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.stylegan.adaptation import AdaptiveStrength
from hdgan.method.stylegan.augment import (
    AugmentGroups,
    ColourDraw,
    GeometryDraw,
    augment,
    colour_matrix,
    draw_geometry,
    laid,
)

BOTH = AugmentGroups(geometry=True, colour=True)
GEOMETRY = AugmentGroups(geometry=True, colour=False)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def no_colour() -> dict[str, torch.Tensor]:
    zero, one = torch.zeros(1), torch.ones(1)
    return {"brightness": zero, "contrast": one, "luma_flip": zero, "hue": zero, "saturation": one}


def moved(colour: tuple[float, float, float], **change: torch.Tensor) -> np.ndarray:
    matrix = colour_matrix(ColourDraw(**(no_colour() | change)))[0]
    return (matrix @ torch.tensor([*colour, 1.0]))[:3].numpy()


def test_at_strength_zero_the_very_images_come_back() -> None:
    images = torch.randn(2, 3, 8, 8)

    assert augment(images, 0.0, BOTH, seeded()) is images


def test_flips_and_turns_reach_all_eight_ways_and_no_other() -> None:
    image = torch.randn(1, 3, 4, 4)
    eight = [
        torch.rot90(start, turns, dims=(2, 3))
        for start in (image, image.flip(3))
        for turns in range(4)
    ]

    shown = augment(image.expand(400, -1, -1, -1), 1.0, GEOMETRY, seeded())

    found = [[i for i, way in enumerate(eight) if torch.equal(way[0], one)] for one in shown]
    assert all(len(ways) == 1 for ways in found)
    counts = np.bincount([ways[0] for ways in found], minlength=8)
    assert counts.min() > 20


def test_a_mirror_image_comes_before_the_turns() -> None:
    image = torch.arange(12.0).reshape(1, 3, 2, 2)
    draw = GeometryDraw(*(torch.tensor([value]) for value in (True, True, False)))

    assert torch.equal(laid(image, draw), torch.rot90(image, 1, dims=(2, 3)))


def test_the_strength_is_the_probability_of_a_change() -> None:
    draw = draw_geometry(4000, 0.4, seeded(), torch.device("cpu"))

    changed = (draw.transposed | draw.upside_down | draw.mirrored).float().mean()
    # A mirror image has 0.4 / 2; turns change 3 of 4 draws; a turn by two after a mirror image is
    # another mirror image, never the identity.
    wanted = 1 - (1 - 0.4 / 2) * (1 - 0.4 * 3 / 4)
    assert float(changed) == pytest.approx(wanted, abs=0.03)


def test_no_colour_change_is_the_identity() -> None:
    assert np.allclose(moved((0.2, -0.4, 0.9)), (0.2, -0.4, 0.9), atol=1e-6)


def test_brightness_adds_and_contrast_multiplies() -> None:
    assert np.allclose(moved((0.2, 0.0, -0.2), brightness=torch.tensor([0.3])), (0.5, 0.3, 0.1))
    assert np.allclose(moved((0.2, 0.0, -0.2), contrast=torch.tensor([2.0])), (0.4, 0.0, -0.4))


def test_a_luma_flip_turns_light_to_dark_and_keeps_the_hue() -> None:
    flipped = moved((0.5, 0.1, 0.3), luma_flip=torch.ones(1))

    assert flipped.mean() == pytest.approx(-0.3)
    assert np.allclose(flipped - flipped.mean(), np.array([0.5, 0.1, 0.3]) - 0.3, atol=1e-6)


def test_a_third_of_a_hue_turn_passes_the_channels_on() -> None:
    turned = moved((0.9, 0.1, 0.2), hue=torch.tensor([2 * math.pi / 3]))

    assert sorted(turned.tolist()) == pytest.approx([0.1, 0.2, 0.9], abs=1e-6)
    assert not np.allclose(turned, (0.9, 0.1, 0.2))


def test_no_saturation_leaves_grey() -> None:
    assert np.allclose(moved((0.9, 0.1, 0.2), saturation=torch.zeros(1)), 0.4, atol=1e-6)


def test_augmentation_can_be_differentiated_twice() -> None:
    images = torch.randn(2, 3, 4, 4, dtype=torch.float64).requires_grad_()

    def run(x: torch.Tensor) -> torch.Tensor:
        return augment(x, 1.0, BOTH, seeded()) ** 2

    assert torch.autograd.gradcheck(run, (images,))
    assert torch.autograd.gradgradcheck(run, (images,))


def test_the_strength_rises_when_the_discriminator_is_too_sure() -> None:
    strength = AdaptiveStrength(images_to_full=1000)

    strength.see(signs=8.0, scores=8)
    strength.move(images=100)

    assert strength.strength == pytest.approx(0.1)


@given(signs=st.lists(st.integers(-8, 8), min_size=1, max_size=30))
def test_the_strength_is_never_below_zero(signs: list[int]) -> None:
    strength = AdaptiveStrength(images_to_full=100)

    for value in signs:
        strength.see(float(value), 8)
        strength.move(images=8)

    assert strength.strength >= 0.0


def test_without_scores_the_strength_stays() -> None:
    strength = AdaptiveStrength(strength=0.3)

    strength.move(images=32)

    assert strength.strength == 0.3
