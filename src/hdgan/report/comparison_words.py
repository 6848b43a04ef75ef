"""What the arms of a comparison are, in words, and what no comparison can show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ArmWords:
    """An arm as a reader meets it."""

    title: str
    """In tables and sentences."""

    explanation: str
    """How it comes to its segmenter."""

    source: str
    """Where it comes from."""


WORDS: Mapping[str, ArmWords] = {
    "supervised": ArmWords(
        "supervised",
        "a U-Net, trained on the annotated real tiles alone, with flips, turns and stain jitter",
        "Ronneberger et al. 2015",
    ),
    "frozen-features": ArmWords(
        "frozen features",
        "the features of a frozen encoder at each pixel of the annotated real tiles, and small "
        "perceptrons on them: HDGAN's classifier without a generator",
        "the rival that DatasetDDPM (Baranchuk et al. 2022) names for DatasetGAN",
    ),
    "random-forest": ArmWords(
        "random forest",
        "filter responses at each pixel and a random forest, as QuPath and ilastik do",
        "Breiman 2001; Berg et al. 2019 (ilastik)",
    ),
    "mean-teacher": ArmWords(
        "Mean Teacher",
        "the U-Net also agrees, on unlabelled tiles, with a moving average of itself",
        "Tarvainen and Valpola 2017",
    ),
    "fixmatch": ArmWords(
        "FixMatch",
        "the U-Net also learns, on strongly changed unlabelled tiles, what it is sure of on "
        "weakly changed ones",
        "Sohn et al. 2020",
    ),
    "pseudo-label": ArmWords(
        "pseudo-labels",
        "the U-Net also learns its own predictions on unlabelled tiles",
        "Lee 2013",
    ),
    "transformation-consistency": ArmWords(
        "transformation consistency",
        "the U-Net also agrees with its teacher on turned unlabelled tiles",
        "Li et al. 2018",
    ),
    "mixmatch": ArmWords(
        "MixMatch",
        "labelled and unlabelled tiles are mixed, the latter with sharpened guesses",
        "Berthelot et al. 2019",
    ),
    "hdgan": ArmWords(
        "HDGAN",
        "annotated drawings of a generator teach a classifier, which labels further drawings; the "
        "U-Net learns from these pairs alone and never sees a real label",
        "Rizvi et al. (Histopathology DatasetGAN), with this program's defaults",
    ),
    "hdgan-paper": ArmWords(
        "HDGAN as published",
        "the same, with the classifier of the paper (`--preset paper`)",
        "Rizvi et al. (Histopathology DatasetGAN)",
    ),
    "hdgan+real": ArmWords(
        "HDGAN and real labels",
        "half of the labels on drawings, half on real tiles; the U-Net sees pairs and tiles "
        "equally often",
        "Rizvi et al., mixed",
    ),
    "hdgan-fixmatch": ArmWords(
        "HDGAN with FixMatch",
        "FixMatch whose labelled images are pairs, and whose unlabelled images are real tiles",
        "Rizvi et al.; Sohn et al. 2020",
    ),
    "all-labels": ArmWords(
        "all labels",
        "the supervised U-Net on every annotated tile of the training folds: what more annotation "
        "would give",
        "the ceiling",
    ),
}
"""By the name that the command line has."""


def title_of(arm: str) -> str:
    """An arm as a reader calls it."""
    return WORDS[arm].title if arm in WORDS else arm


def limits_of(arms: Sequence[str], *, knows_generators: bool) -> list[str]:
    """What a comparison of these arms cannot show, a sentence or two each.

    Args:
        arms: by name.
        knows_generators: whether the generators of the drawings say which of the tested tiles
            they have learned from.
    """
    limits = [
        "It holds for tissue like these patients': another centre, stain or scanner may answer "
        "otherwise.",
        "Every label counts the same, whether on a tile or on a drawing. If one takes longer to "
        "paint than the other, weigh the numbers of labels by the minutes.",
    ]
    if not any(arm.startswith("hdgan") for arm in arms):
        return limits
    limits.append(
        "Annotated drawings are taken from all that there are; who annotated them, and how well, "
        "is part of the result. The cost of training the generator is not counted."
    )
    if not knows_generators:
        limits.append(
            "A generator was trained on other tiles than those tested on. Whether it has seen the "
            "same patients there, nobody can check: make sure of it."
        )
    return limits
