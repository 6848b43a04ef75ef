"""The fast way to a label map against the plain one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hdgan.method.context_head import ContextHead, context_shape_of, with_context
from hdgan.method.decision import Decision
from hdgan.method.features import (
    FeaturePyramid,
    channels_by_map,
    channels_of,
    image_and_features,
    sides_by_map,
)
from hdgan.method.folded_ensemble import FoldedEnsemble
from hdgan.method.label_image import label_image, label_image_plainly
from hdgan.method.labelled_drawing import LabelledGenerator, band_rows_for, fixed_bytes_of
from hdgan.method.labelling import Labeller, MapSizes
from hdgan.method.labelling_work import Work, cheapest, coarse_for
from hdgan.method.latent import pixels_of
from hdgan.method.lattice import Span
from hdgan.method.pixel_classifier import ClassifierShape, PixelClassifier
from hdgan.method.stylegan.bands import BAND_PX
from hdgan.method.stylegan.shape import NetworkShape
from hdgan.method.stylegan.synthesis import Generator

CPU = torch.device("cpu")
TOLERANCE = 1e-5


def pyramid_of(resolutions: list[int], side: int) -> FeaturePyramid:
    """Two maps a resolution, with means far from 0, as features have."""
    random = np.random.default_rng(sum(resolutions))
    return FeaturePyramid(
        [
            (random.normal(size=(r, r, max(1, 64 // r))) * 2 + 3).astype(np.float16)
            for r in resolutions
            for _ in range(2)
        ],
        side,
    )


def ensemble_of(num_channels: int, *, members: int = 3, normalised: int = 2) -> PixelClassifier:
    """An ensemble that has statistics of its own, and is sure of what it says."""
    shape = ClassifierShape(
        num_channels, num_classes=4, num_members=members, widths=(8, 6), num_normalised=normalised
    )
    classifier = PixelClassifier(shape, seed=1)
    random = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for tensor in [*classifier.buffers(), *classifier.parameters()]:
            if tensor.ndim == 3 and tensor.shape[1] == 1:
                tensor.uniform_(0.5, 2.0, generator=random)
        classifier.mean.fill_(3.0)
        classifier.deviation.uniform_(1.0, 3.0, generator=random)
        classifier.get_parameter("weight2").mul_(8.0)
    return classifier.eval()


def assert_same(pyramid: FeaturePyramid, classifier: PixelClassifier, **choices: object) -> None:
    """Equal but where two classes are as good as equally probable."""
    decision = choices.pop("decision", "mean")
    plain = label_image_plainly(pyramid, classifier, decision=decision)  # type: ignore[arg-type]
    fast = label_image(pyramid, classifier, decision=decision, **choices)  # type: ignore[arg-type]
    assert np.allclose(fast.uncertainty, plain.uncertainty, rtol=0, atol=TOLERANCE)
    assert float((fast.labels != plain.labels).mean()) <= 0.001


@settings(max_examples=60)
@given(
    first=st.integers(0, 3),
    count=st.integers(1, 4),
    members=st.sampled_from([1, 2, 5]),
    normalised=st.integers(0, 2),
    work=st.builds(
        Work, st.sampled_from([8, 16, 64]), st.sampled_from([4, 8, 16]), st.integers(1, 4)
    ),
    decision=st.sampled_from(["mean", "vote"]),
)
def test_pieces_and_order_of_work_change_nothing(
    first: int, count: int, members: int, normalised: int, work: Work, decision: Decision
) -> None:
    resolutions = [4 * 2**i for i in range(first, min(first + count, 4))]
    side = resolutions[-1]
    pyramid = pyramid_of(resolutions, side)
    classifier = ensemble_of(pyramid.num_channels, members=members, normalised=normalised)

    assert_same(
        pyramid,
        classifier,
        decision=decision,
        work=replace(work, num_narrow=min(work.num_narrow, len(resolutions))),
    )


def test_coarse_maps_alone_are_enlarged_many_times() -> None:
    pyramid = pyramid_of([4, 8], 64)

    assert_same(pyramid, ensemble_of(pyramid.num_channels))


def test_one_member_is_never_uncertain() -> None:
    pyramid = pyramid_of([4, 8, 16], 16)

    labelled = label_image(pyramid, ensemble_of(pyramid.num_channels, members=1))

    assert not labelled.uncertainty.any()


def test_memory_mapped_maps_are_labelled_without_a_warning(tmp_path: Path) -> None:
    pyramid = pyramid_of([4, 8], 8)
    for i, feature_map in enumerate(pyramid.maps):
        np.save(tmp_path / f"{i}.npy", feature_map)
    mapped = [np.load(tmp_path / f"{i}.npy", mmap_mode="r") for i in range(4)]
    classifier = ensemble_of(pyramid.num_channels)

    labelled = label_image(FeaturePyramid(mapped, 8), classifier)

    assert np.array_equal(labelled.labels, label_image(pyramid, classifier).labels)


def test_blocks_that_are_left_out_between_others_leave_no_hole() -> None:
    pyramid = pyramid_of([4, 16, 128, 512], 512)

    assert_same(pyramid, ensemble_of(pyramid.num_channels, members=1), work=Work(64, 16, 1))


def test_an_ensemble_is_folded_in_double_precision() -> None:
    """A mean that is large against the deviation would cost digits if it were drawn in."""
    classifier = ensemble_of(6)
    classifier.mean.fill_(1000.0)
    classifier.deviation.fill_(0.5)
    features = 1000.0 + torch.randn(50, 6, generator=torch.Generator().manual_seed(0))

    folded = FoldedEnsemble(classifier, [2, 4])
    parts = zip((0, 1), features[None].split([2, 4], dim=2), strict=True)
    hidden = sum(folded.centred(i, part)[0] @ folded.first[i] for i, part in parts)
    logits = folded.logits(hidden + folded.first_bias)

    with torch.no_grad():
        plain = classifier(features[None]).mT
    assert torch.allclose(logits, plain, rtol=1e-5, atol=1e-4)


def test_features_of_another_ensemble_are_refused() -> None:
    with pytest.raises(ValueError, match="5 channels for 6 features"):
        FoldedEnsemble(ensemble_of(6), [2, 3])


def test_few_channels_are_enlarged_before_the_first_layer_and_many_after() -> None:
    published = {4 * 2**i: 2 * min(512, 32768 // (4 * 2**i)) for i in range(11)}

    work = cheapest(published, 4096, 1280, CPU)

    narrow = sorted(published)[-work.num_narrow :]
    assert 4096 in narrow
    assert 512 not in narrow
    assert work.chunk_px < work.tile_px


def test_less_memory_means_smaller_pieces() -> None:
    shape = NetworkShape(resolution=4096)

    assert [coarse_for(1280, size * 2**20) for size in (2048, 512, 128, 1)] == [128, 64, 32, 8]
    assert band_rows_for(shape, 2**30) == BAND_PX
    assert band_rows_for(shape, 64 * 2**20) < BAND_PX
    assert band_rows_for(shape, 1) == 1


def test_memory_changes_no_label() -> None:
    pyramid = pyramid_of([4, 8, 16, 32, 64], 64)

    assert_same(pyramid, ensemble_of(pyramid.num_channels), work=Work(32, 8, 2, coarse_px=8))


@pytest.mark.parametrize("num_blocks", [None, 2, 5])
def test_a_drawing_that_is_labelled_in_bands_is_the_whole_one(num_blocks: int | None) -> None:
    torch.manual_seed(0)
    shape = NetworkShape(
        resolution=512, channel_base=512, channel_max=16, z_dim=8, w_dim=8, mapping_layers=1
    )
    generator = Generator(shape).eval()
    for layer in generator.synthesis.convolutions:
        layer.noise_strength.data.fill_(0.1)
    w = torch.randn(1, 8)
    classifier = ensemble_of(channels_of(shape, num_blocks), members=2)
    labelled = LabelledGenerator(generator, classifier, num_blocks)

    drawing = labelled.drawing(w)

    image, pyramid = image_and_features(generator, w, num_blocks)
    plain = label_image_plainly(pyramid, classifier)
    assert np.array_equal(drawing.pixels, pixels_of(image))
    assert np.allclose(drawing.uncertainty, plain.uncertainty, rtol=0, atol=TOLERANCE)
    assert float((drawing.labels != plain.labels).mean()) <= 0.001
    again = labelled.drawing(w)
    assert np.array_equal(again.labels, drawing.labels)
    assert len(list(labelled.bands(w))) == 512 // labelled.labeller.tile_px


def head_of(shape: NetworkShape, num_blocks: int | None) -> ContextHead:
    """A context head whose values are of the features' size."""
    of_head = context_shape_of(shape, num_blocks, 4)
    assert of_head is not None
    context = ContextHead(of_head, seed=3)
    context.mean.fill_(0.2)
    context.deviation.fill_(1.5)
    return context.eval()


