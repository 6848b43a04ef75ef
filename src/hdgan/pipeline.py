"""The stages as data: their verbs, what each reads and writes, and how it is called.

Help, documentation and tests are made from this table.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal[
    "tile-set",
    "generator",
    "image-quality",
    "sample-set",
    "annotation-set",
    "classifier",
    "evaluation",
    "pair-set",
    "dataset",
    "segmenter",
    "segmentation",
    "comparison",
]
"""What an artifact is."""

Fact = str | int | float
"""What a stage says about what it made."""


@dataclass(frozen=True)
class Made:
    """What a stage made, for the command line to print."""

    kind: str
    """The artifact's kind, or `report`."""

    folder: Path
    """Where it is."""

    facts: dict[str, Fact] = field(default_factory=dict)
    """What is in it, by name, in the order of reading."""


@dataclass(frozen=True)
class Stage:
    """A verb of the command line."""

    verb: str
    """What a user types."""

    reads: tuple[str, ...]
    """Kinds of artifacts, or words for other things."""

    writes: str
    """The kind of the one artifact that it writes."""

    does: str
    """One sentence, for help and documentation."""

    example: str
    """A command that works inside a folder where the earlier examples have run."""


STAGES = (
    Stage(
        "tile",
        ("slides, or a folder of images",),
        "tile-set",
        "Cut slides or images into tiles, leave out empty glass, and deal whole patients to five "
        "folds.",
        "hdgan tile slides runs/tiles --side-px 1024 --table slides.csv",
    ),
    Stage(
        "train-generator",
        ("tile-set",),
        "generator",
        "Train a StyleGAN2-ADA generator on unlabelled tiles of four of the five folds.",
        "hdgan train-generator runs/tiles runs/generator --resolution 128 --kimg 100",
    ),
    Stage(
        "export-generator",
        ("generator",),
        "a network file",
        "Write a generator as a state dict with the names that published networks have.",
        "hdgan export-generator runs/generator network.safetensors",
    ),
    Stage(
        "import-generator",
        ("a network file",),
        "generator",
        "Take in a published StyleGAN2 network; nothing in its file is executed.",
        "hdgan import-generator network.safetensors runs/imported",
    ),
    Stage(
        "score-generator",
        ("generator", "tile-set", "an encoder"),
        "image-quality",
        "Compare a generator's drawings with real tiles, and find its best snapshot.",
        "hdgan score-generator runs/generator runs/tiles squeezenet.npz runs/quality",
    ),
    Stage(
        "sample",
        ("generator",),
        "sample-set",
        "Draw images, keep their latents, and suggest which of them to annotate.",
        "hdgan sample runs/generator runs/samples --num-samples 500 --select 36",
    ),
    Stage(
        "annotate",
        ("sample-set or tile-set", "a classifier, for predictions"),
        "annotation-set",
        "Choose and paint tiles on a page in the browser; each stroke is saved at once.",
        "hdgan annotate runs/samples runs/painted",
    ),
    Stage(
        "import-annotations",
        ("sample-set or tile-set", "label maps or outlines", "a class map"),
        "annotation-set",
        "Take in what was annotated elsewhere: label maps, or outlines of QuPath, ImageJ, ASAP, "
        "ImageScope or COCO.",
        "hdgan import-annotations runs/samples label-maps runs/annotations --classes classes.json",
    ),
    Stage(
        "train-classifier",
        ("generator", "annotation-set of samples or tiles"),
        "classifier",
        "Fit an ensemble of small perceptrons that tells the class of a pixel from the "
        "generator's features.",
        "hdgan train-classifier runs/annotations runs/classifier",
    ),
    Stage(
        "evaluate",
        ("classifier or segmenter", "annotation-set"),
        "evaluation",
        "Compare predicted label maps with annotated ones; every score comes with its definition.",
        "hdgan evaluate runs/classifier runs/annotations runs/evaluation",
    ),
    Stage(
        "synthesize",
        ("generator", "classifier"),
        "pair-set",
        "Draw images with their label maps and uncertainty, and drop the most uncertain ones.",
        "hdgan synthesize runs/classifier runs/pairs --num-pairs 1000",
    ),
    Stage(
        "export",
        ("pair-set or annotation-set",),
        "dataset",
        "Write labelled images as nnU-Net, COCO, Hugging Face, WebDataset, MONAI or QuPath read "
        "them, or as plain folders.",
        "hdgan export runs/pairs runs/dataset --layout nnunet",
    ),
    Stage(
        "train-segmenter",
        ("pair-sets and annotation-sets", "a tile-set of unlabelled tiles"),
        "segmenter",
        "Train a U-Net on pairs, on annotated real tiles, or on both, if wanted with unlabelled "
        "tiles as well; or one of two rivals that decide pixel by pixel.",
        "hdgan train-segmenter runs/pairs runs/segmenter",
    ),
    Stage(
        "segment",
        ("segmenter", "tile-set, sample-set or slides"),
        "segmentation",
        "Predict the label map of every tile, or of whole slides with outlines for QuPath.",
        "hdgan segment runs/segmenter runs/tiles runs/segmentation",
    ),
    Stage(
        "compare",
        ("annotation-set of tiles", "annotation-sets of samples"),
        "comparison",
        "Find out, on held-out patients, whether synthetic pairs help, and how many labels they "
        "are worth.",
        "hdgan compare runs/real runs/comparison --annotated-samples runs/annotations",
    ),
    Stage(
        "check-scores",
        ("a table of scores",),
        "",
        "Say whether the numbers of a printed table can all be true, and if not, what may have "
        "happened.",
        "hdgan check-scores table.md",
    ),
    Stage(
        "show",
        ("any artifact",),
        "",
        "Say what an artifact is, what it was made from, and whether it is whole; write a page "
        "with its pictures.",
        "hdgan show runs/pairs --html runs/pairs.html",
    ),
    Stage(
        "demo",
        (),
        "report",
        "Run the pipeline on a generator that comes with hdgan and write a report; needs no data.",
        "hdgan demo runs/demo",
    ),
)
"""Every verb, in the order of the pipeline."""


def stage_of(verb: str) -> Stage:
    """The stage that a verb stands for."""
    return next(stage for stage in STAGES if stage.verb == verb)
