"""Scores that lie beside what they are of."""

from collections.abc import Sequence
from contextlib import suppress

from hdgan.artifacts.artifact import Artifact
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.image_quality import ImageQualityFolder, QualityText
from hdgan.errors import ArtifactError
from hdgan.pipeline import Fact
from hdgan.report.page import PageTable
from hdgan.stages.show.account import UNREADABLE, Look

_HEADLINE = "Dice, macro"


def evaluations_of(predictor: Artifact, look: Look) -> dict[str, Fact]:
    """How a classifier or a segmenter was scored, by each evaluation beside it."""
    facts: dict[str, Fact] = {}
    for evaluation in look.children(predictor, Evaluation):
        try:
            scores, images = evaluation.overall(), evaluation.images()
        except (ArtifactError, *UNREADABLE):
            continue  # it is another artifact, and not what is asked for
        value = next((score.value for score in scores if score.name == _HEADLINE), float("nan"))
        said = f"{_HEADLINE} {value:.4f} on {len(images):,} images"
        facts[f"scored in {evaluation.folder.name}"] = said
    return facts


def qualities_of(generator: Artifact, look: Look) -> dict[str, QualityText]:
    """How a generator was scored, by the name of each folder of scores beside it."""
    found = {}
    for quality in look.children(generator, ImageQualityFolder):
        with suppress(ArtifactError):
            found[quality.folder.name] = quality.text
    return found


def quality_facts(text: QualityText) -> dict[str, Fact]:
    """How close drawings come to real tiles, in a few numbers."""
    facts: dict[str, Fact] = {}
    for name in ("kid", "fid", "precision", "recall"):
        if name in text.scores:
            floor = "" if text.floor is None else f" (held-out real tiles: {text.floor[name]:.4f})"
            facts[name if name in ("precision", "recall") else name.upper()] = (
                f"{text.scores[name]:.4f}{floor}"
            )
    if text.kid_ratio is not None:
        facts["KID / noise floor"] = f"{text.kid_ratio:.1f} (1: as close as other real tissue)"
    for name, distance in text.nearest.items():
        facts[f"nearest training crop, {name}"] = f"{distance:.4f}"
    return facts


def quality_table(text: QualityText) -> PageTable:
    """Every score with its noise floor and definition."""
    rows = [
        [
            name.replace("_", " "),
            f"{value:.4f}",
            "-" if text.floor is None else f"{text.floor[name]:.4f}",
            text.definitions.get(name, ""),
        ]
        for name, value in text.scores.items()
    ]
    header = ["score", "drawings", "noise floor", "definition"]
    caption = (
        f"{text.num_images:,} drawings and as many real crops, in the features of {text.encoder}. "
        f"Noise floor: {text.definitions.get('noise floor', 'other real tissue')}."
    )
    return PageTable(caption, header, rows)


def texts(values: Sequence[object]) -> str:
    """Values in a row, as a person writes them."""
    return ", ".join(map(str, values))
