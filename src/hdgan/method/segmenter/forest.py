"""A random forest on filter features (Breiman 2001): what QuPath and ilastik users have today.

scikit-learn grows the trees; here they are tensors, so that a stored forest executes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int, Int64
from torch import Tensor, nn

from hdgan.method.segmenter.filter_features import NUM_CHANNELS, filter_features
from hdgan.method.segmenter.pixel_drawing import rare_weights

LEAST_PROBABILITY = 1e-6
"""Instead of zero, which has no logarithm."""

PIXELS_AT_ONCE = 2**15
"""Pixels that go down the trees together: their features stay in the processor's cache."""


@dataclass(frozen=True)
class ForestPlan:
    """Everything that decides how trees grow, apart from the pixels."""

    num_trees: int = 50
    """Trees."""

    max_depth: int = 20
    """Questions from the root to a leaf, at most: it bounds what a pixel costs."""

    least_pixels: int = 4
    """Pixels in a leaf, at least."""

    at_once: int = 1
    """Trees that grow side by side, each in a thread; the forest is the same."""

    seed: int = 0
    """Decides which pixels and features each tree is shown."""


@dataclass(frozen=True)
class ForestShape:
    """The size of a forest."""

    num_classes: int
    """Classes to tell apart."""

    num_trees: int
    """Trees."""

    num_nodes: int
    """Of all trees together, leaves included."""

    depth: int
    """Questions from a root to the farthest leaf."""


class GrownTree(NamedTuple):
    """A tree, its root first; a leaf is its own child on both sides."""

    feature: Int64[np.ndarray, " nodes"]
    threshold: Float32[np.ndarray, " nodes"]
    left: Int64[np.ndarray, " nodes"]
    right: Int64[np.ndarray, " nodes"]
    shares: Float32[np.ndarray, "nodes classes"]
    """The part of a node's pixels that each class has."""
    depth: int


