"""What label maps are made of, and how two sets of them compare, without any disk."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import wasserstein_distance
from skimage.measure import label

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.method.layout_comparison import Difference, Statistic, differences
from hdgan.method.layout_statistics import (
    BINS_A_DOUBLING,
    LayoutCounts,
    adjacency,
    class_layouts,
    class_pairs,
    layout_of,
    layouts_of,
    size_quantile,
    stacked,
)

PICTURE = np.array(
    [
        [0, 0, 1, 1],
        [0, 2, 1, 0],
        [2, 0, 255, 0],
    ],
    dtype=np.uint8,
)

label_maps = arrays.arrays(
    np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 255])
)


def spotted(random: np.random.Generator, num_spots: int, side: int = 24) -> LabelMap:
    """Class 0 with squares of class 1."""
    labels = np.zeros((side, side), dtype=np.uint8)
    for y, x in random.integers(0, side - 3, (num_spots, 2)):
        labels[y : y + 3, x : x + 3] = 1
    return labels


def spotted_maps(count: int, mean_spots: float, seed: int) -> LayoutCounts:
    random = np.random.default_rng(seed)
    return layouts_of(
        (spotted(random, int(random.poisson(mean_spots))) for _ in range(count)), num_classes=2
    )


def one_of(found: list[Difference], statistic: Statistic, tissue: int | None) -> Difference:
    [one] = [d for d in found if d.statistic == statistic and d.tissue == tissue]
    return one


def test_a_small_picture_is_counted_by_hand() -> None:
    counts = layout_of(PICTURE, 3)

    assert counts.pixels.tolist() == [[6, 3, 2]]
    assert counts.components.tolist() == [[3, 1, 2]]
    assert counts.speckles.tolist() == [[3, 1, 2]]
    assert class_pairs(3) == [(0, 1), (0, 2), (1, 2)]
    assert counts.borders.tolist() == [[3, 5, 1]]
    assert adjacency(counts) == pytest.approx([3 / 9, 5 / 9, 1 / 9])


@given(label_maps)
def test_components_connect_over_sides_as_another_library_counts_them(labels: LabelMap) -> None:
    counts = layout_of(labels, 2)

    for tissue in (0, 1):
        regions = label(labels == tissue, connectivity=1)  # type: ignore[no-untyped-call]
        assert counts.components[0, tissue] == regions.max()
        sizes = np.bincount(regions.ravel())[1:]
        assert counts.sizes[0, tissue].sum() == len(sizes)
        assert size_quantile(counts.sizes[0, tissue], 1.0) == pytest.approx(
            max(sizes, default=math.nan), rel=0.05, nan_ok=True
        )


@given(label_maps)
def test_borders_are_the_sides_between_two_classes(labels: LabelMap) -> None:
    height, width = labels.shape
    sides = 0
    for y in range(height):
        for x in range(width):
            for other in ((y + 1, x), (y, x + 1)):
                if other[0] < height and other[1] < width:
                    sides += {int(labels[y, x]), int(labels[other])} == {0, 1}

    assert layout_of(labels, 2).borders.tolist() == [[sides]]


def test_unlabelled_pixels_are_in_no_share() -> None:
    half = np.full((4, 4), UNLABELLED, dtype=np.uint8)
    half[:2] = 1

    nothing = np.full((4, 4), UNLABELLED, dtype=np.uint8)
    counts = layouts_of([half, nothing], 2)

    assert class_layouts(counts)[1].area_share == 1.0
    assert class_layouts(counts)[1].images_with == 1.0
    assert class_layouts(counts)[1].components_per_megapixel == 1 / 8e-6
    assert np.isnan(adjacency(counts)).all()


def test_a_class_that_is_nowhere_has_no_size() -> None:
    absent = class_layouts(layout_of(PICTURE, 4))[3]

    assert absent.area_share == 0.0
    assert all(math.isnan(size) for size in (*absent.size_px, absent.size_by_area_px))


def test_a_class_beyond_the_class_map_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond the class map"):
        layout_of(PICTURE, 2)


def test_what_is_kept_does_not_grow_with_the_image() -> None:
    small, large = layout_of(PICTURE, 3), layout_of(np.tile(PICTURE, (50, 50)), 3)

    sizes = [sum(part.nbytes for part in vars(counts).values()) for counts in (small, large)]
    assert sizes[0] == sizes[1] < 4000


@given(st.lists(st.integers(1, 60_000), min_size=1, max_size=30), st.sampled_from([0.1, 0.5, 0.9]))
def test_quantiles_of_size_are_right_to_five_per_cent(sizes: list[int], part: float) -> None:
    by_size = np.bincount(
        np.floor(np.log2(sizes) * BINS_A_DOUBLING).astype(np.int64), minlength=256
    )
    exact = np.quantile(sizes, part, method="inverted_cdf")

    found = size_quantile(by_size, part)

    assert found == exact if exact <= 11 else found == pytest.approx(exact, rel=0.05)


def test_half_of_the_area_lies_in_large_components_among_many_speckles() -> None:
    labels = np.zeros((40, 40), dtype=np.uint8)
    labels[:10, :10] = 1
    labels[12::2, ::2] = 1

    [_, spots] = class_layouts(layout_of(labels, 2))

    assert spots.size_px[1] == 1.0
    labels[12::2, 4::2] = 0
    [_, fewer] = class_layouts(layout_of(labels, 2))
    assert fewer.size_by_area_px == pytest.approx(100, rel=0.05)


def test_sets_of_one_kind_seldom_differ_by_more_than_chance() -> None:
    found = [
        one.is_more_than_chance
        for seed in range(60)
        for one in differences(
            spotted_maps(12, 4.0, 2 * seed),
            spotted_maps(6, 4.0, 2 * seed + 1),
            np.random.default_rng(seed),
            shuffles=99,
        )
        if (one.statistic, one.tissue) == ("area_share", 1)
    ]

    assert len(found) == 60
    assert sum(found) <= 8  # 3 are expected; more than 8 in less than one of 100 such tests


def test_a_planted_difference_is_found() -> None:
    found = differences(
        spotted_maps(40, 8.0, 0), spotted_maps(16, 4.0, 1), np.random.default_rng(0), shuffles=199
    )

    share = one_of(found, "area_share", 1)
    assert share.is_more_than_chance
    assert share.synthetic > share.annotated
    assert share.distance == pytest.approx(share.synthetic - share.annotated)
    assert 0 < share.noise_floor < share.distance


def test_fewer_annotated_maps_have_a_higher_floor() -> None:
    many, few = (
        differences(
            spotted_maps(100, 4.0, 0), spotted_maps(count, 4.0, 1), np.random.default_rng(0), 199
        )
        for count in (100, 4)
    )

    floors = [one_of(found, "area_share", 1).noise_floor for found in (many, few)]
    assert floors[1] > 2 * floors[0]


def test_one_annotated_map_among_ten_can_tell_nothing() -> None:
    found = differences(
        spotted_maps(10, 1.0, 0), spotted_maps(1, 30.0, 1), np.random.default_rng(0), shuffles=199
    )

    assert not any(one.is_more_than_chance for one in found)


def test_the_distance_of_sizes_is_that_of_another_library() -> None:
    first, second = spotted_maps(5, 6.0, 0), spotted_maps(7, 2.0, 1)

    one = one_of(differences(first, second, np.random.default_rng(0), 9), "component_size", 1)

    steps = np.arange(first.sizes.shape[2]) / BINS_A_DOUBLING
    weights = [counts.sizes[:, 1].sum(axis=0) for counts in (first, second)]
    assert one.distance == pytest.approx(wasserstein_distance(steps, steps, *weights))


def test_the_other_statistics_are_plain_differences() -> None:
    first, second = spotted_maps(5, 1.0, 0), spotted_maps(7, 3.0, 1)
    found = differences(first, second, np.random.default_rng(0), 9)

    spread = one_of(found, "area_share_spread", 1)
    assert spread.synthetic == pytest.approx(first.shares[:, 1].std())
    assert spread.annotated == pytest.approx(second.shares[:, 1].std())
    with_it = one_of(found, "images_with", 1)
    assert with_it.synthetic == np.mean(first.pixels[:, 1] > 0)
    dense = one_of(found, "components_per_megapixel", 1)
    assert dense.annotated == pytest.approx(second.components[:, 1].sum() / (7 * 24 * 24e-6))
    speckled = one_of(found, "speckle_index", None)
    assert speckled.synthetic == pytest.approx(first.speckles.sum() / (5 * 24 * 24e-6))
    for one in (spread, with_it, dense, speckled):
        assert one.distance == pytest.approx(abs(one.synthetic - one.annotated))


def test_the_distance_of_adjacency_is_the_part_that_would_have_to_move() -> None:
    stripes = np.repeat(np.array([[0, 1, 2]], dtype=np.uint8), 3, axis=0)
    apart = np.repeat(np.array([[0, 1, 0]], dtype=np.uint8), 3, axis=0)

    found = differences(layout_of(stripes, 3), layout_of(apart, 3), np.random.default_rng(0), 9)

    assert one_of(found, "adjacency", None).distance == pytest.approx(0.5)


def test_sets_of_other_sizes_are_compared_by_shares_alone() -> None:
    large = layouts_of([spotted(np.random.default_rng(0), 9, side=48)], 2)

    found = differences(spotted_maps(5, 4.0, 0), large, np.random.default_rng(0), 9)

    assert {one.statistic for one in found} == {"area_share", "adjacency"}


def test_a_class_that_one_set_lacks_has_no_distance_of_sizes() -> None:
    empty = layouts_of([np.zeros((24, 24), dtype=np.uint8)] * 5, 2)

    one = one_of(
        differences(empty, spotted_maps(5, 4.0, 0), np.random.default_rng(0), 9),
        "component_size",
        1,
    )

    assert math.isnan(one.distance)
    assert math.isnan(one.synthetic)
    assert not one.is_more_than_chance


def test_maps_without_borders_do_not_compare_in_adjacency() -> None:
    empty = layouts_of([np.zeros((4, 4), dtype=np.uint8)] * 3, 2)

    found = differences(empty, empty, np.random.default_rng(0), 9)

    assert math.isnan(one_of(found, "adjacency", None).distance)
    assert one_of(found, "area_share", 0).distance == 0.0


def test_no_label_maps_are_a_set_too() -> None:
    none = stacked([], 3)

    assert none.num_images == 0
    assert none.joined(layout_of(PICTURE, 3)).num_images == 1
