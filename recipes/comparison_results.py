"""The tables of a comparison as Markdown.

usage: comparison_results.py COMPARISON [--no-verdict]    (a folder that `hdgan compare` made)

`--no-verdict` leaves out every verdict, and the sentences about it, where images are not patients.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from hdgan.artifacts.comparison import ArmText, Comparison, ComparisonText, IntervalText


def row(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def percent(value: float | None) -> str:
    """Per cent with one digit."""
    return "-" if value is None else f"{100 * value:.1f}"


def interval(found: IntervalText, *, signed: bool = False) -> str:
    """A mean and its interval, per cent."""
    if found.mean is None:
        return "-"
    mean = f"{100 * found.mean:+.1f}" if signed else percent(found.mean)
    if found.low is None or found.high is None:
        return f"{mean} (no interval)"
    ends = [f"{100 * end:+.1f}" if signed else percent(end) for end in (found.low, found.high)]
    return f"{mean} ({ends[0]} to {ends[1]})"


def scores_table(
    text: ComparisonText, classes: Sequence[str], *, verdicts: bool = True
) -> list[str]:
    """A row an arm and number of labels."""
    header = ["arm", "labels", "macro Dice", "against supervised", *classes, "CPU s"]
    lines = [row(header), "|---" * len(header) + "|"]
    return [*lines, *(_scores_row(text, arm, classes, verdicts=verdicts) for arm in text.arms)]


def _scores_row(
    text: ComparisonText, arm: ArmText, classes: Sequence[str], *, verdicts: bool
) -> str:
    difference = text.difference(arm.arm, "supervised", arm.count)
    against = "" if difference is None else interval(difference.difference, signed=True)
    if difference is not None and verdicts:
        against += f", {difference.verdict}"
    cells = [f"`{arm.arm}`", "all" if arm.count is None else str(arm.count), interval(arm.score)]
    cells += [against, *(percent(arm.classes[name]) for name in classes)]
    return row([*cells, "-" if arm.cpu_seconds is None else f"{arm.cpu_seconds:.0f}"])


def main(folder: Path, *, verdicts: bool = True) -> None:
    """Print the verdict and the table."""
    comparison = Comparison.open(folder)
    text = comparison.text
    if verdicts:
        print("\n\n".join([*text.sentences, *text.doubts]) + "\n")
    print(f"{text.definition}\n")
    print("\n".join(scores_table(text, comparison.class_map.names, verdicts=verdicts)))
    if verdicts and text.multiplier is not None:
        print(f"\n{text.multiplier.sentence}")
    said = [*text.cannot_show, *text.left_out] if verdicts else text.left_out
    print("\n" + "\n".join(f"- {line}" for line in said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), verdicts="--no-verdict" not in sys.argv[2:])
