"""Encoders as TorchScript: a program with its weights, run only if the user trusts it.

Convention: a scripted encoder takes RGB images, `[batch, 3, 224, 224]` float32, standardised with
ImageNet's mean and deviation (on the scale 0 to 1: 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225),
and returns one row of features an image, `[batch, features]`. One whose `forward` has an argument
`return_features`, as the widespread Inception of 2015 has, is given uint8 images of any size, 0 to
255, and `return_features=True`.
"""

import warnings
from io import BytesIO
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hdgan.errors import EncoderError
from hdgan.method.encoder_input import imagenet

INPUT_PX = 224
"""Side of the images that an encoder without `return_features` is given."""

_PROBE_PX = 256


class ScriptedEncoder(nn.Module):
    """A scripted network, given what it takes."""

    def __init__(self, script: torch.jit.ScriptModule, name: str) -> None:
        super().__init__()
        self.script, self.name = script, name
        self.prepare = imagenet(INPUT_PX)
        forward: Any = script.forward
        arguments = [argument.name for argument in forward.schema.arguments]
        self.is_inception = "return_features" in arguments

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch features"]:
        """Features of RGB images from -1 to 1, of any size.

        Raises:
            EncoderError: the program fails, or returns something else.
        """
        try:
            features = self._asked(images)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise EncoderError(f"{self.name} fails on images: {reason}") from error
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != len(images):
            found = (
                tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
            )
            raise EncoderError(
                f"{self.name} returns {found} for {len(images)} images; needed is one row of "
                "features an image. Script a network that returns that."
            )
        return features.float()

    def _asked(self, images: Float[Tensor, "batch 3 height width"]) -> object:
        if not self.is_inception:
            return self.script(self.prepare(images))
        pixels = ((images + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return self.script(pixels, return_features=True)


@torch.no_grad()
def scripted_encoder(data: bytes, name: str) -> ScriptedEncoder:
    """The encoder in a TorchScript file, on the CPU. It is run once, on grey images.

    Args:
        data: the file's content. Its program is run: call this only for files that the user trusts.
        name: what errors call it.

    Raises:
        EncoderError: it cannot be loaded, or does not follow the convention.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            script = torch.jit.load(BytesIO(data), map_location="cpu")
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        raise EncoderError(f"{name} is no whole TorchScript file ({reason}).") from error
    encoder = ScriptedEncoder(script.eval(), name)
    encoder(torch.zeros(2, 3, _PROBE_PX, _PROBE_PX))
    return encoder
