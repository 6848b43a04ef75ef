"""Published StyleGAN2 networks, taken out of their files without executing anything.

A published `.pkl` is a dictionary of modules (`G`, `D`, `G_ema`). Each is a call of one function
with its source text, its class name and its attributes; the original's loader executes the text.
Here only the attributes are looked at: parameters, buffers, inner modules, arguments.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from hdgan.artifacts.arrays import array_bytes
from hdgan.artifacts.inert_pickle import Inert, read_pickle
from hdgan.artifacts.stored_tensors import (
    TENSOR_NAMES,
    Storages,
    array_of,
    checked_sizes,
    is_stream,
    nested_storages,
    tensors_of_archive,
    tensors_of_stream,
)
from hdgan.errors import NetworkFileError

_ARGUMENTS = "hdgan"
_MODULE = "torch_utils.persistence._reconstruct_persistent_obj"
_TENSORFLOW = "dnnlib.tflib.network.Network"

PICKLE_NAMES = TENSOR_NAMES | {
    _MODULE,
    _TENSORFLOW,
    "dnnlib.util.EasyDict",
    "builtins.set",
    "numpy.dtype",
    "numpy.ndarray",
    *(
        f"numpy.{core}.multiarray.{function}"
        for core in ("core", "_core")
        for function in ("scalar", "_reconstruct")
    ),
}
"""Names that published files use."""

MAX_NAME = 20_000
"""Characters of the names of a module and of all that it is in."""

MAX_MODULES = 10_000
"""Modules of a network; published ones have about a hundred."""


@dataclass(frozen=True)
class StoredNetwork:
    """A network as it lies in a file."""

    tensors: dict[str, np.ndarray]
    """Parameters and buffers by their published names."""

    arguments: dict[str, Any] = field(default_factory=dict)
    """What the network was built with, as far as the file says; inner ones not apart."""


def read_network_file(path: Path) -> dict[str, StoredNetwork]:
    """The networks of a file by their names in it: `G`, `D`, `G_ema`.

    A plain state dict (safetensors, or PyTorch's) is told apart by its names: a generator has
    `mapping` and `synthesis`.

    Raises:
        NetworkFileError: it cannot be read, wants to execute something, or holds no network.
    """
    if not path.is_file():
        raise NetworkFileError(f"There is no network file {path}. Check the path.")
    data, name = path.read_bytes(), str(path)
    if path.suffix == ".safetensors":
        return _by_names(*_from_safetensors(path, name), name)
    if zipfile.is_zipfile(BytesIO(data)):
        return _by_names(tensors_of_archive(data, name), {}, name)
    if is_stream(data):
        return _by_names(tensors_of_stream(data, name), {}, name)
    return _from_pickle(data, name)


def _from_safetensors(path: Path, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Tensors and what `network_bytes` wrote beside them, if it did."""
    try:
        with safe_open(path, framework="np") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            about = json.loads((file.metadata() or {}).get(_ARGUMENTS, "{}"))
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise NetworkFileError(f"{name} is no whole safetensors file ({error}).") from error
    return tensors, _plain(about) if isinstance(about, dict) else {}


def network_bytes(network: StoredNetwork) -> bytes:
    """A network as a safetensors file, with what it was built with as metadata."""
    return array_bytes(network.tensors, {_ARGUMENTS: json.dumps(network.arguments)})


def _by_names(
    tensors: dict[str, np.ndarray], arguments: dict[str, Any], name: str
) -> dict[str, StoredNetwork]:
    """The network that a state dict belongs to."""
    if any(key.startswith("synthesis.") for key in tensors):
        return {"G_ema": StoredNetwork(tensors, arguments)}
    if "b4.out.weight" in tensors:
        return {"D": StoredNetwork(tensors, arguments)}
    some = ", ".join(sorted(tensors)[:3]) or "nothing"
    raise NetworkFileError(
        f"{name} holds no StyleGAN2 network: its tensors are called {some}. Needed: names such as "
        "mapping.fc0.weight and synthesis.b4.const."
    )


def _from_pickle(data: bytes, name: str) -> dict[str, StoredNetwork]:
    found = read_pickle(BytesIO(data), PICKLE_NAMES, name)
    if isinstance(found, tuple) and any(_is_tensorflow(part) for part in found):
        raise NetworkFileError(
            f"{name} holds networks of the TensorFlow version, which are not read. Convert it with "
            "the original's own tool first."
        )
    if isinstance(found, Inert):
        found = {"G_ema": found}
    if not isinstance(found, dict):
        raise NetworkFileError(f"{name} holds no networks (a pickle of something else).")
    networks = {
        str(key): _network(value, len(data), name)
        for key, value in found.items()
        if key in ("G", "D", "G_ema") and value is not None
    }
    if not networks:
        raise NetworkFileError(f"{name} holds none of the networks G_ema, G and D.")
    return networks


def _is_tensorflow(value: Any) -> bool:
    return isinstance(value, Inert) and value.name == _TENSORFLOW


def _network(value: Any, num_bytes: int, name: str) -> StoredNetwork:
    attributes = _attributes(value, name)
    found = _tensors(value, nested_storages(num_bytes, name), name)
    # Copies, since a view of a few numbers would keep its whole storage.
    tensors = {
        key: np.array(tensor, order="C") for key, tensor in checked_sizes(found, num_bytes, name)
    }
    arguments = attributes.get("_init_kwargs")
    return StoredNetwork(tensors, _plain(arguments) if isinstance(arguments, dict) else {})


def _attributes(value: Any, name: str) -> Mapping[str, Any]:
    """The attributes of a pickled module."""
    about = value.arguments[0] if isinstance(value, Inert) and value.arguments else None
    if not isinstance(value, Inert) or value.name != _MODULE or not isinstance(about, dict):
        raise NetworkFileError(f"{name} holds something else where a network should be.")
    state = about.get("state", value.state)
    if not isinstance(state, dict):
        raise NetworkFileError(f"{name} holds a network without attributes.")
    return state


def _tensors(network: Any, storages: Storages, name: str) -> Iterator[tuple[str, np.ndarray]]:
    """Parameters and buffers of a module and of those inside it."""
    modules, left = [("", network)], MAX_MODULES
    while modules:
        prefix, module = modules.pop()
        attributes = _attributes(module, name)
        for kind in ("_parameters", "_buffers"):
            for key, value in _group(attributes, kind, name):
                yield f"{prefix}{key}", array_of(value, storages, name)
        inner = _group(attributes, "_modules", name)
        left -= len(inner)
        if left < 0:
            raise NetworkFileError(f"{name} holds more than {MAX_MODULES} modules in a network.")
        if len(prefix) > MAX_NAME:
            raise NetworkFileError(
                f"{name} holds a module whose name, with those of the modules that it is in, has "
                f"more than {MAX_NAME:,} characters. It is damaged or made to do harm."
            )
        modules += [(f"{prefix}{key}.", value) for key, value in inner]


def _group(attributes: Mapping[str, Any], kind: str, name: str) -> list[tuple[str, Any]]:
    group = attributes.get(kind, {})
    if not isinstance(group, dict):
        raise NetworkFileError(f"{name} holds a network whose {kind} are no dictionary.")
    return [(str(key), value) for key, value in group.items() if value is not None]


def _plain(arguments: dict[Any, Any]) -> dict[str, Any]:
    """Plain values by name, those of inner dictionaries (`synthesis_kwargs`) among them."""
    inner = [value for value in arguments.values() if isinstance(value, dict)]
    return {
        str(key): value
        for group in (*inner, arguments)
        for key, value in group.items()
        if value is None or isinstance(value, (bool, int, float, str)) or _is_texts(value)
    }


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)
