"""Generator and discriminator against their plain definitions."""

import pytest
import torch
from torch.nn import functional

from hdgan.errors import SettingsError
from hdgan.method.stylegan.discriminator import Discriminator, with_spread
from hdgan.method.stylegan.mapping import FullyConnected, MappingNetwork, normalised
from hdgan.method.stylegan.modulated import StyledConvolution
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator

SMALL = NetworkShape(
    resolution=16, channel_base=64, channel_max=6, z_dim=5, w_dim=7, mapping_layers=2
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    network = Generator(SMALL)
    for layer in network.synthesis.convolutions:
        torch.nn.init.constant_(layer.noise_strength, 0.5)
    return network


def test_scaling_activations_is_scaling_the_weights_of_each_image() -> None:
    torch.manual_seed(0)
    layer = StyledConvolution(3, 4, 7, 8)
    x, w = torch.randn(2, 3, 8, 8), torch.randn(2, 7)

    by_activations = layer(x, w, None)

    by_weights = torch.cat(
        [functional.conv2d(x[i : i + 1], layer.weights_of(w)[i], padding=1) for i in range(2)]
    )
    plain = functional.leaky_relu(by_weights + layer.bias[:, None, None], 0.2) * 2**0.5
    assert torch.allclose(by_activations, plain, atol=1e-5)


def test_a_feature_map_is_bounded_where_a_bound_is_set() -> None:
    layer = StyledConvolution(3, 4, 7, 8, clamp=0.01)

    bounded = layer(torch.randn(1, 3, 8, 8), torch.randn(1, 7), None)

    assert float(bounded.detach().abs().max()) <= 0.01


def test_equalised_weights_are_scaled_when_they_are_used() -> None:
    layer = FullyConnected(4, 2, rate_multiplier=0.01)
    x = torch.randn(3, 4)

    scaled = x @ layer.weight.t() * 0.01 / 2 + layer.bias * 0.01

    assert torch.allclose(layer(x), scaled, atol=1e-6)


def test_a_normalised_latent_has_unit_second_moment() -> None:
    z = torch.randn(4, 9) * 13

    assert torch.allclose(normalised(z).square().mean(dim=1), torch.ones(4), atol=1e-5)


def test_truncation_one_leaves_w_and_zero_gives_the_mean() -> None:
    mapping = MappingNetwork(5, 7, 2)
    mapping.w_avg.copy_(torch.arange(7.0))
    w = torch.randn(3, 7)

    assert torch.allclose(mapping.truncated(w, 1.0), w, atol=1e-6)
    assert torch.allclose(mapping.truncated(w, 0.0), torch.arange(7.0).expand(3, 7))


def test_the_mean_of_w_moves_by_half_a_per_cent() -> None:
    mapping = MappingNetwork(5, 7, 2)

    mapping.track(torch.full((4, 7), 2.0))

    assert torch.allclose(mapping.w_avg, torch.full((7,), 0.01))


def test_an_image_does_not_depend_on_its_batch(generator: Generator) -> None:
    w = torch.randn(3, 7, generator=seeded())
    noise = generator.synthesis.constant_noise()

    together = generator(w, noise)

    for i in range(3):
        assert torch.allclose(together[i : i + 1], generator(w[i : i + 1], noise), atol=1e-6)


def test_noise_changes_an_image_only_by_its_strength(generator: Generator) -> None:
    w = torch.randn(1, 7, generator=seeded())
    with_noise = generator(w, generator.synthesis.constant_noise())
    assert not torch.allclose(with_noise, generator(w, generator.synthesis.no_noise()))

    for layer in generator.synthesis.convolutions:
        torch.nn.init.zeros_(layer.noise_strength)

    silent = generator(w, generator.synthesis.constant_noise())
    assert torch.allclose(silent, generator(w, generator.synthesis.no_noise()))


def test_random_noise_is_the_same_for_the_same_state(generator: Generator) -> None:
    first = generator.synthesis.random_noise(2, seeded(3))
    second = generator.synthesis.random_noise(2, seeded(3))

    assert all(
        a is not None and b is not None and torch.equal(a, b)
        for a, b in zip(first, second, strict=True)
    )


def test_blocks_give_two_maps_each_at_their_own_size(generator: Generator) -> None:
    ws = generator.styles(torch.randn(1, 7))

    outputs = list(generator.synthesis.blocks(ws, generator.synthesis.constant_noise()))

    assert [output.resolution for output in outputs] == [4, 8, 16]
    assert [tuple(m.shape[1:]) for output in outputs for m in output.maps] == [
        (6, 4, 4), (6, 4, 4), (6, 8, 8), (6, 8, 8), (4, 16, 16), (4, 16, 16),
    ]  # fmt: skip
    assert torch.equal(outputs[0].maps[0][0], generator.synthesis.block_list[0].const)


def test_published_names_are_the_names_of_our_parameters(generator: Generator) -> None:
    names = set(generator.state_dict())

    assert {
        "mapping.fc1.weight",
        "mapping.w_avg",
        "synthesis.b4.const",
        "synthesis.b8.conv0.affine.bias",
        "synthesis.b16.conv1.noise_const",
        "synthesis.b16.torgb.weight",
        "synthesis.b8.resample_filter",
    } <= names
    assert not any(".b4.conv0" in name for name in names)


def test_the_spread_of_a_group_is_that_of_its_strided_members() -> None:
    x = torch.randn(4, 2, 3, 3)

    spread = with_spread(x, 2)[:, -1]

    for i in range(4):
        members = torch.stack([x[i % 2], x[i % 2 + 2]])
        wanted = members.std(dim=0, unbiased=False).mean()
        assert torch.allclose(spread[i], wanted.expand(3, 3), atol=1e-4)


def test_a_score_depends_on_its_image_and_on_its_group() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(SMALL)
    images = torch.randn(4, 3, 16, 16)

    scores = discriminator(images)

    assert scores.shape == (4,)
    assert not torch.allclose(scores, discriminator(images.flip(3)))


@pytest.mark.parametrize("resolution", [0, 4, 48, 100])
def test_a_side_that_is_no_power_of_two_is_refused(resolution: int) -> None:
    with pytest.raises(SettingsError, match=f"{resolution} px cannot be built"):
        NetworkShape(resolution=resolution)


def test_a_published_network_has_22_maps_of_6128_channels_at_4096_pixels() -> None:
    shape = NetworkShape(resolution=4096)

    assert 2 * len(shape.resolutions) == 22
    assert 2 * sum(shape.channels(r) for r in shape.resolutions) == 6128
    assert 2 * sum(shape.channels(r) for r in shape.resolutions[-5:]) == 496
    assert shape.num_ws == 22
