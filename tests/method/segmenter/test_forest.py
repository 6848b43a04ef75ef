"""The forest of tensors against scikit-learn's."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64
from sklearn.ensemble import RandomForestClassifier

from hdgan.method.latent import tensor_of
from hdgan.method.segmenter.filter_features import NUM_CHANNELS, filter_features
from hdgan.method.segmenter.forest import (
    ForestPlan,
    ForestSegmenter,
    forest_of,
    grown_trees,
)
from hdgan.method.segmenter.pixel_drawing import rare_weights

Features = Float32[np.ndarray, "pixels channels"]
Classes = Int64[np.ndarray, " pixels"]

FEW = ForestPlan(num_trees=7, max_depth=9, least_pixels=2, seed=3)


def pixels(count: int, seed: int = 0) -> tuple[Features, Classes]:
    """Pixels whose class has to do with two of their features, many values being equal."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, NUM_CHANNELS)).round(1).astype(np.float32)
    classes = (features[:, 4] + features[:, 50] > 0).astype(np.int64)
    return features, classes + (features[:, 70] > 1)


def grown(features: Features, classes: Classes, plan: ForestPlan, num_classes: int = 3) -> Any:
    return forest_of(list(grown_trees(features, classes, num_classes, plan)))


def test_probabilities_are_scikit_learns() -> None:
    features, classes = pixels(600)
    others, _ = pixels(500, seed=1)
    reference = RandomForestClassifier(
        n_estimators=7, max_depth=9, min_samples_leaf=2, random_state=3
    ).fit(features, classes, sample_weight=rare_weights(classes))

    found = grown(features, classes, FEW).probabilities(torch.from_numpy(others))

    assert np.allclose(found.numpy(), reference.predict_proba(others), atol=1e-6)


def test_a_number_on_a_threshold_goes_where_scikit_learn_sends_it() -> None:
    features = np.zeros((40, NUM_CHANNELS), dtype=np.float32)
    features[:, 0] = np.arange(40) * np.float32(0.1)
    classes = np.arange(40) % 2
    reference = RandomForestClassifier(n_estimators=7, max_depth=9, random_state=3)
    reference.fit(features, classes, sample_weight=rare_weights(classes))
    thresholds = np.unique(np.concatenate([tree.tree_.threshold for tree in reference.estimators_]))
    on_them = np.zeros((3 * thresholds.size, NUM_CHANNELS), dtype=np.float32)
    near = thresholds.astype(np.float32)
    on_them[:, 0] = np.concatenate([near, np.nextafter(near, -9), np.nextafter(near, 9)])

    plan = ForestPlan(num_trees=7, max_depth=9, least_pixels=1, seed=3)
    found = grown(features, classes, plan, 2).probabilities(torch.from_numpy(on_them))

    assert np.allclose(found.numpy(), reference.predict_proba(on_them), atol=1e-6)


def test_the_same_seed_gives_the_same_forest_however_many_trees_grow_at_once() -> None:
    features, classes = pixels(300)

    one = grown(features, classes, FEW).state_dict()
    three = grown(features, classes, ForestPlan(7, 9, 2, at_once=3, seed=3)).state_dict()
    other = grown(features, classes, ForestPlan(7, 9, 2, seed=4)).state_dict()

    assert all(torch.equal(one[name], three[name]) for name in one)
    assert not torch.equal(one["threshold"][:20], other["threshold"][:20])


def test_a_class_that_was_never_seen_is_never_found() -> None:
    features, classes = pixels(300)

    forest = grown(features, np.where(classes == 1, 3, classes), FEW, num_classes=5)

    found = forest.probabilities(torch.from_numpy(features))
    assert found.shape == (300, 5)
    assert not found[:, [1, 4]].any()
    assert torch.allclose(found.sum(dim=1), torch.ones(300))


def test_pixels_of_one_class_alone_make_a_forest() -> None:
    features, _ = pixels(50)

    forest = grown(features, np.full(50, 2), FEW)

    assert (forest.probabilities(torch.from_numpy(features))[:, 2] == 1).all()


def test_images_give_the_logarithm_of_what_their_pixels_give() -> None:
    features, classes = pixels(300)
    forest = grown(features, classes, FEW)
    image = np.random.default_rng(5).integers(0, 256, (16, 21, 3), dtype=np.uint8)

    found = forest(tensor_of(image)[None])

    plain = forest.probabilities(torch.from_numpy(filter_features(image).reshape(-1, 87)))
    assert found.shape == (1, 3, 16, 21)
    assert torch.allclose(found[0].flatten(1).T, plain.clamp_min(1e-6).log())


def test_a_forest_whose_trees_lead_outside_is_not_sound() -> None:
    features, classes = pixels(100)
    forest: ForestSegmenter = grown(features, classes, FEW)
    assert forest.is_sound()

    forest.left[0] = forest.shape.num_nodes

    assert not forest.is_sound()
