"""A segmenter: its network, and how training went."""

import json

from hdgan.artifacts.segmenter import NETWORK, SegmenterFolder
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
    shape = json.loads(segmenter.read(NETWORK))
    sources = [kind.split(" ")[0] for kind in segmenter.manifest.parents]
    facts: dict[str, Fact] = {
        "classes": texts(segmenter.class_map.names),
        "learned from": ", ".join(sorted(set(sources))) or "not known",
        "network": f"U-Net of {shape.get('num_levels')} levels, {shape.get('width')} channels at "
        "full resolution",
    }
    if curves:
        facts["steps"] = curves[-1].steps
        facts["loss at the end"] = f"{curves[-1].loss:.4f} (cross entropy + 1 - soft Dice)"
    facts |= evaluations_of(segmenter, look)
    return Account(
        "A network that tells the class of each pixel of real tissue.",
        facts,
        lambda: _shown(segmenter),
    )


def _shown(segmenter: SegmenterFolder) -> Shown:
    curves = segmenter.curves()
    sections = [Section("Classes", "", legend=segmenter.class_map, legend_has_unlabelled=False)]
    if curves:
        loss = {"training": [row.loss for row in curves]}
        svg = lines([row.steps for row in curves], loss, x_label="steps", y_label="loss")
        caption = "Cross entropy (nats) plus one minus soft Dice, of the crops learned from."
        sections.insert(0, Section("Training", "", [PageFigure(caption, picture=svg_uri(svg))]))
    return Shown(sections=sections)
