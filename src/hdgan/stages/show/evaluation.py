"""An evaluation: scores, what confuses, and the worst images."""

from pathlib import PurePosixPath

import numpy as np

from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.images import rgb_of
from hdgan.method.metrics import accuracy
from hdgan.pipeline import Fact
from hdgan.report.artifact_page import Gallery, GalleryPicture, View
from hdgan.report.artifact_page_layers import photo, side_px_for, svg_uri
from hdgan.report.charts import confusion, share
from hdgan.report.grids import GAP, Grid, Picture
from hdgan.report.page import PageFigure, Section
from hdgan.report.tables import CLASS_DEFINITIONS, class_table, overall_table, percent
from hdgan.report.trust import trust_facts, trust_sections
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.labelled import finite
from hdgan.stages.show.scores import texts

_HEADLINE = ("Dice, macro", "Accuracy = Dice, micro")

_LAYERS = {
    "image": "image",
    "annotation": "annotation",
    "prediction": "prediction",
    "wrong": "what is wrong",
}
"""Parts of a picture from the left, as `report.pictures.comparison` puts them."""


def account_of(evaluation: Evaluation, look: Look) -> Account:
    """What an evaluation says.

    Raises:
        DamagedArtifactError: a file is not what was written.
    """
    facts: dict[str, Fact] = {
        "images": len(evaluation.images()),
        "labelled pixels": int(sum(matrix.sum() for matrix in evaluation.confusion())),
    }
    for score in evaluation.overall():
        if score.name in _HEADLINE:
            facts[score.name] = f"{_number(score.value)}  ({score.definition})"
    for scores in evaluation.classes():
        facts[f"class {scores.name}"] = (
            f"Dice {_number(scores.dice)}, recall {_number(scores.recall)}, precision "
            f"{_number(scores.precision)}, {scores.pixels:,} true pixels"
        )
    trust = evaluation.trust()
    if trust is not None:
        facts |= trust_facts(trust)
    return Account(
        "Predicted label maps compared with annotated ones.",
        facts,
        lambda: _shown(evaluation, look),
    )


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.4f}"


def _shown(evaluation: Evaluation, look: Look) -> Shown:
    overall = evaluation.overall()
    matrix = np.stack(evaluation.confusion()).sum(axis=0)
    caption = (
        "A row is a class of the annotation, a column what was predicted. The diagonal is what is "
        "right; each row adds up to 100 %."
    )
    trust = evaluation.trust()
    figure = PageFigure(caption, picture=svg_uri(confusion(matrix, evaluation.class_map.names)))
    return Shown(
        [
            (percent(score.value), score.name, score.definition)
            for score in overall
            if score.name in _HEADLINE
        ],
        _gallery(evaluation, look),
        [
            Section("Classes", "", tables=[class_table(evaluation, CLASS_DEFINITIONS)]),
            Section("What is taken for what", "", [figure]),
            *([] if trust is None else trust_sections(trust)),
            Section("Scores", "", tables=[overall_table(evaluation, "Over all classes.")]),
        ],
    )


def _gallery(evaluation: Evaluation, look: Look) -> Gallery | None:
    names = sorted(name for name in evaluation.manifest.files if name.startswith("pictures/"))
    chosen = look.spread(names)
    if not chosen:
        return None
    by_image = dict(zip(evaluation.images(), evaluation.confusion(), strict=True))
    side_px = side_px_for(len(chosen))
    pictures = []
    for name in chosen:
        strip = rgb_of(evaluation.read(name), str(evaluation.folder / name))
        image = PurePosixPath(name).stem.partition("-")[2]
        parts = _parts(strip)
        layers = {layer: photo(part, side_px) for layer, part in zip(_LAYERS, parts, strict=False)}
        found = float(accuracy(by_image[image])) if image in by_image else float("nan")
        numbers = finite({"pixels found": found})
        notes = [f"{share(found)} of the pixels found"] if numbers else []
        height, width = parts[0].shape[:2]
        pictures.append(GalleryPicture(image or name, layers, (height, width), notes, {}, numbers))
    order = ("wrong", "image", "annotation", "prediction")
    text = (
        f"The {texts([len(names)])} images with most wrong pixels, the worst first. In red, on the "
        "grey image, is what is wrong; what is unlabelled cannot be."
    )
    views = [View(_LAYERS[layer], (layer,)) for layer in order if layer in pictures[0].layers]
    return Gallery(text, views, pictures, evaluation.class_map, "black")


def _parts(strip: Grid) -> list[Picture]:
    """The pictures of a comparison; the whole, if it is none."""
    num = len(_LAYERS)
    width, rest = divmod(strip.shape[1] - (num - 1) * GAP, num)
    if rest or width < 1:
        return [strip]
    return [strip[:, i * (width + GAP) : i * (width + GAP) + width] for i in range(num)]
