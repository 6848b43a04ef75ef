"""A classifier: its members, what they read, how fitting went."""

from collections import Counter

from hdgan.artifacts.annotation_set import SPLITS, AnnotationRecord
from hdgan.artifacts.classifier import SPLIT, ClassifierFolder
from hdgan.artifacts.table import table_of
from hdgan.artifacts.tile_set import TileSet
from hdgan.pipeline import Fact
from hdgan.report.artifact_page_layers import svg_uri
from hdgan.report.charts import lines, share
from hdgan.report.page import PageFigure, Section
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.scores import evaluations_of, texts


def account_of(classifier: ClassifierFolder, look: Look) -> Account:
    """What a classifier is.

    Raises:
        DamagedArtifactError: a file cannot be understood.
    """
    text, curves = classifier.text, classifier.curves()
    rows = table_of(classifier.read(SPLIT), AnnotationRecord, str(classifier.folder / SPLIT))
    splits = Counter(row.split for row in rows)
    facts: dict[str, Fact] = {
        "members": text.num_members,
        "blocks": f"the last {text.num_blocks} of the generator" if text.num_blocks else "all",
        "features a pixel": text.num_channels,
        "classes": texts(classifier.class_map.names),
        _images_of(classifier): ", ".join(f"{split} {splits[split]:,}" for split in SPLITS),
    }
    sought = classifier.projections()
    if sought:
        near = sum(row.accepted for row in sought)
        facts["crops of real tiles that it draws"] = f"{near:,} of {len(sought):,}"
    if curves:
        last = curves[-1]
        part = classifier.validated_on
        facts[f"accuracy on {part}"] = share(last.validation_accuracy)
        facts[f"cross entropy on {part}"] = f"{last.validation_loss:.4f} nats"
        facts["steps"] = last.steps
    facts |= evaluations_of(classifier, look)
    facts["members are joined by"] = text.decision
    facts["context head"] = "yes" if text.context else "no"
    return Account(
        "Small networks that tell the class of a pixel from the generator's features.",
        facts,
        lambda: _shown(classifier),
    )


def _images_of(classifier: ClassifierFolder) -> str:
    is_of_tiles = TileSet.kind in classifier.manifest.parents
    return "annotated tiles" if is_of_tiles else "annotated samples"


def _shown(classifier: ClassifierFolder) -> Shown:
    curves = classifier.curves()
    if not curves:
        return Shown()
    steps = [row.steps for row in curves]
    losses = {
        "training": [row.loss for row in curves],
        "validation": [row.validation_loss for row in curves],
    }
    found = {"validation": [row.validation_accuracy for row in curves]}
    loss = lines(steps, losses, x_label="steps", y_label="cross entropy, nats")
    accuracy = lines(steps, found, x_label="steps", y_label="part found")
    figures = [
        PageFigure(
            "Cross entropy of the pixels drawn for training (one member at a time, with dropout) "
            "and of validation samples (all members together).",
            picture=svg_uri(loss),
        ),
        PageFigure(
            "Part of the validation pixels whose class is found.", picture=svg_uri(accuracy)
        ),
    ]
    legend = classifier.class_map
    return Shown(
        sections=[
            Section("Fitting", "", figures),
            Section("Classes", "", legend=legend, legend_has_unlabelled=False),
        ]
    )
