"""Tissue on an overview is told from glass, ink, shadows, edges, dust and what was not scanned."""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from scipy import ndimage

from hdgan.method.sharpness import sharpness
from hdgan.method.tissue import is_brightfield, tissue_mask

Picture = UInt8[np.ndarray, "height width 3"]
Mask = Bool[np.ndarray, "height width"]

SPACING_UM = 8.0
HEIGHT, WIDTH = 420, 560
GLASS = (243, 242, 244)
STAINS = {  # colours that lie side by side in tissue, at 8 um a pixel
    "haematoxylin and eosin": [(225, 150, 195), (180, 100, 165), (205, 125, 180)],
    "periodic acid Schiff": [(190, 160, 205), (150, 110, 185), (215, 190, 220)],
    "silver": [(60, 45, 55), (175, 140, 165), (120, 90, 115)],
    "trichrome": [(90, 130, 190), (185, 80, 110), (150, 160, 200)],
    "Sirius red": [(235, 195, 140), (205, 90, 85), (230, 205, 165)],
    "immunostain": [(215, 220, 228), (150, 110, 85), (196, 204, 218)],
    "pale immunostain": [(228, 228, 234), (186, 184, 192), (216, 216, 222)],
}
SHADES = [GLASS, (255, 255, 255), (228, 230, 222), (236, 240, 226), (216, 216, 215)]
INKS = {"blue": (35, 60, 165), "green": (20, 120, 70), "black": (35, 33, 38), "red": (200, 35, 45)}


def glass(shade: tuple[int, int, int] = GLASS) -> Float[np.ndarray, "height width 3"]:
    return np.full((HEIGHT, WIDTH, 3), shade, dtype=np.float64)


def picture(colours: Float[np.ndarray, "height width 3"]) -> Picture:
    """With the noise of a camera."""
    noise = np.random.default_rng(7).normal(0, 1.2, colours.shape)
    return np.clip(colours + noise, 0, 255).astype(np.uint8)


def textured(stain: str, seed: int = 0) -> Float[np.ndarray, "height width 3"]:
    """A picture full of tissue: each of a stain's colours in grains of some 3 pixels."""
    random = np.random.default_rng(seed)
    grains = ndimage.gaussian_filter(random.standard_normal((3, HEIGHT, WIDTH)), (0, 1.3, 1.3))
    shares = np.exp(12 * grains)
    return np.einsum("chw,cr->hwr", shares / shares.sum(axis=0), np.array(STAINS[stain], float))


def blobs() -> Mask:
    """Two sections, one with an outline that is not smooth."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    angle = np.arctan2(y - 200, x - 180)
    ragged = np.hypot(y - 200, x - 180) < 120 + 8 * np.sin(9 * angle) + 4 * np.sin(23 * angle)
    return ragged | (((y - 250) / 90) ** 2 + ((x - 430) / 60) ** 2 < 1)


def section(
    stain: str = "haematoxylin and eosin", shade: tuple[int, int, int] = GLASS
) -> Float[np.ndarray, "height width 3"]:
    return on(glass(shade), textured(stain) * np.array(shade) / 243, blobs())


def on(
    below: Float[np.ndarray, "height width 3"],
    above: Float[np.ndarray, "height width 3"],
    where: Mask,
) -> Float[np.ndarray, "height width 3"]:
    """What is above where it is, with soft rims."""
    share = ndimage.gaussian_filter(where.astype(float), 0.8)[..., None]
    return below * (1 - share) + above * share


def stroke(width_px: float) -> Mask:
    """A wave from one side to the other, through the glass above the sections."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (np.abs(y - 40 - 12 * np.sin(x / 50)) < width_px / 2) & (x > 30) & (x < WIDTH - 30)


