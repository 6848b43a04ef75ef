"""Perceptrons on a frozen encoder's maps, against plain definitions of where the maps lie."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hdgan.method.efficientnet_lite import EfficientNetLite0
from hdgan.method.encoder_input import Preparation
from hdgan.method.pixel_classifier import ClassifierShape
from hdgan.method.segmenter.frozen_features import (
    FrozenFeatureSegmenter,
    FrozenFeatureShape,
    scale_for,
)
from hdgan.method.segmenter.frozen_features_fitting import (
    fit_frozen_features,
    frozen_features_plan,
)
from hdgan.method.segmenter.frozen_features_maps import (
    channels_of,
    empty_encoder,
    encoder_shape_of,
    features_at,
    placed_maps,
)
from hdgan.method.segmenter.network import predicted_labels
from hdgan.method.squeezenet import SqueezeNet
from hdgan.method.vision_transformer import TransformerShape, VisionTransformer

PLAIN = Preparation(32, (127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
"""Leaves images from -1 to 1 as they are."""


def transformer() -> VisionTransformer:
    return VisionTransformer(TransformerShape(64, 3, 32, 8, 4, 1e-6))


def drawn(encoder: nn.Module, seed: int = 0) -> nn.Module:
    """The encoder in evaluation mode with every weight drawn."""
    random = torch.Generator().manual_seed(seed)
    for name, tensor in encoder.state_dict().items():
        if tensor.is_floating_point() and not name.endswith("running_var"):
            tensor.copy_(torch.randn(tensor.shape, generator=random) * 0.1)
    return encoder.eval().requires_grad_(requires_grad=False)


def positive(encoder: nn.Module) -> nn.Module:
    """The encoder with weights above 0 and no biases, so that no light is lost on the way."""
    for name, tensor in encoder.state_dict().items():
        if tensor.is_floating_point() and not name.endswith("running_var"):
            is_weight = name.endswith("weight")
            tensor.copy_(torch.full_like(tensor, 0.5 if is_weight else 0.0))
            if is_weight and tensor.ndim == 4:
                tensor.div_(tensor[0].numel())
    return encoder.double().eval().requires_grad_(requires_grad=False)


def segmenter_on(encoder: nn.Module, scale: float = 1.0) -> FrozenFeatureSegmenter:
    shape = encoder_shape_of(encoder)
    assert shape is not None
    perceptrons = ClassifierShape(sum(channels_of(shape)), num_classes=3, num_members=2)
    segmenter = FrozenFeatureSegmenter(FrozenFeatureShape(shape, perceptrons, scale), seed=1)
    segmenter.encoder.load_state_dict(encoder.state_dict())
    return segmenter.eval()


def picture(height: int, width: int, seed: int = 2) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("encoder", [SqueezeNet(), EfficientNetLite0(), transformer()])
def test_maps_are_as_many_and_as_wide_as_the_shape_says(encoder: nn.Module) -> None:
    shape = encoder_shape_of(encoder)
    assert shape is not None

    maps = placed_maps(drawn(encoder), picture(64, 96))

    assert [placed.values.shape[2] for placed in maps] == channels_of(shape)
    rebuilt = empty_encoder(shape)
    assert {name: tensor.shape for name, tensor in rebuilt.state_dict().items()} == {
        name: tensor.shape for name, tensor in encoder.state_dict().items()
    }


@pytest.mark.parametrize(
    ("encoder", "side"), [(SqueezeNet(PLAIN), 448), (EfficientNetLite0(PLAIN), 1024)]
)
def test_a_cell_lies_in_the_middle_of_what_it_sees(encoder: nn.Module, side: int) -> None:
    """A bright column lights up the cells that see it: as many on its left as on its right."""
    encoder = positive(encoder)
    dark = placed_maps(encoder, torch.zeros(1, 3, 64, side).double())
    for bright in (side // 2, side // 2 + 5):
        image = torch.zeros(1, 3, 64, side).double()
        image[..., bright] = 1.0

        for placed, unlit in zip(placed_maps(encoder, image), dark, strict=True):
            row = placed.values.shape[0] // 2
            is_lit = ((placed.values - unlit.values)[row] > 0).any(dim=1)
            cells = torch.nonzero(is_lit)[:, 0]
            assert cells.min() > 0
            assert cells.max() < len(is_lit) - 1
            seen = placed.first_px + placed.stride_px * cells.double().mean()
            assert abs(float(seen) - bright) <= placed.stride_px / 2


def test_the_last_map_of_a_transformer_is_that_of_its_own_tokens() -> None:
    encoder = transformer()
    drawn(encoder)
    image = picture(32, 32)

    last = placed_maps(encoder, image)[-1]

    x = encoder.patches(encoder.prepare(image)).flatten(2).transpose(1, 2)
    x = torch.cat([encoder.class_token, x], dim=1) + encoder.positions
    for block in encoder.blocks:
        x = block(x)
    assert torch.allclose(last.values.flatten(end_dim=1), encoder.norm(x)[0, 1:], atol=1e-5)
    assert (last.stride_px, last.first_px) == (8, 3.5)


def test_at_its_centre_a_cell_is_as_it_is_and_between_two_their_mean() -> None:
    maps = placed_maps(drawn(SqueezeNet()), picture(64, 64))
    rows, columns = torch.tensor([7.0, 7.0, 11.0]), torch.tensor([15.0, 19.0, 15.0])

    found = features_at(maps, rows, columns)

    eighth = maps[3].values
    part = slice(3 + 64 + 128, 3 + 64 + 128 + 256)
    assert torch.allclose(found[0, part], eighth[0, 1])
    assert torch.allclose(found[1, part], (eighth[0, 1] + eighth[0, 2]) / 2, atol=1e-5)
    assert torch.allclose(found[2, part], (eighth[0, 1] + eighth[1, 1]) / 2, atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 2.5])
@pytest.mark.parametrize("encoder", [SqueezeNet(), EfficientNetLite0(), transformer()])
def test_an_image_gives_what_the_perceptrons_say_of_each_pixel(
    encoder: nn.Module, scale: float
) -> None:
    segmenter, image = segmenter_on(drawn(encoder), scale), picture(40, 27)
    rows, columns = torch.arange(40).repeat_interleave(27), torch.arange(27).repeat(40)

    with torch.no_grad():
        found = segmenter(image)

    features = segmenter.features(image, rows, columns)
    plain = segmenter.classifier.probabilities(features).mean(dim=0)
    assert torch.allclose(found[0].exp().flatten(1).T, plain, atol=1e-5)


def test_the_smallest_images_are_predicted() -> None:
    image = np.zeros((16, 19, 3), dtype=np.uint8)

    labels = predicted_labels(segmenter_on(drawn(SqueezeNet())), image)

    assert labels.shape == (16, 19)


def test_small_tiles_are_enlarged_to_what_the_encoder_knows() -> None:
    convolutional = encoder_shape_of(EfficientNetLite0())
    large, small = (
        encoder_shape_of(VisionTransformer(TransformerShape(64, 1, 32, 8, grid, 1e-6)))
        for grid in (28, 8)
    )
    assert convolutional is not None
    assert large is not None
    assert small is not None

    assert [scale_for(side, convolutional) for side in (16, 70, 512)] == [4.0, 3.2, 2.0]
    assert [scale_for(side, large) for side in (16, 112, 512)] == [4.0, 2.0, 1.0]
    assert scale_for(64, small) == 1.0


def test_perceptrons_learn_and_the_encoder_stays_as_it_was() -> None:
    segmenter = segmenter_on(drawn(SqueezeNet()))
    before = {name: t.clone() for name, t in segmenter.encoder.state_dict().items()}
    image = picture(64, 64)
    rows, columns = torch.arange(64).repeat_interleave(64), torch.arange(64).repeat(64)
    classes = (image[0, 0].flatten() > 0).long() + (image[0, 1].flatten() > 0).long()
    features = segmenter.features(image, rows, columns)

    epochs = list(
        fit_frozen_features(segmenter.classifier, features, classes, frozen_features_plan(0))
    )

    assert epochs[-1].loss < 0.5 * epochs[0].loss
    assert epochs[-1].validation_accuracy > 0.85
    assert all(torch.equal(t, before[n]) for n, t in segmenter.encoder.state_dict().items())


def test_features_are_scaled_by_the_pixels_that_are_learned_from() -> None:
    segmenter = segmenter_on(drawn(SqueezeNet()))
    random = torch.Generator().manual_seed(0)
    channels = segmenter.classifier.shape.num_channels
    features = torch.randn(200, channels, generator=random) * 3 + 7
    features[:, 5] = 2.0

    next(
        fit_frozen_features(
            segmenter.classifier, features, torch.zeros(200).long(), frozen_features_plan(0)
        )
    )

    assert torch.allclose(segmenter.classifier.mean, features.mean(dim=0), atol=1e-4)
    assert segmenter.classifier.deviation[5] == 1.0
    assert torch.allclose(
        segmenter.classifier.deviation[:5], features[:, :5].std(dim=0, correction=0), atol=1e-4
    )
