"""A trained generator, its discriminator, its snapshots and how its training went."""

from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from torch import Tensor

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.curves import curve_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.network_shapes import shape_in
from hdgan.artifacts.shipped import shipped_or
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import tensor_bytes, tensors_of, with_weights
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator
from hdgan.method.stylegan.training import GeneratorTick

NETWORK = "network.json"
WEIGHTS = "generator.safetensors"
DISCRIMINATOR = "discriminator.safetensors"
PROGRESS = "progress.jsonl"
GRIDS = "grids"
SNAPSHOTS = "snapshots"
WATCH = "watch.jsonl"


class GeneratorFolder(Artifact):
    """`network.json`, `generator.safetensors` (the moving average), `progress.jsonl`, `grids/`."""

    kind = "generator"

    @classmethod
    def located(cls, folder: Path) -> Path:
        """The folder, or the generator of this name that comes with the package."""
        return shipped_or(folder)

    @cached_property
    def shape(self) -> NetworkShape:
        """What the network is built from.

        Raises:
            DamagedArtifactError: `network.json` cannot be understood.
        """
        return shape_in(self.read(NETWORK), NetworkShape, self.folder / NETWORK)

    def generator(self) -> Generator:
        """The network, on the CPU, ready to draw."""
        network = with_weights(lambda: Generator(self.shape), self, WEIGHTS)
        return network.eval().requires_grad_(requires_grad=False)

    def discriminator_tensors(self) -> dict[str, Tensor]:
        """Weights of the discriminator by name; none if the artifact has no discriminator."""
        if DISCRIMINATOR not in self.manifest.files:
            return {}
        return tensors_of(self.read(DISCRIMINATOR), str(self.folder / DISCRIMINATOR))

    def progress(self) -> list[GeneratorTick]:
        """How the training went."""
        return curve_of(self.read(PROGRESS), GeneratorTick, str(self.folder / PROGRESS))


def write_network(unfinished: UnfinishedArtifact, generator: Generator) -> None:
    """Put a generator's shape and weights into an artifact."""
    unfinished.write(NETWORK, json_bytes(asdict(generator.shape)))
    unfinished.write(WEIGHTS, tensor_bytes(generator.state_dict()))