def inked(
    colours: Float[np.ndarray, "height width 3"], ink: str, where: Mask
) -> Float[np.ndarray, "height width 3"]:
    """Ink in streaks over what is there, which shows through it."""
    streaks = ndimage.gaussian_filter(
        np.random.default_rng(3).standard_normal((HEIGHT, WIDTH)), (4, 20)
    )
    strength = 1 + 0.1 * streaks / streaks.std()
    passes = (np.array(INKS[ink]) / 255) ** strength[..., None]
    return on(colours, colours * passes, where)


def agreement(found: Mask, tissue: Mask) -> tuple[float, float]:
    """Which part of the tissue was found, and of the glass 5 pixels away from it."""
    away = ~ndimage.binary_dilation(tissue, iterations=5)
    return float(found[tissue].mean()), float(found[away].mean())


@pytest.mark.parametrize("shade", SHADES, ids=str)
@pytest.mark.parametrize("stain", STAINS)
def test_tissue_of_every_stain_is_found_on_glass_of_every_shade(
    stain: str, shade: tuple[int, int, int]
) -> None:
    found = tissue_mask(picture(section(stain, shade)), SPACING_UM)

    recall, false = agreement(found, blobs())
    assert recall > 0.99
    assert false < 0.001


@pytest.mark.parametrize("stain", STAINS)
def test_a_picture_full_of_tissue_is_all_tissue(stain: str) -> None:
    assert tissue_mask(picture(textured(stain)), SPACING_UM).mean() > 0.99


@pytest.mark.parametrize("stain", STAINS)
def test_a_twentieth_of_glass_is_enough_to_know_it(stain: str) -> None:
    tissue = np.ones((HEIGHT, WIDTH), dtype=bool)
    tissue[150:260, 200:305] = False

    found = tissue_mask(picture(on(glass(), textured(stain), tissue)), SPACING_UM)

    recall, false = agreement(found, tissue)
    assert recall > 0.98
    assert false < 0.01


@given(
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    spacing_um=st.sampled_from([None, 0.5, 8.0, 50.0]),
)
def test_a_picture_of_one_colour_holds_no_tissue(
    colour: tuple[int, int, int], height: int, width: int, spacing_um: float | None
) -> None:
    plain = np.full((height, width, 3), colour, dtype=np.uint8)

    found = tissue_mask(plain, spacing_um)

    assert found.shape == (height, width)
    assert not found.any()


@pytest.mark.parametrize("noise", [1, 3, 5])
@pytest.mark.parametrize("shade", SHADES, ids=str)
def test_noise_of_glass_is_no_tissue(shade: tuple[int, int, int], noise: int) -> None:
    grain = np.random.default_rng(noise).normal(0, noise, (HEIGHT, WIDTH, 3))
    noisy = np.clip(glass(shade) + grain, 0, 255).astype(np.uint8)

    assert not tissue_mask(noisy, SPACING_UM).any()
    assert not tissue_mask(noisy).any()


@pytest.mark.parametrize("stain", ["haematoxylin and eosin", "pale immunostain"])
@pytest.mark.parametrize("loss", [0.15, 0.35])
def test_corners_may_be_darker_than_the_middle(stain: str, loss: float) -> None:
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    light = 1 - loss * (y**2 + x**2)[..., None] / 2

    found = tissue_mask(picture(section(stain) * light), SPACING_UM)

    recall, false = agreement(found, blobs())
    assert recall > 0.98
    assert false < 0.001


@pytest.mark.parametrize("shade", [(243, 242, 244), (220, 222, 216)], ids=str)
@pytest.mark.parametrize("padding", [0, 255])
def test_what_was_not_scanned_is_neither_tissue_nor_glass(
    padding: int, shade: tuple[int, int, int]
) -> None:
    colours = picture(section("pale immunostain", shade))
    colours[:, :90] = padding
    colours[:120, 300:] = padding
    tissue = blobs()
    tissue[:, :90] = tissue[:120, 300:] = False

    found = tissue_mask(colours, SPACING_UM)

    recall, false = agreement(found, tissue)
    assert recall > 0.96
    assert false < 0.001


