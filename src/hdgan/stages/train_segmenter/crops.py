"""The crops of each step, from images that are decoded when they are wanted."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.artifacts.decoded import CACHE_BYTES, Decoded
from hdgan.artifacts.tile_set import TileRecord, TileSet
from hdgan.errors import ImageError
from hdgan.method.segmenter.crops import (
    LabelledCrops,
    StepCrops,
    changed_crop,
    cut_mixed,
    drawn_boxes,
)
from hdgan.method.segmenter.plan import SegmenterPlan
from hdgan.stages.train_segmenter.sources import ReadImage


class Labelled:
    """Crops of labelled images, each equally likely, or each source.

    Memory: up to 2 GB of decoded images.
    """

    def __init__(
        self, reads: Sequence[Sequence[ReadImage]], plan: SegmenterPlan, *, equal_sources: bool
    ) -> None:
        """Keep what is needed to read them.

        Raises:
            ImageError: an image is smaller than a crop.
        """
        self.plan, self.equal_sources = plan, equal_sources
        self.reads = [read for one in reads for read in one]
        self.counts = [len(one) for one in reads]
        self.images = Decoded(lambda i: self.reads[i]())
        self._check()

    def __call__(self, step: int) -> LabelledCrops:
        """The crops of a step."""
        plan = self.plan
        random = np.random.default_rng([plan.seed, 6, step])
        crops = [
            changed_crop(self.images[i][..., :3], self.images[i][..., 3], plan, random)
            for i in self._drawn(random)
        ]
        images = torch.from_numpy(np.stack([image for image, _ in crops])).permute(0, 3, 1, 2)
        labels = torch.from_numpy(np.stack([labels for _, labels in crops]).astype(np.int64))
        if plan.cut_mix == 0:
            return LabelledCrops(images, labels)
        boxes = drawn_boxes(plan.batch, plan.crop_px, plan.cut_mix, random)
        return LabelledCrops(cut_mixed(images, boxes), cut_mixed(labels, boxes))

    def _drawn(self, random: np.random.Generator) -> list[int]:
        """The images of a step."""
        if not self.equal_sources:
            return [int(i) for i in random.integers(0, len(self.reads), size=self.plan.batch)]
        sources = random.integers(0, len(self.counts), size=self.plan.batch)
        firsts = np.cumsum([0, *self.counts])
        return [int(firsts[i] + random.integers(0, self.counts[i])) for i in sources]

    def _check(self) -> None:
        for read in self.reads:
            height, width = read.size()
            if min(height, width) < self.plan.crop_px:
                raise ImageError(
                    f"The labelled image {read.place} is {width} x {height} pixels, smaller than a "
                    f"crop of {self.plan.crop_px}. Lower --crop-px, or give larger images."
                )


class Unlabelled:
    """Crops of real tiles, each equally likely.

    Memory: up to 2 GB of decoded tiles.
    """

    def __init__(self, tile_set: TileSet, folds: tuple[int, ...]) -> None:
        self.tile_set = tile_set
        self.records = tile_set.records(folds)
        self.images = Decoded(self._read, limit=CACHE_BYTES)

    def check(self, plan: SegmenterPlan) -> None:
        """Do nothing if a crop fits into every tile.

        Raises:
            ImageError: into one it does not.
        """
        for record in self.records:
            if min(record.width, record.height) < plan.crop_px:
                raise ImageError(
                    f"{self._place(record)} is {record.width} x {record.height} pixels, smaller "
                    f"than a crop of {plan.crop_px}. Lower --crop-px, or give larger tiles to "
                    "--unlabelled."
                )

    def crops(self, step: int, plan: SegmenterPlan) -> Float[Tensor, "batch 3 side side"]:
        """The crops of a step, as many as there are labelled ones."""
        random = np.random.default_rng([plan.seed, 7, step])
        crops = []
        for i in random.integers(0, len(self.records), size=plan.batch):
            image = self.images[int(i)]
            crop, _ = changed_crop(image, image[..., 0], plan, random)
            crops.append(torch.from_numpy(crop).permute(2, 0, 1))
        return torch.stack(crops)

    def _read(self, number: int) -> np.ndarray:
        return self.tile_set.image(self.records[number])

    def _place(self, record: TileRecord) -> str:
        return str(self.tile_set.folder / record.image)


class Crops:
    """All that a step sees, on the device."""

    def __init__(
        self,
        labelled: Labelled,
        unlabelled: Unlabelled | None,
        device: torch.device,
    ) -> None:
        self.labelled, self.unlabelled, self.device = labelled, unlabelled, device
        self.plan = labelled.plan
        if unlabelled is not None:
            unlabelled.check(self.plan)

    def __call__(self, step: int) -> StepCrops:
        """The crops of a step; the same number gives the same ones."""
        images, labels = self.labelled(step)
        free = None if self.unlabelled is None else self.unlabelled.crops(step, self.plan)
        return StepCrops(
            LabelledCrops(images.to(self.device), labels.to(self.device)),
            None if free is None else free.to(self.device),
            np.random.default_rng([self.plan.seed, 8, step]),
        )