@pytest.mark.parametrize(
    ("resolution", "num_blocks", "context_px"),
    [(512, None, 128), (512, 3, 128), (512, 4, 128), (256, 3, 128), (64, 2, 64), (16, None, 16)],
)
def test_a_drawing_is_labelled_with_its_context_as_the_plain_definition_says(
    resolution: int, num_blocks: int | None, context_px: int
) -> None:
    torch.manual_seed(0)
    shape = NetworkShape(
        resolution=resolution, channel_base=512, channel_max=16, z_dim=8, w_dim=8, mapping_layers=1
    )
    generator = Generator(shape).eval()
    w = torch.randn(1, 8)
    context = head_of(shape, num_blocks)
    classifier = ensemble_of(channels_of(shape, num_blocks) + 32, members=2)
    labelled = LabelledGenerator(generator, classifier, num_blocks, context=context)

    drawing = labelled.drawing(w)

    image, pyramid = image_and_features(generator, w, num_blocks)
    read = with_context(pyramid, context)
    plain = label_image_plainly(read, classifier)
    assert context.shape.side_px == context_px
    assert np.array_equal(drawing.pixels, pixels_of(image))
    assert np.allclose(drawing.uncertainty, plain.uncertainty, rtol=0, atol=TOLERANCE)
    assert float((drawing.labels != plain.labels).mean()) <= 0.001
    assert_same(read, classifier)
    assert np.array_equal(labelled.drawing(w).labels, drawing.labels)


def test_a_head_counts_among_what_labelling_takes_at_least() -> None:
    shape = NetworkShape(resolution=512, channel_base=512, channel_max=16, w_dim=8)
    classifier, context = ensemble_of(9), head_of(shape, None)

    grown = fixed_bytes_of(shape, classifier, context) - fixed_bytes_of(shape, classifier)

    assert grown > context.shape.widths[0] * context.shape.side_px**2 * 4


def test_rows_are_labelled_when_all_is_known_that_they_need_and_forgotten_after() -> None:
    shape = NetworkShape(
        resolution=512, channel_base=512, channel_max=16, z_dim=8, w_dim=8, mapping_layers=1
    )
    sides, channels = sides_by_map(shape), channels_by_map(shape)
    labeller = Labeller(ensemble_of(sum(channels), members=1), MapSizes(sides, channels, 512))

    needed = labeller.needed(Span(64, 127))

    assert needed[512] == Span(64, 127)
    assert needed[256] == Span(31, 64)
    assert all(cells.count < side for side, cells in needed.items())
