"""What the annotation page asks for predictions of a tile: arrays in, arrays out.

The page never imports torch. Whoever starts it hands in an object that keeps this protocol
(`hdgan.stages.annotate.live`), or none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from hdgan.class_map import LabelMap


@runtime_checkable
class PaintedTile(Protocol):
    """One reading of a tile as it stands."""

    @property
    def revision(self) -> int:
        """Another number for each label map that the tile ever has, of whatever reading."""

    def labels(self) -> LabelMap:
        """The label map of this revision; values from 254 up are not learned from."""


@dataclass(frozen=True)
class Prediction:
    """What is predicted of every pixel of a tile."""

    labels: UInt8[np.ndarray, "height width"]
    """The class of each pixel."""

    uncertainty: UInt8[np.ndarray, "height width"]
    """From 0, certain, to 255, `largest_uncertainty`."""

    largest_uncertainty: float
    """Nats."""

    num_learned: int
    """Painted pixels that were learned from, of all tiles together."""

    seconds: float
    """Wall time from asking to this answer."""


@runtime_checkable
class Predictor(Protocol):
    """Learns from what is painted, and predicts the rest.

    Any thread may call any method; predictions are made one at a time.
    """

    @property
    def predicts_before_strokes(self) -> bool:
        """Whether there is a prediction of a tile while nothing is painted at all."""

    def predict(self, tile: str, painted: Mapping[str, PaintedTile]) -> Prediction | None:
        """What is predicted of a tile; None while there is nothing to predict from.

        The first call for a tile draws it again and keeps its features, with or without an answer:
        ask when a tile is opened, and the first stroke is answered as quickly as later ones. The
        same strokes give the same prediction, whatever was asked before.

        Args:
            tile: name of the sample.
            painted: every tile that is learned from, by name.
        """

    def teaches(self) -> Mapping[str, float]:
        """How uncertain each tile is that was scored so far, nats.

        The mean of its most uncertain tenth: the higher, the more there is to learn from it.
        """

    def score(self, tile: str, painted: Mapping[str, PaintedTile]) -> float:
        """The same of one tile, which `teaches` tells from now on; for idle times.

        It costs one drawing, and lets predictions that are asked for meanwhile go first.
        """
