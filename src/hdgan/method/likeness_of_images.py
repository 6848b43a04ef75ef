"""How unlike two images are, as a number that a latent can be sought with."""

from collections.abc import Callable, Sequence
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.segmenter.frozen_features_maps import NUM_DEPTHS
from hdgan.method.vision_transformer import VisionTransformer

COARSEST_PX = 8
"""Side of the smallest images that are compared."""

MOST_MAPS = 5
"""Feature maps of an encoder that are compared: of each size the last, the largest first."""

Images = Float[Tensor, "batch 3 side side"]
Look = Sequence[Float[Tensor, "batch ..."]]
"""What images are compared by, several tensors with an image a row."""


ImageLook = Callable[[Images], Look]
"""Images to what they are compared by."""


class EdgeLook:
    """Pixels and their steps to the right and down, at each scale down to `COARSEST_PX`.

    Needs no weights. Unlike pixels alone, it minds outlines, and at coarse scales it still sees
    which way an object should move.
    """

    def __call__(self, images: Images) -> Look:
        """What is compared."""
        parts = []
        while True:
            parts += [images, images.diff(dim=-1), images.diff(dim=-2)]
            if images.shape[-1] <= COARSEST_PX:
                return parts
            images = functional.avg_pool2d(images, 2)


class EncoderLook:
    """Feature maps of an encoder, each position at unit length (LPIPS, Zhang et al. 2018).

    Of a vision transformer the tokens of `NUM_DEPTHS` depths; of an encoder that makes neither maps
    (`[batch, channels, height, width]`) nor tokens, its features themselves.

    Lengths are those that make `distance_between` add up channels, as LPIPS does: of a map it is
    then twice 1 minus the cosine of the angle between features, in the mean over positions.
    """

    def __init__(self, encoder: nn.Module) -> None:
        """Look with this encoder, which is left as it is."""
        self.encoder = encoder

    def __call__(self, images: Images) -> Look:
        """What is compared."""
        if isinstance(self.encoder, VisionTransformer):
            maps = _tokens(self.encoder, images)
        else:
            maps = _maps(self.encoder, images)
        return [functional.normalize(one, dim=1) * sqrt(one.shape[1]) for one in maps]


def _maps(encoder: nn.Module, images: Images) -> Look:
    """The last map of each size, the largest first, or the features if there is no map."""
    maps: dict[tuple[int, ...], Tensor] = {}

    def take(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
            maps[tuple(output.shape[2:])] = output

    inner = [module for module in encoder.modules() if module is not encoder]
    features = _hooked(encoder, inner, images, take)
    return list(maps.values())[:MOST_MAPS] or [features]


def _tokens(encoder: VisionTransformer, images: Images) -> Look:
    """The patches' tokens of some depths, each by the network's last normalisation."""
    found: list[Tensor] = []

    def take(_module: nn.Module, _inputs: object, output: object) -> None:
        assert isinstance(output, Tensor)
        found.append(encoder.norm(output)[:, 1:].mT)

    depth = len(encoder.blocks)
    read = sorted({-(-depth * part // NUM_DEPTHS) for part in range(1, NUM_DEPTHS + 1)})
    _hooked(encoder, [encoder.blocks[number - 1] for number in read], images, take)
    return found


def _hooked(
    encoder: nn.Module,
    modules: Sequence[nn.Module],
    images: Images,
    take: Callable[[nn.Module, object, object], None],
) -> Tensor:
    """The features of images, while `take` is shown what these modules put out."""
    hooks = [module.register_forward_hook(take) for module in modules]
    try:
        features: Tensor = encoder(images)
    finally:
        for hook in hooks:
            hook.remove()
    return features


def distance_between(look: Look, other: Look) -> Float[Tensor, " batch"]:
    """The mean square of the differences, of each part in turn, added up."""
    squares = [(one - two).square().flatten(1).mean(dim=1) for one, two in zip(look, other)]  # noqa: B905
    return torch.stack(squares).sum(dim=0)
