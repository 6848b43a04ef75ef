"""Arrays on disk: safetensors read and written by numpy, for what must not need torch."""

import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from tokenize import TokenError

import numpy as np
from jaxtyping import Float32
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from hdgan.artifacts.writing import renamed_when_whole
from hdgan.errors import DamagedArtifactError

_HEADERS = (np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0)


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
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DamagedArtifactError(f"{name} is no whole safetensors file ({error}).") from error
    return arrays


def latents_of(data: bytes, name: str) -> Float32[np.ndarray, "latents w_dim"]:
    """The array `w` of a safetensors file.

    Raises:
        DamagedArtifactError: it cannot be read, or has no such array.
    """
    w = arrays_of(data, name).get("w")
    if w is None or w.ndim != 2 or w.dtype != np.float32 or not np.isfinite(w).all():
        raise DamagedArtifactError(
            f"{name} does not hold latents: needed is an array w of float32, a finite row each. "
            "Restore it from a copy, or make the artifact again."
        )
    return w


def npy_of(data: bytes, name: str) -> np.ndarray:
    """The array of numbers in an `.npy` file; no more memory is taken than the file has.

    Raises:
        DamagedArtifactError: it cannot be read, or holds something else.
    """
    stream = BytesIO(data)
    try:
        is_first = np.lib.format.read_magic(stream) == (1, 0)
        shape, is_fortran, kind = _HEADERS[not is_first](stream)
        if kind.kind not in "biuf" or min(shape, default=0) < 0:
            raise ValueError(f"an array {shape} of {kind}")
        numbers = np.frombuffer(data, kind, offset=stream.tell())
        return numbers.reshape(shape, order="F" if is_fortran else "C").copy()
    except (ValueError, TypeError, SyntaxError, TokenError, OverflowError) as error:
        raise DamagedArtifactError(
            f"{name} is no whole .npy file ({error}). Restore it from a copy, or make the artifact "
            "again."
        ) from error


def npy_bytes(array: np.ndarray) -> memoryview:
    """An array as an `.npy` file, which can be mapped into memory."""
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getbuffer()


def write_rows(path: Path, name: str, shape: tuple[int, ...], rows: Iterable[np.ndarray]) -> None:
    """Write one float32 array as a safetensors file, some rows at a time.

    Args:
        path: of the file, which is there once it is whole.
        name: of the array.
        shape: of the array.
        rows: pieces of it, from the first; memory holds one.

    Raises:
        StorageError: the disk is full or read-only.
        ValueError: the pieces are not as many rows as the shape says.
    """
    size = 4 * int(np.prod(shape))
    about = {name: {"dtype": "F32", "shape": list(shape), "data_offsets": [0, size]}}
    header = json.dumps(about, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with renamed_when_whole(path) as temporary, temporary.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for piece in rows:
            file.write(np.ascontiguousarray(piece, dtype="<f4").tobytes())
        if file.tell() != 8 + len(header) + size:
            raise ValueError(f"{path} should have had {shape[0]} rows.")


def rows_at(path: Path, name: str, first: int, last: int) -> np.ndarray:
    """Rows `first` to `last - 1` of an array in a safetensors file; no others are read.

    Raises:
        DamagedArtifactError: it cannot be read.
    """
    try:
        with safe_open(path, framework="np") as file:
            rows: np.ndarray = file.get_slice(name)[first:last]
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DamagedArtifactError(f"{path} is no whole safetensors file ({error}).") from error
    return rows


def shape_of(path: Path, name: str) -> tuple[int, ...]:
    """The shape of an array in a safetensors file, of which no number is read.

    Raises:
        DamagedArtifactError: it cannot be read.
    """
    try:
        with safe_open(path, framework="np") as file:
            return tuple(file.get_slice(name).get_shape())
    except (SafetensorError, ValueError, KeyError) as error:
        raise DamagedArtifactError(f"{path} is no whole safetensors file ({error}).") from error
