"""The arms: what each learns from and how, and which of them the inputs allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from hdgan.artifacts.encoder_file import INSTALLED, read_encoder
from hdgan.errors import EncoderError, SettingsError
from hdgan.method.classifier_presets import recipe_of
from hdgan.settings.compare import ARMS, NEED_DRAWINGS, NOT_BY_DEFAULT, Arm, CompareSettings
from hdgan.settings.train_classifier import ClassifierPreset, TrainClassifierSettings
from hdgan.settings.train_segmenter import SegmenterMethod

Labels = Literal["tiles", "drawings", "both", "all"]
"""Where an arm's human labels are: on real tiles, on drawings, half on each, or on all tiles."""


@dataclass(frozen=True)
class Recipe:
    """How an arm makes its segmenter."""

    method: SegmenterMethod
    """Of `train-segmenter`."""

    labels: Labels = "tiles"
    """Where its labels are."""

    preset: ClassifierPreset = "default"
    """Of the classifier that labels its pairs, if it has any."""

    uses_unlabelled: bool = False
    """Whether it also learns from the tiles of the training folds without their labels."""

    @property
    def has_pairs(self) -> bool:
        """Whether it learns from pairs."""
        return self.labels in ("drawings", "both")

    def num_drawings(self, count: int) -> int:
        """How many of its labels are on drawings."""
        return {"drawings": count, "both": count // 2}.get(self.labels, 0)

    def num_tiles(self, count: int) -> int:
        """How many of its labels are on real tiles."""
        return {"tiles": count, "both": count - count // 2}.get(self.labels, 0)


RECIPES: Mapping[Arm, Recipe] = {
    "supervised": Recipe("supervised"),
    "frozen-features": Recipe("frozen-features"),
    "random-forest": Recipe("random-forest"),
    "mean-teacher": Recipe("mean-teacher", uses_unlabelled=True),
    "fixmatch": Recipe("fixmatch", uses_unlabelled=True),
    "pseudo-label": Recipe("pseudo-label", uses_unlabelled=True),
    "transformation-consistency": Recipe("transformation-consistency", uses_unlabelled=True),
    "mixmatch": Recipe("mixmatch", uses_unlabelled=True),
    "hdgan": Recipe("supervised", "drawings"),
    "hdgan-paper": Recipe("supervised", "drawings", "paper"),
    "hdgan+real": Recipe("supervised", "both"),
    "hdgan-fixmatch": Recipe("fixmatch", "drawings", uses_unlabelled=True),
    "all-labels": Recipe("supervised", "all"),
}


@dataclass(frozen=True)
class ChosenArms:
    """What is compared."""

    arms: tuple[Arm, ...]
    """In their usual order."""

    left_out: list[str]
    """Which could have been, and why they are not; a sentence each."""


def chosen_arms(
    settings: CompareSettings, encoder: Path | None, *, has_drawings: bool
) -> ChosenArms:
    """The arms that are asked for, or all that can be run.

    Raises:
        SettingsError: one that is asked for cannot be run, or something is given that none uses.
    """
    wanted = settings.arms or tuple(arm for arm in ARMS if arm not in NOT_BY_DEFAULT)
    hindered = {
        arm: reason
        for arm in ARMS
        if arm in wanted and (reason := _hindrance(arm, encoder, has_drawings=has_drawings))
    }
    named = [arm for arm in (settings.arms or ()) if arm in hindered]
    if named:
        raise SettingsError(f"The arm {named[0]} cannot be run: {hindered[named[0]]}")
    arms = tuple(arm for arm in ARMS if arm in wanted and arm not in hindered)
    left_out = [f"{arm}: {reason}" for arm, reason in hindered.items()]
    if encoder is not None and "frozen-features" not in arms:
        why = hindered.get("frozen-features", "--arms does not name frozen-features, which does.")
        raise SettingsError(f"--encoder is given, but no arm reads it: {why}")
    if has_drawings and not any(arm in NEED_DRAWINGS for arm in arms):
        raise SettingsError(
            "--annotated-samples is given, but no arm learns from drawings. Leave it out, or name "
            f"one of these with --arms: {', '.join(NEED_DRAWINGS)}."
        )
    if settings.arms is None:
        left_out.append(f"{', '.join(NOT_BY_DEFAULT)}: they run only if --arms names them.")
    return ChosenArms(arms, left_out)


def changes_of(settings: CompareSettings, arms: tuple[Arm, ...]) -> dict[str, str]:
    """In what the classifier of an arm differs from its preset, by arm; nothing if in nothing."""
    changes = {}
    for arm in arms:
        preset = recipe_of(TrainClassifierSettings(preset=RECIPES[arm].preset))
        numbers = (
            ("steps", settings.classifier_steps, preset.plan.steps),
            ("perceptrons", settings.classifier_members, preset.num_members),
        )
        words = [
            f"{given} {what} instead of {usual}"
            for what, given, usual in numbers
            if given not in (None, usual)
        ]
        if RECIPES[arm].has_pairs and words:
            changes[str(arm)] = f"its classifier has {' and '.join(words)}"
    return changes


def candidate_of(settings: CompareSettings, arms: tuple[Arm, ...]) -> Arm:
    """The arm that the verdict is about.

    Raises:
        SettingsError: it or the reference is not run, or nothing is there to be compared.
    """
    if settings.reference not in arms:
        raise SettingsError(
            f"--reference is {settings.reference}, which is not run. Choose one of {_listed(arms)}."
        )
    if settings.candidate is not None:
        if settings.candidate not in arms:
            raise SettingsError(
                f"--candidate is {settings.candidate}, which is not run"
                f"{_needs(settings.candidate)}. Choose one of {_listed(arms)}."
            )
        return settings.candidate
    others = [arm for arm in arms if arm not in (settings.reference, "all-labels")]
    if not others:
        raise SettingsError(
            f"There is nothing to compare {settings.reference} with. Name more --arms, or give "
            "annotated drawings with --annotated-samples."
        )
    usual = [arm for arm in ("hdgan", "fixmatch") if arm in others]
    return next((arm for arm in others if arm in usual[:1]), others[0])


def _hindrance(arm: Arm, encoder: Path | None, *, has_drawings: bool) -> str:
    """Why an arm cannot be run; empty if it can."""
    if arm in NEED_DRAWINGS and not has_drawings:
        return "it needs annotated drawings of a generator. Give them with --annotated-samples."
    if arm == "random-forest" and find_spec("sklearn") is None:
        return 'it needs scikit-learn. Install it with: pip install "hdgan[compare]"'
    if arm == "frozen-features":
        try:
            read_encoder(encoder or Path(INSTALLED))
        except EncoderError as error:
            return f"it has no encoder. {error}"
    return ""


def _needs(arm: Arm) -> str:
    return " without --annotated-samples" if arm in NEED_DRAWINGS else ""


def _listed(arms: tuple[Arm, ...]) -> str:
    return ", ".join(arms) or "those that --arms may name"
