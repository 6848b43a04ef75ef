"""Beginning from a trained network."""

import copy
from dataclasses import replace

import pytest
import torch

from hdgan.method.stylegan.discriminator import Discriminator
from hdgan.method.stylegan.resample import halved
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.stylegan.transfer import begun_from, begun_share, sees_reduced


def discriminator(resolution: int, channel_base: int = 512) -> Discriminator:
    made = Discriminator(NetworkShape(resolution, channel_base, channel_max=16))
    for name, tensor in made.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(tensor)
    return made


@pytest.mark.parametrize("resolution", [32, 64])
def test_a_larger_discriminator_begins_with_the_score_of_the_reduced_image(resolution: int) -> None:
    torch.manual_seed(0)
    trained, larger = discriminator(16), discriminator(resolution)
    images = torch.randn(4, 3, resolution, resolution)
    begun_from(larger, trained.state_dict())
    reduced = images
    while reduced.shape[-1] > 16:
        reduced = halved(reduced)
    expected = trained(reduced)

    assert not torch.allclose(larger(images), expected, atol=0.02)
    assert sees_reduced(larger, trained.state_dict(), 16)
    assert torch.allclose(larger(images), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channel_min", [1, 24])
def test_wider_networks_begin_with_the_starts_images_and_scores(channel_min: int) -> None:
    torch.manual_seed(0)
    shape = NetworkShape(32, 256, channel_max=32, z_dim=8, w_dim=8)
    wide = replace(shape, channel_base=512 if channel_min == 1 else 256, channel_min=channel_min)
    generators, judges = (
        (Generator(shape), Generator(wide)),
        (Discriminator(shape), Discriminator(wide)),
    )
    for network in (*generators, *judges):
        for name, tensor in network.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(tensor)
    for start, network in (generators, judges):
        begun_from(network, start.state_dict())

    ws = torch.randn(2, shape.num_ws, 8)
    drawn = [network.synthesis(ws, network.synthesis.no_noise()) for network in generators]
    torch.testing.assert_close(drawn[1], drawn[0], rtol=1e-4, atol=1e-4)
    images = torch.randn(4, 3, 32, 32)
    torch.testing.assert_close(judges[1](images), judges[0](images), rtol=1e-4, atol=1e-4)


def test_a_wider_generator_learns_with_all_its_channels() -> None:
    torch.manual_seed(0)
    shape = NetworkShape(16, 256, channel_max=32, z_dim=8, w_dim=8)
    start, network = Generator(shape), Generator(replace(shape, channel_min=24))
    begun_from(network, start.state_dict())
    layer = network.synthesis.get_submodule("b16.conv1")

    ws = torch.randn(2, shape.num_ws, 8)
    network.synthesis(ws, network.synthesis.no_noise()).square().sum().backward()

    gradient = layer.get_parameter("weight").grad
    assert gradient is not None
    assert gradient[:16, 16:].abs().max() > 0
    share = {id(own): share for own, share in begun_share(network, start.state_dict())}
    assert share[id(layer.get_parameter("weight"))].sum() == 16 * 16 * 9


def test_every_part_of_a_block_that_was_added_learns() -> None:
    torch.manual_seed(0)
    trained, larger = discriminator(16), discriminator(32)
    begun_from(larger, trained.state_dict())
    sees_reduced(larger, trained.state_dict(), 16)

    larger(torch.randn(4, 3, 32, 32)).sum().backward()

    block = larger.block_list[0]
    for layer in (block.fromrgb, block.conv0, block.conv1, block.skip):
        assert layer.weight.grad is not None
        assert layer.weight.grad.abs().max() > 0


def test_blocks_that_were_added_are_the_same_in_every_process() -> None:
    torch.manual_seed(0)
    trained, begun = discriminator(16), discriminator(64)
    weights = []
    for seed in (1, 2):
        larger = copy.deepcopy(begun)
        torch.manual_seed(seed)
        before = torch.random.get_rng_state()
        assert sees_reduced(larger, trained.state_dict(), 16)
        assert torch.equal(torch.random.get_rng_state(), before)
        weights.append(larger.state_dict())

    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


def test_a_block_too_narrow_for_colours_keeps_its_random_values() -> None:
    trained, larger = discriminator(16, 64), discriminator(32, 64)
    before = larger.state_dict()["b32.conv0.weight"].clone()

    assert not sees_reduced(larger, trained.state_dict(), 16)
    assert torch.equal(larger.state_dict()["b32.conv0.weight"], before)
