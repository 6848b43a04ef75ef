"""What an ensemble thinks of every pixel of a tile, kept for a correction to build upon."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32
from torch import Tensor

from hdgan.method.features import FeaturePyramid
from hdgan.method.known_rows import KnownRows
from hdgan.method.labelling import Labeller
from hdgan.method.lattice import Span

LEAST = 1e-6
"""Probability below which no class is thought: strokes must be able to contradict."""


@dataclass(frozen=True)
class EnsemblePrior:
    """Two bytes a class of each pixel, and two more; arrays, or memory maps of them."""

    log_probabilities: Float16[np.ndarray, "classes side side"]
    """Logarithm of the members' mean probability, not below that of `LEAST`."""

    doubt: Float16[np.ndarray, "side side"]
    """The part of the mean's entropy that is the members' disagreement, 0 to 1.

    Of a pixel that strokes make certain, this part of what is left remains.
    """


def prior_of(
    logits: Float[Tensor, "members classes pixels"],
) -> tuple[Float[Tensor, "classes pixels"], Float[Tensor, " pixels"]]:
    """What members think together: `log_probabilities` and `doubt`, by definition."""
    log_probabilities = torch.log_softmax(logits, dim=1)
    entropies = -(log_probabilities.exp() * log_probabilities).sum(dim=1).mean(dim=0)
    mean = log_probabilities.exp().mean(dim=0).clamp_min(LEAST)
    entropy = torch.special.entr(mean).sum(dim=0)
    doubt = ((entropy - entropies) / entropy.clamp_min(LEAST)).clamp(0.0, 1.0)
    return mean.log(), doubt


class PriorLabeller(Labeller):
    """Asks an ensemble for `EnsemblePrior` where a `Labeller` asks it for classes."""

    @torch.no_grad()
    def fill(
        self,
        prior: EnsemblePrior,
        pyramid: FeaturePyramid,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """Write what is thought of an image into the arrays given.

        Args:
            prior: where it goes.
            pyramid: the image's features; maps are not copied.
            between: called after each tile of pixels.
        """
        known: dict[int, KnownRows] = {}
        for feature_map in pyramid.maps:
            rows = known.setdefault(len(feature_map), KnownRows(len(feature_map), []))
            rows.maps.append(torch.from_numpy(feature_map))
        self.begin(known)
        for top in range(0, self.side, self.tile_px):
            for left in range(0, self.side, self.tile_px):
                self._fill_tile(prior, top, left)
                between()

    def _fill_tile(self, prior: EnsemblePrior, top: int, left: int) -> None:
        tile, side = self.tile_px, self.chunk_px
        rows, columns = Span(top, top + tile - 1), Span(left, left + tile - 1)
        points, features = self._points(rows, columns), self._narrow_features(rows, columns)
        steps = tile // side
        logits = self.inputs.new_empty(*self.ensemble.logits_shape, steps, steps, side * side)
        for i in range(steps):
            for j in range(steps):
                logits[:, :, i, j] = self.ensemble.logits(self._hidden(points, features, i, j))
        thought, doubt = prior_of(logits.flatten(2))
        place = (slice(top, top + tile), slice(left, left + tile))
        prior.log_probabilities[:, *place] = _plane(thought, steps, side)
        prior.doubt[place] = _plane(doubt[None], steps, side)[0]


def _plane(
    values: Float[Tensor, "classes pixels"], steps: int, side: int
) -> Float32[np.ndarray, "classes rows columns"]:
    """Values chunk by chunk as rows and columns."""
    chunks = values.unflatten(1, (steps, steps, side, side)).permute(0, 1, 3, 2, 4)
    return chunks.reshape(len(values), steps * side, steps * side).cpu().numpy()
