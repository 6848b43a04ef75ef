"""Hostile networks and encoders: pickles that call, headers that lie, archives that grow."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile.case import Case, a_file
from tests.hostile.network_bytes import (
    calls_in_calls,
    members_in_members,
    nested,
    number_of,
    storage_again_and_again,
    transformer_of,
)
from tests.tiny_world import TinyWorld

IMPORT = "import-generator IN OUT"
SCORE = "score-generator generator tiles IN OUT --num-images 20"
CANARY = "executed"
"""A file that hostile inputs try to make, beside themselves."""


class Call:
    """Something to be called when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


def _pickled(name: str, data: bytes, says: str) -> Case:
    return Case("network, pickle", name, IMPORT, a_file("network.pkl", data), says)


def _calls(name: str, call: Callable[[str], Call], says: str) -> Case:
    """A pickle that would make a file if it were executed."""

    def make(_: TinyWorld, folder: Path) -> Path:
        path = folder / "network.pkl"
        path.write_bytes(pickle.dumps({"G_ema": call(str(folder / CANARY))}, protocol=4))
        return path

    return Case("network, pickle", name, IMPORT, make, says)


def _safetensors(name: str, header: object, says: str, body: bytes = bytes(64)) -> Case:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + body
    return Case("network, safetensors", name, IMPORT, a_file("network.safetensors", data), says)


