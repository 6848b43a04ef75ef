"""Bands against the image drawn whole."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hdgan.method.stylegan.bands import Band, banded_image, bands
from hdgan.method.stylegan.precision import use_half
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Noise, SynthesisNetwork
from tests.peak_memory import megabytes

PEAK = """
import sys
import torch
from hdgan.method.stylegan.bands import bands
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
torch.set_num_threads(1)
generator = Generator(NetworkShape(2048, 16384, 32, mapping_layers=1))
generator.requires_grad_(False)
ws, noise = generator.styles(torch.zeros(1, 512)), generator.synthesis.constant_noise()
before = peak_kb()
if sys.argv[1] == "banded":
    for band in bands(generator.synthesis, ws, noise):
        pass
else:
    generator.synthesis(ws, noise)
print(peak_kb() - before)
"""


def network_of(resolution: int, base: int = 64, clamp: float | None = None) -> SynthesisNetwork:
    torch.manual_seed(0)
    network = SynthesisNetwork(NetworkShape(resolution, base, 6, w_dim=7, clamp=clamp))
    for layer in network.convolutions:
        torch.nn.init.constant_(layer.noise_strength, 0.5)
        torch.nn.init.normal_(layer.bias)
    return network.double().requires_grad_(requires_grad=False)


def noise_of(network: SynthesisNetwork, mode: str) -> Noise:
    if mode == "constant":
        return network.constant_noise()
    if mode == "none":
        return network.no_noise()
    return network.random_noise(1, torch.Generator().manual_seed(5))


def styles_of(network: SynthesisNetwork) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.randn(1, network.shape.num_ws, 7, generator=random, dtype=torch.float64)


@given(
    side=st.sampled_from([8, 16, 32, 64]),
    base=st.integers(16, 400),
    clamp=st.sampled_from([None, 1.5]),
    mode=st.sampled_from(["constant", "random", "none"]),
    band_px=st.integers(1, 70),
    whole_px=st.integers(4, 70),
)
def test_bands_together_are_the_image_drawn_whole(
    side: int, base: int, clamp: float | None, mode: str, band_px: int, whole_px: int
) -> None:
    network = network_of(side, base, clamp)
    ws, noise = styles_of(network), noise_of(network, mode)

    banded = banded_image(network, ws, noise, band_px=band_px, whole_px=whole_px)

    whole = network(ws, noise)
    assert banded.shape == whole.shape
    assert float((banded - whole).abs().max()) < 1e-12 * float(whole.abs().max())


@given(band_px=st.integers(1, 70), whole_px=st.sampled_from([4, 8, 16, 32]))
def test_rows_follow_each_other_and_a_band_is_bounded(band_px: int, whole_px: int) -> None:
    network = network_of(32)
    found = list(
        bands(network, styles_of(network), network.no_noise(), band_px=band_px, whole_px=whole_px)
    )

    rows = [row for band in found for row in range(32)[band.rows]]
    factor = 32 // min(whole_px, 32)
    assert rows == list(range(32))
    assert all(band.image.shape[2] == band.rows.stop - band.rows.start for band in found)
    assert max(band.image.shape[2] for band in found) <= max(band_px, factor) + 4 * factor


def joined(found: list[Band], place: int) -> Tensor:
    return torch.cat([band.maps[place] for band in found if place in band.maps], dim=2)


@pytest.mark.parametrize("band_px", [2, 9, 64])
def test_the_new_rows_of_a_map_together_are_the_map(band_px: int) -> None:
    network = network_of(32)
    ws, noise = styles_of(network), network.constant_noise()

    found = list(bands(network, ws, noise, band_px=band_px, whole_px=8))

    wanted = [one for block in network.blocks(ws, noise) for one in block.maps]
    for place, whole in enumerate(wanted):
        assert torch.allclose(joined(found, place), whole, rtol=0.0, atol=1e-12)


def test_bands_are_drawn_in_half_precision_where_the_network_is() -> None:
    network = network_of(32, clamp=256.0).float()
    ws, noise = styles_of(network).float(), network.constant_noise()
    exact = network(ws, noise)
    use_half(network, torch.float16, num_resolutions=2)

    found = list(bands(network, ws, noise, band_px=8, whole_px=8))

    precisions = [joined(found, place).dtype for place in (3, 4, 7)]
    assert precisions == [torch.float32, torch.float16, torch.float16]
    banded = torch.cat([band.image for band in found], dim=2)
    rounding = float((network(ws, noise) - exact).abs().max())
    assert banded.dtype == torch.float32
    assert 0.0 < float((banded - exact).abs().max()) < 2 * rounding


@pytest.mark.parametrize(("band_px", "whole_px"), [(0, 8), (-3, 8), (8, 3)])
def test_a_band_without_rows_is_refused(band_px: int, whole_px: int) -> None:
    network = network_of(16)
    drawn = bands(
        network, styles_of(network), network.no_noise(), band_px=band_px, whole_px=whole_px
    )

    with pytest.raises(ValueError, match=f"band of {band_px} px over blocks of {whole_px} px"):
        next(drawn)


def test_a_band_takes_less_memory_than_two_maps_of_the_image() -> None:
    """Drawn whole, the last block alone holds its input's double and its two outputs."""
    two_maps = 2 * 8 * 2048**2 * 4 / 2**20

    assert megabytes(PEAK, "banded") < two_maps < megabytes(PEAK, "whole")
