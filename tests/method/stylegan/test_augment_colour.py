"""Colour changes of augmentation."""

import math

import numpy as np
import pytest
import torch

from hdgan.method.stylegan.augment_colour import ColourDraw, colour_matrix


def no_colour() -> dict[str, torch.Tensor]:
    zero, one = torch.zeros(1), torch.ones(1)
    return {"brightness": zero, "contrast": one, "luma_flip": zero, "hue": zero, "saturation": one}


def moved(colour: tuple[float, float, float], **change: torch.Tensor) -> np.ndarray:
    matrix = colour_matrix(ColourDraw(**(no_colour() | change)))[0]
    return (matrix @ torch.tensor([*colour, 1.0]))[:3].numpy()


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