def _one(**more: object) -> dict[str, object]:
    return {"synthesis.a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]} | more}


def _archive(
    name: str, says: str, spoil: Callable[[bytes], bytes] = bytes, method: int = 0
) -> Case:
    """PyTorch's zip format, spoilt."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a/data.pkl", pickle.dumps(OrderedDict(), protocol=2))
        archive.writestr("a/data/0", bytes(10**6))
    data = spoil(buffer.getvalue())
    return Case("network, PyTorch zip", name, IMPORT, a_file("network.pt", data), says)


def _marked(data: bytes) -> bytes:
    """All members are said to be encrypted."""
    place = data.index(b"PK\x01\x02")
    out = bytearray(data)
    out[6] |= 1
    out[place + 8] |= 1
    return bytes(out)


def _npz(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return buffer.getvalue()


def _npy(shape: str, data: bytes, kind: str = "<f4") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def _objects(folder: Path) -> bytes:
    array = np.empty(1, dtype=object)
    array[0] = Call(os.mkdir, str(folder / CANARY))
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return _npz(a=buffer.getvalue())


def _npz_of_objects(_: TinyWorld, folder: Path) -> Path:
    path = folder / "encoder.npz"
    path.write_bytes(_objects(folder))
    return path


def _encoder(name: str, data: bytes | Callable[[], bytes], says: str) -> Case:
    return Case("encoder, npz", name, SCORE, a_file("encoder.npz", data), says)


DEEP_KEY = b"\x80\x02}" + b")" + b"\x85" * 900_000 + b"K\x01s."
"""A dictionary whose key is a tuple in a tuple in a tuple: to hash it overflows C's stack."""

WIDE_KEY = b"\x80\x02})" + b"2\x86" * 64 + b"K\x01s."
"""A key of 2**64 empty tuples, in 64 pairs of the same: to hash it takes for ever."""

WIDE_NAME = b"\x80\x04]" + b"2\x86" * 64 + b"X\x01\x00\x00\x00a\x93."
"""The same as the name of something to import: to write it out takes for ever."""

COPIES = (
    b"\x80\x02ccollections\nOrderedDict\nq\x00}q\x01("
    + b"".join(b"J" + struct.pack("<i", n) + b"N" for n in range(50_000))
    + b"u0"
    + b"h\x00h\x01\x85R" * 50_000
    + b"."
)
"""A dictionary of 50,000 entries that is copied 50,000 times."""

CASES = [
    _calls("os.system", lambda at: Call(os.system, f"touch {at}"), r"wants to use posix\.system"),
    _calls("eval", lambda at: Call(eval, f"open({at!r}, 'w')"), r"wants to use builtins\.eval"),
    _calls("mkdir", lambda at: Call(os.mkdir, at), r"wants to use posix\.mkdir"),
    _calls("getattr", lambda at: Call(getattr, at, "upper"), r"wants to use builtins\.getattr"),
    _pickled("empty", b"", "cut short|damaged"),
    _pickled("a deep key", DEEP_KEY, "is damaged"),
    _pickled("a key that doubles", WIDE_KEY, "is damaged"),
    _pickled("a name that doubles", WIDE_NAME, "is damaged"),
    _pickled("copies of copies", COPIES, "is damaged"),
    _pickled("sets without end", b"\x80\x04" + b"\x8f" * 6_000_000 + b".", "instructions"),
    _pickled("a text of 2**63 bytes", b"\x80\x04\x8d" + b"\xff" * 8 + b"a.", "is damaged"),
    _pickled(
        "a number of megabytes",
        b"\x80\x02\x8b" + struct.pack("<i", 10**7) + b"\x7f" * 10**7 + b".",
        "holds no networks",
    ),
    _pickled("a size of 5,001 digits", nested(1, 4, number_of(10**5000)), "declares a tensor of"),
    _pickled("a tensor of 70 dimensions", nested(1, 4, b"K\x01" * 70), "declares a tensor of"),
    Case(
        "network, pickle",
        "one nested storage in 100 tensors",
        IMPORT,
        a_file("network.pkl", lambda: nested(100, 5_000_000)),
        "more than 8 times its size",
    ),
    _safetensors("a header of 2**63 bytes", b"", "no whole safetensors", b"\xff" * 64),
    Case(
        "network, safetensors",
        "a length without a header",
        IMPORT,
        a_file("network.safetensors", struct.pack("<Q", 2**63) + b"{}"),
        "is no whole safetensors file",
    ),
    _safetensors("nested deeply", b'{"a": ' + b"[" * 100_000, "is no whole safetensors file"),
    _safetensors("beyond its end", _one(shape=[400], data_offsets=[0, 1600]), "is no whole"),
    _safetensors("a size of 2**64", _one(shape=[2**32, 2**32]), "is no whole"),
    _safetensors("of another type", _one(dtype="F64"), "is no whole"),
    _safetensors("of no type", _one(dtype="PICKLE"), "is no whole"),
    _safetensors(
        "overlapping",
        _one() | {"synthesis.b": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]}},
        "is no whole",
        bytes(24),
    ),
    _safetensors(
        "arguments nested deeply",
        _one() | {"__metadata__": {"hdgan": "[" * 100_000}},
        "is no whole",
        bytes(16),
    ),
    _archive("packed", "compressed archive", method=zipfile.ZIP_DEFLATED),
    _archive("encrypted", "damaged or cut short", _marked),
    _archive("cut short", "no network file|damaged", lambda data: data[:-30]),
    _archive("without a beginning", "damaged", lambda data: data[40:]),
    Case(
        "network, PyTorch zip",
        "one storage in 3,000 tensors",
        IMPORT,
        a_file("network.pt", lambda: storage_again_and_again(3000, 4_000_000)),
        "more than 8 times its size",
    ),
    Case(
        "network, PyTorch zip",
        "members in members",
        IMPORT,
        a_file("network.pt", lambda: members_in_members(100, 10_000_000)),
        "members together are larger than it is",
    ),
    Case(
        "network, PyTorch's older format",
        "calls in calls",
        IMPORT,
        a_file("network.pt", calls_in_calls(10_000)),
        "holds no state dict",
    ),
    Case(
        "encoder, safetensors",
        "4,001 blocks",
        SCORE,
        a_file("encoder.safetensors", lambda: transformer_of(4001)),
        "has 4,001 blocks; more than 4,000 blocks are not read",
    ),
    _encoder("empty", b"", "is no readable"),
    _encoder("a damaged directory", b"PK\x05\x06" + bytes(18), "is a zip archive, but not one"),
    _encoder("a bomb", lambda: _npz(a=_npy("(100000000,)", bytes(10**8), "|u1")), "no readable"),
    _encoder("a size of 2**60", _npz(a=_npy("(1152921504606846976,)", b"")), "is no readable"),
    _encoder(
        "a text in place of its header", _npz(a=_npy("__import__('os')", b"")), "is no readable"
    ),
    Case("encoder, npz", "objects", SCORE, _npz_of_objects, "is no readable"),
]
"""Of networks."""
