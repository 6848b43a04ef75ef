"""Perceptrons on the features of a frozen encoder: the direct rival of those on a generator's.

The same perceptrons (`PixelClassifier`), but on real images, and the features are what an encoder
trained on something else makes of them.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from hdgan.method.folded_ensemble import FoldedEnsemble
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.segmenter.frozen_features_maps import (
    EncoderShape,
    PlacedMap,
    cells_between,
    channels_of,
    empty_encoder,
    features_at,
    placed_maps,
)

LEAST_ENLARGED = 2.0
"""How much images are enlarged for convolutional encoders, at least: their finest maps have half
the image's size, and then a cell for each pixel. Worth a point of Dice on nuclei."""

MOST_ENLARGED = 4.0
"""How much smaller tiles are enlarged, at most: beyond, an encoder sees only blur."""

LEAST_PX = 64
"""Side of the smallest image that encoders are shown; smaller ones are continued."""

BAND_BYTES = 64 * 2**20
"""Hidden values of the rows that are predicted together."""


@dataclass(frozen=True)
class FrozenFeatureShape:
    """What such a segmenter is built from."""

    encoder: EncoderShape
    """The frozen network."""

    classifier: ClassifierShape
    """The perceptrons."""

    scale: float
    """How much images are enlarged before the encoder sees them; 1 leaves them."""


def scale_for(side_px: int, encoder: EncoderShape) -> float:
    """How much images are enlarged, of which the first has that shorter side.

    Tiles smaller than the images that the encoder was trained on are brought to their size, at most
    `MOST_ENLARGED` times as large; larger ones are enlarged by `LEAST_ENLARGED`, for a transformer
    not at all. The scale belongs to the segmenter, so that tissue looks equally large in every
    image and window.
    """
    least = 1.0 if encoder.kind == "vision-transformer" else LEAST_ENLARGED
    return min(MOST_ENLARGED, max(least, encoder.prepare.side_px / side_px))


class FrozenFeatureSegmenter(nn.Module):
    """Images to the logarithm of the members' mean probabilities.

    Near a window's edges the encoder sees its own padding in place of what lies beyond, and its
    deepest features reach further than windows overlap: labels there are worse than in the middle.
    Overlapping windows weigh edges away.
    """

    def __init__(self, shape: FrozenFeatureShape, *, seed: int = 0) -> None:
        """Perceptrons start from different weights; the encoder's numbers do not matter yet."""
        super().__init__()
        self.shape = shape
        self.encoder = empty_encoder(shape.encoder)
        self.classifier = PixelClassifier(shape.classifier, seed=seed)

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Log probabilities.

        Memory grows with the image: the encoder's maps, and the hidden values of all members for
        each cell of those that are coarser than the image; 0.7 GB for a window of 512 px.
        """
        folded = FoldedEnsemble(self.classifier, channels_of(self.shape.encoder))
        return torch.stack([self._image(folded, image[None]) for image in images])

    def maps(self, image: Float[Tensor, "1 3 height width"]) -> list[PlacedMap]:
        """The encoder's maps of an image, enlarged if need be."""
        return placed_maps(self.encoder, self._shown(image))

    @torch.no_grad()
    def features(
        self,
        image: Float[Tensor, "1 3 height width"],
        rows: Int[Tensor, " pixels"],
        columns: Int[Tensor, " pixels"],
    ) -> Float[Tensor, "pixels channels"]:
        """The features of single pixels. Memory: the encoder's maps, and what is asked for."""
        return features_at(self.maps(image), self._places(rows), self._places(columns))

    def _shown(self, image: Float[Tensor, "1 3 height width"]) -> Float[Tensor, "1 3 rows columns"]:
        if self.shape.scale != 1.0:
            image = functional.interpolate(
                image, scale_factor=self.shape.scale, mode="bilinear", align_corners=False
            )
        down, along = (max(0, LEAST_PX - side) for side in image.shape[2:])
        return functional.pad(image, [0, along, 0, down], mode="replicate")

    def _places(self, pixels: Int[Tensor, " pixels"]) -> Float[Tensor, " pixels"]:
        """Where pixels of an image lie in what the encoder is shown of it."""
        return (pixels + 0.5) * self.shape.scale - 0.5

    def _image(
        self, folded: FoldedEnsemble, image: Float[Tensor, "1 3 height width"]
    ) -> Float[Tensor, "classes height width"]:
        height, width = image.shape[2:]
        layer = _FirstLayer(folded, self.maps(image), self.shape.scale)
        columns = self._places(torch.arange(width, device=image.device))
        at_once = max(1, BAND_BYTES // (4 * folded.width * width))
        parts = []
        for rows in torch.arange(height, device=image.device).split(at_once):
            hidden = layer.at(self._places(rows), columns)
            logits = folded.logits(hidden).unflatten(2, (len(rows), width))
            parts.append(logits.log_softmax(dim=1).logsumexp(dim=0))
        return torch.cat(parts, dim=1) - float(np.log(self.shape.classifier.num_members))


class _FirstLayer:
    """The first layer of all members on the maps of an image.

    It commutes with enlarging: coarse maps go through it as they are, and those that are as fine as
    the image, or finer, once they have its size.
    """

    def __init__(self, folded: FoldedEnsemble, maps: list[PlacedMap], scale: float) -> None:
        self.bias = folded.first_bias
        self.fine: list[tuple[PlacedMap, Tensor]] = []
        self.coarse: list[PlacedMap] = []
        for number, placed in enumerate(maps):
            centred = folded.centred(number, placed.values)
            if placed.stride_px <= scale:
                self.fine.append((placed._replace(values=centred), folded.first[number]))
            else:
                self.coarse.append(placed._replace(values=centred @ folded.first[number]))

    def at(
        self, rows: Float[Tensor, " rows"], columns: Float[Tensor, " columns"]
    ) -> Float[Tensor, "pixels hidden"]:
        """What comes out at some rows and columns, before the activation."""
        total = self.bias.repeat(len(rows), len(columns), 1)
        for placed, weight in self.fine:
            total += _between(placed, rows, columns) @ weight
        for placed in self.coarse:
            total += _between(placed, rows, columns)
        return total.flatten(end_dim=1)


def _between(
    placed: PlacedMap, rows: Float[Tensor, " rows"], columns: Float[Tensor, " columns"]
) -> Float[Tensor, "rows columns channels"]:
    """A map at some rows and columns: along rows first, which are fewer."""
    values = placed.values
    top, bottom, down = cells_between(rows, placed, values.shape[0])
    left, right, along = cells_between(columns, placed, values.shape[1])
    lines = torch.lerp(values[top], values[bottom], down[:, None, None])
    return torch.lerp(lines[:, left], lines[:, right], along[None, :, None])
