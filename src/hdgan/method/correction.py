"""A correction of what is known of a tile's pixels, fitted to a few strokes in a second.

A linear map from features to classes, added to the logarithm of what an ensemble thinks of a pixel,
or to nothing. It is penalised towards 0: without strokes the ensemble's word stands, and few
strokes change it for pixels of like features only. Several members learn from the same strokes, but
each counts every part of a tile differently (the Bayesian bootstrap of Rubin, 1981): where strokes
do not decide, members disagree. All are fitted together as one problem.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from hdgan.class_map import UNLABELLED

NUM_MEMBERS = 5
"""Corrections that are asked together."""

ITERATIONS = 25
"""Of L-BFGS, at most; 40 predict no better on annotated drawings."""


@dataclass(frozen=True)
class Stiffness:
    """How strongly a correction is held to 0; both tried on annotated drawings."""

    weight: float
    """Of the squared weights in each member's loss, which is a mean over pixels."""

    bias: float
    """Of the squared biases: what strokes say of pixels that are unlike them."""


FROM_NOTHING = Stiffness(3e-3, 1e-3)
"""Where strokes are all that is known."""

UPON_ENSEMBLE = Stiffness(1e-3, 0.03)
"""Where an ensemble was asked first, and anchors hold the correction back."""

ANCHOR_WEIGHT = 3.0
"""What all anchors weigh together; all painted pixels weigh 1. Less, and few strokes cost more of
what the ensemble knows than they add; more, and painted pixels themselves are not obeyed."""


@dataclass(frozen=True)
class LearnedPixels:
    """Painted pixels with all that a correction learns from."""

    features: Float[np.ndarray, "pixels channels"]
    """As the pyramid gives them."""

    classes: UInt8[np.ndarray, " pixels"]
    """What each was painted; `UNLABELLED` is an anchor, of which the prior is to stay as it is."""

    shares: Float32[np.ndarray, "pixels members"]
    """How much each member learns from each."""

    prior: Float32[np.ndarray, "pixels classes"]
    """Logarithm of what was thought of each before; 0 without an ensemble."""


@dataclass(frozen=True)
class FeatureScale:
    """How features are brought to one scale."""

    mean: Float32[np.ndarray, " channels"]
    """Of each channel."""

    deviation: Float32[np.ndarray, " channels"]
    """What a channel is divided by: the smaller, the more it counts."""


def balanced_scale(
    mean: Float32[np.ndarray, " channels"],
    deviation: Float32[np.ndarray, " channels"],
    channels: Sequence[int],
) -> FeatureScale:
    """A scale on which every map counts as much as the other of its block, however wide it is.

    Half as much as those of the next finer block: coarse maps tell tiles apart before tissue.

    Args:
        mean: of each channel.
        deviation: standard deviation of each channel.
        channels: of each map from coarse to fine, two a block.
    """
    depths = [(len(channels) - 1 - i) // 2 for i in range(len(channels))]
    counts = [(wide * 2.0**depth) ** 0.5 for wide, depth in zip(channels, depths, strict=True)]
    return FeatureScale(mean, deviation * np.repeat(counts, channels).astype(np.float32))


@dataclass(frozen=True)
class Correction:
    """What each member adds to a pixel's logits, from its features as the pyramid gives them."""

    weight: Float32[Tensor, "channels members_classes"]
    """Of all members, one after the other."""

    bias: Float32[Tensor, " members_classes"]
    """The same."""

    num_members: int
    """How many there are."""

    @property
    def num_classes(self) -> int:
        """Classes to tell apart."""
        return self.bias.numel() // self.num_members

    def logits(
        self, features: Float[Tensor, "pixels channels"]
    ) -> Float[Tensor, "members classes pixels"]:
        """What is added for these pixels: the plain definition."""
        added = features.to(self.weight) @ self.weight + self.bias
        return added.mT.unflatten(0, (self.num_members, self.num_classes))


def fit_correction(
    pixels: LearnedPixels,
    scale: FeatureScale,
    *,
    device: torch.device,
    stiffness: Stiffness = FROM_NOTHING,
) -> Correction:
    """The correction that explains what was painted.

    Every painted class counts as much as any other. Nothing is random. Memory is four bytes a
    feature of a pixel, once more while it is scaled.

    Args:
        pixels: at least one.
        scale: of the features.
        device: where it is computed.
        stiffness: how strongly it is held to 0.
    """
    scaled = torch.from_numpy(pixels.features.astype(np.float32)).to(device)
    mean, deviation = (torch.from_numpy(v).to(device) for v in (scale.mean, scale.deviation))
    scaled.sub_(mean).div_(deviation)
    weight, bias = _fitted(scaled, pixels, stiffness)
    # In double precision: the means are far from zero where deviations are small.
    unscaled = weight.double() / deviation.double()[:, None]
    folded = bias.double() - mean.double() @ unscaled
    return Correction(unscaled.float().contiguous(), folded.float(), pixels.shares.shape[1])


def _fitted(
    scaled: Float32[Tensor, "pixels channels"], pixels: LearnedPixels, stiffness: Stiffness
) -> tuple[Float32[Tensor, "channels members_classes"], Float32[Tensor, " members_classes"]]:
    """Weights and biases on scaled features: multinomial logistic regression by L-BFGS from 0."""
    device = scaled.device
    num_classes, members = pixels.prior.shape[1], pixels.shares.shape[1]
    targets = torch.from_numpy(targets_of(pixels)).to(device).repeat(members, 1)
    prior = torch.from_numpy(pixels.prior).to(device)
    shares = torch.from_numpy(weights_of(pixels.classes, pixels.shares)).to(device).t().flatten()
    weight = torch.zeros(members * num_classes, scaled.shape[1], device=device, requires_grad=True)
    bias = torch.zeros(members * num_classes, device=device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=ITERATIONS, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        added = functional.linear(scaled, weight, bias).unflatten(1, (members, num_classes))
        logits = (added + prior[:, None]).transpose(0, 1).flatten(end_dim=1)
        losses = functional.cross_entropy(logits, targets, reduction="none")
        # Members share nothing, so the sum of their losses fits each as if it were alone.
        loss = losses @ shares + stiffness.weight * weight.square().sum()
        loss = loss + stiffness.bias * bias.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach().t(), bias.detach()


def targets_of(pixels: LearnedPixels) -> Float32[np.ndarray, "pixels classes"]:
    """What is to be thought of each pixel: what was painted, or what was thought before."""
    targets = np.exp(pixels.prior)
    targets /= targets.sum(axis=1, keepdims=True)
    painted = np.flatnonzero(pixels.classes != UNLABELLED)
    targets[painted] = np.eye(targets.shape[1], dtype=np.float32)[pixels.classes[painted]]
    return targets


def weights_of(
    classes: UInt8[np.ndarray, " pixels"], shares: Float32[np.ndarray, "pixels members"]
) -> Float32[np.ndarray, "pixels members"]:
    """How much each pixel counts: a member's painted ones 1 together, each class as much as any.

    All anchors together `ANCHOR_WEIGHT`, each as much as any.
    """
    weights = shares.astype(np.float64)
    anchors = classes == UNLABELLED
    present = np.unique(classes[~anchors])
    for index in present:
        own = classes == index
        weights[own] /= weights[own].sum(axis=0) * present.size
    weights[anchors] = ANCHOR_WEIGHT / max(1, int(anchors.sum()))
    return weights.astype(np.float32)
