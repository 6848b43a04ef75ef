"""Networks from strangers, and requests to the annotation page."""

import asyncio
import io
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from random import Random
from types import ModuleType
from unittest.mock import patch

import torch
from safetensors.torch import load_file

from hdgan.artifacts.encoder_file import read_encoder
from hdgan.artifacts.network_file import StoredNetwork, read_network_file
from hdgan.stages.import_generator import _discriminator, _generator
from hdgan.web.app import page
from tests.hostile.mutations import in_pickle, in_safetensors, in_zip
from tests.hostile.reader import Read, Reader, file_at, read_from_file
from tests.web.direct_requests import asked
from tests.web.page_world import SECRET, new_desk
from tests.web.random_requests import Drawer


def _import(path: Path) -> object:
    """The generator of a file, up to where it would be written."""
    networks = read_network_file(path)
    generator = _generator(networks.get("G_ema", StoredNetwork({})), str(path))
    return generator, _discriminator(networks.get("D"), generator)


def _state(world: Path) -> dict[str, torch.Tensor]:
    return load_file(world / "network.safetensors")


def _saved_by_torch(world: Path, *, as_zip: bool) -> list[bytes]:
    buffer = io.BytesIO()
    torch.save(_state(world), buffer, _use_new_zipfile_serialization=as_zip)
    return [buffer.getvalue()]


class _Module:
    """Pickled as published modules are, without the original's code."""

    def __init__(self, attributes: dict[str, object]) -> None:
        self.attributes = attributes

    def __reduce__(self) -> tuple[object, ...]:
        return _reconstruct, ({"type": "class", "state": self.attributes},)


def _reconstruct(_: object) -> None:
    """Stands for the original's function, whose name it is given below."""


_reconstruct.__module__ = "torch_utils.persistence"
_reconstruct.__qualname__ = _reconstruct.__name__ = "_reconstruct_persistent_obj"


def _published(world: Path) -> list[bytes]:
    """A `.pkl` with a generator in it, all its tensors in one module."""
    tensors: OrderedDict[str, object] = OrderedDict(_state(world))
    module = _Module({"_parameters": tensors, "_buffers": OrderedDict(), "_modules": {}})
    place = ModuleType(_reconstruct.__module__)
    vars(place)[_reconstruct.__name__] = _reconstruct
    with patch.dict(sys.modules, {"torch_utils": ModuleType("torch_utils"), place.__name__: place}):
        return [pickle.dumps({"G": None, "D": None, "G_ema": module}, protocol=4)]


def _requests(world: Path, folder: Path) -> Read:
    """The page's application, and requests that are drawn at random from the input's bytes."""
    desk = new_desk(world / "samples", folder / "desk")
    app = page(desk, SECRET, 8470, {"author": "Anna"})

    def read(data: bytes) -> object:
        heads = {key: head.revision for key, head in desk.history.heads().items()}
        drawer = Drawer(Random(data), sorted(desk.source.tiles), heads)
        reply = asyncio.run(asked(app, drawer.question()))
        if reply.status == 500:
            raise RuntimeError(f"a request was answered with 500: {reply.body!r}")
        return reply

    return read


_encoder = read_from_file(read_encoder, "encoder")

READERS = [
    Reader(
        "network, safetensors",
        file_at("network.safetensors"),
        read_from_file(_import, "network.safetensors"),
        in_safetensors,
        0.2,
    ),
    Reader("network, pickle", _published, read_from_file(_import, "network.pkl"), in_pickle, 0.2),
    Reader(
        "network, PyTorch zip",
        lambda world: _saved_by_torch(world, as_zip=True),
        read_from_file(_import, "network.pt"),
        in_zip,
        0.2,
    ),
    Reader(
        "network, PyTorch stream",
        lambda world: _saved_by_torch(world, as_zip=False),
        read_from_file(_import, "network.pt"),
        in_pickle,
        0.2,
    ),
    Reader(
        "encoder, safetensors",
        file_at("transformer.safetensors"),
        _encoder,
        in_safetensors,
        0.2,
    ),
    Reader("encoder, npz", file_at("encoder.npz"), _encoder, in_zip, 0.05),
    Reader("requests", lambda _: [b"request"], _requests, share=0.3),
]
"""Of networks and requests."""