@pytest.mark.parametrize("width_px", [18, 26, 45])
@pytest.mark.parametrize("ink", INKS)
def test_a_stroke_of_a_pen_is_no_tissue(ink: str, width_px: int) -> None:
    found = tissue_mask(picture(inked(section(), ink, stroke(width_px))), SPACING_UM)

    recall, _ = agreement(found, blobs())
    assert recall > 0.99
    assert found[stroke(width_px + 8)].mean() < 0.01


@pytest.mark.parametrize("ink", INKS)
def test_a_dot_of_a_pen_is_no_tissue(ink: str) -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    dot = np.hypot(y - 60, x - 480) < 35

    found = tissue_mask(picture(inked(section("immunostain"), ink, dot)), SPACING_UM)

    assert agreement(found, blobs())[0] > 0.99
    assert not found[dot].any()


@pytest.mark.parametrize("ink", ["blue", "green", "black"])
def test_a_dark_pen_over_tissue_is_no_tissue(ink: str) -> None:
    ring = np.roll(stroke(30), 160, axis=0)

    found = tissue_mask(picture(inked(section(), ink, ring)), SPACING_UM)

    assert found[ndimage.binary_erosion(ring, iterations=2)].mean() < 0.02
    assert found[blobs() & ~ndimage.binary_dilation(ring, iterations=8)].mean() > 0.99


@pytest.mark.parametrize("stain", ["silver", "trichrome", "Sirius red"])
def test_tissue_in_the_colours_of_ink_is_tissue(stain: str) -> None:
    found = tissue_mask(picture(section(stain)), SPACING_UM)

    assert found[blobs()].mean() > 0.99


@pytest.mark.parametrize("width_px", [3, 9, 15])
@pytest.mark.parametrize("darkening", [0.1, 0.5])
def test_the_edge_of_the_coverslip_is_no_tissue(darkening: float, width_px: int) -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    edges = (np.abs(y - 390 - 0.02 * x) < width_px / 2) | (
        np.abs(x - 530 + 0.03 * y) < width_px / 2
    )
    colours = section()

    found = tissue_mask(picture(on(colours, colours * (1 - darkening), edges)), SPACING_UM)

    recall, false = agreement(found, blobs())
    assert recall > 0.99
    assert false < 0.002


def test_an_edge_across_tissue_leaves_the_tissue() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    edge = np.abs(y - 230 - 0.03 * x) < 4
    colours = section()

    found = tissue_mask(picture(on(colours, colours * 0.6, edge)), SPACING_UM)

    recall, false = agreement(found, blobs())
    assert recall > 0.99
    assert false < 0.02


def test_a_shadow_at_the_border_is_no_tissue() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    light = (1 - 0.4 * np.exp(-x / 20)) * (1 - 0.3 * np.exp(-(HEIGHT - 1 - y) / 20))

    found = tissue_mask(picture(section() * light[..., None]), SPACING_UM)

    recall, false = agreement(found, blobs())
    assert recall > 0.99
    assert false < 0.002


def test_dust_and_a_hair_are_no_tissue() -> None:
    random = np.random.default_rng(0)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    dirt = np.abs(y - 380 - 20 * np.sin(x / 60)) < 1.5
    for _ in range(40):
        top, left = random.integers(0, HEIGHT), random.integers(0, WIDTH)
        dirt |= np.hypot(y - top, x - left) < random.uniform(1, 8)
    colours = section()

    found = tissue_mask(picture(on(colours, colours * 0.3, dirt)), SPACING_UM)

    recall, false = agreement(found, blobs())
    assert recall > 0.99
    assert false < 0.005


def test_a_small_hole_belongs_to_the_tissue_and_a_large_one_does_not() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    small = np.hypot(y - 200, x - 100) < 12
    large = np.hypot(y - 200, x - 200) < 40

    found = tissue_mask(picture(on(section(), glass(), small | large)), SPACING_UM)

    assert found[small].all()
    assert found[large].mean() < 0.15


