"""Scores of predicted label maps, with the confusion matrices that they come from."""

from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hdgan.artifacts.annotation_set import CLASSES, class_map_of
from hdgan.artifacts.arrays import npy_bytes, npy_of
from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.manifest import json_bytes
from hdgan.artifacts.not_understood import not_understood
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import ClassMap
from hdgan.errors import DamagedArtifactError
from hdgan.method.metrics import ClassScores, ConfusionMatrix, Score, class_scores, overall_scores
from hdgan.method.trust_scores import Trust

SCORES = "scores.json"
CONFUSION = "confusion.npy"
TRUST = "trust.json"
"""How far the labels may be trusted; evaluations of earlier versions have none."""


class _ScoreText(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    value: float | None
    definition: str


class _ClassScoresText(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    pixels: int
    recall: float | None
    precision: float | None
    dice: float | None
    iou: float | None


class _ScoresText(BaseModel):
    """What is read of `scores.json`; None stands for a score without a value."""

    images: list[str]
    overall: list[_ScoreText]
    classes: list[_ClassScoresText]


class Evaluation(Artifact):
    """`scores.json`, `confusion.npy` (int64, `[images, true, predicted]`) and `pictures/*.png`.

    And `trust.json`, unless it was not wanted.
    """

    kind = "evaluation"

    @property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))

    def confusion(self) -> list[ConfusionMatrix]:
        """One matrix an image, in the order of `images`.

        Raises:
            DamagedArtifactError: `confusion.npy` holds something else.
        """
        matrices = npy_of(self.read(CONFUSION), str(self.folder / CONFUSION))
        classes = len(self.class_map)
        if matrices.dtype != np.int64 or matrices.shape[1:] != (classes, classes):
            raise DamagedArtifactError(
                f"{self.folder / CONFUSION} holds {matrices.dtype} numbers of the shape "
                f"{matrices.shape}, which are no confusion matrices of {classes} classes. Evaluate "
                "again into a new folder."
            )
        return list(matrices)

    def images(self) -> list[str]:
        """The names of the images."""
        return list(self._scores.images)

    def overall(self) -> list[Score]:
        """Scores over all classes."""
        return [Score(**_numbers(row.model_dump())) for row in self._scores.overall]

    def classes(self) -> list[ClassScores]:
        """Scores of each class."""
        return [ClassScores(**_numbers(row.model_dump())) for row in self._scores.classes]

    @cached_property
    def _scores(self) -> "_ScoresText":
        """What `scores.json` says.

        Raises:
            DamagedArtifactError: it cannot be understood.
        """
        try:
            return _ScoresText.model_validate_json(self.read(SCORES))
        except ValidationError as error:
            raise not_understood(self.folder / SCORES, error) from error

    def trust(self) -> Trust | None:
        """How far the labels may be trusted; None if that was not measured.

        Raises:
            DamagedArtifactError: `trust.json` cannot be understood.
        """
        if TRUST not in self.manifest.files:
            return None
        try:
            return TypeAdapter(Trust).validate_json(self.read(TRUST))
        except ValidationError as error:
            raise DamagedArtifactError(
                f"{self.folder / TRUST} cannot be understood. Evaluate again into a new folder."
            ) from error


def write_trust(unfinished: UnfinishedArtifact, trust: Trust) -> None:
    """Put how far the labels may be trusted into an artifact."""
    unfinished.write(TRUST, json_bytes(asdict(trust)))


def write_scores(
    unfinished: UnfinishedArtifact,
    matrices: list[ConfusionMatrix],
    images: list[str],
    class_map: ClassMap,
) -> None:
    """Put the matrices and every score of them into an artifact."""
    unfinished.write(CONFUSION, npy_bytes(np.stack(matrices)))
    content = {
        "images": images,
        "overall": [_plain(asdict(score)) for score in overall_scores(matrices)],
        "classes": [_plain(asdict(score)) for score in class_scores(matrices, class_map.names)],
        "definitions": {
            "recall": "found / true pixels, over all images together",
            "precision": "found / predicted pixels, over all images together",
            "dice": "2 x overlap / (true + predicted pixels), over all images together",
            "iou": "overlap / pixels that are true or predicted, over all images together",
        },
    }
    unfinished.write(SCORES, json_bytes(content))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: a score without a value is null."""
    return {key: None if value != value else value for key, value in row.items()}


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    return {key: float("nan") if value is None else value for key, value in row.items()}
