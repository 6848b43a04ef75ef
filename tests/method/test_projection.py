"""Latents are found again from what they draw; what a generator cannot draw is told apart."""

import numpy as np
import torch
from torch import Tensor, nn

from hdgan.method.encoder_input import imagenet
from hdgan.method.likeness_of_images import EdgeLook, EncoderLook, distance_between
from hdgan.method.projection import (
    ProjectionPlan,
    ProjectionReport,
    largest_distance,
    latent_space_of,
    project,
)
from hdgan.method.segmenter.frozen_features_maps import placed_maps
from hdgan.method.squeezenet import SqueezeNet
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.vision_transformer import TransformerShape, VisionTransformer

SHAPE = NetworkShape(16, channel_base=256, channel_max=16, z_dim=8, w_dim=8, mapping_layers=2)
PLAN = ProjectionPlan(steps=200)


def generator_of(shape: NetworkShape) -> Generator:
    """A generator whose drawings differ, since its weights are large."""
    torch.manual_seed(0)
    network = Generator(shape).eval().requires_grad_(requires_grad=False)
    for layer in network.synthesis.convolutions:
        layer.noise_strength.zero_()
    return network


def drawing_of(network: Generator, seed: int) -> Tensor:
    z = torch.randn(1, SHAPE.z_dim, generator=torch.Generator().manual_seed(seed))
    return network(network.mapping(z), network.synthesis.constant_noise())


def found(network: Generator, images: Tensor, plan: ProjectionPlan) -> list[ProjectionReport]:
    return list(project(network, latent_space_of(network), images, EdgeLook(), plan))


def test_the_latent_of_a_drawing_is_found_again() -> None:
    network = generator_of(SHAPE)
    image = drawing_of(network, 5)

    reports = found(network, image, PLAN)

    drawn = network(reports[-1].ws, network.synthesis.constant_noise())
    spread = float(image.std())
    assert float(reports[-1].distances) < 0.05 * float(reports[0].distances)
    assert float((drawn - image).square().mean()) ** 0.5 < 0.2 * spread


def test_images_are_sought_each_by_itself() -> None:
    network = generator_of(SHAPE)
    images = torch.cat([drawing_of(network, seed) for seed in (1, 2)])
    plan = ProjectionPlan(steps=10)

    together = found(network, images, plan)[-1].ws
    alone = found(network, images[1:], plan)[-1].ws

    assert torch.allclose(together[1:], alone, atol=1e-4)


def test_the_first_report_is_of_the_mean_latent() -> None:
    network = generator_of(SHAPE)
    space = latent_space_of(network)

    first = next(project(network, space, drawing_of(network, 3), EdgeLook(), PLAN))

    assert torch.allclose(first.ws, space.mean.expand_as(first.ws))
    assert first.steps == 0


def test_a_place_in_latent_space_is_counted_in_standard_deviations() -> None:
    network = generator_of(SHAPE)
    space = latent_space_of(network)
    z = torch.randn(4000, SHAPE.z_dim, generator=torch.Generator().manual_seed(9))

    places = (network.mapping(z) - space.mean) @ torch.linalg.pinv(space.axes)

    assert np.allclose(torch.cov(places.mT).numpy(), np.eye(len(space.axes)), atol=0.15)


def test_what_looks_less_like_is_let_in_only_if_unrelated_drawings_are_as_near() -> None:
    network = generator_of(SHAPE)
    limit = largest_distance(network, EdgeLook(), PLAN)
    noise = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1

    of_drawing = found(network, drawing_of(network, 5), PLAN)[-1].distances
    of_noise = found(network, noise, PLAN)[-1].distances

    assert float(of_drawing) < limit < float(of_noise)


def test_a_latent_term_keeps_latents_near_the_mean() -> None:
    network = generator_of(SHAPE)
    space, image = latent_space_of(network), drawing_of(network, 5)

    free, held = (
        found(network, image, ProjectionPlan(steps=60, latent_weight=weight, layer_weight=weight))
        for weight in (0.0, 10.0)
    )

    lengths = [float((each[-1].ws - space.mean).norm()) for each in (free, held)]
    assert lengths[1] < 0.7 * lengths[0]


def test_equal_images_look_the_same_and_moved_ones_do_not() -> None:
    image = torch.zeros(1, 3, 32, 32)
    image[..., 8:16, 8:16] = 1.0
    look = EdgeLook()

    distances = [
        float(distance_between(look(image), look(image.roll(shift, -1)))) for shift in (0, 2, 8)
    ]

    assert distances[0] == 0.0
    assert distances[0] < distances[1] < distances[2]


def test_an_encoder_looks_with_its_maps_and_gives_gradients() -> None:
    torch.manual_seed(0)
    encoder = SqueezeNet().eval().requires_grad_(requires_grad=False)
    images = torch.rand(2, 3, 32, 32, requires_grad=True)
    look = EncoderLook(encoder)

    parts = look(images)
    distance_between(parts, look(torch.zeros(2, 3, 32, 32))).sum().backward()

    assert len({tuple(part.shape[2:]) for part in parts}) == len(parts) > 1
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert not encoder.conv1._forward_hooks


def test_the_channels_of_maps_are_added_up_as_in_lpips() -> None:
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU())
    one, other = torch.rand(2, 2, 3, 9, 9)
    look = EncoderLook(encoder)

    distance = distance_between(look(one), look(other))

    mine, yours = (maps / maps.norm(dim=1, keepdim=True) for maps in (encoder(one), encoder(other)))
    assert torch.allclose(distance, (mine - yours).square().sum(dim=1).mean(dim=(1, 2)), atol=1e-5)


def test_an_encoder_changes_what_is_found() -> None:
    network = generator_of(SHAPE)
    torch.manual_seed(0)
    encoder = SqueezeNet(imagenet(64)).eval().requires_grad_(requires_grad=False)
    look = EncoderLook(encoder)
    image = torch.rand(1, 3, 16, 16) * 2 - 1
    plan = ProjectionPlan(steps=60)
    space = latent_space_of(network)

    ends = [
        list(project(network, space, image, each, plan))[-1].ws
        for each in (look, lambda images: [torch.zeros(len(images), 1)])
    ]

    by_encoder, by_pixels = (network(ws, network.synthesis.constant_noise()) for ws in ends)
    apart = (by_encoder - by_pixels).square().mean().sqrt()
    distances = [
        float(distance_between(look(each), look(image))) for each in (by_encoder, by_pixels)
    ]
    assert distances[0] < 0.9 * distances[1]
    assert float(apart) > 0.1 * float(by_pixels.std())


def test_a_vision_transformer_looks_with_the_tokens_of_four_depths() -> None:
    torch.manual_seed(0)
    encoder = VisionTransformer(TransformerShape(64, 6, 128, 4, 4, 1e-6)).eval()
    image = torch.rand(1, 3, 16, 16) * 2 - 1

    parts = EncoderLook(encoder)(image)

    tokens = [placed.values.flatten(0, 1).mT for placed in placed_maps(encoder, image)[1:]]
    assert len(parts) == len(tokens) == 4
    for part, wanted in zip(parts, tokens, strict=True):
        assert torch.allclose(part[0] / 8.0, wanted / wanted.norm(dim=0), atol=1e-4)


def test_an_encoder_without_maps_looks_with_its_features() -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 5))

    (part,) = EncoderLook(encoder)(torch.rand(2, 3, 4, 4))

    assert part.shape == (2, 5)
