"""Feature pyramids: the fast paths against the plain definition."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.features import (
    FeaturePyramid,
    bytes_of,
    channel_statistics,
    channels_of,
    image_and_features,
    pixels_and_means,
)
from hdgan.method.latent import image_of, pixels_of, w_of
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator

SHAPE = NetworkShape(
    resolution=16, channel_base=64, channel_max=6, z_dim=4, w_dim=4, mapping_layers=1
)


def pyramid_of(sides: list[int], side: int, seed: int = 0) -> FeaturePyramid:
    random = np.random.default_rng(seed)
    maps = [random.normal(size=(s, s, 1 + i % 3)).astype(np.float16) for i, s in enumerate(sides)]
    return FeaturePyramid(maps, side)


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    network = Generator(SHAPE).eval()
    for layer in network.synthesis.convolutions:
        torch.nn.init.constant_(layer.noise_strength, 0.7)
    return network.requires_grad_(requires_grad=False)


sides = st.lists(st.sampled_from([4, 8, 16, 32]), min_size=1, max_size=4).map(sorted)


@given(sides=sides, seed=st.integers(0, 99))
def test_features_of_single_pixels_are_those_of_the_upsampled_stack(
    sides: list[int], seed: int
) -> None:
    pyramid = pyramid_of(sides, 32, seed)
    random = np.random.default_rng(seed)
    rows, columns = random.integers(0, 32, size=(2, 50))

    found = pyramid.at(rows, columns)

    stack = pyramid.upsampled()[:, rows, columns].numpy()
    assert np.allclose(found, stack.T, atol=1e-5)


@given(sides=sides, first=st.integers(0, 31), height=st.integers(1, 32))
def test_features_of_a_band_are_those_of_the_upsampled_stack(
    sides: list[int], first: int, height: int
) -> None:
    pyramid = pyramid_of(sides, 32)
    last = min(first + height, 32)

    band = pyramid.band(first, last)

    stack = pyramid.upsampled()[:, first:last].permute(1, 2, 0)
    assert torch.allclose(band, stack, atol=1e-5)


def test_coordinates_are_exact_for_large_images() -> None:
    """Half-precision coordinates would misplace half of the columns of a 4096-pixel image."""
    side = 4096
    ramp = np.arange(64, dtype=np.float32)[None, :, None].repeat(64, axis=0)
    columns = np.arange(side)

    found = FeaturePyramid([ramp], side).at(np.zeros(side, dtype=np.int64), columns)[:, 0]

    assert np.allclose(found, np.clip((columns + 0.5) / 64 - 0.5, 0, 63), atol=1e-5)


def test_an_image_and_its_features_are_drawn_with_the_same_noise(generator: Generator) -> None:
    w = w_of(generator, 5, 0.7)

    first, features = image_and_features(generator, w, None)
    second, again = image_and_features(generator, w, None)

    assert np.array_equal(pixels_of(first), image_of(generator, w))
    assert torch.equal(first, second)
    for a, b in zip(features.maps, again.maps, strict=True):
        assert np.array_equal(a, b)


def test_features_are_taken_after_noise_and_activation(generator: Generator) -> None:
    w = w_of(generator, 5, 1.0)
    ws = generator.styles(w)
    outputs = list(generator.synthesis.blocks(ws, generator.synthesis.constant_noise()))

    _, pyramid = image_and_features(generator, w, None)

    for output, kept in zip(outputs, pyramid.maps[1::2], strict=True):
        map_of_block = output.maps[1][0].permute(1, 2, 0).numpy()
        assert np.allclose(kept, map_of_block, atol=2e-3, rtol=2e-3)
    silent = list(generator.synthesis.blocks(ws, generator.synthesis.no_noise()))
    assert not np.allclose(
        pyramid.maps[-1], silent[-1].maps[1][0].permute(1, 2, 0).numpy(), atol=1e-2
    )


def test_the_last_blocks_are_the_finest(generator: Generator) -> None:
    _, pyramid = image_and_features(generator, w_of(generator, 0, 0.7), 2)

    assert [m.shape[0] for m in pyramid.maps] == [8, 8, 16, 16]
    assert pyramid.num_channels == channels_of(SHAPE, 2)


def test_the_reference_costs_are_those_of_the_maps() -> None:
    published = NetworkShape(4096, 32768, 512)

    assert bytes_of(published, None) == pytest.approx(1.07e9, rel=0.01)
    assert bytes_of(published, 5) == pytest.approx(1.04e9, rel=0.01)


def test_the_first_image_of_a_set_has_features_of_its_own_latent(generator: Generator) -> None:
    """The predecessor drew image 0 with other noise and then overwrote it with the last one's."""
    pyramids = {
        seed: image_and_features(generator, w_of(generator, seed, 0.7), None)[1]
        for seed in range(3)
    }

    for seed in range(3):
        _, alone = image_and_features(generator, w_of(generator, seed, 0.7), None)
        assert np.array_equal(alone.maps[-1], pyramids[seed].maps[-1])
    assert not np.array_equal(pyramids[0].maps[-1], pyramids[2].maps[-1])


