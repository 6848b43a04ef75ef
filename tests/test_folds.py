"""Folds: whole patients, about equal."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.errors import SettingsError
from hdgan.folds import dealt_to_folds

patients = st.lists(st.integers(0, 15).map(lambda i: f"P{i}"), min_size=1, max_size=80)


@given(patients=patients, num_folds=st.integers(1, 5), seed=st.integers(0, 9))
def test_no_patient_is_in_two_folds(patients: list[str], num_folds: int, seed: int) -> None:
    if len(set(patients)) < num_folds:
        with pytest.raises(SettingsError, match="cannot be dealt"):
            dealt_to_folds(patients, num_folds=num_folds, seed=seed)
        return

    folds = dealt_to_folds(patients, num_folds=num_folds, seed=seed)

    assert len(folds) == len(patients)
    assert len(set(zip(patients, folds, strict=True))) == len(set(patients))
    assert set(folds) == set(range(num_folds))


@given(patients=patients, seed=st.integers(0, 9))
def test_folds_differ_by_no_more_than_the_largest_patient(patients: list[str], seed: int) -> None:
    if len(set(patients)) < 3:
        return

    sizes = Counter(dealt_to_folds(patients, num_folds=3, seed=seed))

    assert max(sizes.values()) - min(sizes.values()) <= max(Counter(patients).values())


def test_the_deal_does_not_depend_on_the_order_of_the_tiles() -> None:
    patients = ["a", "b", "c", "d", "a", "b"]

    there = dict(zip(patients, dealt_to_folds(patients, num_folds=2, seed=1), strict=True))
    patients.reverse()
    back = dict(zip(patients, dealt_to_folds(patients, num_folds=2, seed=1), strict=True))

    assert there == back


def test_another_seed_deals_in_another_way() -> None:
    patients = [f"P{i}" for i in range(30)]

    deals = {tuple(dealt_to_folds(patients, num_folds=5, seed=seed)) for seed in range(5)}

    assert len(deals) == 5


@given(
    kinds=st.lists(st.integers(0, 2), min_size=12, max_size=40),
    num_folds=st.integers(2, 4),
    seed=st.integers(0, 9),
)
def test_each_fold_gets_about_as_many_patients_of_each_kind(
    kinds: list[int], num_folds: int, seed: int
) -> None:
    patients = [f"P{i}" for i in range(len(kinds))]

    folds = dealt_to_folds(patients, num_folds=num_folds, seed=seed, strata=kinds)

    for kind in set(kinds):
        counts = [
            sum(k == kind and f == fold for k, f in zip(kinds, folds, strict=True))
            for fold in range(num_folds)
        ]
        assert max(counts) - min(counts) <= 1


def test_a_patient_of_two_stains_is_a_kind_of_its_own() -> None:
    patients = ["a", "a", "b", "b", "c", "c", "d", "d"]
    stains = ["HE", "PAS"] * 2 + ["HE", "HE"] * 2

    folds = dealt_to_folds(patients, num_folds=2, seed=0, strata=stains)

    fold_of = dict(zip(patients, folds, strict=True))
    assert fold_of["a"] != fold_of["b"]
    assert fold_of["c"] != fold_of["d"]


def test_alike_patients_are_dealt_as_without_strata() -> None:
    patients = [f"P{i % 7}" for i in range(30)]

    assert dealt_to_folds(patients, num_folds=3, seed=4) == dealt_to_folds(
        patients, num_folds=3, seed=4, strata=["HE"] * 30
    )
