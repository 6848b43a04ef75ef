"""Augmentation and its controller."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.stylegan.adaptation import AdaptiveStrength
from hdgan.method.stylegan.augment import ALL_GROUPS, AugmentGroups, augment, groups_named


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_at_strength_zero_the_very_images_come_back() -> None:
    images = torch.randn(2, 3, 8, 8)

    assert augment(images, 0.0, ALL_GROUPS, seeded()) is images


@pytest.mark.parametrize(
    ("name", "flips", "warps", "colour"),
    [
        ("none", False, False, False),
        ("flips", True, False, False),
        ("colour", False, False, True),
        ("flips-and-colour", True, False, True),
        ("geometry", True, True, False),
        ("both", True, True, True),
    ],
)
def test_a_word_stands_for_its_groups(name: str, *, flips: bool, warps: bool, colour: bool) -> None:
    assert groups_named(name) == AugmentGroups(flips=flips, warps=warps, colour=colour)


def test_augmentation_can_be_differentiated_twice() -> None:
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64).requires_grad_()

    def run(x: torch.Tensor) -> torch.Tensor:
        return augment(x, 1.0, ALL_GROUPS, seeded()) ** 2

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
