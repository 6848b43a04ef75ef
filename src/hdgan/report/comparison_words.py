"""What the arms of a comparison are, in words, and what no comparison can show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hdgan.artifacts.comparison import ComparisonText
from hdgan.settings.train_segmenter import PIXEL_METHODS


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
        "Rizvi et al. (Histopathology DatasetGAN), with this program's classifier",
    ),
    "hdgan-paper": ArmWords(
        "HDGAN with the paper's classifier",
        "as HDGAN, with the classifier as published (`--preset paper`); pairs and U-Net are this "
        "program's",
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


def explanation_of(text: ComparisonText, arm: str) -> str:
    """How an arm comes to its segmenter, and what was changed in it here."""
    changed = text.changed.get(arm)
    return WORDS[arm].explanation + (f"; here {changed}" if changed else "")


def training_of(arms: Sequence[str]) -> str:
    """What the trainings of the arms that are compared have in common."""
    stepless = [title_of(arm) for arm in dict.fromkeys(arms) if arm in PIXEL_METHODS]
    if not stepless:
        return "Both have the same network and the same number of steps."
    has = "has" if len(stepless) == 1 else "have"
    learns = "learns" if len(stepless) == 1 else "learn"
    others = "" if len(stepless) == len({*arms}) else ", the other is a U-Net"
    return (
        f"They differ in more than what they learn from: {' and '.join(stepless)} {has} no U-Net "
        f"and {learns} until done, without a number of steps{others}."
    )


def unseen_patients(arms: Sequence[str], *, knows_generators: bool) -> str:
    """Whether anything has been learned from the patients of the test, to follow a comma.

    Args:
        arms: by name.
        knows_generators: as for `limits_of`.
    """
    if knows_generators or not any(arm.startswith("hdgan") for arm in arms):
        return "of whom nothing had been learned"
    return "of whom no segmenter had learned anything; whether the generator had, nobody can check"


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
    limits.append(
        "One generator for each test fold: another training of it may give better or worse pairs, "
        "and no interval allows for that luck."
    )
    if not knows_generators:
        limits.append(
            "A generator was trained on other tiles than those tested on. Whether it has seen the "
            "same patients there, nobody can check: make sure of it."
        )
    return limits
