"""Agreement with numbers that the original implementation computed from random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from hdgan.method.stylegan.augment_colour import ColourDraw, coloured
from hdgan.method.stylegan.augment_geometry import FlipDraw, WarpDraw, moved
from hdgan.method.stylegan.bands import banded_image
from hdgan.method.stylegan.discriminator import Discriminator
from hdgan.method.stylegan.losses import path_lengths, r1_penalty
from hdgan.method.stylegan.modulated import StyledConvolution
from hdgan.method.stylegan.precision import use_half
from hdgan.method.stylegan.resample import blur, doubled
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.stylegan.warp import warped

SHAPE = NetworkShape(
    resolution=64,
    channel_base=512,
    channel_max=40,
    z_dim=24,
    w_dim=32,
    mapping_layers=3,
    clamp=256.0,
)


def load(folder: Path, name: str) -> dict[str, Tensor]:
    with np.load(folder / "stylegan2_reference" / f"{name}.npz") as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays.files}


def relative(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).detach().abs().max() / theirs.abs().max())


@pytest.fixture(scope="module")
def vectors(shared_data: Path) -> dict[str, Tensor]:
    return load(shared_data, "vectors")


@pytest.fixture(scope="module")
def regularised(shared_data: Path) -> dict[str, Tensor]:
    return load(shared_data, "reg")


@pytest.fixture
def generator(shared_data: Path) -> Generator:
    network = Generator(SHAPE)
    network.load_state_dict(load(shared_data, "state_G_ema"))
    return network


@pytest.fixture
def discriminator(shared_data: Path) -> Discriminator:
    network = Discriminator(SHAPE)
    network.load_state_dict(load(shared_data, "state_D"))
    return network


def test_mapping_and_truncation_agree(generator: Generator, vectors: dict[str, Tensor]) -> None:
    w = generator.mapping(vectors["z"])

    assert relative(w, vectors["w"]) < 1e-5
    assert relative(generator.mapping.truncated(w, 0.7), vectors["w_trunc07"]) < 1e-5


def test_images_agree_with_constant_noise_and_without(
    generator: Generator, vectors: dict[str, Tensor]
) -> None:
    noise = generator.synthesis.constant_noise()

    assert relative(generator(vectors["w"], noise), vectors["img_const"]) < 1e-5
    assert relative(generator(vectors["w_trunc07"], noise), vectors["img_const_trunc07"]) < 1e-5
    without = generator(vectors["w"], generator.synthesis.no_noise())
    assert relative(without, vectors["img_none"]) < 1e-5


def test_mixed_styles_agree(generator: Generator, vectors: dict[str, Tensor]) -> None:
    ws = generator.styles(vectors["w"])
    mixed = torch.cat([ws[:, :5], ws.flip(0)[:, 5:]], dim=1)

    image = generator.synthesis(mixed, generator.synthesis.constant_noise())

    assert relative(image, vectors["img_mix5"]) < 1e-5


def test_every_block_agrees(generator: Generator, vectors: dict[str, Tensor]) -> None:
    ws = generator.styles(vectors["w"])

    for output in generator.synthesis.blocks(ws, generator.synthesis.constant_noise()):
        assert relative(output.maps[1], vectors[f"feat_b{output.resolution}"]) < 1e-5
        assert relative(output.image, vectors[f"rgb_b{output.resolution}"]) < 1e-5


def drawn_in_bands(generator: Generator, w: Tensor, band_px: int) -> Tensor:
    noise = generator.synthesis.constant_noise()
    return torch.cat(
        [
            banded_image(generator.synthesis, ws[None], noise, band_px=band_px, whole_px=8)
            for ws in generator.styles(w)
        ]
    )


@pytest.mark.parametrize("band_px", [5, 16])
def test_images_drawn_in_bands_agree(
    generator: Generator, vectors: dict[str, Tensor], band_px: int
) -> None:
    banded = drawn_in_bands(generator, vectors["w"], band_px)

    assert relative(banded, vectors["img_const"]) < 1e-5


def by_weights(layer: StyledConvolution, x: Tensor, w: Tensor) -> Tensor:
    """A styled convolution as it is defined: the weights of each image, nothing else scaled."""
    parts = []
    for one, weight in zip(x[:, None], layer.weights_of(w), strict=True):
        if layer.doubles:
            spread = functional.conv_transpose2d(one, weight.transpose(0, 1), stride=2)
            parts.append(blur(spread, padding=1, gain=4.0))
        else:
            parts.append(functional.conv2d(one, weight, padding=1))
    noisy = torch.cat(parts) + layer.noise_const * layer.noise_strength
    active = functional.leaky_relu(noisy + layer.bias[:, None, None], 0.2) * 2**0.5
    return active.clamp(-256.0, 256.0)


def image_by_weights(generator: Generator, w: Tensor) -> Tensor:
    first, *others = generator.synthesis.block_list
    x = by_weights(first.conv1, first.const.expand(len(w), -1, -1, -1), w)
    image = first.torgb(x, w)
    for block in others:
        x = by_weights(block.conv1, by_weights(block.conv0, x, w), w)
        image = block.torgb(x, w) + doubled(image)
    return image


def test_both_orders_of_modulation_agree(generator: Generator, vectors: dict[str, Tensor]) -> None:
    weights_scaled = image_by_weights(generator, vectors["w"])
    activations_scaled = generator(vectors["w"], generator.synthesis.constant_noise())

    for reference in (vectors["img_const"], vectors["img_const_unfused"]):
        assert relative(weights_scaled, reference) < 1e-5
        assert relative(activations_scaled, reference) < 1e-5


@torch.no_grad()
def test_half_precision_agrees_within_its_own_error(
    generator: Generator, vectors: dict[str, Tensor]
) -> None:
    """The errors of ours and of the reference's half precision may add up, not grow."""
    its_error = relative(vectors["img_const_fp16"], vectors["img_const"])
    assert its_error > 1e-5
    use_half(generator.synthesis, torch.float16, num_resolutions=2)

    whole = generator(vectors["w"], generator.synthesis.constant_noise())
    banded = drawn_in_bands(generator, vectors["w"], 16)

    for image in (whole, banded):
        assert 1e-5 < relative(image, vectors["img_const"]) < its_error
        assert relative(image, vectors["img_const_fp16"]) < 2 * its_error


