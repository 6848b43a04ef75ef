"""What `hdgan compare` makes of scores: draws are told, and minutes are those of their labels."""

import numpy as np
import pytest

from hdgan.artifacts.comparison import ComparedImage, RunRecord
from hdgan.method.comparison.label_equivalent import label_equivalent
from hdgan.method.comparison.planning import Design
from hdgan.stages.compare.differences import Differences, Key
from hdgan.stages.compare.plan import Available, Plan
from hdgan.stages.compare.scores import ArmScores, arm_scores

DRAWS = [0, 0, 1, 1, 2, 2]
SEEDS = [0, 1] * 3


def scored(dice: float, luck: list[float], seeds: list[int], draws: list[int]) -> ArmScores:
    """Twelve patients that differ by .1, with luck that the runs of a draw share."""
    of_patient = np.random.default_rng(7).normal(scale=0.1, size=(12, 1))
    rest = np.random.default_rng(int(1000 * dice)).normal(scale=0.01, size=(12, len(seeds)))
    shared = np.array([luck[draw] for draw in draws])
    return ArmScores(draws, seeds, dice + of_patient + shared + rest, {}, {}, np.zeros(2), {})


def differences(num_draws: int = 3) -> Differences:
    """HDGAN with 4 labels, supervised with 2, 4 and 8, and with all."""
    runs = 2 * num_draws
    draws, seeds = DRAWS[:runs], SEEDS[:runs]
    scores: dict[Key, ArmScores] = {
        ("supervised", 2): scored(0.40, [0.03, 0.0, -0.03], seeds, draws),
        ("supervised", 4): scored(0.50, [-0.03, 0.03, 0.0], seeds, draws),
        ("supervised", 8): scored(0.57, [0.0, -0.03, 0.03], seeds, draws),
        ("hdgan", 4): scored(0.54, [0.03, -0.03, 0.0], seeds, draws),
        ("all-labels", None): scored(0.9, [0.0], [0, 1], [0, 0]),
    }
    plan = Plan(
        arms=("supervised", "hdgan", "all-labels"),
        design=Design((2, 4, 8), num_draws, 2),
        folds=(0,),
        drawings_of={0: 0},
        available=Available(99, 99),
        candidate="hdgan",
        reference="supervised",
        at=4,
    )
    return Differences(plan, scores, seed=0)


def test_the_worth_of_labels_allows_for_the_label_draws() -> None:
    found = differences()

    supervised = np.stack([found.scores["supervised", count].by_patient for count in (2, 4, 8)])
    value = found.scores["hdgan", 4].by_patient
    assert found.multiplier == label_equivalent([2, 4, 8], supervised, value, 4, 0, draws=DRAWS)
    assert found.multiplier != label_equivalent([2, 4, 8], supervised, value, 4, 0)


def test_minutes_are_counted_for_each_kind_of_label_with_its_own() -> None:
    found = differences()

    text = found.multiplier_text(10.0, 6.0)

    assert text is not None
    assert text.labels is not None
    assert text.minutes_saved == pytest.approx(text.labels * 10 - 6)
    assert "(10.0 minutes a tile, and 6 for the labels with it)" in text.sentence


def test_without_the_minutes_of_one_kind_nothing_is_said_of_them() -> None:
    for tile, spent in ((None, 6.0), (10.0, None)):
        text = differences().multiplier_text(tile, spent)

        assert text is not None
        assert text.minutes_saved is None
        assert "minutes" not in text.sentence


def test_all_labels_are_compared_run_by_run_and_not_with_one_draw() -> None:
    three, one = (
        next(row for row in differences(number).texts() if row.arm == "all-labels")
        for number in (3, 1)
    )

    assert (three.verdict, three.difference.num_runs) == ("helps", 6)
    assert (one.verdict, one.difference.low) == ("no evidence", None)


def test_one_label_draw_is_said_beside_the_worth_of_labels() -> None:
    text = differences(1).multiplier_text(None, None)

    assert text is not None
    assert "One label draw" in text.sentence


def test_a_stray_pixel_of_an_absent_class_does_not_make_an_image_the_worst() -> None:
    run = RunRecord(
        run="one", arm="hdgan", count=4, fold=0, draw=0, seed=0, cpu_seconds=1.0, seconds=1.0
    )
    images = [ComparedImage(image="a", patient="p", fold=0)]

    found = arm_scores([run], lambda _: np.array([[[99, 1], [0, 0]]]), images)

    assert found.by_image["a"] == pytest.approx(198 / 199)
    assert found.by_patient[0, 0] == pytest.approx(198 / 199)
