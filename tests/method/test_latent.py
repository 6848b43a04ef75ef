"""Seeds, latents, selection and regeneration."""

import numpy as np
import pytest
import torch

from hdgan.method.latent import image_of, pixels_of, tensor_of, w_of, z_of
from hdgan.method.regeneration import regenerates
from hdgan.method.selection import diverse, uncertain_and_diverse
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator


@pytest.fixture(scope="module")
def generator() -> Generator:
    torch.manual_seed(0)
    shape = NetworkShape(8, channel_base=32, channel_max=4, z_dim=4, w_dim=4, mapping_layers=1)
    return Generator(shape).eval().requires_grad_(requires_grad=False)


def test_a_latent_depends_on_its_seed_alone() -> None:
    torch.manual_seed(1)
    first = z_of(7, 16)
    torch.manual_seed(2)

    assert torch.equal(first, z_of(7, 16))
    assert not torch.equal(first, z_of(8, 16))


def test_an_image_of_a_seed_is_always_the_same(generator: Generator) -> None:
    first = image_of(generator, w_of(generator, 3, 0.7))
    for seed in range(3):
        image_of(generator, w_of(generator, seed, 0.7))

    assert np.array_equal(first, image_of(generator, w_of(generator, 3, 0.7)))


def test_full_truncation_draws_the_mean_image(generator: Generator) -> None:
    images = [image_of(generator, w_of(generator, seed, 0.0)) for seed in range(2)]

    assert np.array_equal(images[0], images[1])


def test_pixels_survive_the_way_to_the_network_and_back() -> None:
    pixels = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)

    assert np.array_equal(pixels_of(tensor_of(pixels)[None]), pixels)


def test_values_beyond_the_range_are_clipped() -> None:
    image = torch.tensor([-3.0, 0.0, 3.0])[None, :, None, None].expand(1, 3, 2, 2)

    assert pixels_of(image)[0, 0].tolist() == [0, 128, 255]


def test_rounding_is_forgiven_and_another_image_is_not() -> None:
    image = np.random.default_rng(0).integers(0, 250, size=(32, 32, 3), dtype=np.uint8)

    assert regenerates(image, image + 1)
    assert not regenerates(image, image[::-1])


def test_one_sample_is_chosen_from_each_group() -> None:
    random = np.random.default_rng(0)
    centres = random.normal(size=(5, 8)) * 30
    group = np.repeat(np.arange(5), [30, 20, 10, 5, 5])
    features = centres[group] + random.normal(size=(70, 8))

    chosen = diverse(features, 5, seed=0)

    assert sorted(group[chosen]) == [0, 1, 2, 3, 4]
    assert group[chosen[0]] == 0


def test_no_sample_is_chosen_twice() -> None:
    features = np.zeros((10, 3))
    features[0] = 1.0

    assert len(set(diverse(features, 6, seed=0).tolist())) == 6


def test_a_second_round_chooses_different_samples_among_the_uncertain() -> None:
    random = np.random.default_rng(0)
    kinds = np.repeat(np.arange(4), 10)
    features = np.eye(4)[kinds] * 10 + random.normal(size=(40, 4)) * 0.1
    uncertainty = np.where(np.arange(40) % 2 == 0, 1.0, 0.0) + kinds * 0.01

    chosen = uncertain_and_diverse(features, uncertainty, 4, seed=0)

    assert sorted(kinds[chosen].tolist()) == [0, 1, 2, 3]
    assert (uncertainty[chosen] >= 1.0).all()
    assert (np.diff(uncertainty[chosen]) <= 0).all()
    everything = uncertain_and_diverse(features, uncertainty, 40, seed=0)
    assert sorted(everything.tolist()) == list(range(40))
