"""Which tile to paint next: the one that teaches most."""

from collections.abc import Mapping, Sequence

from hdgan.web.tiles import ShownTile


def most_teaching(waiting: Sequence[ShownTile], scores: Mapping[str, float]) -> tuple[str, str]:
    """The tile of which least is known, and how that is known, as a sentence.

    Args:
        waiting: tiles that nobody has painted on, at least one.
        scores: how unsure a predictor is of each tile that it has looked at.
    """
    looked_at = {tile.tile: scores[tile.tile] for tile in waiting if tile.tile in scores}
    if looked_at:
        best = max(looked_at, key=lambda name: looked_at[name])
        return best, (
            f"Of {len(looked_at)} tiles looked at so far, its prediction is the least certain: it "
            "teaches most."
        )
    uncertain = [tile for tile in waiting if tile.uncertainty is not None]
    if uncertain:
        best = max(uncertain, key=lambda tile: tile.uncertainty or 0.0).tile
        return best, "The classifier was least certain of it when it was drawn."
    suggested = [tile for tile in waiting if tile.suggested is not None]
    if suggested:
        best = min(suggested, key=lambda tile: tile.suggested or 0).tile
        return best, "It is the next of those suggested."
    return waiting[0].tile, "It is the next in the table."
