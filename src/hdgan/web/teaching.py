"""Which tile to paint next: the one that teaches most."""

import math
from collections.abc import Mapping, Sequence

from hdgan.web.tiles import ShownTile

Reason = tuple[str, str]
"""A tile, and why it comes now, as a sentence."""


def by_teaching(waiting: Sequence[ShownTile], scores: Mapping[str, float]) -> list[Reason]:
    """The tiles, those of which least is known first.

    First those that a predictor has looked at, the least certain first; then those of which a
    classifier was unsure when they were drawn; then those suggested; then the others.

    Args:
        waiting: tiles that nobody has painted on, in the order of the table.
        scores: how unsure a predictor is of each tile that it has looked at.
    """
    num_seen = sum(tile.tile in scores for tile in waiting)

    def rank(tile: ShownTile) -> tuple[float, float, float]:
        seen, drawn, place = scores.get(tile.tile), tile.uncertainty, tile.suggested
        return (
            math.inf if seen is None else -seen,
            math.inf if drawn is None else -drawn,
            math.inf if place is None else float(place),
        )

    def why(tile: ShownTile) -> str:
        if tile.tile in scores:
            return (
                f"The less certain its prediction, the sooner a tile comes; {num_seen} of "
                f"{len(waiting)} waiting have been looked at so far."
            )
        if tile.uncertainty is not None:
            return "The classifier was least certain of it when it was drawn."
        return "It is the next in the table." if tile.suggested is None else "It is suggested."

    return [(tile.tile, why(tile)) for tile in sorted(waiting, key=rank)]


def following(ranked: Sequence[Reason], after: str | None) -> Reason | None:
    """The one after a tile, or the first if that tile is not among them; None if nothing is left.

    Who skips tiles so comes to every one of them.
    """
    names = [name for name, _ in ranked]
    place = names.index(after) + 1 if after in names else 0
    found = ranked[place % len(ranked)] if ranked else None
    return None if found is None or found[0] == after else found
