"""The images that may be annotated, and how an annotation of a whole slide lies on each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from hdgan.artifacts.annotation_folder import Source
from hdgan.artifacts.outlines.drawn_labels import WHOLE, Cut
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.class_map import LabelMap
from hdgan.errors import LabelError


class ImagesToAnnotate:
    """The samples of a sample set, or the tiles of a tile set.

    Args:
        target: the set.
        only: all of them, or the samples that were suggested.
    """

    def __init__(self, target: SampleSet | TileSet, only: Literal["all", "suggested"]) -> None:
        self.target, self.only = target, only
        self.tiles: dict[str, TileRecord] = {}
        self.names: list[str] = []
        if isinstance(target, TileSet):
            self.tiles = {record.tile: record for record in target.records()}
            self.names = list(self.tiles)
        else:
            self.names = [
                record.sample
                for record in target.records()
                if only == "all" or record.suggested is not None
            ]
        self._side: tuple[int, int] | None = None

    def matched(self, sources: Sequence[Source]) -> dict[str, Source]:
        """The annotation of each image that has one, by its own name or that of its slide.

        Raises:
            LabelError: none has one, or an annotation belongs to no image.
        """
        by_name: dict[str, Source] = {}
        for source in sources:
            by_name |= {name: source for name in source.names[1:] if name not in by_name}
        by_name |= {source.stem: source for source in sources}
        matched = {}
        for name in self.names:
            slide = self.tiles[name].slide if name in self.tiles else name
            found = by_name.get(name) or by_name.get(slide)
            if found is not None:
                matched[name] = found
        used = set(matched.values())
        unused = [source for source in sources if source not in used]
        if self.only == "all" and unused:
            raise LabelError(
                f"{_described(unused[0])} belongs to no image of {self.target.folder}. An "
                f"annotation has the name of its image, such as {self.names[0]}"
                f"{unused[0].path.suffix}."
            )
        if not matched:
            raise LabelError(
                "No annotation has the name of a wanted image of "
                f"{self.target.folder}, such as {self.names[0]}.png."
            )
        return matched

    def size(self, image: str) -> tuple[int, int]:
        """Height and width of an image."""
        if image in self.tiles:
            return self.tiles[image].height, self.tiles[image].width
        if self._side is None:
            self._side = self._sample_size()
        return self._side

    def place(self, image: str, source: Source) -> Cut:
        """How an image lies on what was drawn on: itself, or its whole slide."""
        tile = self.tiles.get(image)
        if tile is None or tile.slide not in source.names:
            return WHOLE
        region = tile.region
        across, down = region.width / tile.width, region.height / tile.height
        return Cut(float(region.x), float(region.y), across, down)

    def cut(
        self, labels: LabelMap, image: str, source: Source
    ) -> UInt8[np.ndarray, "tile_height tile_width"]:
        """The part of a label map that lies on an image.

        Raises:
            LabelError: it has another size than the image, or does not cover it.
        """
        tile = self.tiles.get(image)
        if tile is None or image in source.names:
            height, width = self.size(image)
            if labels.shape != (height, width):
                kind = "image" if tile is None else "tile"
                raise _wrong_size(source.path, labels, f"its {kind} is {width} x {height}")
            return labels
        region = tile.region
        right, bottom = region.x + region.width, region.y + region.height
        part = labels[region.y : bottom, region.x : right]
        if part.shape != (region.height, region.width):
            raise _wrong_size(source.path, labels, f"tile {image} reaches to {right}, {bottom}")
        rows, columns = (
            ((np.arange(side) + 0.5) * tile.scale).astype(np.int64).clip(max=covered - 1)
            for side, covered in ((tile.height, region.height), (tile.width, region.width))
        )
        return np.ascontiguousarray(part[rows[:, None], columns])

    def _sample_size(self) -> tuple[int, int]:
        if not isinstance(self.target, SampleSet):
            raise TypeError("only samples have one size")
        height, width, _ = self.target.image(self.target.records()[0]).shape
        return height, width


def _described(source: Source) -> str:
    return f"{source.stem} in {source.path}" if source.kind == "coco" else str(source.path)


def _wrong_size(file: Path, labels: LabelMap, needed: str) -> LabelError:
    return LabelError(
        f"{file} is {labels.shape[1]} x {labels.shape[0]} pixels, but {needed}. Draw it on the "
        "image itself, at its full size."
    )