def test_fat_is_tissue() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    membranes = ((y % 12 < 2) | (x % 12 < 2)) & blobs()

    found = tissue_mask(
        picture(on(glass(), textured("haematoxylin and eosin"), membranes)), SPACING_UM
    )

    assert found[ndimage.binary_erosion(blobs(), iterations=8)].mean() > 0.98


def test_what_is_a_speck_depends_on_the_spacing() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    spot = np.hypot(y - 60, x - 480) < 9
    shown = picture(on(section(), textured("haematoxylin and eosin"), spot))

    assert not tissue_mask(shown, 8.0)[spot].any()
    assert tissue_mask(shown, 32.0)[spot].mean() > 0.9


@pytest.mark.parametrize(
    "moved",
    [np.flipud, np.fliplr, np.rot90, lambda mask: np.rot90(mask, 2)],
    ids=["upside down", "mirrored", "turned", "turned twice"],
)
@pytest.mark.parametrize("spacing_um", [None, 4.0, 8.0])
def test_the_mask_moves_with_the_picture(
    moved: Callable[[np.ndarray], np.ndarray], spacing_um: float | None
) -> None:
    shown = picture(inked(section("immunostain"), "green", stroke(30)))

    found = tissue_mask(np.ascontiguousarray(moved(shown)), spacing_um)

    assert (found != moved(tissue_mask(shown, spacing_um))).mean() < 0.0001


def test_a_large_picture_is_looked_at_in_blocks() -> None:
    small = picture(section())
    large = small.repeat(5, axis=0).repeat(5, axis=1)[3:-4, 2:-4]

    found = tissue_mask(large, SPACING_UM / 5)

    assert found.shape == large.shape[:2]
    truth = blobs().repeat(5, axis=0).repeat(5, axis=1)[3:-4, 2:-4]
    assert (found != truth).mean() < 0.02


@pytest.mark.parametrize("stain", STAINS)
def test_light_that_any_stain_absorbs_is_bright_field(stain: str) -> None:
    assert is_brightfield(picture(section(stain)))
    assert is_brightfield(picture(textured(stain)))


def test_a_dark_silver_stain_amid_black_padding_is_bright_field() -> None:
    dark = picture(255 * (textured("silver") / 255) ** 2.5)
    dark[:, :350] = 0

    assert is_brightfield(dark)


@pytest.mark.parametrize(
    "dye", [(0, 0, 1), (1, 0.05, 0), (0, 1, 0), (1, 1, 1)], ids=["dapi", "tritc", "fitc", "grey"]
)
@pytest.mark.parametrize("strength", [40, 255])
def test_fluorescence_is_not_bright_field(dye: tuple[float, float, float], strength: int) -> None:
    random = np.random.default_rng(0)
    nuclei = ndimage.gaussian_filter(random.standard_normal((HEIGHT, WIDTH)), 2)
    signal = strength * np.clip(nuclei / nuclei.std() - 1.5, 0, 1) * blobs() + 6
    shown = np.clip(signal[..., None] * np.array(dye), 0, 255).astype(np.uint8)

    assert not is_brightfield(shown)


def test_black_is_not_bright_field() -> None:
    assert not is_brightfield(np.zeros((8, 9, 3), dtype=np.uint8))


@pytest.mark.parametrize("stain", STAINS)
def test_sharpness_falls_with_every_blur(stain: str) -> None:
    sharp = textured(stain)

    measured = [
        sharpness(np.round(ndimage.gaussian_filter(sharp, (blur, blur, 0))).astype(np.uint8))
        for blur in (0, 1, 2, 3, 4)
    ]

    assert all(0 <= value <= 1 for value in measured)
    assert all(blurred < before - 0.03 for before, blurred in pairwise(measured))


@pytest.mark.parametrize("strength", [0.4, 2.0])
def test_sharpness_does_not_depend_on_the_strength_of_the_stain(strength: float) -> None:
    tile = textured("haematoxylin and eosin")
    other = 255 * (tile / 255) ** strength

    measured = [sharpness(np.round(colours).astype(np.uint8)) for colours in (tile, other)]

    assert measured[0] == pytest.approx(measured[1], abs=0.02)


