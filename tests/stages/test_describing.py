"""What is said of a pair set: checks, annotation, uncertainty; all of it plain data."""

import json
import math
import weakref
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import UInt8

from hdgan.artifacts.annotation_set import AnnotationRecord, AnnotationSet
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import KIDNEY, UNLABELLED, LabelMap
from hdgan.stages.synthesize.describing import (
    FEWEST_PAIRS,
    MOST_PAIRS,
    annotation_of,
    checks_of,
    num_checked,
    uncertainty_histogram,
)
from tests.tiny_world import TinyWorld


def test_the_checks_of_a_pair_set_are_plain_data(world: TinyWorld) -> None:
    pairs, annotations = PairSet.open(world.pairs), AnnotationSet.open(world.annotations)
    samples = SampleSet.open(world.samples)
    images = {record.sample: samples.image(record) for record in samples.records()}

    checks = checks_of(
        ((pairs.image(record), pairs.labels(record)) for record in pairs.records()),
        ((images[r.image], annotations.labels(r)) for r in annotations.records()),
        pairs.class_map,
    )

    assert json.loads(json.dumps(checks, allow_nan=False)) == checks
    assert checks["num_synthetic"] == 9
    assert checks["num_annotated"] == len(annotations.records())
    assert checks["same_size"] is True
    shares = {
        one["class"]: one["synthetic"]
        for one in checks["comparison"]["statistics"]
        if one["statistic"] == "area_share"
    }
    for name, share in pairs.about["share_of_pixels"].items():
        assert shares[name] == pytest.approx(share, abs=1e-5)
    for edges in checks["edge_alignment"].values():
        assert 0.5 < edges["auc"] <= 1


def test_the_same_pairs_have_the_same_checks(world: TinyWorld) -> None:
    pairs, annotations = PairSet.open(world.pairs), AnnotationSet.open(world.annotations)

    first, second = (
        checks_of(
            ((pairs.image(record), pairs.labels(record)) for record in pairs.records()),
            ((None, annotations.labels(record)) for record in annotations.records()),
            pairs.class_map,
        )
        for _ in range(2)
    )

    assert first == second
    assert first["edge_alignment"]["annotated"] is None


def test_without_annotations_there_is_a_layout_but_no_comparison(world: TinyWorld) -> None:
    pairs = PairSet.open(world.pairs)

    checks = checks_of(
        ((pairs.image(record), pairs.labels(record)) for record in pairs.records()),
        (),
        pairs.class_map,
    )

    assert checks["comparison"] is None
    assert checks["same_size"] is None
    assert checks["layout"]["annotated"] is None
    assert set(checks["layout"]["synthetic"]["classes"]) == set(KIDNEY.names)


def test_without_anything_there_is_nothing_to_say() -> None:
    checks = checks_of((), [(None, np.full((4, 4), UNLABELLED, dtype=np.uint8))], KIDNEY)

    assert checks["num_synthetic"] == checks["num_annotated"] == 0
    assert checks["comparison"] is None
    assert checks["edge_alignment"] == {"synthetic": None, "annotated": None}


def test_images_are_read_one_at_a_time() -> None:
    """When a pair is asked for, those before the last one have been let go."""
    given: list[weakref.ref[LabelMap]] = []
    alive: list[int] = []

    def pairs() -> Iterator[tuple[UInt8[np.ndarray, "8 8 3"], LabelMap]]:
        for i in range(5):
            alive.append(sum(reference() is not None for reference in given))
            labels = np.full((8, 8), i % 2, dtype=np.uint8)
            given.append(weakref.ref(labels))
            yield np.zeros((8, 8, 3), dtype=np.uint8), labels

    checks_of(pairs(), (), KIDNEY)

    assert len(alive) == 5
    assert max(alive) <= 1


def test_few_large_pairs_and_many_small_ones_are_checked() -> None:
    assert num_checked(1000, 128) == MOST_PAIRS
    assert num_checked(1000, 8192) == FEWEST_PAIRS
    assert num_checked(3, 8192) == 3
    assert MOST_PAIRS > num_checked(1000, 2048) > FEWEST_PAIRS


def test_who_annotated_is_unknown_of_label_maps_from_files(world: TinyWorld) -> None:
    annotations = AnnotationSet.open(world.annotations)

    about = annotation_of(annotations)

    assert about["digest"] == annotations.digest
    assert about["of"] == "sample-set"
    assert (about["annotators"], about["minutes"]) == ([], None)
    assert sum(about["splits"].values()) == about["tiles"] == len(annotations.records())
    pixels = np.concatenate([annotations.labels(r).ravel() for r in annotations.records()])
    for i, name in enumerate(annotations.class_map.names):
        assert about["share_of_pixels"][name] == pytest.approx((pixels == i).mean(), rel=1e-5)
    assert annotation_of(AnnotationSet.open(world.truth))["of"] == "tile-set"


def test_annotators_and_minutes_are_added_up(
    world: TinyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations = AnnotationSet.open(world.annotations)
    first, second, third = (record.image for record in annotations.records()[:3])
    painted = [
        AnnotationRecord(image=first, split="training", annotators="Eva + Ada", minutes=10.0),
        AnnotationRecord(image=second, split="training", annotators="Ada", minutes=5.5),
        AnnotationRecord(image=third, split="test"),
    ]
    monkeypatch.setattr(annotations, "records", lambda: painted)

    about = annotation_of(annotations)

    assert about["annotators"] == ["Ada", "Eva"]
    assert (about["minutes"], about["tiles_with_minutes"]) == (15.5, 2)
    assert about["splits"] == {"training": 2, "validation": 0, "test": 1}


@given(st.lists(st.floats(0.0, 1.0), max_size=30), st.floats(1e-3, 1.1))
def test_every_pair_is_in_the_histogram_once(scores: list[float], largest: float) -> None:
    values = np.array([min(score, largest) for score in scores])
    kept = values < 0.5 * largest

    found = uncertainty_histogram(values, kept, largest)

    edges = found["edges_nats"]
    assert len(edges) == 21
    assert all(low < high for low, high in pairwise(edges))
    assert sum(found["drawn"]) == len(values)
    assert sum(found["kept"]) == kept.sum()


def test_the_histogram_ends_at_a_round_number_above_the_most_uncertain_pair() -> None:
    scores = np.array([0.004, 0.021, 0.036])

    found = uncertainty_histogram(scores, scores < 0.03, math.log(3))

    assert found["edges_nats"][-1] == 0.05
    assert found["edges_nats"][:3] == [0.0, 0.0025, 0.005]
    assert [i for i, count in enumerate(found["drawn"]) if count] == [1, 8, 14]
    assert sum(found["kept"]) == 2


def test_pairs_that_are_sure_are_all_in_the_first_bin() -> None:
    found = uncertainty_histogram(np.zeros(4), np.ones(4, dtype=bool), 0.0)

    assert found["drawn"][0] == 4
