"""`hdgan import-generator`: a published network to a generator."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from hdgan.artifacts.generator import (
    DISCRIMINATOR,
    GRIDS,
    PROGRESS,
    GeneratorFolder,
    write_network,
)
from hdgan.artifacts.images import png_of
from hdgan.artifacts.manifest import digest_of_file
from hdgan.artifacts.network_file import StoredNetwork, read_network_file
from hdgan.artifacts.order import Order, plain
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once
from hdgan.artifacts.weights import tensor_bytes
from hdgan.errors import NetworkFileError
from hdgan.method.stylegan.discriminator import Discriminator
from hdgan.method.stylegan.published import published_shape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.pipeline import Made
from hdgan.report.pictures import drawn_grid
from hdgan.settings.import_generator import ImportGeneratorSettings

Network = TypeVar("Network", bound=nn.Module)


def import_generator(file: Path, output: Path, settings: ImportGeneratorSettings) -> Made:
    """Take a generator out of a published file, and its discriminator if one is there.

    Memory: the file and the networks twice over.

    Raises:
        NetworkFileError: it cannot be read, wants to execute something, or holds another network.
    """
    networks = read_network_file(file)
    if settings.network not in networks:
        raise NetworkFileError(
            f"{file} holds {' and '.join(networks)}, but {settings.network} is wanted. Choose "
            "another with --network, or another file."
        )
    generator = _generator(networks[settings.network], str(file))
    discriminator = _discriminator(networks.get("D"), generator)
    order = Order("generator", plain(settings), {"network-file": digest_of_file(file)})

    def make(unfinished: UnfinishedArtifact) -> None:
        if discriminator is not None:
            unfinished.write(DISCRIMINATOR, tensor_bytes(discriminator.state_dict()))
        unfinished.write(PROGRESS, b"")
        unfinished.write(f"{GRIDS}/final.png", png_of(drawn_grid(generator)))
        write_network(unfinished, generator)

    made_once(output, order, make)
    shape = GeneratorFolder.open(output).shape
    return Made(
        "generator",
        output,
        {
            "network": settings.network,
            "resolution": f"{shape.resolution} px",
            "feature maps": f"{shape.channel_base} / resolution, at most {shape.channel_max}"
            + (f", at least {shape.channel_min}" if shape.channel_min > 1 else ""),
            "mapping layers": shape.mapping_layers,
            **({"stains or classes": " ".join(shape.stains)} if shape.stains else {}),
            "discriminator": "taken too" if discriminator is not None else "none that fits",
        },
    )


def _generator(stored: StoredNetwork, name: str) -> Generator:
    sizes = {key: array.shape for key, array in stored.tensors.items()}
    try:
        shape = published_shape(sizes, clamp=_clamp(stored, name), stains=_stains(stored))
    except NetworkFileError as error:
        raise NetworkFileError(f"{name} cannot be imported. {error}") from error
    return (
        _filled(lambda: Generator(shape), stored.tensors, name)
        .eval()
        .requires_grad_(requires_grad=False)
    )


def _stains(stored: StoredNetwork) -> tuple[str, ...]:
    """The names of the stains, if the file was exported from an artifact that has them."""
    names = stored.arguments.get("stains")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(names)


def _clamp(stored: StoredNetwork, name: str) -> float | None:
    """The bound of the feature maps, if the file says one."""
    clamp = stored.arguments.get("conv_clamp")
    if clamp is None:
        return None
    if isinstance(clamp, bool) or not isinstance(clamp, (int, float)) or not 0 < clamp < 1e30:
        raise NetworkFileError(f"{name} says that conv_clamp is {clamp!r}; it is a number above 0.")
    return float(clamp)


def _discriminator(stored: StoredNetwork | None, generator: Generator) -> Discriminator | None:
    """The discriminator, if the file has one of the generator's shape."""
    if stored is None:
        return None
    try:
        return _filled(lambda: Discriminator(generator.shape), stored.tensors, "D")
    except NetworkFileError:
        return None


def _filled(build: Callable[[], Network], tensors: Mapping[str, np.ndarray], name: str) -> Network:
    """The network with these weights, in single precision.

    Sizes are compared before any memory is taken for the network.
    """
    with torch.device("meta"):
        wanted = build().state_dict()
    missing, strange = sorted(wanted.keys() - tensors), sorted(tensors.keys() - wanted.keys())
    if missing or strange:
        what = f"lacks {missing[0]}" if missing else f"has {strange[0]}, which no such network has"
        raise NetworkFileError(f"{name} holds a network that {what}. It cannot be imported.")
    for key, tensor in wanted.items():
        if tuple(tensor.shape) != tensors[key].shape:
            raise NetworkFileError(
                f"{name} holds {key} of size {tensors[key].shape}; {tuple(tensor.shape)} would fit."
            )
    network = build()
    network.load_state_dict(
        {key: torch.from_numpy(tensors[key].astype(np.float32)) for key in wanted}
    )
    return network
