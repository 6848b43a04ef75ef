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
