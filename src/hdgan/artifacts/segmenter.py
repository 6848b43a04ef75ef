"""A trained segmenter with its class map: a U-Net, a random forest, or frozen features."""

from dataclasses import asdict
from functools import cached_property, partial

import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from hdgan.artifacts.annotation_set import CLASSES, class_map_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.curves import curve_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.network_shapes import shape_of
from hdgan.artifacts.not_understood import not_understood
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import tensor_bytes, tensors_of, with_weights
from hdgan.class_map import ClassMap
from hdgan.errors import DamagedArtifactError
from hdgan.method.segmenter.forest import ForestSegmenter, ForestShape
from hdgan.method.segmenter.frozen_features import FrozenFeatureSegmenter, FrozenFeatureShape
from hdgan.method.segmenter.network import SegmenterShape, unet
from hdgan.method.segmenter.training import SegmenterTick

NETWORK = "network.json"
WEIGHTS = "segmenter.safetensors"
CURVES = "curves.jsonl"

AnyShape = SegmenterShape | ForestShape | FrozenFeatureShape
"""What a segmenter is built from, whatever it is."""

_TYPES: dict[str, type[AnyShape]] = {
    "u-net": SegmenterShape,
    "random-forest": ForestShape,
    "frozen-features": FrozenFeatureShape,
}
"""What `network.json` calls them under `type`; without that, as folders had it before there were
others, it is a U-Net."""


class SegmenterFolder(Artifact):
    """`network.json`, `segmenter.safetensors`, `classes.json`, `curves.jsonl`."""

    kind = "segmenter"

    @cached_property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))

    @cached_property
    def shape(self) -> AnyShape:
        """What the network is.

        Raises:
            DamagedArtifactError: `network.json` cannot be understood.
        """
        try:
            content = TypeAdapter(dict[str, object]).validate_json(self.read(NETWORK))
            kind = content.pop("type", "u-net")
            if kind not in _TYPES:
                raise self._not_understood(f"it is of the type {kind!r}, which is not known")
        except ValidationError as error:
            raise not_understood(self.folder / NETWORK, error) from error
        return shape_of(content, _TYPES[str(kind)], self.folder / NETWORK)

    def network(self) -> nn.Module:
        """The network, on the CPU, ready to predict: RGB from -1 to 1 to a number a class.

        Raises:
            DamagedArtifactError: a file cannot be understood.
        """
        if isinstance(self.shape, SegmenterShape):
            return with_weights(partial(unet, self.shape), self, WEIGHTS).eval()
        # Without memory of its own, so that no more is asked for than the weights hold.
        with torch.device("meta"):
            network = _empty(self.shape)
        tensors = tensors_of(self.read(WEIGHTS), str(self.folder / WEIGHTS))
        try:
            network.load_state_dict(tensors, assign=True)
        except RuntimeError as error:
            raise self._unfit(str(error).splitlines()[-1].strip()) from error
        network.requires_grad_(requires_grad=False)
        if isinstance(network, ForestSegmenter) and not network.is_sound():
            raise self._unfit("a tree leads out of the forest")
        return network.eval()

    def curves(self) -> list[SegmenterTick]:
        """How training went."""
        return curve_of(self.read(CURVES), SegmenterTick, str(self.folder / CURVES))

    def _not_understood(self, why: str) -> DamagedArtifactError:
        return DamagedArtifactError(f"{self.folder / NETWORK} cannot be understood ({why}).")

    def _unfit(self, why: str) -> DamagedArtifactError:
        return DamagedArtifactError(
            f"{self.folder / WEIGHTS} does not fit the network that the folder describes ({why})."
        )


def write_segmenter(unfinished: UnfinishedArtifact, network: nn.Module, shape: AnyShape) -> None:
    """Put a network into an artifact, with everything that it needs."""
    kind = next(name for name, known in _TYPES.items() if type(shape) is known)
    content = asdict(shape) if kind == "u-net" else {"type": kind, **asdict(shape)}
    unfinished.write(NETWORK, json_bytes(content))
    unfinished.write(WEIGHTS, tensor_bytes(network.state_dict()))


def _empty(shape: ForestShape | FrozenFeatureShape) -> nn.Module:
    if isinstance(shape, ForestShape):
        return ForestSegmenter(shape)
    return FrozenFeatureSegmenter(shape)
