"""Tensors on disk: safetensors, which cannot execute anything when it is read."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor, nn

from hdgan.artifacts.artifact import Artifact
from hdgan.errors import DamagedArtifactError, SettingsError

Network = TypeVar("Network", bound=nn.Module)


def tensor_bytes(tensors: dict[str, Tensor], about: dict[str, Any] | None = None) -> bytes:
    """Tensors by name, with a few plain values beside them, as a safetensors file."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = None if about is None else {"about": json.dumps(about)}
    return save(plain, metadata)


def tensors_of(data: bytes, name: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        DamagedArtifactError: it cannot be read.
    """
    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedArtifactError(f"{name} is no whole safetensors file ({error}).") from error


def about_of(path: str) -> dict[str, Any]:
    """The plain values beside the tensors of a safetensors file.

    Raises:
        DamagedArtifactError: it cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, Any] = json.loads(file.metadata()["about"])
    except (SafetensorError, OSError, TypeError, KeyError, ValueError, RecursionError) as error:
        raise DamagedArtifactError(f"{path} is no whole checkpoint ({error}).") from error
    if not isinstance(about, dict):
        raise DamagedArtifactError(f"{path} is no whole checkpoint (it says nothing of itself).")
    return about


def with_weights(build: Callable[[], Network], artifact: Artifact, name: str) -> Network:
    """A network with the weights in one of the artifact's files.

    What the file holds in half precision becomes what the network computes in. No memory is taken
    for a network that the weights do not fit.

    Args:
        build: makes the network.
        artifact: whose file it is.
        name: of the file.

    Raises:
        DamagedArtifactError: the file is not the one written, or does not fit the network.
    """
    tensors = tensors_of(artifact.read(name), str(artifact.folder / name))
    try:
        with torch.device("meta"):
            build().load_state_dict(tensors, assign=True)
    except (RuntimeError, ValueError, TypeError, ArithmeticError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[-1].strip()[:300]
        raise DamagedArtifactError(
            f"{artifact.folder / name} does not fit the network that the folder describes ({said})."
        ) from error
    network = build()
    network.load_state_dict(tensors)
    return network


def device_named(name: str) -> torch.device:
    """`auto` is the first GPU if there is one, else the CPU.

    Raises:
        SettingsError: torch knows no such device, or does not find it.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise SettingsError(
            f"--device is {name!r}; needed is auto, cpu, cuda, or cuda with a number (cuda:1)."
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            f"--device is {name!r}, but torch finds no GPU. Use --device cpu, or install a CUDA "
            "build of torch."
        )
    return device
