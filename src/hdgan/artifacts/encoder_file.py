"""Weights of an encoder in a file that a user names."""

import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hdgan.artifacts.arrays import arrays_of
from hdgan.artifacts.manifest import digest_of_file
from hdgan.errors import DamagedArtifactError, EncoderError
from hdgan.method.squeezenet import SqueezeNet


@dataclass(frozen=True)
class EncoderFile:
    """An encoder and where it comes from."""

    encoder: SqueezeNet
    """Ready to be asked, on the CPU."""

    name: str
    """What reports call it."""

    digest: str
    """SHA-256 of the file."""


def read_encoder(path: Path) -> EncoderFile:
    """The SqueezeNet 1.1 in an `.npz` or safetensors file.

    Names are those of the Keras version (`fire2/squeeze1x1/kernel`, axes height, width, in, out;
    `fire2/squeeze1x1/bias`); the last layer (`conv10`) is not needed.

    Raises:
        EncoderError: it cannot be read, or holds another network.
    """
    if not path.is_file():
        raise EncoderError(f"There is no encoder {path}. Check the path.")
    encoder = SqueezeNet()
    arrays = _arrays(path)
    state: dict[str, Tensor] = {}
    for name, own in encoder.state_dict().items():
        stored = name.replace(".weight", ".kernel").replace(".", "/")
        if stored not in arrays:
            raise EncoderError(
                f"{path} has no tensor {stored}; only SqueezeNet 1.1 under its Keras names is read."
            )
        array = arrays[stored].astype(np.float32)
        tensor = torch.from_numpy(array.transpose(3, 2, 0, 1) if array.ndim == 4 else array)
        if tensor.shape != own.shape:
            raise EncoderError(f"{path} has a {stored} of size {tuple(arrays[stored].shape)}.")
        state[name] = tensor.contiguous()
    encoder.load_state_dict(state)
    digest = digest_of_file(path)
    return EncoderFile(encoder.eval(), f"SqueezeNet 1.1, {digest[:12]}", digest)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.suffix == ".safetensors":
            return arrays_of(path.read_bytes(), str(path))
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (DamagedArtifactError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise EncoderError(
            f"{path} is no readable .npz or .safetensors file. Copy it again from its source."
        ) from error
