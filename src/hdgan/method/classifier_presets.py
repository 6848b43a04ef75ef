"""From a user's choices to an ensemble and a plan to fit it (section V; `method.md`, table 1)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hdgan.method.context_fitting import ContextPlan
from hdgan.method.decision import Decision
from hdgan.method.fitting import FittingPlan
from hdgan.settings.train_classifier import ClassifierPreset, TrainClassifierSettings


@dataclass(frozen=True)
class Recipe:
    """Everything that a preset decides."""

    plan: FittingPlan
    num_blocks: int | None
    """Last blocks whose features are read; None reads all, or half."""
    num_members: int
    num_normalised: int
    dropout: float
    scales: bool
    """Whether features are scaled to mean 0 and deviation 1 over the training images."""
    decision: Decision
    widths: tuple[int, int] = (128, 32)
    reads_half: bool = False
    """Whether the later half of the blocks is read, where `num_blocks` says nothing."""
    has_context: bool = False
    """Whether a context head reads what lies around each pixel, and the ensemble reads the head."""
    is_linear: bool = False
    """Whether a linear probe takes the ensemble's place: one layer, fitted at once to the pixels of
    one step."""

    @property
    def context_plan(self) -> ContextPlan:
        """How the head is fitted: in two thirds of the ensemble's steps, but no more than 400."""
        return ContextPlan(steps=min(400, -(-2 * self.plan.steps // 3)), seed=self.plan.seed)

    def for_blocks(self, total: int) -> "Recipe":
        """The recipe for a generator of so many blocks."""
        if not self.reads_half:
            return self
        return replace(self, num_blocks=(total + 1) // 2, reads_half=False)

    def widths_for(self, num_classes: int) -> tuple[int, int]:
        """Widths of the hidden layers: doubled and more from 32 classes on, as in DatasetGAN."""
        return (256, 128) if num_classes >= 32 else self.widths


_PRESETS: dict[ClassifierPreset, Recipe] = {
    "default": Recipe(
        plan=FittingPlan(600, 512, "adam", 3e-3, decays=True),
        num_blocks=None,
        reads_half=True,
        num_members=10,
        num_normalised=2,
        dropout=0.3,
        scales=True,
        decision="mean",
        has_context=True,
    ),
    "linear": Recipe(
        plan=FittingPlan(1, 20_000, "adam", 1.0),
        num_blocks=None,
        num_members=1,
        num_normalised=0,
        dropout=0.0,
        scales=True,
        decision="mean",
        is_linear=True,
    ),
    "paper": Recipe(
        plan=FittingPlan(6000, 1024, "sgd", 1e-4),
        num_blocks=5,
        num_members=10,
        num_normalised=2,
        dropout=0.3,
        scales=True,
        decision="mean",
    ),
    "authors-code": Recipe(
        plan=FittingPlan(
            1000,
            65536,
            "sgd",
            1e-4,
            momentum=0.9,
            label_smoothing=0.1,
            feature_noise=0.1,
            class_mix="balanced",
        ),
        num_blocks=3,
        num_members=1,
        num_normalised=1,
        dropout=0.3,
        scales=True,
        decision="mean",
    ),
    "datasetgan": Recipe(
        plan=FittingPlan(5000, 64, "adam", 1e-3),
        num_blocks=None,
        num_members=10,
        num_normalised=2,
        dropout=0.0,
        scales=False,
        decision="vote",
    ),
}


def recipe_of(settings: TrainClassifierSettings) -> Recipe:
    """The preset with the user's own choices put in."""
    preset = _PRESETS[settings.preset]
    plan = replace(preset.plan, seed=settings.seed, **_given(settings, _OF_PLAN))
    if settings.class_weights is not None:
        plan = replace(plan, class_mix=settings.class_weights)
    recipe = replace(preset, plan=plan, **_given(settings, _OF_ENSEMBLE))
    if settings.context is not None:
        recipe = replace(recipe, has_context=settings.context)
    if settings.num_blocks is not None:
        recipe = replace(recipe, num_blocks=settings.num_blocks or None, reads_half=False)
    return recipe


_OF_PLAN = ("steps", "batch", "optimizer", "learning_rate", "class_mix", "label_smoothing")
_OF_ENSEMBLE = ("num_members", "num_normalised", "dropout")


def _given(settings: TrainClassifierSettings, names: Sequence[str]) -> dict[str, Any]:
    """What the user chose of these."""
    return {name: getattr(settings, name) for name in names if getattr(settings, name) is not None}
