"""Encoders against slow and plain definitions of what they compute."""

import numpy as np
import pytest
import torch
from jaxtyping import Float
from scipy.special import erf
from torch import nn
from torch.nn import functional

from hdgan.method.efficientnet_lite import EfficientNetLite0, InvertedBottleneck, Normalised
from hdgan.method.encoder_input import Preparation, imagenet
from hdgan.method.squeezenet import SqueezeNet
from hdgan.method.vision_transformer import HEAD_DIM, TransformerShape, VisionTransformer

TINY = TransformerShape(width=128, depth=2, hidden=96, patch_px=4, grid=3, epsilon=1e-6)

Rows = Float[np.ndarray, "_ _"]


def with_random_numbers(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network in evaluation mode with every tensor drawn; variances are above 0."""
    random = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            drawn = torch.randn(tensor.shape, generator=random) * 0.3
            tensor.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn)
    return network.eval().requires_grad_(requires_grad=False)


def images_of(side: int, count: int = 2, seed: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_colours_are_standardised_on_the_scale_of_imagenet() -> None:
    image = images_of(5)

    prepared = imagenet(5)(image)

    green = ((image[:, 1] + 1) / 2 - 0.456) / 0.224
    assert torch.allclose(prepared[:, 1], green, atol=1e-5)


def test_a_network_that_takes_blue_first_is_given_blue_first() -> None:
    image = images_of(4)

    prepared = Preparation(4, (1.0, 2.0, 3.0), (1.0, 1.0, 2.0), blue_first=True)(image)

    assert torch.allclose(prepared[:, 0], (image[:, 2] + 1) * 127.5 - 1, atol=1e-4)
    assert torch.allclose(prepared[:, 2], ((image[:, 0] + 1) * 127.5 - 3) / 2, atol=1e-4)


def test_a_larger_image_is_averaged_down_not_sampled() -> None:
    stripes = torch.tensor([-1.0, 1.0]).repeat(32).expand(1, 3, 64, 64)

    prepared = Preparation(8, (0.0, 0.0, 0.0), (255.0, 255.0, 255.0))(stripes)

    assert torch.allclose(prepared, torch.tensor(0.5), atol=0.02)


def plain_transformer(network: VisionTransformer, image: Float[np.ndarray, "3 _ _"]) -> np.ndarray:
    """The class token, one head and one pair of tokens at a time, in double precision."""
    state = {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}

    def linear(name: str, x: Rows) -> Rows:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def normalised(name: str, x: Rows) -> Rows:
        centred = x - x.mean(axis=1, keepdims=True)
        deviation = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + TINY.epsilon)
        return centred / deviation * state[f"{name}.weight"] + state[f"{name}.bias"]

    def attended(name: str, x: Rows) -> Rows:
        query, key, value = np.split(linear(name, x), 3, axis=1)
        mixed = np.zeros_like(query)
        for first in range(0, TINY.width, HEAD_DIM):
            head = slice(first, first + HEAD_DIM)
            for i in range(len(x)):
                scores = [query[i, head] @ other / np.sqrt(HEAD_DIM) for other in key[:, head]]
                weights = np.exp(scores) / np.exp(scores).sum()
                mixed[i, head] = weights @ value[:, head]
        return mixed

    tokens = [state["class_token"][0, 0]]
    for number in range(TINY.grid**2):
        row, column = divmod(number, TINY.grid)
        top, left = row * TINY.patch_px, column * TINY.patch_px
        patch = image[:, top : top + TINY.patch_px, left : left + TINY.patch_px]
        products = state["patches.weight"] * patch
        tokens.append(products.sum(axis=(1, 2, 3)) + state["patches.bias"])
    x = np.array(tokens) + state["positions"][0]
    for number in range(TINY.depth):
        name = f"blocks.{number}"
        mixed = attended(f"{name}.query_key_value", normalised(f"{name}.attention_norm", x))
        x = x + state[f"{name}.attention_scale"] * linear(f"{name}.attention_out", mixed)
        hidden = linear(f"{name}.perceptron_in", normalised(f"{name}.perceptron_norm", x))
        hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
        x = x + state[f"{name}.perceptron_scale"] * linear(f"{name}.perceptron_out", hidden)
    token: np.ndarray = normalised("norm", x)[0]
    return token


def test_a_vision_transformer_is_the_plain_one() -> None:
    network = VisionTransformer(TINY)
    with_random_numbers(network)
    images = images_of(12).double()

    features = network.double()(images)

    for image, found in zip(network.prepare(images), features, strict=True):
        wanted = plain_transformer(network, image.numpy())
        assert found.numpy() == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_a_vision_transformer_takes_images_of_any_size() -> None:
    network = with_random_numbers(VisionTransformer(TINY))

    assert network(images_of(50)).shape == (2, 128)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [6, 7, 8])
def test_padding_gives_an_output_for_every_stride_that_begins_inside(
    kernel: int, stride: int, side: int
) -> None:
    convolution = Normalised(1, 1, kernel, stride=stride)
    with_random_numbers(convolution.conv)
    convolution.norm = nn.BatchNorm2d(1, eps=0.0)  # as it begins, it leaves numbers as they are
    convolution.eval().requires_grad_(requires_grad=False)
    line = torch.randn(side, generator=torch.Generator().manual_seed(3))
    weights = convolution.conv.weight[0, 0]

    found = convolution(line.expand(1, 1, side, side))

    outputs = -(-side // stride)
    before = max((outputs - 1) * stride + kernel - side, 0) // 2
    assert found.shape == (1, 1, outputs, outputs)
    middle = outputs // 2
    for column in range(outputs):
        wanted = 0.0
        for i in range(kernel):
            for j in range(kernel):
                y, x = middle * stride + i - before, column * stride + j - before
                if 0 <= y < side and 0 <= x < side:
                    wanted += float(weights[i, j] * line[x])
        assert float(found[0, 0, middle, column]) == pytest.approx(wanted, abs=1e-5)


def test_an_inverted_bottleneck_is_the_plain_one() -> None:
    block = InvertedBottleneck(4, 4, expansion=6, kernel=3, stride=1)
    with_random_numbers(block)
    x = torch.randn(2, 4, 7, 7, generator=torch.Generator().manual_seed(2))

    def plain(part: Normalised, x: torch.Tensor, groups: int = 1) -> torch.Tensor:
        norm = part.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        x = functional.conv2d(x, part.conv.weight, padding=part.kernel // 2, groups=groups)
        column = [
            tensor[:, None, None]
            for tensor in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        ]
        return (x - column[0]) / torch.sqrt(column[1] + 1e-3) * column[2] + column[3]

    assert block.expand is not None
    wide = plain(block.expand, x).clamp(0, 6)
    wide = plain(block.depthwise, wide, groups=24).clamp(0, 6)
    assert torch.allclose(block(x), x + plain(block.project, wide), atol=1e-5)


def test_efficientnet_lite0_halves_five_times() -> None:
    network = with_random_numbers(EfficientNetLite0())
    sides: list[int] = []
    for block in network.get_submodule("blocks").children():
        block.register_forward_hook(lambda _, __, output: sides.append(output.shape[-1]))

    features = network(images_of(64, count=1))

    assert features.shape == (1, 1280)
    assert sides == [112, *[56] * 2, *[28] * 2, *[14] * 6, *[7] * 5]


def test_torchvisions_squeezenet_would_pool_the_same_windows() -> None:
    network = with_random_numbers(SqueezeNet(imagenet(224)))
    sides: list[int] = []
    for name in ("conv1", "fire2", "fire4", "fire6"):
        module = network.get_submodule(name)
        module.register_forward_hook(lambda _, __, output: sides.append(output.shape[-1]))

    network(images_of(64, count=1))

    # torchvision rounds the number of windows up, which at its size of 224 px is the same.
    assert sides == [111, 55, 27, 13]
    for side in sides[:3]:
        x = torch.zeros(1, 1, side, side)
        up = functional.max_pool2d(x, 3, stride=2, ceil_mode=True)
        assert up.shape == functional.max_pool2d(x, 3, stride=2).shape


@pytest.mark.parametrize(
    "network", [VisionTransformer(TINY), EfficientNetLite0()], ids=["transformer", "lite0"]
)
def test_features_do_not_depend_on_the_batch(network: nn.Module) -> None:
    with_random_numbers(network)
    images = images_of(32, count=3)

    assert torch.allclose(network(images[1:2]), network(images)[1:2], rtol=1e-4, atol=1e-4)
