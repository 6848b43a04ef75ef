"""What a person reads."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdgan.method.comparison.difference import PairedDifference, paired_difference, verdict_of
from hdgan.method.comparison.label_equivalent import MinutesSaved, Multiplier, label_equivalent
from hdgan.method.comparison.planning import Design, what_it_can_show
from hdgan.method.comparison.power import counts_from
from hdgan.method.comparison.sentences import verdict_sentence, worth_in_minutes, worth_of_labels

DIFFERENCE = PairedDifference(
    mean=0.031,
    low=0.012,
    high=0.05,
    level=0.95,
    num_patients=12,
    num_runs=9,
    num_draws=3,
    num_left_out=0,
    patient_deviation=0.025,
    run_error=0.003,
    chance_above_zero=0.999,
)

WORTH = Multiplier(
    at=16,
    labels=41.2,
    multiplier=2.575,
    low=1.4,
    high=4.9,
    bound="exactly",
    open_above=False,
    open_below=False,
    level=0.95,
    why_not="",
)


def changed(**fields: float) -> PairedDifference:
    return dataclasses.replace(DIFFERENCE, **fields)  # type: ignore[arg-type]


def test_an_arm_that_helps_is_said_with_what_its_labels_are_worth() -> None:
    assert verdict_sentence("HDGAN", DIFFERENCE, 16, WORTH) == (
        "HDGAN helps: +3.1 points of macro Dice [+1.2, +5.0] over supervised on 16 labels "
        "(12 patients, 9 runs); 16 labels with it are worth 41, 2.6 x [1.4, 4.9]."
    )


def test_an_arm_that_hurts_is_said_as_plainly() -> None:
    hurts = changed(mean=-0.031, low=-0.05, high=-0.012)

    assert verdict_sentence("HDGAN", hurts, 16) == (
        "HDGAN hurts: -3.1 points of macro Dice [-5.0, -1.2] over supervised on 16 labels "
        "(12 patients, 9 runs)."
    )


def test_no_evidence_comes_with_the_patients_that_it_would_have_taken() -> None:
    """From 2.0 the interval reaches down by 8.0; 3 take 18 (t 2.11 x .06 / sqrt 18)."""
    neither = changed(mean=0.02, low=-0.06, high=0.1, num_patients=5, patient_deviation=0.06)

    said = verdict_sentence("HDGAN", neither, 16, WORTH)

    assert said == (
        "No evidence that HDGAN helps or hurts: +2.0 points of macro Dice [-6.0, +10.0] over "
        "supervised on 16 labels (5 patients, 9 runs). A difference counts as evidence here from "
        "8.0 points on; the interval leaves a gain and a loss of 3.0 points possible. For 3.0 "
        "points to count it would take 18 patients, if they differ as these do."
    )


def test_no_evidence_for_want_of_runs_does_not_ask_for_patients() -> None:
    neither = changed(mean=0.02, low=-0.06, high=0.1, num_runs=2)

    said = verdict_sentence("HDGAN", neither, 16)

    assert "It is the runs that are too few or too unlike, not the patients" in said
    assert "it would take" not in said


def test_no_evidence_in_a_narrow_interval_says_that_a_gain_is_unlikely() -> None:
    neither = changed(mean=0.001, low=-0.01, high=0.012)

    assert verdict_sentence("HDGAN", neither, 16).endswith(
        "A difference counts as evidence here from 1.1 points on; the interval makes a gain or a "
        "loss of 3.0 points unlikely."
    )


@pytest.mark.parametrize(
    ("mean", "low", "high", "possible"),
    [
        (0.0175, -0.005, 0.04, "leaves a gain of 3.0 points possible"),
        (-0.0175, -0.04, 0.005, "leaves a loss of 3.0 points possible"),
        (0.0, -0.04, 0.04, "leaves a gain and a loss of 3.0 points possible"),
        (0.005, -0.01, 0.02, "makes a gain or a loss of 3.0 points unlikely"),
    ],
)
def test_a_difference_that_matters_is_called_unlikely_only_if_the_interval_leaves_it_out(
    mean: float, low: float, high: float, possible: str
) -> None:
    said = verdict_sentence("HDGAN", changed(mean=mean, low=low, high=high), 16)

    assert f"the interval {possible}" in said


@given(
    mean=st.floats(-0.2, 0.2),
    below=st.floats(0.0, 0.3),
    above=st.floats(0.0, 0.3),
)
def test_what_counts_as_evidence_is_never_less_than_a_difference_that_did_not(
    mean: float, below: float, above: float
) -> None:
    found = changed(mean=mean, low=mean - below, high=mean + above)
    if verdict_of(found) != "no evidence":
        assert abs(found.mean) >= counts_from(found)
        return
    assert counts_from(found) >= abs(found.mean) - 1e-12
    assert f"counts as evidence here from {100 * counts_from(found):.1f} points on" in (
        verdict_sentence("HDGAN", found, 16)
    )


def test_the_verdict_and_the_limits_of_a_result_say_the_same_number() -> None:
    """Once beside each other: "3.0 points suffice" and "6.3 points at best", of a usual spread."""
    found = changed(mean=0.001, low=-0.02, high=0.022, num_patients=6)

    verdict = verdict_sentence("HDGAN", found, 16)
    limits = " ".join(what_it_can_show(Design((16,), 3, 3), 6, found))

    assert "evidence here from 2.1 points on" in verdict
    assert "evidence from 2.1 points of macro Dice on" in limits
    assert "as usual" not in limits
    assert "6.3" not in limits


def test_one_run_is_said() -> None:
    said = verdict_sentence("HDGAN", changed(num_runs=1), 16)

    assert said.startswith("No evidence")
    assert "One run: the interval knows how patients differ" in said


def test_one_label_draw_has_no_verdict_and_does_not_say_what_it_would_have_seen() -> None:
    said = verdict_sentence("HDGAN", changed(num_draws=1, num_runs=3), 16, WORTH)

    assert said == (
        "No evidence that HDGAN helps or hurts: +3.1 points of macro Dice [+1.2, +5.0] over "
        "supervised on 16 labels (12 patients, 3 runs). One label draw: no verdict, since the "
        "interval does not know what other labels would have given."
    )


def test_one_patient_has_a_difference_without_interval() -> None:
    one = paired_difference(np.full((1, 3), 0.8), np.full((1, 3), 0.7), seed=0)

    assert verdict_sentence("HDGAN", one, 16) == (
        "No evidence that HDGAN helps or hurts: +10.0 points of macro Dice over supervised on 16 "
        "labels (1 patient, 3 runs). Too few patients for an interval: 1, it needs 2 at least."
    )


def test_without_a_score_that_is_all_there_is_to_say() -> None:
    nothing = np.full((2, 3), np.nan)

    said = verdict_sentence("HDGAN", paired_difference(nothing, nothing, seed=0), 16)

    assert said.endswith("no patient has a score in every run.")


def test_patients_left_out_are_counted() -> None:
    assert "(12 patients, 9 runs; 1 patient without a score left out)" in verdict_sentence(
        "HDGAN", changed(num_left_out=1), 16
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "16 labels with it are worth 41, 2.6 x [1.4, 4.9]"),
        ({"open_above": True}, "16 labels with it are worth 41, 2.6 x [1.4, over 4.9]"),
        ({"open_below": True}, "16 labels with it are worth 41, 2.6 x [below 1.4, 4.9]"),
        (
            {"bound": "more than", "labels": 256.0, "multiplier": 16.0, "low": 16.0, "high": 16.0},
            "16 labels with it are worth more than 256, more than 16.0 x",
        ),
    ],
)
def test_the_worth_of_labels_says_where_the_curve_ends(
    fields: dict[str, object], said: str
) -> None:
    assert worth_of_labels(dataclasses.replace(WORTH, **fields)) == said  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "that saves 374 minutes [186, 746]."),
        ({"open_above": True}, "that saves 374 minutes [186, over 746]."),
        ({"low": -8.0}, "that saves 374 minutes [-8, 746]; below 0 it costs more."),
        (
            {"bound": "more than", "low": 374.0, "high": 374.0, "open_above": True},
            "that saves at least 374 minutes.",
        ),
        (
            {"bound": "less than", "minutes": -30.0, "low": -30.0, "high": 4.0, "open_below": True},
            "that saves at most -30 minutes [below -30, 4]; below 0 it costs more.",
        ),
    ],
)
def test_minutes_come_with_their_interval_and_bounds_are_called_bounds(
    fields: dict[str, object], said: str
) -> None:
    saved = MinutesSaved(
        minutes_a_tile=10.0,
        spent=38.0,
        minutes=374.0,
        low=186.0,
        high=746.0,
        bound="exactly",
        open_above=False,
        open_below=False,
    )

    sentence = worth_in_minutes(dataclasses.replace(saved, **fields))  # type: ignore[arg-type]

    assert sentence == (
        "In work of annotators (10.0 minutes a tile, and 38 for the labels with it) " + said
    )


def test_an_unknown_worth_says_why_and_leaves_the_verdict_alone() -> None:
    unknown = label_equivalent([16], np.zeros((1, 3, 2)), np.zeros((3, 2)), 16, seed=0)

    assert worth_of_labels(unknown) == unknown.why_not
    assert verdict_sentence("HDGAN", DIFFERENCE, 16, unknown) == verdict_sentence(
        "HDGAN", DIFFERENCE, 16
    )