def test_scores_agree(discriminator: Discriminator, vectors: dict[str, Tensor]) -> None:
    eight = torch.cat([vectors["img_const"], vectors["img_none"]])

    assert relative(discriminator(eight), vectors["d_logits_const8"][:, 0]) < 1e-5
    assert relative(discriminator(vectors["img_const"]), vectors["d_logits_const4"][:, 0]) < 1e-5


def test_r1_and_its_gradients_agree(
    discriminator: Discriminator, vectors: dict[str, Tensor], regularised: dict[str, Tensor]
) -> None:
    images = vectors["img_const"].clone().requires_grad_()

    penalty = r1_penalty(discriminator(images), images)
    (penalty / 2).mean().backward()

    assert relative(penalty, regularised["r1_penalty"]) < 1e-5
    for name in ("b64.conv0.weight", "b4.fc.weight"):
        norm = discriminator.get_parameter(name).grad.norm()  # type: ignore[union-attr]
        assert relative(norm, regularised[f"r1_gradnorm_{name}"]) < 1e-4


def test_path_lengths_and_their_gradients_agree(
    generator: Generator, vectors: dict[str, Tensor], regularised: dict[str, Tensor]
) -> None:
    ws = generator.styles(generator.mapping(vectors["z"]))
    images = generator.synthesis(ws, generator.synthesis.constant_noise())

    lengths = path_lengths(images, ws, regularised["pl_noise"])
    lengths.square().mean().backward()

    assert relative(lengths, regularised["pl_lengths"]) < 1e-5
    for name in ("synthesis.b64.conv0.weight", "mapping.fc0.weight"):
        norm = generator.get_parameter(name).grad.norm()  # type: ignore[union-attr]
        assert relative(norm, regularised[f"pl_gradnorm_{name}"]) < 1e-4


