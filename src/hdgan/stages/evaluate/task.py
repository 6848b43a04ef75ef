"""What is tested, on which images, and what a prediction is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import AnnotationRecord
from hdgan.artifacts.artifact import Artifact
from hdgan.class_map import ClassMap, LabelMap
from hdgan.method.trust import Judged

Picture = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class Prediction:
    """An image, what it was annotated, and what is predicted."""

    image: Picture
    truth: LabelMap
    predicted: LabelMap
    judged: Judged | None
    """How surely; None if that is not measured."""


@dataclass(frozen=True)
class Task:
    """What is tested, on what, and how a prediction is made."""

    predictor: Artifact
    class_map: ClassMap
    records: list[AnnotationRecord]
    predict: Callable[[AnnotationRecord], Prediction]
    unit: str
    """What is exchangeable: a tile of its own, or all tiles of a patient."""
    unit_of: Callable[[AnnotationRecord], str]
    redraw: Callable[[AnnotationRecord], LabelMap] | None = None
    """The labels of a sample drawn again with other noise; None of a generator that has none."""
