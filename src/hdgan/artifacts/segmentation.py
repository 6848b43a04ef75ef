"""Predicted label maps of tiles or samples."""

from functools import cached_property

from hdgan.artifacts.annotation_set import CLASSES, class_map_of
from hdgan.artifacts.artifact import Artifact
from hdgan.class_map import ClassMap


class Segmentation(Artifact):
    """`classes.json`, `labels/*.png` (8-bit grey) and `colours/*.png` (to look at)."""

    kind = "segmentation"

    @cached_property
    def class_map(self) -> ClassMap:
        """The classes, in order."""
        return class_map_of(self.read(CLASSES), str(self.folder / CLASSES))
