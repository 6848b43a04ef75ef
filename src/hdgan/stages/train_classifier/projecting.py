"""Real tiles as drawings: latents that draw what the tiles show, with the tiles' own labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from hdgan.artifacts.annotation_set import AnnotationRecord
from hdgan.artifacts.arrays import array_bytes, arrays_of
from hdgan.artifacts.classifier import PROJECTIONS, PROJECTIONS_PICTURE, ProjectionRecord
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import png_of
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact
from hdgan.class_map import LabelMap
from hdgan.errors import WrongArtifactError
from hdgan.method.latent import pixels_of, tensor_of
from hdgan.method.likeness_of_images import ImageLook
from hdgan.method.projection import (
    LatentSpace,
    ProjectionPlan,
    largest_distance,
    latent_space_of,
    project,
)
from hdgan.method.stylegan.synthesis import Generator
from hdgan.report.grids import grid
from hdgan.report.progress import ProgressBar
from hdgan.stages.train_classifier.drawings import Latent
from hdgan.stages.train_classifier.real_crops import RealCrop, RealCrops

PIXELS_AT_ONCE = 4 * 512**2
"""Of crops whose latents are sought together."""

MOST_PICTURES = 24
"""Crops that are shown beside their drawings."""


@dataclass(frozen=True)
class Projected:
    """A crop and the latents that were found for it."""

    crop: RealCrop
    ws: Float32[np.ndarray, "num_ws w_dim"]
    record: ProjectionRecord


class Projecting:
    """Finds latents for crops, tile by tile, and keeps them in scratch: a tile is done once."""

    def __init__(
        self,
        unfinished: UnfinishedArtifact,
        crops: RealCrops,
        network: Generator,
        look: ImageLook,
        plan: ProjectionPlan,
    ) -> None:
        self.unfinished, self.crops, self.network = unfinished, crops, network
        self.look, self.plan = look, plan

    def all(self) -> list[Projected]:
        """All crops with their latents; memory: the crops and a few kilobytes for each.

        Raises:
            LabelError: no pixel is labelled.
        """
        space = latent_space_of(self.network)
        limit = largest_distance(self.network, self.look, self.plan)
        found: list[Projected] = []
        with ProgressBar("projection", len(self.crops.records), "tiles") as progress:
            for record in self.crops.records:
                found += self._of_tile(record, space, limit)
                near = sum(each.record.accepted for each in found)
                progress.advance(f"{near} of {len(found)} crops are near enough")
        if not found:
            self.crops.refuse_unlabelled()
        return found

    def _of_tile(
        self, record: AnnotationRecord, space: LatentSpace, limit: float
    ) -> Iterator[Projected]:
        crops = self.crops.of(record)
        if not crops:
            return
        name = f"projected/{record.image}.safetensors"
        path = self.unfinished.scratch / name
        if not path.is_file():
            self.unfinished.write_scratch(name, array_bytes(self._sought(crops, space)))
        self.unfinished.is_dear = True
        arrays = arrays_of(path.read_bytes(), str(path))
        for i, crop in enumerate(crops):
            start, end = (float(arrays[which][i]) for which in ("start", "end"))
            row = ProjectionRecord(
                crop=crop.name,
                tile=crop.tile,
                x=crop.x,
                y=crop.y,
                start=start,
                distance=end,
                limit=limit,
                accepted=end <= limit,
            )
            yield Projected(crop, arrays["ws"][i], row)

    def _sought(self, crops: Sequence[RealCrop], space: LatentSpace) -> dict[str, np.ndarray]:
        at_once = max(1, PIXELS_AT_ONCE // self.crops.side_px**2)
        parts = [
            self._sought_together(crops[first : first + at_once], space)
            for first in range(0, len(crops), at_once)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _sought_together(
        self, crops: Sequence[RealCrop], space: LatentSpace
    ) -> dict[str, np.ndarray]:
        device = self.network.mapping.w_avg.device
        images = torch.stack([tensor_of(crop.image) for crop in crops]).to(device)
        first, *_, last = project(self.network, space, images, self.look, self.plan)
        return {
            "ws": last.ws.cpu().numpy(),
            "start": first.distances.cpu().numpy(),
            "end": last.distances.cpu().numpy(),
        }


class ProjectedTiles:
    """Crops of real tiles whose drawings are near enough, with the tiles' labels.

    Memory: the crops, with four bytes a pixel, and their latents.
    """

    def __init__(
        self, crops: RealCrops, found: Sequence[Projected], generator: GeneratorFolder
    ) -> None:
        """Take those that are near enough.

        Raises:
            WrongArtifactError: none is.
        """
        self.class_map, self.crops, self.found = crops.class_map, crops, found
        self._kept = {each.crop.name: each for each in found if each.record.accepted}
        if not self._kept:
            nearest = min(found, key=lambda each: each.record.distance).record
            raise WrongArtifactError(
                f"{generator.folder} draws none of the {len(found)} crops of real tiles: the "
                f"nearest drawing is {nearest.distance:.3g} away, and {nearest.limit:.3g} is how "
                "far its own drawings are from one another. Use a generator that was trained on "
                "this tissue, or --real-labels gradient-matching."
            )
        self.training: Sequence[str] = list(self._kept)
        self.validation: Sequence[str] = []

    def labels(self, name: str) -> LabelMap:
        """The class of each pixel of a crop."""
        return self._kept[name].crop.labels

    def latent(self, name: str) -> Latent:
        """The latents that draw it, one a layer."""
        return torch.from_numpy(self._kept[name].ws)[None]

    def check(self, name: str, redrawn: UInt8[np.ndarray, "side side 3"]) -> None:
        """Do nothing: how near a drawing is was judged when its latents were found."""

    def split_table(self) -> bytes:
        """The annotated tiles and which of them were learned from."""
        return self.crops.split_table({each.crop.tile for each in self._kept.values()})

    def write(self, unfinished: UnfinishedArtifact, network: Generator) -> None:
        """Say of every crop how near its drawing came, and show the first, each beside its own."""
        rows = [each.record for each in self.found]
        unfinished.write(PROJECTIONS, table_bytes(rows, ProjectionRecord))
        pictures = []
        device = network.mapping.w_avg.device
        for each in self.found[:MOST_PICTURES]:
            ws = torch.from_numpy(each.ws)[None].to(device)
            with torch.no_grad():
                drawn = pixels_of(network(ws, network.synthesis.constant_noise()))
            pictures += [each.crop.image, drawn]
        unfinished.write(PROJECTIONS_PICTURE, png_of(grid(pictures, columns=8)))
