"""Arrays on disk: safetensors read and written by numpy, for what must not need torch."""

from io import BytesIO

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from hdgan.errors import DamagedArtifactError


def array_bytes(arrays: dict[str, np.ndarray], about: dict[str, str] | None = None) -> bytes:
    """Arrays by name, with a few texts beside them, as a safetensors file."""
    ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    data: bytes = save(ordered, about)
    return data


def arrays_of(data: bytes, name: str) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file.

    Raises:
        DamagedArtifactError: it cannot be read.
    """
    try:
        arrays: dict[str, np.ndarray] = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise DamagedArtifactError(f"{name} is no whole safetensors file ({error}).") from error
    return arrays


def npy_bytes(array: np.ndarray) -> memoryview:
    """An array as an `.npy` file, which can be mapped into memory."""
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getbuffer()
