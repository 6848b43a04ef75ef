"""Where augmentation moves pixels to, against a slow reference in numpy."""

import math
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.method.stylegan.augment_geometry import (
    FlipDraw,
    WarpDraw,
    draw_flips,
    draw_warps,
    laid,
    moved,
)
from hdgan.method.stylegan.warp import SYM6, warped

CPU = torch.device("cpu")
Draw = TypeVar("Draw", FlipDraw, WarpDraw)
AS_IS = FlipDraw(*[torch.zeros(1, dtype=torch.bool)] * 3)


def still(batch: int = 1) -> WarpDraw:
    zero, one = torch.zeros(batch), torch.ones(batch)
    return WarpDraw(
        torch.zeros(batch, 2, dtype=torch.long), one, zero, one, zero, torch.zeros(batch, 2)
    )


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slowly_warped(
    image: Float[np.ndarray, "side side"], inverse: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "side side"]:
    """The definition, pixel by pixel: mirror, double, look up, halve."""
    side = len(image)
    taps = np.array(SYM6) / sum(SYM6)
    padded = np.pad(image, side - 1, mode="reflect")

    def doubled(line: np.ndarray) -> np.ndarray:
        apart = np.zeros(2 * len(line))
        apart[::2] = line
        return np.convolve(apart, 2 * taps)[5 : 5 + len(apart)]

    large = np.apply_along_axis(doubled, 0, np.apply_along_axis(doubled, 1, padded))

    def at(y: int, x: int) -> float:
        inside = 0 <= y < len(large) and 0 <= x < len(large)
        return float(large[y, x]) if inside else 0.0

    wanted = 2 * side + len(SYM6) - 2
    looked_up = np.empty((wanted, wanted))
    for row in range(wanted):
        for column in range(wanted):
            # Pixels from the middle at single size; the filter lies a quarter of one beside it.
            place = np.array([column, row]) / 2 - (wanted - 1) / 4 + 0.25
            x, y = (inverse @ np.array([*place, 1.0]))[:2] * 2 + (len(large) - 1) / 2 - 0.5
            left, top = math.floor(x), math.floor(y)
            along, down = x - left, y - top
            upper = at(top, left) * (1 - along) + at(top, left + 1) * along
            lower = at(top + 1, left) * (1 - along) + at(top + 1, left + 1) * along
            looked_up[row, column] = upper * (1 - down) + lower * down

    def halved(line: np.ndarray) -> np.ndarray:
        return np.correlate(line, taps, mode="valid")[::2]

    return np.apply_along_axis(halved, 0, np.apply_along_axis(halved, 1, looked_up))


@pytest.mark.parametrize(
    "change",
    [
        {"scale": torch.tensor([1.3])},
        {"scale": torch.tensor([0.6])},
        {"turn_before": torch.tensor([0.7])},
        {"stretch": torch.tensor([1.2])},
        {"turn_after": torch.tensor([-2.0])},
        {"shift": torch.tensor([[1.7, -0.4]])},
        {"whole_shift": torch.tensor([[2, -1]]), "scale": torch.tensor([1.1])},
    ],
    ids=lambda change: "-".join(change),
)
def test_a_warp_is_that_of_the_definition(change: dict[str, Tensor]) -> None:
    image = torch.randn(1, 1, 12, 12, generator=seeded())
    draw = replace(still(), **change)

    found = moved(image, AS_IS, draw)

    wanted = slowly_warped(image[0, 0].double().numpy(), draw.maps()[0].double().numpy())
    assert np.abs(found[0, 0].numpy() - wanted).max() < 2e-5


def test_all_changes_together_are_one_warp() -> None:
    image = torch.randn(1, 1, 10, 10, generator=seeded())
    flips = FlipDraw(*(torch.tensor([value]) for value in (True, False, True)))
    draw = draw_warps(1, 1.0, 10, seeded(3))

    found = moved(image, flips, draw)

    inverse = (flips.maps() @ draw.maps())[0].double().numpy()
    wanted = slowly_warped(image[0, 0].double().numpy(), inverse)
    assert np.abs(found[0, 0].numpy() - wanted).max() < 2e-5


def test_a_turned_image_is_the_smooth_picture_turned() -> None:
    y, x = torch.meshgrid(torch.arange(32.0) - 15.5, torch.arange(32.0) - 15.5, indexing="ij")
    angle = torch.tensor([0.5])

    def picture(x: Tensor, y: Tensor) -> Tensor:
        return torch.exp(-((x - 5) ** 2 + (y + 3) ** 2) / 30)[None, None]

    found = moved(picture(x, y), AS_IS, replace(still(), turn_before=angle))

    cosine, sine = angle.cos(), angle.sin()
    wanted = picture(cosine * x - sine * y, sine * x + cosine * y)
    # Corners show what lies beyond the edges, continued by the mirror image.
    assert float((found - wanted)[:, :, 6:-6, 6:-6].abs().max()) < 0.02


