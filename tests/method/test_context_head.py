"""The head that reads what lies around each pixel, and how it is fitted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from torch.nn import functional

from hdgan.class_map import UNLABELLED
from hdgan.errors import LabelError
from hdgan.method.context_fitting import ContextPlan, fit_context, labels_at
from hdgan.method.context_head import (
    ContextHead,
    ContextShape,
    context_shape_of,
    with_context,
)
from hdgan.method.features import FeaturePyramid
from hdgan.method.stylegan.shape import NetworkShape

SHAPE = ContextShape(num_channels=6, num_classes=3, side_px=16, widths=(8, 4))
PLAN = ContextPlan(steps=30, crops=4, crop_px=8, steps_per_report=10)


def maps(seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    sizes = ((4, 2), (8, 3), (16, 1))
    return [random.normal(3.0, 2.0, size=(s, s, c)).astype(np.float16) for s, c in sizes]


def head() -> ContextHead:
    """A head with statistics of its own."""
    made = ContextHead(SHAPE, seed=1)
    random = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for values in made.buffers():
            if values.is_floating_point():
                values.uniform_(0.5, 3.0, generator=random)
    return made.eval()


def plain_hidden(context: ContextHead, features: torch.Tensor) -> torch.Tensor:
    """The last hidden layer of the enlarged and stacked maps."""
    kept = []
    handle = context.leave.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
    with torch.no_grad():
        context(features[None])
    handle.remove()
    return kept[0][0]


def test_the_context_is_the_last_hidden_layer_over_the_enlarged_maps() -> None:
    context, pyramid = head(), FeaturePyramid(maps(), 16)

    made = context.context(pyramid.maps)

    plain = plain_hidden(context, pyramid.upsampled()).permute(1, 2, 0).numpy()
    assert made.dtype == np.float16
    assert made.shape == (16, 16, 4)
    assert np.allclose(made, plain, rtol=1e-3, atol=1e-3)


@given(
    row=st.integers(0, 15), column=st.integers(0, 15), height=st.integers(1, 16), width=st.just(5)
)
def test_a_part_of_the_first_layer_is_the_part_of_the_whole(
    row: int, column: int, height: int, width: int
) -> None:
    context, whole = head(), range(16)
    rows, columns = range(row, min(16, row + height)), range(column, min(16, column + width))

    with torch.no_grad():
        part = context.entered(maps(), rows, columns)
        all_of_it = context.entered(maps(), whole, whole)

    wanted = all_of_it[:, rows.start : rows.stop, columns.start : columns.stop]
    assert torch.allclose(part, wanted, atol=1e-5)


def test_the_context_is_the_last_map_of_its_side() -> None:
    fine = np.zeros((32, 32, 1), dtype=np.float16)
    pyramid = FeaturePyramid([*maps(), fine], 32)
    context = head()

    read = with_context(pyramid, context)

    assert [feature_map.shape for feature_map in read.maps] == [
        (4, 4, 2),
        (8, 8, 3),
        (16, 16, 1),
        (16, 16, 4),
        (32, 32, 1),
    ]
    assert np.array_equal(read.maps[3], context.context(maps()))
    assert read.side == 32
    enlarged = functional.interpolate(
        torch.from_numpy(read.maps[3].astype(np.float32)).permute(2, 0, 1)[None],
        size=(32, 32),
        mode="bilinear",
    )
    assert torch.allclose(read.upsampled()[6:10], enlarged[0])


def test_the_head_reads_what_is_drawn_whole() -> None:
    published = NetworkShape(resolution=4096)

    shapes = [context_shape_of(published, num_blocks, 5) for num_blocks in (None, 6, 5)]

    assert [shape and shape.side_px for shape in shapes] == [128, 128, None]
    assert [shape and shape.num_channels for shape in shapes] == [5 * 1024 + 512, 512, None]
    small = context_shape_of(NetworkShape(resolution=16), 1, 5)
    assert small == ContextShape(2 * 512, 5, 16)


def test_the_same_seed_makes_the_same_head_and_leaves_other_draws_alone() -> None:
    before = torch.random.get_rng_state()

    first, again, other = (ContextHead(SHAPE, seed=seed) for seed in (0, 0, 1))

    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.enter.weight, again.enter.weight)
    assert not torch.equal(first.enter.weight, other.enter.weight)


def test_a_label_map_is_made_smaller_by_its_centres_and_loses_no_stroke() -> None:
    labels = np.full((8, 8), UNLABELLED, dtype=np.uint8)
    labels[2, 2], labels[0, 1] = 1, 3
    labels[0, 4] = 2

    small = labels_at(labels, 2)

    assert small.tolist() == [[1, 2], [UNLABELLED, UNLABELLED]]
    assert np.array_equal(labels_at(labels, 8), labels)


def test_a_fitted_head_knows_what_lies_beside_a_pixel() -> None:
    """Class 1 lies within two pixels of a dot, which a pixel beside it does not show itself."""
    dots = np.random.default_rng(0).random((8, 16, 16)) < 0.03
    images = [FeaturePyramid([(each[..., None] * 4.0).astype(np.float16)], 16) for each in dots]
    labels = [
        ndimage.binary_dilation(each, np.ones((5, 5), dtype=bool)).astype(np.uint8) for each in dots
    ]
    context = ContextHead(ContextShape(1, 2, 16, widths=(8, 8), dropouts=(0.0, 0.0)), seed=0)

    *_, last = fit_context(context, images, labels, ContextPlan(steps=60, learning_rate=1e-2))

    assert last.loss < 0.2


def fitted(seed: int) -> ContextHead:
    images = [FeaturePyramid(maps(i), 16) for i in range(3)]
    labels = [np.random.default_rng(i).integers(0, 3, (32, 32)).astype(np.uint8) for i in range(3)]
    context = ContextHead(SHAPE, seed=seed)
    assert [report.steps for report in fit_context(context, images, labels, PLAN)] == [10, 20, 30]
    return context


def test_a_fit_depends_on_its_seed_alone() -> None:
    first = fitted(0)
    torch.rand(7)
    before = torch.random.get_rng_state()
    again = fitted(0)

    assert torch.equal(torch.random.get_rng_state(), before)
    for name, values in first.state_dict().items():
        assert torch.equal(values, again.state_dict()[name])


def test_one_painted_pixel_is_enough_to_learn_from_and_none_is_not() -> None:
    labels = np.full((16, 16), UNLABELLED, dtype=np.uint8)
    context, image = ContextHead(SHAPE), FeaturePyramid(maps(), 16)
    plan = replace(PLAN, steps=3, crop_px=4)

    with pytest.raises(LabelError, match="None of the training label maps has a labelled pixel"):
        list(fit_context(context, [image], [labels], plan))
    labels[11, 3] = 2
    (report,) = fit_context(context, [image], [labels], plan)

    assert np.isfinite(report.loss)