def test_grain_of_the_glass_does_not_make_a_blurred_tile_sharp() -> None:
    tissue = np.zeros((HEIGHT, WIDTH), dtype=bool)
    tissue[:, :200] = True
    tile = on(glass(), textured("haematoxylin and eosin"), tissue)
    grain = 4 * np.random.default_rng(0).standard_normal((HEIGHT, WIDTH, 1)) * ~tissue[..., None]

    assert sharpness(picture(ndimage.gaussian_filter(tile, (4, 4, 0)) + grain)) < 0.4


@pytest.mark.parametrize("shade", SHADES, ids=str)
def test_glass_has_no_sharpness(shade: tuple[int, int, int]) -> None:
    assert math.isnan(sharpness(picture(glass(shade))))


@given(tile=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_sharpness_of_anything_is_within_its_range(tile: Picture) -> None:
    value = sharpness(tile)

    assert math.isnan(value) or 0 <= value <= 1


def test_windows_of_a_large_tile_speak_for_all_of_it() -> None:
    large = np.tile(picture(textured("silver")), (4, 3, 1))
    side = min(large.shape[:2])

    assert sharpness(large) == pytest.approx(sharpness(large[: side // 3, : side // 3]), abs=0.02)


def real(path: Path) -> Picture:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize(
    "name",
    [
        "Rat_Kidney_Section02_HE",
        "Rat_Kidney_Section04_Podocin",
        "Rat_Kidney_Section06_PanCytokeratin",
    ],
)
def test_real_sections_are_found_whole_and_alone(shared_data: Path, name: str) -> None:
    shown = real(shared_data / "sections_low_power" / f"{name}.jpg")

    found = tissue_mask(shown, 11.0)

    height, width = found.shape
    assert found[height // 5 : -height // 5, 2 * width // 5 : -width // 5].mean() > 0.95
    assert not found[: height // 12, : width // 6].any()
    assert not found[-height // 12 :, : width // 6].any()
    assert 0.6 < found.mean() < 0.72


def test_real_skin_is_where_a_person_drew_it(shared_data: Path) -> None:
    folder = shared_data / "skin_6class"
    dermis = real(folder / "Mask_6D.png").max(axis=-1) > 0  # black is glass
    other = real(folder / "mask.png").max(axis=-1) == 0  # here black is tissue

    for name, tissue in (("Input_6D", dermis), ("input", other)):
        found = tissue_mask(real(folder / f"{name}.png"))
        assert found[tissue].mean() > 0.9, name
        assert found[~tissue].mean() < 0.05, name


def test_real_high_power_pictures_are_all_tissue(shared_data: Path) -> None:
    for path in sorted((shared_data / "kidney_multistain").glob("*.png")):
        shown = real(path)
        assert tissue_mask(shown, 0.25).mean() > 0.98, path.name
        assert is_brightfield(shown), path.name


def test_real_sharpness_falls_with_every_blur(shared_data: Path) -> None:
    for path in sorted((shared_data / "kidney_multistain").glob("*.png")):
        sharp = real(path)[:400, :400].astype(np.float32)
        measured = [
            sharpness(np.round(ndimage.gaussian_filter(sharp, (blur, blur, 0))).astype(np.uint8))
            for blur in (0, 1, 2, 4)
        ]
        assert measured[0] > 0.55 > measured[2], path.name
        assert measured == sorted(measured, reverse=True), path.name


def test_real_fluorescence_is_not_bright_field(shared_data: Path) -> None:
    openslide = pytest.importorskip("openslide")
    for path in sorted((shared_data / "slides").glob("*.ndpi")):
        with openslide.OpenSlide(path) as slide:
            level = slide.level_count - 3
            region = slide.read_region((0, 0), level, slide.level_dimensions[level])
        assert not is_brightfield(np.asarray(region.convert("RGB"))), path.name