def test_statistics_are_those_of_all_values_of_a_channel() -> None:
    several = [pyramid_of([4, 8], 8, seed) for seed in range(3)]

    mean, deviation = channel_statistics(iter(several))

    for channel, level in ((0, 0), (1, 1), (2, 1)):
        values = np.stack([p.maps[level][..., channel - (level == 1)] for p in several]).astype(
            np.float64
        )
        assert mean[channel] == pytest.approx(values.mean(), abs=1e-6)
        assert deviation[channel] == pytest.approx(values.std(), abs=1e-6)


def test_a_channel_that_never_changes_is_not_divided_by_nothing() -> None:
    constant = FeaturePyramid([np.full((4, 4, 1), 3.0, dtype=np.float16)], 4)

    mean, deviation = channel_statistics(iter([constant]))

    assert (float(mean[0]), float(deviation[0])) == (3.0, 1.0)


def test_pooled_features_are_means_over_each_map() -> None:
    pyramid = pyramid_of([4, 8], 8)

    wanted = np.concatenate([m.astype(np.float64).mean(axis=(0, 1)) for m in pyramid.maps])

    assert np.allclose(pyramid.pooled(), wanted, atol=1e-5)


@pytest.fixture(scope="module")
def large() -> Generator:
    """A generator whose images are drawn in bands."""
    torch.manual_seed(0)
    shape = NetworkShape(512, channel_base=1024, channel_max=6, z_dim=4, w_dim=5, mapping_layers=1)
    network = Generator(shape)
    for layer in network.synthesis.convolutions:
        torch.nn.init.constant_(layer.noise_strength, 0.3)
    return network.eval().requires_grad_(requires_grad=False)


@pytest.mark.parametrize("num_blocks", [None, 2])
def test_features_of_a_large_image_are_those_of_its_whole_blocks(
    large: Generator, num_blocks: int | None
) -> None:
    w = w_of(large, 0, 0.7)

    image, pyramid = image_and_features(large, w, num_blocks)

    blocks = list(large.synthesis.blocks(large.styles(w), large.synthesis.constant_noise()))
    wanted = [one for block in blocks[-(num_blocks or len(blocks)) :] for one in block.maps]
    assert torch.allclose(image, blocks[-1].image, atol=1e-5)
    assert len(pyramid.maps) == len(wanted)
    for found, whole in zip(pyramid.maps, wanted, strict=True):
        assert np.allclose(found, whole[0].permute(1, 2, 0).numpy(), atol=1e-5, rtol=1e-3)


def test_means_of_a_large_image_are_those_of_its_pyramid(large: Generator) -> None:
    w = w_of(large, 0, 0.7)

    pixels, means = pixels_and_means(large, w)

    image, pyramid = image_and_features(large, w, None)
    assert np.array_equal(pixels, pixels_of(image))
    assert np.array_equal(pixels, image_of(large, w))
    assert np.allclose(means, pyramid.pooled(), atol=1e-4)
