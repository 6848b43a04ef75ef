"""Signs that the networks of a comparison have not learned what they could."""

from collections.abc import Mapping

from hdgan.report.comparison_words import title_of

NO_GAIN = 0.01
"""More labels that gain less macro Dice than this gain nothing."""

FAR = 0.05
"""An arm that is so much macro Dice above another is in another league."""

CEILING = "all-labels"


def doubts(scores: Mapping[tuple[str, int | None], float]) -> list[str]:
    """What makes a comparison doubtful as a whole, a sentence each; empty if nothing does.

    Args:
        scores: mean macro Dice by arm and number of labels, None for all there are.
    """
    ceiling = scores.get((CEILING, None))
    if ceiling is None:
        return []
    supervised = {count: score for (arm, count), score in scores.items() if arm == "supervised"}
    fewest = min((count for count in supervised if count is not None), default=None)
    found = []
    if fewest is not None and ceiling - supervised[fewest] < NO_GAIN:
        found.append(
            f"Doubtful: with all labels the U-Net reaches {100 * ceiling:.1f}, with "
            f"{fewest} of them {100 * supervised[fewest]:.1f}. It has learned nothing from the "
            "rest; train longer (--steps) before you conclude anything."
        )
    others = {key: score for key, score in scores.items() if key[0] != CEILING}
    (arm, count), best = max(others.items(), key=lambda item: item[1], default=(("", 0), 0.0))
    if best - ceiling > FAR:
        found.append(
            f"Doubtful: {title_of(arm)} with {count} labels is {100 * (best - ceiling):.1f} points "
            "better than the U-Net with all of them, so the U-Nets were trained too short for this "
            "tissue (--steps) or do not suit it."
        )
    return found
