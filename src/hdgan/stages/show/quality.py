"""Scores of a generator: how close its drawings come to real tiles."""

from hdgan.artifacts.image_quality import CLOSEST, DISTANCES, NEAREST, ImageQualityFolder
from hdgan.artifacts.images import rgb_of
from hdgan.pipeline import Fact
from hdgan.report.artifact_page_layers import photo, svg_uri
from hdgan.report.page import PageFigure, PageTable, Section
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.scores import quality_facts, quality_table, texts

_MAX_PX = 1600
"""Longer side of a picture of the artifact."""

_CAPTIONS = {
    DISTANCES: "How far drawings are from the nearest training crop, and how far real crops that "
    "the generator never saw are from it. Copies would lie far to the left.",
    CLOSEST: "The drawings that come nearest to a training crop, the nearest first.",
    NEAREST: "Drawings (left) and the real training crops that are nearest to each.",
}


def account_of(quality: ImageQualityFolder, _: Look) -> Account:
    """What the scores say.

    Raises:
        DamagedArtifactError: they cannot be understood.
    """
    text = quality.text
    facts: dict[str, Fact] = {
        **quality_facts(text),
        "drawings": f"{text.num_images:,} at truncation {text.truncation:g}",
        "encoder": text.encoder,
        "training folds": texts(text.training_folds) or "not known",
        "held-out folds": texts(text.held_out_folds) or "none: no noise floor is known",
    }
    if len(text.snapshots) > 1:
        facts["best snapshot by KID"] = text.best_snapshot
    return Account(
        "How close a generator's drawings come to real tiles.", facts, lambda: _shown(quality)
    )


def _shown(quality: ImageQualityFolder) -> Shown:
    text = quality.text
    figures = []
    for name, caption in _CAPTIONS.items():
        if name not in quality.manifest.files:
            continue
        data = quality.read(name)
        if name == DISTANCES:
            figures.append(PageFigure(caption, picture=svg_uri(data.decode(errors="replace"))))
        else:
            pixels = rgb_of(data, str(quality.folder / name))
            figures.append(PageFigure(caption, picture=photo(pixels, _MAX_PX)))
    sections = [
        Section("Scores", "", tables=[quality_table(text)]),
        Section("Does it draw what it has seen?", "", figures),
    ]
    if len(text.snapshots) > 1:
        rows = [
            [one.snapshot, f"{one.kid:.4f}", f"{one.kid_deviation:.4f}"] for one in text.snapshots
        ]
        table = PageTable("The lower, the closer.", ["snapshot", "KID", "deviation"], rows)
        sections.append(Section("Snapshots", "", tables=[table]))
    return Shown(sections=sections)
