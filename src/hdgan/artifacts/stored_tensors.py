"""Tensors in PyTorch's files, as numpy arrays, read without PyTorch and without executing anything.

PyTorch has two formats: a stream of pickles followed by raw numbers, and a zip archive of one
pickle with a member for each storage. Pickled modules hold the stream format inside a pickle.
"""

import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from io import BytesIO
from math import prod
from typing import Any

import numpy as np

from hdgan.artifacts.inert_pickle import Inert, Name, Persistent, Steps, read_pickle
from hdgan.errors import NetworkFileError

STORAGES: Mapping[str, str] = {
    "torch.FloatStorage": "<f4",
    "torch.DoubleStorage": "<f8",
    "torch.HalfStorage": "<f2",
    "torch.LongStorage": "<i8",
    "torch.IntStorage": "<i4",
    "torch.ShortStorage": "<i2",
    "torch.CharStorage": "<i1",
    "torch.ByteStorage": "<u1",
    "torch.BoolStorage": "?",
}
"""How the numbers of each kind of storage are written."""

TENSOR_NAMES = frozenset(
    {
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_parameter",
        "torch.storage._load_from_bytes",
        "collections.OrderedDict",
        *STORAGES,
    }
)
"""Names that tensors need."""

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001

MOST_TIMES = 8
"""How many times a file's size its tensors may take: one storage may be used again and again."""

SMALL_BYTES = 16_000_000
"""What tensors may take whatever the size of the file."""

MOST_DIMENSIONS = 32
"""Of a tensor; networks have up to four."""

NO_NUMBER = 2**59
"""No file counts so far; eight times as much, in bytes, still fits into numpy's integers."""

ARCHIVE_DAMAGES = (
    zipfile.BadZipFile, KeyError, OSError, EOFError, RuntimeError, ValueError, OverflowError,
    struct.error,
)  # fmt: skip
"""What `zipfile` raises where a file is not what it says."""

Storages = Callable[[Any], np.ndarray]
"""A storage as the pickle refers to it, to its numbers."""


def is_stream(data: bytes) -> bool:
    """Whether a file begins as PyTorch's stream format does: with its magic number."""
    return data[:2] == b"\x80\x02" and data[2:4] == b"\x8a\x0a"


def array_of(value: Any, storages: Storages, name: str) -> np.ndarray:
    """The tensor or parameter that a record stands for; a view of its storage.

    Raises:
        NetworkFileError: it is something else, or reaches beyond its storage.
    """
    if isinstance(value, Inert) and value.name == "torch._utils._rebuild_parameter":
        value = value.arguments[0] if value.arguments else None
    if not isinstance(value, Inert) or value.name != "torch._utils._rebuild_tensor_v2":
        raise NetworkFileError(f"{name} holds something else where a tensor should be.")
    stored, start, shape, steps = _layout(value.arguments, name)
    numbers = storages(stored)
    last = start + sum((n - 1) * step for n, step in zip(shape, steps, strict=False))
    count: int = prod(shape)
    fits = len(shape) == len(steps) and min([start, *shape, *steps], default=0) >= 0
    if not fits or count > numbers.size or (count and last >= numbers.size):
        raise NetworkFileError(
            f"{name} declares a tensor of {' x '.join(map(str, shape))} in a storage of "
            f"{numbers.size} numbers. It is damaged or made to do harm."
        )
    strides = [step * numbers.itemsize for step in steps]
    return np.lib.stride_tricks.as_strided(numbers[start:], shape, strides, writeable=False)


def checked_sizes(
    tensors: Iterable[tuple[str, np.ndarray]], num_bytes: int, name: str
) -> Iterator[tuple[str, np.ndarray]]:
    """The tensors of a file as they come, until they would take far more memory than it does.

    Args:
        tensors: with their names.
        num_bytes: of the file.
        name: what errors call it.

    Raises:
        NetworkFileError: a file that uses its storages so often was made to do harm.
    """
    take = _allowance(num_bytes, name)
    for key, tensor in tensors:
        take(tensor.nbytes + len(key) + 200)
        yield key, tensor


