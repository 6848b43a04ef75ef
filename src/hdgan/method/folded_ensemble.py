"""An ensemble in evaluation mode as three products, the first one over maps at their own size.

A linear layer commutes with enlarging: `W [up(f1), up(f2), ...] = up(W1 f1) + up(W2 f2) + ...`. So
the first layer of all members is applied to each map as it is, and only its sum is brought to the
image's size. Scaling by the features' deviation is drawn into its weights, batch norm into the
layer after it. The plain definition is `PixelClassifier`.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from hdgan.method.pixel_classifier import NORM_EPSILON, PixelClassifier


class FoldedEnsemble:
    """The weights of all members, folded, with the first layer cut into a part for each map."""

    def __init__(self, classifier: PixelClassifier, channels: Sequence[int]) -> None:
        """Fold once, in double precision.

        Args:
            classifier: what to fold, as it stands in evaluation mode.
            channels: of each map, in the order of the features.

        Raises:
            ValueError: the channels are not those of the classifier's features.
        """
        shape = classifier.shape
        if sum(channels) != shape.num_channels:
            raise ValueError(f"{sum(channels)} channels for {shape.num_channels} features")
        kind = classifier.mean.dtype
        with torch.no_grad():
            # [members, features, width] to [features, members * width]: one wide product. Map by
            # map, since in double precision it would take twice as much.
            weights = classifier.get_parameter("weight0").split(list(channels), dim=1)
            deviations = classifier.deviation.split(list(channels))
            self.first: tuple[Tensor, ...] = tuple(
                (weight.double() / deviation.double()[:, None]).permute(1, 0, 2).flatten(1).to(kind)
                for weight, deviation in zip(weights, deviations, strict=True)
            )
            self.first_bias = classifier.get_parameter("bias0").flatten().clone()
            (second, second_bias), (third, third_bias) = (_layer(classifier, i) for i in (1, 2))
            self.second, self.second_bias = second.to(kind), second_bias.to(kind)
            self.third = third.mT.to(kind).contiguous()
            self.third_bias = third_bias.mT.to(kind).contiguous()
            self.means = classifier.mean.split(list(channels))
        self.shape = shape
        self.rectified = tuple(i < shape.num_normalised for i in range(2))

    @property
    def width(self) -> int:
        """Hidden values a pixel after the first layer, of all members."""
        return self.first_bias.numel()

    def centred(
        self, place: int, features: Float[Tensor, "rows columns channels"]
    ) -> Float[Tensor, "rows columns channels"]:
        """Features of a map less their mean, in the precision of the weights."""
        return features.to(self.means[place]) - self.means[place]

    @property
    def logits_shape(self) -> tuple[int, int]:
        """Members and classes."""
        return self.shape.num_members, self.shape.num_classes

    def logits(
        self, hidden: Float[Tensor, "pixels width"]
    ) -> Float[Tensor, "members classes pixels"]:
        """What each member thinks of each pixel, before the softmax over classes.

        Args:
            hidden: the sum of the first layer over all maps, its bias included; overwritten.
        """
        if self.rectified[0]:
            torch.relu_(hidden)
        x = hidden.unflatten(1, (self.shape.num_members, -1)).transpose(0, 1)
        x = torch.baddbmm(self.second_bias, x, self.second)
        if self.rectified[1]:
            torch.relu_(x)
        # Classes before pixels: what follows runs along the pixels, of which there are many.
        return torch.baddbmm(self.third_bias, self.third, x.mT)


def _layer(classifier: PixelClassifier, i: int) -> tuple[Tensor, Tensor]:
    """Weight and bias of a layer, with the batch norm before it drawn in, in double precision."""
    weight = classifier.get_parameter(f"weight{i}").double()
    bias = classifier.get_parameter(f"bias{i}").double()
    before = i - 1
    if before >= classifier.shape.num_normalised:
        return weight, bias
    variance = classifier.get_buffer(f"running_variance{before}").double()
    scale = classifier.get_parameter(f"gain{before}").double()
    scale = scale * torch.rsqrt(variance + NORM_EPSILON)
    mean = classifier.get_buffer(f"running_mean{before}").double()
    shift = classifier.get_parameter(f"shift{before}").double() - mean * scale
    return scale.mT * weight, bias + shift @ weight
