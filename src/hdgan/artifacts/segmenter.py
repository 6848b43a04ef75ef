"""A trained U-Net with its class map."""

import json
from dataclasses import asdict
from functools import cached_property

from torch import nn

from hdgan.artifacts.annotation_set import CLASSES, class_map_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.curves import curve_of
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.artifacts.weights import tensor_bytes, with_weights
from hdgan.class_map import ClassMap
from hdgan.errors import DamagedArtifactError
from hdgan.method.segmenter.network import SegmenterShape, unet
from hdgan.method.segmenter.training import SegmenterTick

NETWORK = "network.json"
WEIGHTS = "segmenter.safetensors"
CURVES = "curves.jsonl"


class SegmenterFolder(Artifact):
    """`network.json`, `segmenter.safetensors`, `classes.json`, `curves.jsonl`."""

    kind = "segmenter"

    @cached_property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))

    def network(self) -> nn.Module:
        """The network, on the CPU, ready to predict.

        Raises:
            DamagedArtifactError: a file cannot be understood.
        """
        try:
            shape = SegmenterShape(**json.loads(self.read(NETWORK)))
        except (ValueError, TypeError) as error:
            raise DamagedArtifactError(
                f"{self.folder / NETWORK} cannot be understood ({error})."
            ) from error
        return with_weights(unet(shape), self, WEIGHTS).eval()

    def curves(self) -> list[SegmenterTick]:
        """How training went."""
        return curve_of(self.read(CURVES), SegmenterTick, str(self.folder / CURVES))


def write_segmenter(
    unfinished: UnfinishedArtifact, network: nn.Module, shape: SegmenterShape
) -> None:
    """Put a network into an artifact."""
    unfinished.write(NETWORK, json_bytes(asdict(shape)))
    unfinished.write(WEIGHTS, tensor_bytes(network.state_dict()))
