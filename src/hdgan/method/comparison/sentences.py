"""The verdict as a person would say it."""

from hdgan.method.comparison.difference import PairedDifference, Verdict, verdict_of
from hdgan.method.comparison.label_equivalent import MinutesSaved, Multiplier
from hdgan.method.comparison.power import MOST_PATIENTS, counts_from, patients_needed

WORTHWHILE = 0.03
"""The least gain in macro Dice that would make most users change how they work."""

POINT = (
    "A point is a hundredth of macro Dice: how far drawn and predicted tissue overlap, pooled in "
    "each patient, the mean over the classes annotated there, then over patients; 100 is perfect."
)
"""To stand beside sentences of verdicts; `score_definition` says it in full."""

NOT_CORRECTED = (
    "Every arm is compared with `supervised` on its own: of 20 arms that change nothing, one would "
    "be given a verdict by chance. Only the comparison that was chosen beforehand decides."
)
"""To stand above a table of several verdicts."""


_SAYS: dict[Verdict, str] = {
    "helps": "{arm} helps",
    "hurts": "{arm} hurts",
    "no evidence": "No evidence that {arm} helps or hurts",
}


def verdict_sentence(
    arm: str,
    difference: PairedDifference,
    count: int,
    multiplier: Multiplier | None = None,
    *,
    reference: str = "supervised",
    least: float = WORTHWHILE,
) -> str:
    """What was found, with its interval and what it rests on, in a few sentences.

    Without evidence it says from what size on a difference would have counted, whether `least` is
    possible, and how many patients it would take for that to count. `POINT` goes with it.

    Args:
        arm: as the reader calls it.
        difference: of the arm to the reference.
        count: labels that both have learned from.
        multiplier: what the arm's labels are worth; None leaves that out.
        reference: what the arm is compared with.
        least: the smallest gain that would matter, in Dice.
    """
    if difference.num_patients < 1:
        return f"{arm} against {reference} on {count} labels: no patient has a score in every run."
    verdict = verdict_of(difference)
    sentence = (
        f"{_SAYS[verdict].format(arm=arm)}: {_found(difference)} over {reference} on {count} "
        f"labels {_basis(difference)}"
    )
    if verdict == "no evidence":
        parts = [f"{sentence}.", difference.caveat, _what_it_would_take(difference, least)]
        return " ".join(part for part in parts if part)
    if multiplier is not None and not multiplier.why_not:
        sentence += f"; {worth_of_labels(multiplier)}"
    return f"{sentence}. {difference.caveat}".strip()


def worth_of_labels(multiplier: Multiplier) -> str:
    """What the labels are worth, as part of a sentence; or why that is unknown, as a sentence."""
    if multiplier.why_not:
        return multiplier.why_not
    bound = "" if multiplier.bound == "exactly" else f"{multiplier.bound} "
    worth = (
        f"{multiplier.at} labels with it are worth {bound}{multiplier.labels:.0f}, "
        f"{bound}{_times(multiplier.multiplier)} x"
    )
    if multiplier.low == multiplier.high:
        return worth
    low = f"{'below ' if multiplier.open_below else ''}{_times(multiplier.low)}"
    high = f"{'over ' if multiplier.open_above else ''}{_times(multiplier.high)}"
    return f"{worth} [{low}, {high}]"


def worth_in_minutes(saved: MinutesSaved) -> str:
    """What the labels are worth in work of annotators, as a sentence."""
    least = {"exactly": "", "more than": "at least ", "less than": "at most "}[saved.bound]
    words = (
        f"In work of annotators ({saved.minutes_a_tile:.1f} minutes a tile, and {saved.spent:.0f} "
        f"for the labels with it) that saves {least}{saved.minutes:.0f} minutes"
    )
    if saved.low < saved.high:
        low = f"{'below ' if saved.open_below else ''}{saved.low:.0f}"
        high = f"{'over ' if saved.open_above else ''}{saved.high:.0f}"
        words += f" [{low}, {high}]"
    return f"{words}; below 0 it costs more." if saved.low < 0 else f"{words}."


def _found(difference: PairedDifference) -> str:
    """The difference and, if there is one, its interval."""
    found = f"{_points(difference.mean)} points of macro Dice"
    if difference.num_patients < 2:
        return found
    return f"{found} [{_points(difference.low)}, {_points(difference.high)}]"


def _basis(difference: PairedDifference) -> str:
    """What the number is over."""
    left_out = ""
    if difference.num_left_out:
        left_out = f"; {_counted(difference.num_left_out, 'patient')} without a score left out"
    patients = _counted(difference.num_patients, "patient")
    return f"({patients}, {_counted(difference.num_runs, 'run')}{left_out})"


def _what_it_would_take(difference: PairedDifference, least: float) -> str:
    """From what size on a difference counts, whether one that matters is possible, and what next.

    Empty if there could be no verdict, however narrow the interval.
    """
    if not difference.is_decidable:
        return ""
    counts = f"A difference counts as evidence here from {100 * counts_from(difference):.1f} points"
    possible = " and ".join(
        sign
        for sign, is_possible in (
            ("a gain", difference.high >= least),
            ("a loss", difference.low <= -least),
        )
        if is_possible
    )
    if not possible:
        return (
            f"{counts} on; the interval makes a gain or a loss of {100 * least:.1f} points "
            "unlikely."
        )
    return (
        f"{counts} on; the interval leaves {possible} of {100 * least:.1f} points possible. "
        f"{_what_would_narrow(difference, least)}"
    )


def _what_would_narrow(difference: PairedDifference, least: float) -> str:
    """Whether patients or runs are wanting."""
    needed = patients_needed(difference, least)
    if needed > difference.num_patients:
        many = "a million patients or more" if needed >= MOST_PATIENTS else f"{needed} patients"
        return (
            f"For {100 * least:.1f} points to count it would take {many}, if they differ as "
            "these do."
        )
    if counts_from(difference) > least:
        return (
            "It is the runs that are too few or too unlike, not the patients: more label draws "
            "would narrow it."
        )
    return "More patients and more label draws would narrow it."


def _times(multiplier: float) -> str:
    """With as many digits as say something."""
    return f"{multiplier:.2f}" if multiplier < 1 else f"{multiplier:.1f}"


def _points(dice: float) -> str:
    """Of a difference, with its sign."""
    return f"{100 * dice:+.1f}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
