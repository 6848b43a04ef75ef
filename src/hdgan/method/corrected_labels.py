"""The label map of a tile after a correction, and how uncertain it is, band by band.

A correction is linear, so each map meets its weights at its own size, and only what is added to the
logits is enlarged (`lattice`): a few numbers a pixel in place of two thousand. The plain definition
is `corrected_plainly`.
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from hdgan.method.correction import Correction
from hdgan.method.ensemble_prior import EnsemblePrior
from hdgan.method.features import FeaturePyramid
from hdgan.method.labelling import LabelledRows
from hdgan.method.lattice import (
    Span,
    at_pixels,
    cells_of_points,
    finer,
    on_lattice,
    points_of_pixels,
)

BAND_PIXELS = 2**15
"""Pixels whose probabilities exist at a time: what fits into a processor's cache."""

COARSE_PX = 256
"""Maps up to this side meet their weights once for all bands."""


def corrected(
    pyramid: FeaturePyramid,
    correction: Correction | None,
    prior: EnsemblePrior | None,
    *,
    band_pixels: int = BAND_PIXELS,
    between: Callable[[], None] = lambda: None,
) -> LabelledRows:
    """The class of every pixel and its uncertainty, nats.

    Memory is one band's, and `COARSE_PX` squared times the correction's outputs; apart from the
    five bytes a pixel that come back. Agrees with `corrected_plainly` to rounding.

    Args:
        pyramid: the maps that the correction reads.
        correction: what strokes have taught; None where there are none.
        prior: what an ensemble thinks; None without one. One of both is needed.
        band_pixels: does not change the result.
        between: called after each band.
    """
    side = pyramid.side
    adding = None if correction is None else _Adding(pyramid, correction)
    labels = np.empty((side, side), dtype=np.uint8)
    uncertainty = np.empty((side, side), dtype=np.float32)
    step = min(side, max(1, band_pixels // side))
    for first in range(0, side, step):
        rows = slice(first, min(first + step, side))
        logits = None if adding is None else adding.logits(rows)
        labels[rows], uncertainty[rows] = _said(logits, prior, rows, side)
        between()
    return LabelledRows(labels, uncertainty)


@torch.no_grad()
def corrected_plainly(
    pyramid: FeaturePyramid, correction: Correction | None, prior: EnsemblePrior | None
) -> LabelledRows:
    """The same by the definition: the features of every pixel to each member. For tests."""
    rows = slice(0, pyramid.side)
    logits = None
    if correction is not None:
        logits = correction.logits(pyramid.upsampled().flatten(1).t())
    return LabelledRows(*_said(logits, prior, rows, pyramid.side))


def certainty(
    logits: Float[Tensor, "members classes pixels"], doubt: Float[Tensor, " pixels"] | None
) -> tuple[UInt8[Tensor, " pixels"], Float[Tensor, " pixels"]]:
    """The class of each pixel, and the divergence of the members, nats.

    Not less than what is left of an ensemble's own: where strokes have made a pixel certain,
    nobody needs to look; where they say nothing, it is the ensemble's divergence as it was.

    Args:
        logits: what is known before and what each member adds, together.
        doubt: as `EnsemblePrior` has it; None without an ensemble.
    """
    log_probabilities = torch.log_softmax(logits, dim=1)
    probabilities = log_probabilities.exp()
    mean = probabilities.mean(dim=0)
    entropy = torch.special.entr(mean).sum(dim=0)
    divergence = torch.zeros_like(entropy)
    if len(logits) > 1:
        entropies = -log_probabilities.mul_(probabilities).sum(dim=1).mean(dim=0)
        divergence = (entropy - entropies).clamp_min_(0.0)
    if doubt is not None:
        divergence = torch.maximum(divergence, doubt * entropy)
    return mean.argmax(dim=0).byte(), divergence


@torch.no_grad()
def _said(
    added: Tensor | None, prior: EnsemblePrior | None, rows: slice, side: int
) -> tuple[UInt8[np.ndarray, "rows side"], Float32[np.ndarray, "rows side"]]:
    """The labels of some rows and their uncertainty."""
    doubt = None
    if prior is not None:
        before = torch.from_numpy(prior.log_probabilities[:, rows].astype(np.float32)).flatten(1)
        doubt = torch.from_numpy(prior.doubt[rows].astype(np.float32)).flatten()
        if added is not None:
            doubt, before = doubt.to(added.device), before.to(added.device)
        added = before[None] if added is None else added + before
    if added is None:
        raise ValueError("neither a correction nor a prior: there is nothing to label by")
    labels, divergence = certainty(added, doubt)
    return (
        labels.unflatten(0, (-1, side)).cpu().numpy(),
        divergence.unflatten(0, (-1, side)).cpu().numpy(),
    )


class _Adding:
    """What a correction adds to the logits of an image's pixels."""

    @torch.no_grad()
    def __init__(self, pyramid: FeaturePyramid, correction: Correction) -> None:
        self.side, self.correction = pyramid.side, correction
        weights = correction.weight.split([own.shape[-1] for own in pyramid.maps])
        self.levels: dict[int, list[tuple[np.ndarray, Tensor]]] = {}
        for feature_map, weight in zip(pyramid.maps, weights, strict=True):
            self.levels.setdefault(len(feature_map), []).append((feature_map, weight))
        below = [level for level in self.levels if level < self.side]
        self.chain = [min(below)] if below else []
        while self.chain and self.chain[-1] < max(below):
            self.chain.append(2 * self.chain[-1])
        self.coarse = {
            level: self._product(level, Span(0, level - 1)) for level in below if level <= COARSE_PX
        }

    @torch.no_grad()
    def logits(self, rows: slice) -> Float[Tensor, "members classes pixels"]:
        """For all pixels of some rows."""
        correction = self.correction
        shape = (rows.stop - rows.start, self.side, correction.bias.numel())
        span = Span(rows.start, rows.stop - 1)
        total = correction.bias.expand(shape)
        if self.chain:
            total = correction.bias.new_empty(shape)
            self._enlarge(span, total)
            total += correction.bias
        if self.side in self.levels:
            total = total + self._product(self.side, span)
        members = (correction.num_members, correction.num_classes)
        return total.flatten(end_dim=1).t().contiguous().unflatten(0, members)

    def _enlarge(self, rows: Span, out: Tensor) -> None:
        """The sum of all maps below the image's size at some of its rows."""
        finest = self.chain[-1]
        per_step = self.side // (2 * finest)
        spans = {finest: points_of_pixels(rows, self.side, finest)}
        for level in reversed(self.chain[:-1]):
            spans[level] = spans[2 * level].coarser
        points: Tensor | None = None
        for level in self.chain:
            whole = Span(0, 2 * level)
            if points is not None:
                before = (spans[level // 2], Span(0, level))
                points = finer(points, before, spans[level], whole)
            if level in self.levels:
                cells = self._cells(level, cells_of_points(spans[level], level))
                values = on_lattice(cells, level, spans[level], whole)
                points = values if points is None else points.add_(values)
        assert points is not None
        # A band may begin and end between two points of the lattice.
        first = spans[finest].first * per_step
        enlarged = out
        if first != rows.first or (spans[finest].count - 1) * per_step != rows.count:
            enlarged = out.new_empty((spans[finest].count - 1) * per_step, *out.shape[1:])
        at_pixels(points, per_step, enlarged)
        if enlarged is not out:
            out.copy_(enlarged[rows.first - first : rows.first - first + rows.count])

    def _cells(self, level: int, rows: Span) -> Float32[Tensor, "rows level outputs"]:
        if level in self.coarse:
            return self.coarse[level][rows.first : rows.last + 1]
        return self._product(level, rows)

    def _product(self, level: int, rows: Span) -> Float32[Tensor, "rows level outputs"]:
        """Some rows of the maps of one resolution times their weights."""
        total: Tensor | None = None
        for feature_map, weight in self.levels[level]:
            cells = torch.from_numpy(feature_map[rows.first : rows.last + 1])
            part = cells.to(weight.device).float() @ weight
            total = part if total is None else total.add_(part)
        assert total is not None
        return total
