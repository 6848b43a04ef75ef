"""A segmenter: its network, and how training went."""

from hdgan.artifacts.segmenter import AnyShape, SegmenterFolder
from hdgan.method.segmenter.forest import ForestShape
from hdgan.method.segmenter.frozen_features import FrozenFeatureShape
from hdgan.method.segmenter.network import SegmenterShape
from hdgan.pipeline import Fact
from hdgan.report.artifact_page_layers import svg_uri
from hdgan.report.charts import lines
from hdgan.report.page import PageFigure, Section
from hdgan.stages.show.account import Account, Look, Shown
from hdgan.stages.show.scores import evaluations_of, texts


def account_of(segmenter: SegmenterFolder, look: Look) -> Account:
    """What a segmenter is.

    Raises:
        DamagedArtifactError: a file cannot be understood.
    """
    curves = segmenter.curves()
    sources = [kind.split(" ")[0] for kind in segmenter.manifest.parents]
    facts: dict[str, Fact] = {
        "classes": texts(segmenter.class_map.names),
        "learned from": ", ".join(sorted(set(sources))) or "not known",
        "network": _described(segmenter.shape),
    }
    if curves:
        facts[_unit(segmenter.shape)] = curves[-1].steps
        facts["loss at the end"] = f"{curves[-1].loss:.4f} ({_loss(segmenter.shape)})"
    facts |= evaluations_of(segmenter, look)
    return Account(
        "A network that tells the class of each pixel of real tissue.",
        facts,
        lambda: _shown(segmenter),
    )


def _described(shape: AnyShape) -> str:
    """What a network is, in a line."""
    if isinstance(shape, ForestShape):
        return (
            f"random forest on filter features: {shape.num_trees} trees, {shape.num_nodes:,} "
            f"nodes, at most {shape.depth} questions a pixel"
        )
    if isinstance(shape, FrozenFeatureShape):
        enlarged = "" if shape.scale == 1 else f", images enlarged {shape.scale:g} times"
        return (
            f"{shape.classifier.num_members} perceptrons on {shape.classifier.num_channels} "
            f"frozen features a pixel ({shape.encoder.kind}{enlarged})"
        )
    return f"U-Net of {shape.num_levels} levels, {shape.width} channels at full resolution"


def _unit(shape: AnyShape) -> str:
    return "trees" if isinstance(shape, ForestShape) else "steps"


def _loss(shape: AnyShape) -> str:
    """What the curve shows."""
    if isinstance(shape, SegmenterShape):
        return "cross entropy + 1 - soft Dice"
    return "cross entropy of the pixels learned from"


def _shown(segmenter: SegmenterFolder) -> Shown:
    curves = segmenter.curves()
    sections = [Section("Classes", "", legend=segmenter.class_map, legend_has_unlabelled=False)]
    if curves and not isinstance(segmenter.shape, ForestShape):
        loss = {"training": [row.loss for row in curves]}
        svg = lines([row.steps for row in curves], loss, x_label="steps", y_label="loss")
        caption = f"Loss: {_loss(segmenter.shape)}. Cross entropy is in nats."
        sections.insert(0, Section("Training", "", [PageFigure(caption, picture=svg_uri(svg))]))
    return Shown(sections=sections)
