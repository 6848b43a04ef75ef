"""Which split each annotated tile is for, and what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hdgan.artifacts.annotation_history import Mark
from hdgan.artifacts.annotation_set import SPLITS, Split
from hdgan.method.splitting import dealt_to_splits


@dataclass(frozen=True)
class Outlook:
    """What finishing would write."""

    painted: list[str]
    """Tiles that are painted and not rejected."""

    counts: dict[Split, int]
    """How many of them each split has."""

    problems: list[str]
    """What a person may want to mend first, a sentence each."""


def dealt_tiles(
    names: Sequence[str], marks: Mapping[str, Mark], goal: Mapping[Split, int]
) -> dict[str, Split]:
    """A split for each of these tiles that has none, so that the goal is met.

    What exceeds the goal is dealt in its proportions.

    Args:
        names: the tiles.
        marks: what was decided before.
        goal: how many tiles each split should have; empty for tiles that have folds.
    """
    has = [marks.get(name, Mark()).split for name in names]
    without = [name for name, split in zip(names, has, strict=True) if split is None]
    if not (without and goal):
        return {}
    missing = [max(0, goal[split] - has.count(split)) for split in SPLITS]
    num_missing = min(len(without), sum(missing))
    parts = dealt_to_splits(num_missing, missing, seed=0) if num_missing else []
    further = [goal[split] for split in SPLITS]
    parts += dealt_to_splits(len(without) - num_missing, further, seed=1)
    return {name: SPLITS[part] for name, part in zip(without, parts, strict=True)}


def problems_with(
    painted: list[str], unpainted: list[str], counts: Mapping[Split, int], num_dealt: int
) -> list[str]:
    """What a person may want to mend before finishing."""
    problems = []
    if not painted:
        problems.append("Nothing is painted yet.")
    if unpainted:
        some = ", ".join(unpainted[:5]) + (", ..." if len(unpainted) > 5 else "")
        problems.append(
            f"Tiles that you keep, but that are not painted, will be left out: {some} "
            f"({len(unpainted)} in all)."
        )
    if num_dealt:
        problems.append(
            f"Painted tiles that have no split yet will be dealt to one: {num_dealt} in all."
        )
    empty = [split for split, count in counts.items() if painted and not count]
    if empty:
        problems.append(f"No painted tile is for {' or '.join(empty)}.")
    return problems