def nested_storages(num_bytes: int, name: str) -> Storages:
    """Storages in records of `_load_from_bytes`, as pickled modules have them.

    They can be asked for until more was read than tensors of a file of `num_bytes` may take: it
    may use one storage again and again.
    """
    take, steps = _allowance(num_bytes, name), Steps()

    def numbers(value: Any) -> np.ndarray:
        if not isinstance(value, Inert) or value.name != "torch.storage._load_from_bytes":
            raise NetworkFileError(f"{name} holds a tensor without a storage.")
        if len(value.arguments) != 1 or not isinstance(value.arguments[0], (bytes, bytearray)):
            raise NetworkFileError(f"{name} holds a storage that is no bytes.")
        take(len(value.arguments[0]))
        found, storages = _stream(bytes(value.arguments[0]), name, steps)
        return storages(found)

    return numbers


def tensors_of_stream(data: bytes, name: str) -> dict[str, np.ndarray]:
    """The state dict in a file of PyTorch's stream format."""
    found, storages = _stream(data, name)
    return _state_dict(found, storages, len(data), name)


def tensors_of_archive(data: bytes, name: str) -> dict[str, np.ndarray]:
    """The state dict in a file of PyTorch's zip format."""
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        _check_apart(archive, len(data), name)
        pickled = [member for member in archive.namelist() if member.endswith("/data.pkl")]
        if len(pickled) != 1:
            raise NetworkFileError(f"{name} is a zip archive, but not one that PyTorch writes.")
        found = read_pickle(BytesIO(_member(archive, pickled[0], name)), TENSOR_NAMES, name)
        folder = pickled[0].removesuffix("data.pkl") + "data/"

        def read(key: str) -> bytes:
            return _member(archive, folder + key, name)

        return _state_dict(found, _referred(read, name), len(data), name)
    except ARCHIVE_DAMAGES as error:
        said = str(error)[:150]  # a name in an archive may be anything
        raise NetworkFileError(f"{name} is damaged or cut short ({said}).") from error


def _layout(arguments: tuple[Any, ...], name: str) -> tuple[Any, int, list[int], list[int]]:
    """Storage, offset, size and stride of a tensor, from the arguments of its call.

    Raises:
        NetworkFileError: they are something else, or no tensor can be like that. The sentence has
            none of the numbers, which may be too long to be written.
    """
    try:
        stored, offset, size, stride, *_ = arguments
        shape, steps = [int(n) for n in size], [int(n) for n in stride]
        start = int(offset)
    except (TypeError, ValueError, OverflowError) as error:
        raise NetworkFileError(f"{name} describes a tensor badly ({error}).") from error
    is_small = max(len(shape), len(steps)) <= MOST_DIMENSIONS
    is_near = is_small and max(abs(n) for n in (start, *shape, *steps)) < NO_NUMBER
    # numpy multiplies the lengths of an empty tensor too.
    if not is_near or prod(n for n in shape if n) >= NO_NUMBER:
        raise NetworkFileError(
            f"{name} declares a tensor of more than {MOST_DIMENSIONS} dimensions, or of more "
            "numbers than a file can hold. It is damaged or made to do harm."
        )
    return stored, start, shape, steps


def _allowance(num_bytes: int, name: str) -> Callable[[int], None]:
    """Takes bytes from what tensors of a file may take, until there are no more."""
    left = max(SMALL_BYTES, MOST_TIMES * num_bytes)

    def take(num_taken: int) -> None:
        nonlocal left
        left -= num_taken
        if left < 0:
            raise NetworkFileError(
                f"{name} would fill more than {MOST_TIMES} times its size: it is damaged, or made "
                "to do harm. It was not imported."
            )

    return take


