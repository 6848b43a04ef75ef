"""Tensors by name in a file of weights, whatever its format; nothing in it is executed."""

import zipfile
import zlib
from collections.abc import Iterator
from enum import Enum
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from hdgan.artifacts.arrays import npy_of
from hdgan.artifacts.stored_tensors import (
    ARCHIVE_DAMAGES,
    MOST_TIMES,
    SMALL_BYTES,
    checked_sizes,
    is_stream,
    tensors_of_archive,
    tensors_of_stream,
)
from hdgan.errors import DamagedArtifactError, EncoderError, NetworkFileError


class Format(Enum):
    """What a file's content, not its name, says that it is."""

    SAFETENSORS = "safetensors"
    NPZ = "npz"
    ARCHIVE = "a state dict in PyTorch's zip format"
    STREAM = "a state dict in PyTorch's older format"
    TORCHSCRIPT = "TorchScript"
    UNKNOWN = "something else"


_DAMAGES = (SafetensorError, TypeError, AttributeError, zlib.error, *ARCHIVE_DAMAGES)


def format_of(data: bytes) -> Format:
    """The format that a file's content has; that of a damaged archive is unknown."""
    if data[8:9] == b"{":
        return Format.SAFETENSORS
    if is_stream(data):
        return Format.STREAM
    if not zipfile.is_zipfile(BytesIO(data)):
        return Format.UNKNOWN
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.namelist()
    except ARCHIVE_DAMAGES:
        return Format.UNKNOWN
    if any(member.endswith("/constants.pkl") for member in members):
        return Format.TORCHSCRIPT
    is_npz = bool(members) and all(member.endswith(".npy") for member in members)
    return Format.NPZ if is_npz else Format.ARCHIVE


def tensors_of(data: bytes, path: Path) -> dict[str, Tensor]:
    """Tensors by their names in a file.

    Raises:
        EncoderError: it is damaged, of another format, or wants to execute something.
    """
    kind = format_of(data)
    try:
        if kind is Format.SAFETENSORS:
            return load(data)
        if kind is Format.ARCHIVE:
            return _copied(tensors_of_archive(data, str(path)))
        if kind is Format.STREAM:
            return _copied(tensors_of_stream(data, str(path)))
        if kind is Format.NPZ:
            return _copied(dict(checked_sizes(_arrays_in(data), len(data), str(path))))
    except (NetworkFileError, DamagedArtifactError) as error:
        raise EncoderError(str(error)) from error
    except _DAMAGES as error:
        raise _unreadable(path) from error
    raise _unreadable(path)


def _arrays_in(data: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of an `.npz`, each of which is unpacked only as far as the file may be trusted."""
    most = max(SMALL_BYTES, MOST_TIMES * len(data))
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                content = file.read(most + 1)
            if len(content) > most:
                raise ValueError("it is packed far more than numbers can be")
            try:
                numbers = npy_of(content, member.filename)
            except DamagedArtifactError as error:
                raise ValueError(f"{member.filename} holds no numbers") from error
            yield member.filename.removesuffix(".npy"), numbers


def _copied(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Tensors that do not lie in the file's bytes, which are not to be written to."""
    return {name: torch.from_numpy(np.array(array, order="C")) for name, array in arrays.items()}


def _unreadable(path: Path) -> EncoderError:
    return EncoderError(
        f"{path} is no readable .npz, .safetensors or PyTorch file (.pt, .pth, .bin). Copy it "
        "again from its source."
    )
