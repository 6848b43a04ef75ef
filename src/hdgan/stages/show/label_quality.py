"""How good the labels of pairs are, as far as an evaluation of their classifier tells."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.pair_set import PairSet
from hdgan.errors import ArtifactError
from hdgan.report.page import PageTable, Section
from hdgan.stages.show.account import UNREADABLE, Look

NOT_MEASURED = (
    "not measured (hdgan evaluate CLASSIFIER ANNOTATIONS FOLDER measures it on annotated drawings)"
)
_IMAGES = {"sample-set": "annotated drawings", "tile-set": "annotated tiles"}
_DICE = "Dice is 2 x overlap / (true + predicted pixels)."


@dataclass(frozen=True)
class LabelQuality:
    """Scores of the classifier on annotated images."""

    images: int
    """How many it was tested on."""

    what: str
    """What these are."""

    dice: Mapping[str, float | None]
    """By class; None if a class is nowhere."""

    macro: float | None
    """Mean over the classes."""

    definition: str
    """Of the mean."""

    where: str = ""
    """The evaluation's folder, if the pairs themselves do not say how it went."""

    @property
    def sentence(self) -> str:
        """The scores in a row."""
        each = ", ".join(f"{name} {number(value)}" for name, value in self.dice.items())
        later = f", by {self.where}" if self.where else ""
        return f"Dice {number(self.macro)} ({each}) on {self.images:,} {self.what}{later}"


def quality_of(pairs: PairSet, look: Look) -> LabelQuality | None:
    """What the pairs say; if they say nothing, what an evaluation beside them says."""
    said = pairs.about.get("labels_quality")
    if said:
        return LabelQuality(
            int(said.get("images") or 0),
            _IMAGES.get(said.get("of"), "annotated images"),
            said.get("dice") or {},
            said.get("macro_dice"),
            said.get("definition") or "",
        )
    classifier = pairs.manifest.parents.get(ClassifierFolder.kind)
    found = [] if classifier is None else _evaluations(classifier, look)
    return max(found, key=lambda one: one.images, default=None)


def quality_section(quality: LabelQuality | None) -> Section:
    """The score of each class."""
    title = "How good are the labels?"
    if quality is None:
        return Section(title, f"Nobody knows: {NOT_MEASURED}.")
    text = (
        f"The classifier that labelled these pairs was tested on {quality.images:,} {quality.what}"
        f"{f' ({quality.where})' if quality.where else ''}, compared with their annotations. "
        "Nobody has checked the labels of the pairs themselves."
    )
    if quality.definition:
        text += f"\n\nThe mean over the classes is {quality.definition}."
    rows = [[name, number(value)] for name, value in quality.dice.items()]
    rows.append(["mean over the classes", number(quality.macro)])
    return Section(title, text, tables=[PageTable(_DICE, ["class", "Dice"], rows)])


def number(value: float | None) -> str:
    """A score with two digits."""
    return "-" if value is None or value != value else f"{value:.2f}"


def _evaluations(classifier: str, look: Look) -> list[LabelQuality]:
    """Those of what the classifier was not fitted to."""
    found = []
    for folder in look.beside.values():
        with suppress(ArtifactError, *UNREADABLE):
            manifest = Artifact.open(folder).manifest
            is_of_it = manifest.parents.get(ClassifierFolder.kind) == classifier
            if manifest.kind == Evaluation.kind and is_of_it:
                found += [_scores(folder.name, Evaluation.open(folder))]
    return [one for one in found if one is not None]


def _scores(name: str, evaluation: Evaluation) -> LabelQuality | None:
    settings: Mapping[str, Any] = evaluation.manifest.settings
    if settings.get("split") != "test":
        return None
    mean = evaluation.overall()[0]
    return LabelQuality(
        len(evaluation.images()),
        _IMAGES["sample-set"],
        {one.name: one.dice for one in evaluation.classes()},
        mean.value,
        mean.definition,
        name,
    )
