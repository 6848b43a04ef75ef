"""Corrections: what is learned from strokes, and what is predicted from it."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.method.corrected_labels import certainty, corrected, corrected_plainly
from hdgan.method.correction import (
    ANCHOR_WEIGHT,
    Correction,
    FeatureScale,
    LearnedPixels,
    Stiffness,
    balanced_scale,
    fit_correction,
    targets_of,
    weights_of,
)
from hdgan.method.ensemble_prior import EnsemblePrior, PriorLabeller, prior_of
from hdgan.method.features import FeaturePyramid
from hdgan.method.label_image import label_image_plainly
from hdgan.method.labelling import MapSizes
from hdgan.method.painted_pixels import (
    ALL_ANCHORS,
    ALL_PIXELS,
    TILE_PIXELS,
    painted_pixels,
    pixels_per_class,
)
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.uncertainty import divergence

CPU = torch.device("cpu")
NUM_CLASSES = 3


def pyramid(sides: tuple[int, ...], side: int, seed: int = 0) -> FeaturePyramid:
    random = np.random.default_rng(seed)
    maps = [random.normal(size=(own, own, 2 + i)).astype(np.float16) for i, own in enumerate(sides)]
    return FeaturePyramid(maps, side)


def correction(num_channels: int, members: int = 4) -> Correction:
    random = torch.Generator().manual_seed(1)
    outputs = members * NUM_CLASSES
    return Correction(
        torch.randn(num_channels, outputs, generator=random),
        torch.randn(outputs, generator=random),
        members,
    )


def some_prior(side: int) -> EnsemblePrior:
    random = np.random.default_rng(2)
    mean = random.dirichlet([1.0] * NUM_CLASSES, size=(side, side)).transpose(2, 0, 1)
    doubt = random.random((side, side)).astype(np.float16)
    return EnsemblePrior(np.log(mean).astype(np.float16), doubt)


def ensemble(num_channels: int) -> PixelClassifier:
    shape = ClassifierShape(num_channels, NUM_CLASSES, num_members=4, widths=(8, 6))
    return PixelClassifier(shape, seed=1).eval()


def learned(count: int = 60, members: int = 3) -> LearnedPixels:
    random = np.random.default_rng(3)
    classes = random.integers(0, NUM_CLASSES, count).astype(np.uint8)
    features = random.normal(size=(count, 5)).astype(np.float32) * 2.0 + 7.0
    features[np.arange(count), classes] += 1.5
    shares = random.exponential(size=(count, members)).astype(np.float32)
    return LearnedPixels(features, classes, shares, np.zeros((count, NUM_CLASSES), np.float32))


def scale_of(pixels: LearnedPixels) -> FeatureScale:
    return FeatureScale(pixels.features.mean(axis=0), pixels.features.std(axis=0))


@given(
    sides=st.sampled_from([(4, 4, 8, 8, 16, 16), (8, 8), (4, 16), (16, 16), (4, 4, 8, 8), (2, 4)]),
    band_pixels=st.integers(1, 300),
    adds=st.booleans(),
    is_before=st.booleans(),
)
def test_a_corrected_label_map_is_that_of_every_pixel_s_features(
    *, sides: tuple[int, ...], band_pixels: int, adds: bool, is_before: bool
) -> None:
    maps = pyramid(sides, 16)
    adding = correction(maps.num_channels) if adds or not is_before else None
    prior = some_prior(16) if is_before else None

    by_band = corrected(maps, adding, prior, band_pixels=band_pixels)

    plain = corrected_plainly(maps, adding, prior)
    assert np.array_equal(by_band.labels, plain.labels)
    assert np.allclose(by_band.uncertainty, plain.uncertainty, atol=1e-5)


def test_certainty_without_an_ensemble_is_the_members_divergence() -> None:
    logits = torch.randn(4, NUM_CLASSES, 50, generator=torch.Generator().manual_seed(0))

    classes, uncertainty = certainty(logits, None)

    probabilities = torch.softmax(logits, dim=1).permute(0, 2, 1)
    assert torch.equal(classes.long(), probabilities.mean(dim=0).argmax(dim=1))
    assert torch.allclose(uncertainty, divergence(probabilities), atol=1e-6)


def test_without_strokes_the_ensemble_s_word_stands() -> None:
    maps = pyramid((4, 4, 8, 8, 16, 16), 16)
    asked = ensemble(maps.num_channels)
    prior = filled(maps, asked)

    labelled = corrected(maps, None, prior)

    plain = label_image_plainly(maps, asked)
    assert np.array_equal(labelled.labels, plain.labels)
    assert np.allclose(labelled.uncertainty, plain.uncertainty, atol=1e-3)


def filled(maps: FeaturePyramid, asked: PixelClassifier) -> EnsemblePrior:
    side = maps.side
    prior = EnsemblePrior(
        np.empty((NUM_CLASSES, side, side), np.float16), np.empty((side, side), np.float16)
    )
    sizes = MapSizes([len(own) for own in maps.maps], [own.shape[-1] for own in maps.maps], side)
    PriorLabeller(asked, sizes).fill(prior, maps)
    return prior


def test_a_prior_is_the_logarithm_of_the_members_mean_probability() -> None:
    maps = pyramid((8, 8, 16, 16), 16)
    asked = ensemble(maps.num_channels)

    prior = filled(maps, asked)

    stack = maps.upsampled().flatten(start_dim=1).t()
    probabilities = asked.probabilities(stack)
    mean = probabilities.mean(dim=0).t().numpy()
    assert np.allclose(np.exp(prior.log_probabilities.reshape(NUM_CLASSES, -1)), mean, atol=2e-3)
    thought, doubt = prior_of(probabilities.log().permute(0, 2, 1))
    entropy = -(thought.exp() * thought).sum(dim=0)
    assert torch.allclose(doubt * entropy, divergence(probabilities), atol=1e-5)


def test_strokes_that_make_a_pixel_certain_leave_little_of_the_ensemble_s_doubt() -> None:
    before = torch.log(torch.tensor([[[0.5], [0.5], [1e-6]]]))
    doubt = torch.tensor([0.6])

    unsure = certainty(before, doubt)[1]
    taught = certainty(before + torch.tensor([[[6.0], [0.0], [0.0]]]), doubt)[1]

    assert float(unsure) > 0.4
    assert float(taught) < 0.02


def test_a_member_is_a_penalised_logistic_regression_on_balanced_pixels() -> None:
    pixels = learned(members=1)
    scale = scale_of(pixels)
    stiffness = Stiffness(weight=0.01, bias=0.01)

    fitted = fit_correction(pixels, scale, device=CPU, stiffness=stiffness)

    # A column of ones is a bias that is penalised as the weights are.
    scaled = (pixels.features - scale.mean) / scale.deviation
    columns = np.concatenate([scaled, np.ones((len(scaled), 1))], axis=1)
    reference = LogisticRegression(C=1 / (2 * 0.01), fit_intercept=False, tol=1e-8, max_iter=1000)
    weights = weights_of(pixels.classes, pixels.shares)[:, 0]
    reference.fit(columns, pixels.classes, sample_weight=weights)
    ours = torch.softmax(fitted.logits(torch.from_numpy(pixels.features))[0], dim=0).t().numpy()
    assert np.allclose(ours, reference.predict_proba(columns), atol=2e-3)


def test_members_that_are_fitted_together_are_those_that_are_fitted_alone() -> None:
    pixels = learned()
    features = torch.from_numpy(pixels.features)

    together = fit_correction(pixels, scale_of(pixels), device=CPU).logits(features)

    for member in range(3):
        own = LearnedPixels(
            pixels.features, pixels.classes, pixels.shares[:, member : member + 1], pixels.prior
        )
        alone = fit_correction(own, scale_of(pixels), device=CPU).logits(features)
        difference = torch.softmax(together[member], dim=0) - torch.softmax(alone[0], dim=0)
        assert float(difference.abs().max()) < 0.02


def test_nothing_is_added_where_the_prior_explains_all_strokes() -> None:
    pixels = learned()
    known = np.log(np.eye(NUM_CLASSES, dtype=np.float32)[pixels.classes] + 1e-6)
    explained = LearnedPixels(pixels.features, pixels.classes, pixels.shares, known)

    fitted = fit_correction(explained, scale_of(pixels), device=CPU)

    assert float(fitted.logits(torch.from_numpy(pixels.features)).abs().max()) < 1e-3


def test_each_painted_class_counts_as_much_as_any_other() -> None:
    classes = np.array([0] * 9 + [2], dtype=np.uint8)

    weights = weights_of(classes, np.ones((10, 2), np.float32))

    assert np.allclose([weights[:9].sum(axis=0), weights[9:].sum(axis=0)], 0.5)


def test_anchors_are_to_stay_as_they_were_and_weigh_the_same_however_many() -> None:
    pixels = learned(6)
    pixels.classes[:4] = UNLABELLED
    before = np.log(np.random.default_rng(0).dirichlet([1.0] * 3, size=6)).astype(np.float32)

    weights = weights_of(pixels.classes, pixels.shares)
    targets = targets_of(LearnedPixels(pixels.features, pixels.classes, pixels.shares, before))

    assert np.allclose(weights[:4].sum(axis=0), ANCHOR_WEIGHT)
    assert np.allclose(weights[4:].sum(axis=0), 1.0)
    assert np.allclose(targets[:4], np.exp(before[:4]), atol=1e-6)
    assert np.array_equal(targets[4:].argmax(axis=1), pixels.classes[4:])


def test_a_wide_map_counts_as_much_as_a_narrow_one_and_a_coarse_block_half() -> None:
    ones = np.ones(12 + 4, np.float32)

    scale = balanced_scale(ones, ones, [6, 6, 1, 3])

    influence = [part.sum() for part in np.split(scale.deviation**-2.0, [6, 12, 13])]
    assert np.allclose(influence, [0.5, 0.5, 1.0, 1.0])


def label_map(seed: int = 0) -> LabelMap:
    random = np.random.default_rng(seed)
    labels = np.full((64, 64), 255, np.uint8)
    labels[10:30, 10:60] = random.choice([0, 2, 254], size=(20, 50))
    return labels


def test_only_painted_classes_are_learned_from_and_as_they_were_painted() -> None:
    labels = label_map()

    pixels = painted_pixels(labels, NUM_CLASSES, 5, seed=1)

    assert set(pixels.classes) == {0, 2}
    assert np.array_equal(pixels.classes, labels[pixels.rows, pixels.columns])
    assert len({*zip(pixels.rows, pixels.columns, strict=True)}) == pixels.classes.size


@given(st.integers(0, 50))
def test_one_more_stroke_adds_its_pixels_and_keeps_the_others(seed: int) -> None:
    labels = label_map(seed)
    more = labels.copy()
    more[50:52, 5:20] = 1

    before, after = (painted_pixels(own, NUM_CLASSES, 5, seed=1) for own in (labels, more))

    kept, now = before.first(100), after.first(100) & (after.classes != 1)
    assert np.array_equal(before.rows[kept], after.rows[now])
    assert np.array_equal(before.shares[kept], after.shares[now])
    assert (after.classes == 1).sum() == 30


def test_pixels_are_spread_over_all_that_is_painted() -> None:
    labels = np.zeros((256, 256), np.uint8)

    pixels = painted_pixels(labels, NUM_CLASSES, 5, seed=1)

    assert pixels.classes.size == TILE_PIXELS
    counts = np.histogram2d(pixels.rows, pixels.columns, bins=4, range=[[0, 256]] * 2)[0]
    assert counts.min() > 0.5 * TILE_PIXELS / 16
    assert counts.max() < 1.5 * TILE_PIXELS / 16


@given(st.integers(1, 600), st.integers(1, 200))
def test_all_tiles_together_give_no_more_than_is_learned_from(tiles: int, classes: int) -> None:
    per_class = pixels_per_class(tiles, classes)

    assert per_class == 1 or per_class * tiles * classes <= ALL_PIXELS


def test_anchors_are_pixels_on_which_nothing_is_painted() -> None:
    labels = label_map()

    pixels = painted_pixels(labels, NUM_CLASSES, 5, seed=1, has_anchors=True)

    anchors = pixels.classes == UNLABELLED
    assert anchors.sum() == ALL_ANCHORS
    assert (labels[pixels.rows[anchors], pixels.columns[anchors]] >= NUM_CLASSES).all()
    assert (pixels.first(7, 9) & anchors).sum() == 9


def test_nothing_is_learned_from_a_tile_on_which_nothing_is_painted() -> None:
    pixels = painted_pixels(np.full((16, 16), 255, np.uint8), NUM_CLASSES, 5, seed=1)

    assert pixels.classes.size == 0
