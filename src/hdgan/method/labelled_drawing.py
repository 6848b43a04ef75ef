"""An image with its labels and their uncertainty, band by band from one run of the generator."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from hdgan.method.context_head import ContextHead, with_context
from hdgan.method.decision import Decision
from hdgan.method.features import (
    channels_by_map,
    halved,
    image_and_features,
    sides_by_map,
)
from hdgan.method.known_rows import KnownRows
from hdgan.method.label_image import label_with
from hdgan.method.labelling import LabelledRows, Labeller, MapSizes
from hdgan.method.labelling_work import WORK_BYTES
from hdgan.method.latent import pixels_of
from hdgan.method.lattice import Span
from hdgan.method.object_vote import voted_by_object
from hdgan.method.pixel_classifier import PixelClassifier
from hdgan.method.stylegan.bands import BAND_PX, BANDED_FROM_PX, WHOLE_PX, Band, bands
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator, Noise


@dataclass(frozen=True)
class LabelledDrawing:
    """A drawing, or some rows of it, with what an ensemble says of each pixel."""

    pixels: UInt8[np.ndarray, "rows side 3"]
    """RGB."""

    labels: UInt8[np.ndarray, "rows side"]
    """The class of each pixel."""

    uncertainty: Float32[np.ndarray, "rows side"]
    """Jensen-Shannon divergence of the members, nats."""

    probabilities: Float32[np.ndarray, "classes rows side"] | None = None
    """Mean over the members, from a labelled generator that keeps them."""


def band_rows_for(shape: NetworkShape, memory_bytes: int) -> int:
    """How many rows of the image are drawn at a time in this much memory: `BAND_PX` at most.

    A row of the image stands for as many numbers in each map of the finer blocks, of which about
    sixteen are held at once.
    """
    banded = [side for side in shape.resolutions if side > WHOLE_PX] or [shape.resolution]
    row_bytes = 4 * 16 * max(side * shape.channels(side) for side in banded)
    rows = BAND_PX
    while rows > 1 and rows * row_bytes > memory_bytes / 4:
        rows //= 2
    return rows


def fixed_bytes_of(
    shape: NetworkShape, classifier: PixelClassifier, context: ContextHead | None = None
) -> int:
    """What a `LabelledGenerator` takes however small the pieces are, beside the networks.

    The first layer's weights twice, since they are folded; and the blocks that are drawn whole, of
    which outputs, modulated inputs and kept maps are held, about sixteen bytes a number. A context
    head adds its weights, three copies of its finest map and four of its first layer's values.
    """
    of_ensemble = classifier.shape
    weights = 4 * of_ensemble.num_channels * of_ensemble.num_members * of_ensemble.widths[0]
    whole = [side for side in shape.resolutions if side <= WHOLE_PX]
    drawn = 16 * sum(2 * shape.channels(side) * side**2 for side in whole[-2:])
    around = 0
    if context is not None:
        around = 4 * sum(values.numel() for values in context.state_dict().values())
        side = context.shape.side_px
        around += 4 * side**2 * (3 * shape.channels(side) + 4 * context.shape.widths[0])
    return 2 * weights + drawn + around


class LabelledGenerator:
    """A generator and an ensemble that was fitted to its features: latents in, pairs out."""

    def __init__(  # noqa: PLR0913 - the head is the other half of the ensemble
        self,
        generator: Generator,
        classifier: PixelClassifier,
        num_blocks: int | None,
        *,
        context: ContextHead | None = None,
        decision: Decision = "mean",
        by_object: Sequence[int] = (),
        memory_bytes: int = WORK_BYTES,
        keeps_probabilities: bool = False,
    ) -> None:
        """Fold the ensemble, once for all latents.

        Args:
            generator: what draws.
            classifier: the ensemble, on the same device.
            num_blocks: how many of the last blocks it reads; None: all.
            context: the head whose map it reads as well, on the same device.
            decision: how members are joined.
            by_object: classes of which `drawing` gives each connected region one; `bands` does not.
            memory_bytes: about what drawing and labelling may take beside the networks' weights and
                the result. Does not change the result.
            keeps_probabilities: whether they come with the labels: four bytes a class and pixel.
        """
        self.band_px = band_rows_for(generator.shape, memory_bytes)
        self.generator, self.num_blocks, self.by_object = generator, num_blocks, by_object
        self.context = None if context is None else context.eval()
        sides, channels = sides_by_map(generator.shape), channels_by_map(generator.shape)
        self.skipped = 0 if num_blocks is None else max(0, len(sides) - 2 * num_blocks)
        self.sides = sides
        sizes = MapSizes(
            sides[self.skipped :], channels[self.skipped :], generator.shape.resolution
        )
        self.labeller = Labeller(
            classifier,
            sizes if context is None else with_context_map(sizes, context),
            decision=decision,
            memory_bytes=memory_bytes,
            keeps_probabilities=keeps_probabilities,
        )

    def drawing(self, w: Float[Tensor, "1 w_dim"], noise: Noise | None = None) -> LabelledDrawing:
        """A latent's image with its labels, as a whole: eight bytes a pixel.

        Probabilities, where they are kept, add four bytes a class and pixel.

        Args:
            w: the latent.
            noise: one map a convolution; None takes the generator's constant noise.
        """
        parts: list[LabelledDrawing] = []
        side = self.generator.shape.resolution
        planes: Float32[np.ndarray, "classes side side"] | None = None
        for part in self.bands(w, noise):
            if part.probabilities is not None:
                if planes is None:
                    planes = np.empty((len(part.probabilities), side, side), dtype=np.float32)
                top = sum(len(before.labels) for before in parts)
                planes[:, top : top + len(part.labels)] = part.probabilities
            parts.append(replace(part, probabilities=None))
        labels = np.concatenate([part.labels for part in parts])
        if self.by_object:
            labels = voted_by_object(labels, self.by_object)
        return LabelledDrawing(
            np.concatenate([part.pixels for part in parts]),
            labels,
            np.concatenate([part.uncertainty for part in parts]),
            planes,
        )

    def bands(
        self, w: Float[Tensor, "1 w_dim"], noise: Noise | None = None
    ) -> Iterator[LabelledDrawing]:
        """The same from the top, some rows at a time; below 512 px all at once.

        Memory grows with the rows of a band, not with the image: feature maps are forgotten as soon
        as the rows that they decide are labelled. Equal to `label_image` of `image_and_features`,
        since the maps are rounded to half precision here too.
        """
        if self.generator.shape.resolution >= BANDED_FROM_PX:
            yield from self._streamed(w, noise)
            return
        image, pyramid = image_and_features(self.generator, w, self.num_blocks, noise)
        if self.context is not None:
            pyramid = with_context(pyramid, self.context)
        labelled = label_with(self.labeller, pyramid)
        yield _labelled(pixels_of(image), labelled)

    def _streamed(
        self, w: Float[Tensor, "1 w_dim"], noise: Noise | None
    ) -> Iterator[LabelledDrawing]:
        network, labeller = self.generator.synthesis, self.labeller
        side, step, top = self.generator.shape.resolution, labeller.tile_px, 0
        known = self._nothing_known()
        waiting = np.empty((0, side, 3), dtype=np.uint8)
        styles = self.generator.styles(w)
        noise = network.constant_noise() if noise is None else noise
        for i, band in enumerate(bands(network, styles, noise, band_px=self.band_px)):
            waiting = np.concatenate([waiting, pixels_of(band.image)])
            self._learn(known, band)
            if i == 0:
                self._learn_context(known)
                labeller.begin(known)
            while top < side and labeller.can_label(rows := Span(top, top + step - 1)):
                yield _labelled(waiting[:step], labeller.rows(rows))
                waiting, top = waiting[step:], top + step
                if top < side:
                    labeller.forget_before(Span(top, top + step - 1))

    def _nothing_known(self) -> dict[int, KnownRows]:
        shape, device = self.generator.shape, self.labeller.device
        return {
            side: KnownRows(
                side,
                [
                    torch.empty(0, side, shape.channels(side), dtype=torch.float16, device=device)
                    for _ in range(2)
                ],
            )
            for side in self.sides[self.skipped :]
        }

    def _learn(self, known: dict[int, KnownRows], band: Band) -> None:
        """Take in the rows of the maps that came with a band."""
        for side, rows in known.items():
            first = self.sides.index(side)
            if first in band.maps:
                rows.add([halved(band.maps[place]) for place in (first, first + 1)])

    def _learn_context(self, known: dict[int, KnownRows]) -> None:
        """Add what the head says: all that it reads came with the first band, as a whole."""
        if self.context is None:
            return
        side = self.context.shape.side_px
        read = [
            rows.cpu().numpy()
            for resolution in sorted(known)
            if resolution <= side
            for rows in known[resolution].maps
        ]
        made = torch.from_numpy(self.context.context(read))
        known[side].maps.append(made.to(self.labeller.device))


def _labelled(pixels: UInt8[np.ndarray, "rows side 3"], labelled: LabelledRows) -> LabelledDrawing:
    return LabelledDrawing(pixels, labelled.labels, labelled.uncertainty, labelled.probabilities)


def with_context_map(maps: MapSizes, context: ContextHead) -> MapSizes:
    """The sizes of the maps with that of the head's, which is the last of its side."""
    place = sum(resolution <= context.shape.side_px for resolution in maps.resolutions)
    resolutions, channels = list(maps.resolutions), list(maps.channels)
    resolutions.insert(place, context.shape.side_px)
    channels.insert(place, context.shape.widths[1])
    return MapSizes(resolutions, channels, maps.side)
