"""Label maps and uncertainty from feature maps at their own size, tile by tile.

The first layer's sum is carried from coarse to fine on lattices (`lattice`), so that each map meets
its weights at its own size. Maps of few channels are enlarged first: that costs less than enlarging
the wide hidden layer. Hidden values exist for some hundred pixels at a time, and probabilities of a
whole image only for who asks for them. The plain definition is `label_image.label_image_plainly`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from hdgan.method.decision import Decision, decided, mean_probabilities
from hdgan.method.folded_ensemble import FoldedEnsemble
from hdgan.method.known_rows import KnownRows
from hdgan.method.labelling_work import WORK_BYTES, Work, cheapest
from hdgan.method.lattice import (
    Span,
    at_pixels,
    cells_of_points,
    finer,
    on_lattice,
    points_of_pixels,
)
from hdgan.method.pixel_classifier import PixelClassifier


@dataclass(frozen=True)
class LabelledRows:
    """What an ensemble says of an image, or of some rows of it."""

    labels: UInt8[np.ndarray, "rows side"]
    """The class of each pixel."""

    uncertainty: Float32[np.ndarray, "rows side"]
    """Jensen-Shannon divergence of the members, nats."""

    probabilities: Float32[np.ndarray, "classes rows side"] | None = None
    """Mean over the members, from a labeller that keeps them."""


@dataclass
class _Level:
    """The maps of one resolution, and their part of the first layer."""

    resolution: int
    places: list[int]
    weight: Float[Tensor, "channels width"]


@dataclass(frozen=True)
class MapSizes:
    """The feature maps of an image, from coarse to fine, and the image."""

    resolutions: Sequence[int]
    """Side of each map."""
    channels: Sequence[int]
    """Of each map."""
    side: int
    """Of the image, in pixels; a power of two times each resolution."""


class Labeller:
    """Labels one image after another; for one ensemble and maps of these sides."""

    def __init__(
        self,
        classifier: PixelClassifier,
        maps: MapSizes,
        *,
        decision: Decision = "mean",
        work: Work | None = None,
        memory_bytes: int = WORK_BYTES,
        keeps_probabilities: bool = False,
    ) -> None:
        """Fold the ensemble.

        Args:
            classifier: the ensemble; it is used in evaluation mode.
            maps: whose features it reads.
            decision: how members are joined.
            work: size of the pieces; None chooses the cheapest.
            memory_bytes: what the work may take, where it is chosen.
            keeps_probabilities: whether they come with the labels: four bytes a class and pixel.
        """
        self.ensemble = FoldedEnsemble(classifier, maps.channels)
        resolutions, side = maps.resolutions, maps.side
        self.side, self.decision, self.keeps_probabilities = side, decision, keeps_probabilities
        self.device = classifier.mean.device
        levels = [
            _level(self.ensemble, resolution, resolutions) for resolution in sorted({*resolutions})
        ]
        self.ensemble.first = ()  # the levels have it
        sizes = {level.resolution: len(level.weight) for level in levels}
        work = work or cheapest(sizes, side, self.ensemble.width, self.device, memory_bytes)
        num_wide = len(levels) - work.num_narrow
        self.wide, self.narrow = levels[:num_wide], levels[num_wide:]
        self.coarse = [level for level in self.wide if level.resolution <= work.coarse_px]
        self.fine = self.wide[len(self.coarse) :]
        # Levels are nested one by one: a resolution that is left out would break the chain.
        self.chain = self._chain()
        self.per_step = side // (2 * self.wide[-1].resolution) if self.wide else 1
        self.chunk_px = min(side, max(work.chunk_px, self.per_step))
        self.tile_px = min(side, max(work.tile_px, self.chunk_px))
        enlarging = self._enlarging()
        self.narrow_channels = sum(len(level.weight) for level in self.narrow)
        rows = self.narrow_channels + enlarging.shape[1]
        kind = self.ensemble.first_bias
        # One product brings the narrow features and the lattice's points to the hidden layer.
        self.inputs = kind.new_empty(self.chunk_px**2, rows)
        self.inputs[:, self.narrow_channels :] = enlarging
        self.weights = kind.new_empty(rows, self.ensemble.width)
        if self.narrow:
            self.weights[: self.narrow_channels] = torch.cat(
                [level.weight for level in self.narrow]
            )
        if not self.wide:
            self.weights[self.narrow_channels :] = self.ensemble.first_bias

    def _enlarging(self) -> Float[Tensor, "pixels points"]:
        """How much each lattice point in and around a chunk counts for each pixel of it."""
        kind = self.ensemble.first_bias
        if not self.wide:
            return kind.new_ones(self.chunk_px**2, 1)
        steps = self.chunk_px // self.per_step
        places = (torch.arange(self.chunk_px, dtype=torch.float64) + 0.5) / self.per_step
        line = (1.0 - (places[:, None] - torch.arange(steps + 1)).abs()).clamp_min(0.0)
        return torch.kron(line, line).to(kind)

    def _chain(self) -> list[int]:
        """Sides of the lattices from the finest that is summed tile by tile to the coarsest."""
        if not self.wide:
            return []
        sides = [self.wide[-1].resolution]
        least = self.coarse[-1].resolution if self.coarse else self.wide[0].resolution
        while sides[-1] > least:
            sides.append(sides[-1] // 2)
        return sides

    @torch.no_grad()
    def begin(self, known: dict[int, KnownRows]) -> None:
        """Sum the coarse maps of the next image; `known` has all their rows."""
        self.known = known
        self.sum: Tensor | None = None
        before = None
        for level in self.coarse:
            whole = Span(0, 2 * level.resolution)
            while before is not None and before < level.resolution:
                both = (Span(0, 2 * before), Span(0, 2 * before))
                before *= 2
                now = Span(0, 2 * before)
                assert self.sum is not None
                self.sum = finer(self.sum, both, now, now)
            before = level.resolution
            values = self._wide(level, whole, whole)
            self.sum = values if self.sum is None else self.sum.add_(values)
        if self.sum is not None:
            self.sum += self.ensemble.first_bias

    def needed(self, rows: Span) -> dict[int, Span]:
        """The rows of each map that these rows of the image need, apart from coarse ones."""
        spans = self._spans(rows)
        needed = {
            level.resolution: cells_of_points(spans[level.resolution], level.resolution)
            for level in self.fine
        }
        for level in self.narrow:
            needed[level.resolution] = self._narrow_cells(level, rows)
        return needed

    def can_label(self, rows: Span) -> bool:
        """Whether all is known that these rows of the image need."""
        return all(
            cells.last < self.known[resolution].end
            for resolution, cells in self.needed(rows).items()
        )

    def forget_before(self, rows: Span) -> None:
        """Drop what neither these rows of the image nor later ones need."""
        for resolution, cells in self.needed(rows).items():
            self.known[resolution].forget(cells.first)

    @torch.no_grad()
    def rows(self, rows: Span) -> LabelledRows:
        """The labels of some rows of the image; what they need must be known.

        Rows begin and end at whole tiles.
        """
        labels = np.empty((rows.count, self.side), dtype=np.uint8)
        uncertainty = np.empty((rows.count, self.side), dtype=np.float32)
        num_kept = self.ensemble.logits_shape[1] if self.keeps_probabilities else 0
        probabilities = np.empty((num_kept, rows.count, self.side), dtype=np.float32)
        step = self.tile_px
        for top in range(0, rows.count, step):
            for left in range(0, self.side, step):
                tile = (
                    Span(rows.first + top, rows.first + top + step - 1),
                    Span(left, left + step - 1),
                )
                places = (slice(top, top + step), slice(left, left + step))
                planes: list[np.ndarray] = [labels, uncertainty, *probabilities]
                self._tile(*tile, [plane[places] for plane in planes])
        return LabelledRows(labels, uncertainty, probabilities if num_kept else None)

    def _tile(self, rows: Span, columns: Span, planes: Sequence[np.ndarray]) -> None:
        """Label one tile, chunk by chunk, into planes for labels, uncertainty, probabilities."""
        points = self._points(rows, columns)
        features = self._narrow_features(rows, columns)
        side = self.chunk_px
        logits = self.inputs.new_empty(
            (*self.ensemble.logits_shape, rows.count // side, columns.count // side, side * side)
        )
        for i in range(rows.count // side):
            for j in range(columns.count // side):
                logits[:, :, i, j] = self.ensemble.logits(self._hidden(points, features, i, j))
        means = mean_probabilities(logits) if self.keeps_probabilities else ()
        for values, target in zip((*decided(logits, self.decision), *means), planes, strict=True):
            plane = values.unflatten(2, (side, side)).permute(0, 2, 1, 3)
            target[:] = plane.reshape(target.shape).cpu().numpy()

    def _hidden(
        self, points: Tensor | None, features: Tensor | None, i: int, j: int
    ) -> Float[Tensor, "pixels width"]:
        """The first layer's values at chunk (i, j) of a tile."""
        side = self.chunk_px
        if features is not None:
            part = features[i * side : (i + 1) * side, j * side : (j + 1) * side]
            self.inputs[:, : self.narrow_channels].view(side, side, -1).copy_(part)
        if points is not None:
            steps = side // self.per_step
            part = points[i * steps : (i + 1) * steps + 1, j * steps : (j + 1) * steps + 1]
            self.weights[self.narrow_channels :].view(steps + 1, steps + 1, -1).copy_(part)
        return self.inputs @ self.weights

    def _points(self, rows: Span, columns: Span) -> Tensor | None:
        """The sum of the wide maps at the lattice points around a tile."""
        if not self.chain:
            return None
        down, along = self._spans(rows), self._spans(columns)
        by_side = {level.resolution: level for level in self.fine}
        points: Tensor | None = None
        before: int | None = None
        for side in reversed(self.chain):
            span = (down[side], along[side])
            if points is not None and before is not None:
                points = finer(points, (down[before], along[before]), *span)
            elif self.sum is not None:
                points = self.sum[
                    span[0].first : span[0].last + 1, span[1].first : span[1].last + 1
                ]
            if side in by_side:
                values = self._wide(by_side[side], *span)
                values += self.ensemble.first_bias if points is None else points
                points = values
            before = side
        return points

    def _spans(self, pixels: Span) -> dict[int, Span]:
        """The points of each lattice of the chain that pixels along one axis need."""
        if not self.chain:
            return {}
        spans = {self.chain[0]: points_of_pixels(pixels, self.side, self.chain[0])}
        for side in self.chain[1:]:
            spans[side] = spans[2 * side].coarser
        return spans

    def _wide(self, level: _Level, rows: Span, columns: Span) -> Tensor:
        """A level's part of the first layer at points of its lattice."""
        cells = (
            cells_of_points(rows, level.resolution),
            cells_of_points(columns, level.resolution),
        )
        values = self._features(level, *cells) @ level.weight
        return on_lattice(values, level.resolution, rows, columns)

    def _features(self, level: _Level, rows: Span, columns: Span) -> Tensor:
        """The features of a level at some of its cells, less their means."""
        known = self.known[level.resolution]
        return torch.cat(
            [
                self.ensemble.centred(
                    place,
                    held[
                        rows.first - known.first : rows.last + 1 - known.first,
                        columns.first : columns.last + 1,
                    ],
                )
                for place, held in zip(level.places, known.maps, strict=True)
            ],
            dim=-1,
        )

    def _narrow_cells(self, level: _Level, pixels: Span) -> Span:
        """The cells of a map that is enlarged first which decide pixels along one axis."""
        if level.resolution == self.side:
            return pixels
        points = points_of_pixels(pixels, self.side, level.resolution)
        return cells_of_points(points, level.resolution)

    def _narrow_features(self, rows: Span, columns: Span) -> Tensor | None:
        """The features of the maps that are enlarged first, at every pixel of a tile."""
        parts = []
        for level in self.narrow:
            cells = (self._narrow_cells(level, rows), self._narrow_cells(level, columns))
            values = self._features(level, *cells)
            if level.resolution < self.side:
                points = tuple(
                    points_of_pixels(pixels, self.side, level.resolution)
                    for pixels in (rows, columns)
                )
                values = on_lattice(values, level.resolution, *points)
                enlarged = values.new_empty(rows.count, columns.count, values.shape[-1])
                at_pixels(values, self.side // (2 * level.resolution), enlarged)
                values = enlarged
            parts.append(values)
        return torch.cat(parts, dim=-1) if parts else None


def _level(ensemble: FoldedEnsemble, resolution: int, resolutions: Sequence[int]) -> _Level:
    places = [place for place, side in enumerate(resolutions) if side == resolution]
    return _Level(
        resolution, places, torch.cat([ensemble.first[place] for place in places]).contiguous()
    )
