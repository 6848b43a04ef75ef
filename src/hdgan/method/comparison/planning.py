"""How large a comparison fits into the time there is, and what it can then show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from hdgan.method.comparison.difference import LEAST_PATIENTS, ArmMean
from hdgan.method.comparison.learning_curve import MIN_COUNTS
from hdgan.method.comparison.power import (
    TYPICAL_DEVIATION,
    TYPICAL_RUN_DEVIATION,
    counts_from,
    half_width,
)

LEAST_DRAWS = 2
"""With one there is no verdict, however many seeds; with two, one seed is enough for one."""


@dataclass(frozen=True)
class Design:
    """What a comparison runs: every fold x count x label draw x seed, for each arm."""

    counts: tuple[int, ...] = (4, 8, 16, 32)
    """Numbers of labels, ascending."""

    num_draws: int = 3
    """Which labels, chosen anew."""

    num_seeds: int = 3
    """Trainings with the same labels."""

    num_folds: int = 1
    """Test folds; each patient is tested in one."""

    @property
    def num_runs(self) -> int:
        """Scores of each patient for an arm and a count."""
        return self.num_draws * self.num_seeds


@dataclass(frozen=True)
class Costs:
    """What the parts of a comparison take on one worker."""

    seconds_a_run: Mapping[str, float]
    """By arm: training and testing one segmenter."""

    seconds_of_pairs: float = 0.0
    """Making one pair set: one for each fold, count and label draw."""

    seconds_at_once: float = 0.0
    """What is done once for each fold, such as a generator."""

    arms_without_count: frozenset[str] = field(default_factory=frozenset)
    """Arms that take all labels: a run for each fold and seed."""


def seconds_needed(design: Design, costs: Costs, workers: int = 1) -> float:
    """The time a design takes, if its parts are spread evenly over the workers."""
    cells = design.num_folds * len(design.counts) * design.num_draws
    runs = sum(
        seconds
        * (
            design.num_folds * design.num_seeds
            if arm in costs.arms_without_count
            else cells * design.num_seeds
        )
        for arm, seconds in costs.seconds_a_run.items()
    )
    rest = cells * costs.seconds_of_pairs + design.num_folds * costs.seconds_at_once
    return (runs + rest) / max(1, workers)


def fitted_design(design: Design, costs: Costs, budget_seconds: float, workers: int = 1) -> Design:
    """The largest reduction of a design that fits the budget; the least one if none does.

    Seeds go first, down to one, since another label draw is another training as well; then all
    counts but the two middle ones; then label draws, down to two. Folds stay: patients are what a
    verdict needs most. Check with `seconds_needed`.
    """
    reduced = design
    for reduced in _reductions(design):
        if seconds_needed(reduced, costs, workers) <= budget_seconds:
            break
    return reduced


def what_it_can_show(design: Design, num_patients: int, found: ArmMean | None = None) -> list[str]:
    """What a design can and cannot show, in sentences for the reader of its result.

    Args:
        design: what is or was run.
        num_patients: who is or was tested on.
        found: the difference that the verdict is about, once it is known: how far it is told from
            none then takes the place of what was to be expected. None: it has not run.
    """
    return [
        *_of_size(design, num_patients, found),
        _of_draws(design.num_draws),
        _of_counts(design.counts),
    ]


def _reductions(design: Design) -> Iterator[Design]:
    """The design, then ever smaller ones."""
    yield design
    for seeds in range(design.num_seeds - 1, 0, -1):
        design = replace(design, num_seeds=seeds)
        yield design
    if len(design.counts) > 2:
        first = (len(design.counts) - 2) // 2
        design = replace(design, counts=design.counts[first : first + 2])
        yield design
    for draws in range(design.num_draws - 1, LEAST_DRAWS - 1, -1):
        design = replace(design, num_draws=draws)
        yield design


def _of_size(design: Design, num_patients: int, found: ArmMean | None) -> list[str]:
    """From what size on a difference counts; nothing where one label draw forbids a verdict.

    One number is said, with patients and runs in it: two would contradict each other.
    """
    if found is not None:
        num_patients = found.num_patients
    if num_patients < LEAST_PATIENTS:
        return [_of_few_patients(num_patients)]
    if design.num_runs < 2:
        return ["One run cannot tell a better arm from a lucky training."]
    if design.num_draws < LEAST_DRAWS or (found is not None and not found.is_decidable):
        return []
    return [_expected(num_patients, design.num_runs) if found is None else _measured(found)]


def _of_few_patients(num_patients: int) -> str:
    if num_patients == 1:
        return "With one patient there is no interval and no verdict."
    if num_patients < 1:
        return "Without a patient who has a score in every run there is no verdict."
    return "With two patients there is no verdict: it would be wrong too often. It takes three."


def _expected(num_patients: int, num_runs: int) -> str:
    least = half_width(num_patients, num_runs)
    return (
        f"{num_patients} patients and {num_runs} runs: a difference will count as evidence from "
        f"about {100 * least:.1f} points of macro Dice on, if patients differ by "
        f"{TYPICAL_DEVIATION:.2f} and runs by {TYPICAL_RUN_DEVIATION:.2f} (standard deviations) "
        "as usual; smaller ones will be called no evidence."
    )


def _measured(found: ArmMean) -> str:
    return (
        f"{found.num_patients} patients and {found.num_runs} runs: the comparison at the top takes "
        f"a difference for evidence from {100 * counts_from(found):.1f} points of macro Dice on; "
        "smaller ones are called no evidence, which does not mean that there are none."
    )


def _of_draws(num_draws: int) -> str:
    if num_draws == 1:
        return (
            "One label draw gives no verdict: the result holds for these labels and cannot say "
            "what others would have given."
        )
    return f"{num_draws} label draws: the interval allows for other labels having been drawn."


def _of_counts(counts: tuple[int, ...]) -> str:
    if len(counts) == 1:
        return "One number of labels: what a label is worth cannot be said."
    if len(counts) < MIN_COUNTS:
        return (
            f"Two numbers of labels: what a label is worth can be said between {counts[0]} and "
            f"{counts[1]} only."
        )
    return (
        f"{len(counts)} numbers of labels: a learning curve tells what a label is worth, from 1 "
        f"label to {4 * max(counts)}."
    )
