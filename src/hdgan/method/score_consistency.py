"""Whether printed scores can all be true: what is said of classes, and of all classes together.

Every relation is one of pixels that are counted once, in one confusion matrix.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hdgan.method.printed_scores import ANY, ScoreTable
from hdgan.method.score_means import checked_means
from hdgan.method.score_relations import TITLES, Check, Outcome, pairs, predicted_pixels
from hdgan.method.score_saturation import unsaturated

_HARM: dict[Outcome, int] = {"holds": 0, "conditional": 1, "fails": 2}


@dataclass(frozen=True)
class Consistency:
    """All relations together."""

    checks: list[Check]
    """Those that could be checked."""

    explanation: str = ""
    """What may have happened; empty where nothing fails."""

    @property
    def verdict(self) -> str:
        """In a few words."""
        outcomes = {check.outcome for check in self.checks}
        if "fails" in outcomes:
            return "cannot all be true"
        if "conditional" in outcomes:
            return "can all be true, but not as counts of all pixels in one whole table"
        return "can all be true" if outcomes else "nothing to check: no two numbers are related"


def consistency(table: ScoreTable) -> Consistency:
    """Check every relation between the numbers of a table."""
    of_classes = [*pairs(table.classes), *predicted_pixels(table.classes)]
    checks = [*_ranges(table), *of_classes, *checked_means(table)]
    explanation = _saturation(table)
    if not explanation and _harm(checks) == _HARM["fails"]:
        explanation = _guesses(checks, table)
    return Consistency(checks, explanation)


def _harm(checks: Sequence[Check]) -> int:
    return max((_HARM[check.outcome] for check in checks), default=0)


def _ranges(table: ScoreTable) -> Iterator[Check]:
    numbers = [
        (f"{TITLES[measure]} of {row.name}", value)
        for row in table.classes
        for measure, value in row.scores.items()
    ] + [(summary.name, summary.value) for summary in table.summaries]
    outside = [(name, value) for name, value in numbers if not value.could_be.meets(ANY)]
    for name, value in outside:
        yield Check("fails", f"{name} is {value.text}, which is not between 0 and 1")
    if numbers and not outside:
        yield Check("holds", f"all {len(numbers)} scores lie between 0 and 1")


def _saturation(table: ScoreTable) -> str:
    """Whether counts in single precision explain what fails; empty if they do not."""
    undone = unsaturated(table.classes)
    if not undone.changed:
        return ""
    after = replace(table, classes=undone.rows)
    harms = [_harm([*pairs(each.classes), *checked_means(each)]) for each in (table, after)]
    if harms[1] >= harms[0] or harms[1] == _HARM["fails"]:
        return ""
    recalls = ", ".join(
        f"{row.name} {row.scores['recall'].text}"
        for row in undone.rows
        if row.name in undone.changed
    )
    less = "nothing fails any more" if harms[0] == _HARM["fails"] else "all fits"
    return (
        "counters in single precision would explain it: they stick at 16,777,216. Undone, the "
        f"recall is {recalls}, and {less}. That is consistent with such counters, "
        "and no proof of them"
    )


def _guesses(checks: Sequence[Check], table: ScoreTable) -> str:
    """What else happens."""
    guesses = ["a slip of the pen", "numbers of different images or runs in one table"]
    if any(
        check.outcome == "fails" and "does not fit the classes" in check.says for check in checks
    ):
        guesses.append("a mean of another kind than its name says, or of other classes")
        if not all(row.pixels for row in table.classes):
            guesses.append(
                "counters in single precision, which stick at 16,777,216 (with a column of pixels "
                "this is checked)"
            )
    guesses.append("classes that are absent from an image counted as found")
    return "what may have happened: " + "; ".join(guesses)