class ForestSegmenter(nn.Module):
    """Images to the logarithm of the trees' mean probabilities.

    Within `REACH_PX` of a window's edges the filters see its reflection in place of what lies
    beyond. Windows of 512 px overlap by twice that, and where they do the one counts more whose
    edge is further away: next to nothing is seen of it.
    """

    roots: Tensor
    feature: Tensor
    threshold: Tensor
    left: Tensor
    right: Tensor

    def __init__(self, shape: ForestShape) -> None:
        """A forest of that size without content."""
        super().__init__()
        self.shape = shape
        nodes = shape.num_nodes
        self.register_buffer("roots", torch.zeros(shape.num_trees, dtype=torch.int32))
        self.register_buffer("feature", torch.zeros(nodes, dtype=torch.int32))
        self.register_buffer("threshold", torch.zeros(nodes))
        self.register_buffer("left", torch.zeros(nodes, dtype=torch.int32))
        self.register_buffer("right", torch.zeros(nodes, dtype=torch.int32))
        # A parameter, though nothing trains it: a network tells by its first where it is.
        self.shares = nn.Parameter(torch.zeros(nodes, shape.num_classes), requires_grad=False)

    def forward(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Log probabilities. Memory: the features of one image, 348 bytes a pixel."""
        return torch.stack([self._image(image) for image in images])

    @torch.no_grad()
    def probabilities(
        self, features: Float[Tensor, "pixels channels"]
    ) -> Float[Tensor, "pixels classes"]:
        """The mean over the trees of the shares of the leaf that each pixel comes to."""
        parts = [self._descended(part) for part in features.split(PIXELS_AT_ONCE)]
        return torch.cat(parts)

    def is_sound(self) -> bool:
        """Whether every question is about a feature, and every child and root is a node."""
        nodes = self.shape.num_nodes
        inside = [(self.feature, NUM_CHANNELS)]
        inside += [(places, nodes) for places in (self.roots, self.left, self.right)]
        return all(bool(((numbers >= 0) & (numbers < below)).all()) for numbers, below in inside)

    def _image(
        self, image: Float[Tensor, "3 height width"]
    ) -> Float[Tensor, "classes height width"]:
        pixels = ((image.permute(1, 2, 0) + 1.0) * 127.5).round().clamp(0, 255).byte()
        features = torch.from_numpy(filter_features(pixels.cpu().numpy())).to(image.device)
        found = self.probabilities(features.flatten(end_dim=1)).clamp_min(LEAST_PROBABILITY)
        return found.log().T.unflatten(1, image.shape[1:])

    def _descended(
        self, features: Float[Tensor, "pixels channels"]
    ) -> Float[Tensor, "pixels classes"]:
        total = features.new_zeros(len(features), self.shape.num_classes)
        flat = features.flatten()
        starts = torch.arange(len(features), device=features.device) * features.shape[1]
        for root in self.roots:
            places = root.expand(len(features))
            for _ in range(self.shape.depth):
                values = flat[starts + self.feature[places]]
                goes_left = values <= self.threshold[places]
                places = torch.where(goes_left, self.left[places], self.right[places])
            total += self.shares[places]
        return total / self.shape.num_trees


def grown_trees(
    features: Float32[np.ndarray, "pixels channels"],
    classes: Int64[np.ndarray, " pixels"],
    num_classes: int,
    plan: ForestPlan,
) -> Iterator[GrownTree]:
    """The trees of a forest as they are grown; the same plan and pixels give the same trees.

    Needs scikit-learn. Each tree sees as many pixels as there are, drawn with replacement, and at
    each node the square root of the number of features; pixels count as `rare_weights` says.

    Memory: 16 bytes a pixel and thread beside the features.

    Args:
        features: of labelled pixels.
        classes: of those.
        num_classes: how many there are; some may not occur.
        plan: how.
    """
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=0,
        max_depth=plan.max_depth,
        min_samples_leaf=plan.least_pixels,
        n_jobs=plan.at_once,
        random_state=plan.seed,
        warm_start=True,
    )
    weights, done = rare_weights(classes), 0
    while done < plan.num_trees:
        forest.n_estimators = min(done + plan.at_once, plan.num_trees)
        forest.fit(features, classes, sample_weight=weights)
        for estimator in forest.estimators_[done:]:
            yield _tree_of(estimator.tree_, forest.classes_, num_classes)
        done = forest.n_estimators


def forest_of(trees: Sequence[GrownTree]) -> ForestSegmenter:
    """The segmenter that asks these trees."""
    sizes = [len(tree.feature) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    shape = ForestShape(
        num_classes=trees[0].shares.shape[1],
        num_trees=len(trees),
        num_nodes=sum(sizes),
        depth=max(tree.depth for tree in trees),
    )
    forest = ForestSegmenter(shape)
    state = {
        "roots": roots,
        "feature": np.concatenate([tree.feature for tree in trees]),
        "threshold": np.concatenate([tree.threshold for tree in trees]),
        "left": np.concatenate([tree.left + at for tree, at in zip(trees, roots, strict=True)]),
        "right": np.concatenate([tree.right + at for tree, at in zip(trees, roots, strict=True)]),
        "shares": np.concatenate([tree.shares for tree in trees]),
    }
    forest.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
    return forest.eval()


def _tree_of(tree: Any, classes: Int[np.ndarray, " known"], num_classes: int) -> GrownTree:
    """A tree of scikit-learn's, of which the classes are those that occurred."""
    feature, threshold, left, right, value = (
        np.asarray(getattr(tree, name))
        for name in ("feature", "threshold", "children_left", "children_right", "value")
    )
    own = np.arange(len(feature))
    is_leaf = left < 0
    shares = np.zeros((len(feature), num_classes), dtype=np.float32)
    shares[:, classes] = value[:, 0]
    return GrownTree(
        np.where(is_leaf, 0, feature).astype(np.int64),
        _rounded_down(threshold),
        np.where(is_leaf, own, left),
        np.where(is_leaf, own, right),
        shares,
        int(tree.max_depth),
    )


def _rounded_down(
    thresholds: Float64[np.ndarray, " nodes"],
) -> Float32[np.ndarray, " nodes"]:
    """In single precision, so that the same single-precision numbers are not above them."""
    rounded = thresholds.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded.astype(np.float64) > thresholds, lower, rounded)