def test_a_warp_that_changes_nothing_is_the_identity() -> None:
    images = torch.randn(2, 3, 16, 16, generator=seeded())

    assert torch.allclose(warped(images, torch.eye(3).repeat(2, 1, 1)), images, atol=2e-5)
    assert torch.equal(moved(images, draw_flips(2, 0.0, seeded(), CPU), still(2)), images)


def test_a_whole_shift_is_exact_and_continues_with_the_mirror_image() -> None:
    image = torch.arange(5.0).expand(1, 1, 5, 5)
    draw = replace(still(), whole_shift=torch.tensor([[2, 0]]))

    assert moved(image, AS_IS, draw)[0, 0, 0].tolist() == [2.0, 1.0, 0.0, 1.0, 2.0]
    smooth = torch.nn.functional.interpolate(
        torch.randn(1, 1, 3, 3, generator=seeded()), size=16, mode="bicubic"
    )
    draw = replace(still(), whole_shift=torch.tensor([[3, -2]]))
    assert torch.allclose(
        moved(smooth, AS_IS, draw),
        warped(smooth, draw.maps()),
        atol=0.01 * float(smooth.abs().max()),
    )


def test_the_eight_ways_have_the_maps_that_lay_them() -> None:
    image = torch.randn(1, 1, 5, 5, generator=seeded())
    for number in range(8):
        draw = FlipDraw(*(torch.tensor([bool(number & bit)]) for bit in (1, 2, 4)))
        centred = torch.cartesian_prod(torch.arange(5.0) - 2, torch.arange(5.0) - 2).flip(1)

        x, y = (draw.maps()[0, :2, :2] @ centred.t() + 2).round().long()

        assert torch.equal(laid(image, draw)[0, 0], image[0, 0][y, x].reshape(5, 5))


def test_images_of_a_batch_do_not_disturb_one_another() -> None:
    images = torch.randn(6, 3, 16, 16, generator=seeded())
    flips, draw = draw_flips(6, 0.5, seeded(1), CPU), draw_warps(6, 0.4, 16, seeded(2))
    assert 0 < int(draw.moves().sum()) < 6

    together = moved(images, flips, draw)

    for i in range(6):
        one = slice(i, i + 1)
        alone = moved(images[one], of(flips, one), of(draw, one))
        assert torch.allclose(together[one], alone, atol=1e-5)


def of(draw: Draw, which: slice) -> Draw:
    return type(draw)(**{name: value[which] for name, value in vars(draw).items()})


def test_published_spreads_and_chances() -> None:
    draw = draw_warps(20000, 0.36, 64, seeded())

    def moved_part(values: Tensor, nothing: float) -> float:
        return float((values != nothing).float().mean())

    for values, nothing, chance in (
        (draw.scale, 1.0, 0.36),
        (draw.stretch, 1.0, 0.36),
        (draw.turn_before, 0.0, 0.2),
        (draw.turn_after, 0.0, 0.2),
        (draw.shift[:, 0], 0.0, 0.36),
    ):
        assert moved_part(values, nothing) == pytest.approx(chance, abs=0.02)
    assert float(draw.scale[draw.scale != 1].log2().std()) == pytest.approx(0.2, abs=0.01)
    assert float(draw.shift[draw.shift != 0].std()) == pytest.approx(8.0, abs=0.3)
    assert int(draw.whole_shift.abs().max()) == 8
    turned = draw.turn_before[draw.turn_before != 0]
    assert float(turned.abs().mean()) == pytest.approx(math.pi / 2, abs=0.06)


def test_flips_and_turns_reach_all_eight_ways_and_no_other() -> None:
    image = torch.randn(1, 3, 4, 4)
    eight = [
        torch.rot90(start, turns, dims=(2, 3))
        for start in (image, image.flip(3))
        for turns in range(4)
    ]

    shown = laid(image.expand(400, -1, -1, -1), draw_flips(400, 1.0, seeded(), CPU))

    found = [[i for i, way in enumerate(eight) if torch.equal(way[0], one)] for one in shown]
    assert all(len(ways) == 1 for ways in found)
    counts = np.bincount([ways[0] for ways in found], minlength=8)
    assert counts.min() > 20


def test_a_mirror_image_comes_before_the_turns() -> None:
    image = torch.arange(12.0).reshape(1, 3, 2, 2)
    draw = FlipDraw(*(torch.tensor([value]) for value in (True, True, False)))

    assert torch.equal(laid(image, draw), torch.rot90(image, 1, dims=(2, 3)))


def test_the_strength_is_the_probability_of_a_change() -> None:
    draw = draw_flips(4000, 0.4, seeded(), CPU)

    changed = (draw.transposed | draw.upside_down | draw.mirrored).float().mean()
    # A mirror image has 0.4 / 2; turns change 3 of 4 draws; a turn by two after a mirror image is
    # another mirror image, never the identity.
    wanted = 1 - (1 - 0.4 / 2) * (1 - 0.4 * 3 / 4)
    assert float(changed) == pytest.approx(wanted, abs=0.03)
