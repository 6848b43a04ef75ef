"""A comparison that fits the time there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.comparison.difference import paired_difference
from hdgan.method.comparison.planning import (
    Costs,
    Design,
    fitted_design,
    seconds_needed,
    what_it_can_show,
)
from hdgan.method.comparison.power import counts_from, half_width

FULL = Design(counts=(4, 8, 16, 32), num_draws=3, num_seeds=3, num_folds=5)
COSTS = Costs({"supervised": 10.0, "hdgan": 20.0}, seconds_of_pairs=30.0, seconds_at_once=100.0)


def test_the_time_is_that_of_every_run_pair_set_and_fold() -> None:
    """5 folds x 4 counts x 3 draws = 60 pair sets; x 3 seeds = 180 runs an arm."""
    assert seconds_needed(FULL, COSTS) == 180 * 30 + 60 * 30 + 5 * 100
    assert seconds_needed(FULL, COSTS, workers=2) == (180 * 30 + 60 * 30 + 5 * 100) / 2


def test_an_arm_of_all_labels_runs_once_a_fold_and_seed() -> None:
    costs = Costs({"all-labels": 7.0}, arms_without_count=frozenset({"all-labels"}))

    assert seconds_needed(FULL, costs) == 5 * 3 * 7


def test_a_design_that_fits_is_left_alone() -> None:
    assert fitted_design(FULL, COSTS, seconds_needed(FULL, COSTS)) == FULL


@pytest.mark.parametrize(
    ("share", "counts", "draws", "seeds"),
    [
        (0.9, (4, 8, 16, 32), 3, 2),
        (0.6, (4, 8, 16, 32), 3, 1),
        (0.3, (8, 16), 3, 1),
        (0.2, (8, 16), 2, 1),
        (0.0, (8, 16), 2, 1),
    ],
)
def test_seeds_go_first_then_counts_then_draws_and_never_below_two_draws(
    share: float, counts: tuple[int, ...], draws: int, seeds: int
) -> None:
    reduced = fitted_design(FULL, COSTS, share * seconds_needed(FULL, COSTS))

    assert reduced == Design(counts, draws, seeds, num_folds=5)


@given(share=st.floats(0.25, 1.0))
def test_what_fits_is_within_the_budget(share: float) -> None:
    budget = share * seconds_needed(FULL, COSTS)

    assert seconds_needed(fitted_design(FULL, COSTS, budget), COSTS) <= budget


def test_more_workers_leave_more_of_the_design() -> None:
    budget = seconds_needed(FULL, COSTS) / 2

    assert fitted_design(FULL, COSTS, budget) != FULL
    assert fitted_design(FULL, COSTS, budget, workers=2) == FULL


def test_a_small_design_is_not_made_larger() -> None:
    small = Design(counts=(16,), num_draws=1, num_seeds=1)

    assert fitted_design(small, COSTS, 0.0) == small


def test_a_full_design_says_what_it_will_show() -> None:
    said = " ".join(what_it_can_show(FULL, 10))

    assert f"from about {100 * half_width(10, 9):.1f} points of macro Dice on" in said
    assert "10 patients and 9 runs" in said
    assert said.count("points of macro Dice") == 1
    assert "allows for other labels" in said
    assert "from 1 label to 128" in said


def test_a_reduced_design_says_what_it_cannot_show() -> None:
    said = " ".join(what_it_can_show(Design((8, 16), num_draws=1, num_seeds=2), 10))

    assert "One label draw gives no verdict" in said
    assert "cannot say what others would have given" in said
    assert "between 8 and 16 only" in said
    assert "points of macro Dice" not in said


def test_the_least_design_that_a_budget_leaves_can_give_a_verdict() -> None:
    least = fitted_design(FULL, COSTS, 0.0)

    said = " ".join(what_it_can_show(least, 10))

    assert "no verdict" not in said
    assert "10 patients and 2 runs" in said


def test_a_design_without_a_verdict_says_so() -> None:
    single = Design((16,), num_draws=1, num_seeds=1)

    assert "gives no verdict" in " ".join(what_it_can_show(single, 10))
    assert "no interval and no verdict" in " ".join(what_it_can_show(FULL, 1))
    assert "With two patients there is no verdict" in " ".join(what_it_can_show(FULL, 2))
    assert "points of macro Dice" not in " ".join(what_it_can_show(FULL, 2))
    assert "what a label is worth cannot be said" in " ".join(what_it_can_show(single, 10))


@pytest.mark.parametrize(
    ("num_patients", "said"),
    [(0, "Without a patient who has a score"), (1, "no interval"), (2, "It takes three")],
)
def test_a_result_whose_patients_have_too_few_scores_says_so(num_patients: int, said: str) -> None:
    scores = np.full((6, 9), np.nan)
    scores[:num_patients] = 0.5
    found = paired_difference(scores, scores, seed=0, draws=np.repeat(range(3), 3).tolist())

    assert said in what_it_can_show(FULL, 6, found)[0]


def test_a_result_says_what_it_did_show_and_not_what_was_to_be_expected() -> None:
    random = np.random.default_rng(0)
    scores = 0.5 + 0.01 * random.standard_normal((6, 9))
    found = paired_difference(
        scores, np.full((6, 9), 0.5), seed=0, draws=np.repeat(range(3), 3).tolist()
    )

    (said, *_) = what_it_can_show(FULL, 6, found)

    assert f"from {100 * counts_from(found):.1f} points of macro Dice on" in said
    assert "as usual" not in said
