"""What every way of fitting begins with and ends with: a fresh ensemble, and what is said of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from hdgan.artifacts.annotation_set import CLASSES, class_map_bytes
from hdgan.artifacts.classifier import CURVES, SPLIT
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import ClassMap
from hdgan.method.classifier_presets import Recipe
from hdgan.method.features import FeaturePyramid, channel_statistics
from hdgan.method.linear_probe import linear_shape
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier


@dataclass(frozen=True)
class Described:
    """What is said of an ensemble beside its weights."""

    class_map: ClassMap
    """What it tells apart."""

    split_table: bytes
    """What each annotated image was for."""

    curves: Sequence[str]
    """How fitting went, a line a report."""

    def write(self, unfinished: UnfinishedArtifact) -> None:
        """Put it into an artifact."""
        unfinished.write(CURVES, "".join(f"{line}\n" for line in self.curves).encode())
        unfinished.write(CLASSES, class_map_bytes(self.class_map))
        unfinished.write(SPLIT, self.split_table)


def fresh_classifier(
    recipe: Recipe, num_classes: int, num_channels: int, images: Iterator[FeaturePyramid]
) -> PixelClassifier:
    """A classifier that knows how the features of these images are scaled.

    Args:
        recipe: of the preset.
        num_classes: to tell apart.
        num_channels: features a pixel.
        images: what it is going to learn from; read only if the recipe scales features.
    """
    shape = ClassifierShape(
        num_channels=num_channels,
        num_classes=num_classes,
        num_members=recipe.num_members,
        widths=recipe.widths_for(num_classes),
        num_normalised=recipe.num_normalised,
        dropout=recipe.dropout,
    )
    if recipe.is_linear:
        shape = linear_shape(num_channels, num_classes)
    classifier = PixelClassifier(shape, seed=recipe.plan.seed)
    if recipe.scales:
        mean, deviation = channel_statistics(images)
        classifier.mean.copy_(torch.from_numpy(mean))
        classifier.deviation.copy_(torch.from_numpy(deviation))
    return classifier