def _check_apart(archive: zipfile.ZipFile, num_bytes: int, name: str) -> None:
    """Refuse members that overlap: each would be read, and take memory, on its own."""
    stored = [info for info in archive.infolist() if info.compress_type == zipfile.ZIP_STORED]
    if sum(info.file_size for info in stored) > num_bytes:
        raise NetworkFileError(
            f"{name} is an archive whose members together are larger than it is. It is damaged or "
            "made to do harm."
        )


def _member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    info = archive.getinfo(member)
    if info.compress_type != zipfile.ZIP_STORED:
        raise NetworkFileError(f"{name} is a compressed archive; PyTorch writes none.")
    return archive.read(info)


def _state_dict(found: Any, storages: Storages, num_bytes: int, name: str) -> dict[str, np.ndarray]:
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise NetworkFileError(
            f"{name} holds no state dict (tensors by name). Save `network.state_dict()`."
        )
    tensors = ((key, array_of(value, storages, name)) for key, value in found.items())
    return dict(checked_sizes(tensors, num_bytes, name))


def _stream(data: bytes, name: str, steps: Steps | None = None) -> tuple[Any, Storages]:
    """What is pickled in a file of the stream format, and its storages."""
    stream = BytesIO(data)
    magic, version, system, found, keys = (
        read_pickle(stream, TENSOR_NAMES, name, steps) for _ in range(5)
    )
    if magic != _MAGIC or version != _VERSION or not isinstance(keys, list):
        raise NetworkFileError(f"{name} is no file of PyTorch.")
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise NetworkFileError(f"{name} was written with numbers in the other byte order.")
    kinds = _kinds_in(found)
    blocks: dict[str, bytes] = {}
    for key in keys:
        header = stream.read(8)
        if len(header) < 8 or not isinstance(key, str) or key not in kinds:
            raise NetworkFileError(f"{name} is damaged or cut short.")
        wanted = struct.unpack("<q", header)[0] * np.dtype(kinds[key]).itemsize
        if not 0 <= wanted <= len(data) - stream.tell():
            raise NetworkFileError(
                f"{name} declares a storage of {wanted:,} bytes and holds "
                f"{len(data) - stream.tell():,}. It is damaged or made to do harm."
            )
        blocks[key] = stream.read(wanted)
    return found, _referred(blocks.__getitem__, name)


def _kinds_in(found: Any) -> dict[str, str]:
    """How the numbers of each storage are written, by its key."""
    kinds = {}
    for value in found.values() if isinstance(found, dict) else [found]:
        # A storage in a tensor in a parameter: calls in calls without end would take for ever.
        for _ in range(2):
            if isinstance(value, Inert) and value.arguments:
                value = value.arguments[0]
        if isinstance(value, Persistent):
            key, kind, _ = _described(value)
            kinds[key] = kind
    return kinds


def _referred(read: Callable[[str], bytes], name: str) -> Storages:
    """Storages by what the pickle says of them; each is read once."""
    read = cache(read)

    def numbers(value: Any) -> np.ndarray:
        key, kind, count = _described(value)
        try:
            found = np.frombuffer(read(key), dtype=kind)
        except (KeyError, ValueError) as error:
            raise NetworkFileError(f"{name} lacks the storage {key[:100]!r}.") from error
        if found.size != count:
            raise NetworkFileError(
                f"{name} declares a storage of {count} numbers and holds {found.size}. It is "
                "damaged or made to do harm."
            )
        return found

    return numbers


def _described(value: Any) -> tuple[str, str, int]:
    """Key, kind and count of a storage; where it once lay (a GPU, say) does not matter."""
    reference = value.reference if isinstance(value, Persistent) else None
    if isinstance(reference, tuple) and len(reference) >= 5 and reference[0] == "storage":
        _, kind, key, _, count = reference[:5]
        is_known = isinstance(kind, Name) and kind.name in STORAGES
        is_counted = isinstance(count, int) and 0 <= count < NO_NUMBER
        if is_known and isinstance(key, str) and is_counted:
            return key, STORAGES[kind.name], count
    raise NetworkFileError("A storage is described in a way that PyTorch does not write.")