PERCENTILES = (0.1, 0.3, 0.5, 0.6, 0.8)


def at_percentile(percentile: float) -> tuple[Tensor, Tensor]:
    """The uniform and the normal number that the reference's draws are at, for two images."""
    uniform = torch.full((2,), percentile)
    return uniform, torch.erfinv(2 * uniform - 1)


def colour_at(percentile: float) -> ColourDraw:
    uniform, normal = at_percentile(percentile)
    return ColourDraw(
        brightness=normal * 0.2,
        contrast=torch.exp2(normal * 0.5),
        luma_flip=(uniform * 2).floor(),
        hue=(uniform * 2 - 1) * torch.pi,
        saturation=torch.exp2(normal),
    )


def flips_at(percentile: float) -> FlipDraw:
    uniform, _ = at_percentile(percentile)
    mirror, turns = (uniform * 2).floor().bool(), (uniform * 4).floor().long()
    transposed = turns % 2 == 1
    upside_down, mirrored = (turns == 1) | (turns == 2), (turns == 2) | (turns == 3)
    return FlipDraw(
        transposed, upside_down ^ (mirror & transposed), mirrored ^ (mirror & ~transposed)
    )


def warps_at(percentile: float, *, whole: bool, fine: bool) -> WarpDraw:
    """The reference does not turn a second time."""
    uniform, normal = at_percentile(percentile)
    shift = ((uniform * 2 - 1) * 0.125 * 64).round().long()
    uniform, normal = (uniform, normal) if fine else (uniform * 0 + 0.5, normal * 0)
    return WarpDraw(
        whole_shift=torch.stack([shift, shift], dim=1) * whole,
        scale=torch.exp2(normal * 0.2),
        turn_before=(uniform * 2 - 1) * torch.pi,
        stretch=torch.exp2(normal * 0.2),
        turn_after=torch.zeros(2),
        shift=torch.stack([normal, normal], dim=1) * 0.125 * 64,
    )


@pytest.mark.parametrize("percentile", PERCENTILES)
def test_colour_augmentation_agrees_at_given_percentiles(
    shared_data: Path, percentile: float
) -> None:
    arrays = load(shared_data, "aug")

    found = coloured(arrays["x"], colour_at(percentile))

    assert relative(found, arrays[f"color_{percentile}"]) < 1e-5


@pytest.mark.parametrize("percentile", PERCENTILES)
def test_flips_turns_and_shifts_agree_when_they_are_warped(
    shared_data: Path, percentile: float
) -> None:
    arrays = load(shared_data, "aug")
    maps = flips_at(percentile).maps() @ warps_at(percentile, whole=True, fine=False).maps()

    assert relative(warped(arrays["x"], maps), arrays[f"blit_{percentile}"]) < 1e-5


@pytest.mark.parametrize("percentile", PERCENTILES)
def test_warps_agree_at_given_percentiles(shared_data: Path, percentile: float) -> None:
    arrays = load(shared_data, "aug")
    as_is = FlipDraw(*[torch.zeros(2, dtype=torch.bool)] * 3)

    found = moved(arrays["x"], as_is, warps_at(percentile, whole=False, fine=True))

    assert relative(found, arrays[f"geom_{percentile}"]) < 1e-5


@pytest.mark.parametrize("percentile", [0.1, 0.3, 0.6, 0.8])
def test_everything_together_agrees_at_given_percentiles(
    shared_data: Path, percentile: float
) -> None:
    arrays = load(shared_data, "aug")

    found = moved(arrays["x"], flips_at(percentile), warps_at(percentile, whole=True, fine=True))

    assert relative(coloured(found, colour_at(percentile)), arrays[f"bgc_{percentile}"]) < 1e-5
