"""How unlike two images are, as a number that a latent can be sought with."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

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

    Of an encoder that makes no maps (`[batch, channels, height, width]`), its features themselves.
    """

    def __init__(self, encoder: nn.Module) -> None:
        """Look with this encoder, which is left as it is."""
        self.encoder = encoder
        self._maps: dict[tuple[int, ...], Tensor] = {}

    def __call__(self, images: Images) -> Look:
        """What is compared."""
        self._maps = {}
        hooks = [
            module.register_forward_hook(self._take)
            for module in self.encoder.modules()
            if module is not self.encoder
        ]
        try:
            features = self.encoder(images)
        finally:
            for hook in hooks:
                hook.remove()
        maps = list(self._maps.values())[:MOST_MAPS] or [features]
        self._maps = {}
        return [functional.normalize(one, dim=1) for one in maps]

    def _take(self, _module: nn.Module, _inputs: object, output: object) -> None:
        """Keep the last map of each size."""
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
            self._maps[tuple(output.shape[2:])] = output


def distance_between(look: Look, other: Look) -> Float[Tensor, " batch"]:
    """The mean square of the differences, of each part in turn, added up."""
    squares = [(one - two).square().flatten(1).mean(dim=1) for one, two in zip(look, other)]  # noqa: B905
    return torch.stack(squares).sum(dim=0)
