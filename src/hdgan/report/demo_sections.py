"""Sections that the reports of all demonstrations have."""

from collections.abc import Sequence

import numpy as np

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import painted
from hdgan.method.uncertainty import image_score
from hdgan.report.charts import confusion, lines
from hdgan.report.grids import Grid, grid
from hdgan.report.page import PageFigure, PageTable, Section, chart, picture
from hdgan.report.pictures import heat
from hdgan.report.tables import CLASS_DEFINITIONS, class_table, duration, named, overall_table

NUM_COLUMNS = 8
"""Pictures side by side."""


def zoom_of(side_px: int) -> int:
    """How large a pixel is shown, so that eight pictures fill the page."""
    return max(1, 128 // side_px)


def annotated_figure(samples: SampleSet, annotations: AnnotationSet, zoom: int) -> PageFigure:
    """Some drawings over their annotations."""
    annotated = annotations.records()[:NUM_COLUMNS]
    by_name = {record.sample: record for record in samples.records()}
    images = [samples.image(by_name[record.image]) for record in annotated]
    labels = [painted(annotations.labels(record), annotations.class_map) for record in annotated]
    return picture(
        grid([*images, *labels], columns=len(annotated)),
        "Drawings and their annotations.",
        zoom=zoom,
        rows=("drawing", "annotation"),
    )


def split_counts(annotations: AnnotationSet) -> str:
    """How many drawings are for what, in words."""
    splits = [record.split for record in annotations.records()]
    return ", ".join(
        f"{splits.count(split)} for {split}" for split in ("training", "validation", "test")
    )


def classifier_section(classifier: ClassifierFolder) -> Section:
    """What the ensemble is and how fitting went."""
    curves = classifier.curves()
    text = classifier.text
    return Section(
        "The classifier",
        f"""{text.num_members} small perceptrons (networks of three layers) read the class of a
        pixel off the {text.num_channels} numbers that the generator's own layers hold about it.
        They differ in where they start and in the pixels they see; where they disagree, the label
        is uncertain.""",
        [
            chart(
                lines(
                    [row.steps for row in curves],
                    {
                        "training": [row.loss for row in curves],
                        "validation": [row.validation_loss for row in curves],
                    },
                    x_label="steps",
                    y_label="cross entropy, nats",
                ),
                "Cross entropy of the pixels drawn for training (one member at a time, with "
                "dropout) and of validation drawings (all members together): 0 would be certain "
                "and right everywhere; guessing among the classes at random is "
                f"{np.log(text.num_classes):.2f}.",
            )
        ],
    )


def scores_section(evaluation: Evaluation, zoom: int) -> Section:
    """Scores of label maps of drawings that were kept for the test."""
    matrix = np.stack(evaluation.confusion()).sum(axis=0)
    return Section(
        "How good the labels are",
        f"""The classifier's label maps of {len(evaluation.images())} test drawings against
        their annotations: 100 % would be the same class in every pixel that counts. Pixels that
        were not annotated do not count. These drawings were not used for fitting, but the generator
        that drew them is the same; the scores say how well labels are copied, not how well real
        tissue would be segmented.""",
        [
            chart(
                confusion(matrix, evaluation.class_map.names),
                "Confusion matrix: a row is a class of the annotation, a column what the "
                "classifier said. The diagonal is what is right; each row adds up to 100 %.",
            ),
            worst(evaluation, zoom),
        ],
        [
            class_table(evaluation, CLASS_DEFINITIONS),
            overall_table(evaluation, "Scores over all classes."),
        ],
        legend=evaluation.class_map,
    )


def annotated_part(evaluation: Evaluation, side_px: int) -> float:
    """Part of the test drawings' pixels that has a label."""
    counted = int(np.stack(evaluation.confusion()).sum())
    return counted / (len(evaluation.images()) * side_px**2)


def worst(evaluation: Evaluation, zoom: int) -> PageFigure:
    """The evaluation's own pictures of its worst images."""
    names = sorted(name for name in evaluation.manifest.files if name.startswith("pictures/"))[:4]
    pictures = [rgb_of(evaluation.read(name), name) for name in names]
    return picture(
        grid(pictures, columns=1),
        "The test images with most wrong pixels: image, annotation, prediction, and in red what "
        "is wrong.",
        zoom=zoom,
        columns=("image", "annotation", "prediction", "what is wrong"),
    )


def pairs_section(pairs: PairSet, zoom: int) -> Section:
    """The labelled drawings, the first and the most uncertain."""
    kept = pairs.records()
    by_score = sorted(kept, key=lambda record: record.uncertainty)
    strip = kept[:8]
    uncertain = by_score[-8:][::-1]
    maps = [pairs.uncertainty(record) for record in [*strip, *uncertain]]
    brightest = max(1e-3, float(np.quantile(np.stack(maps), 0.99)))
    about = pairs.about
    tenth = [image_score(pairs.uncertainty(record)) for record in strip]
    return Section(
        "The dataset",
        f"""{about["num_drawn"]} further drawings were labelled, and the {about["num_dropped"]} most
        uncertain dropped. Uncertainty says how much the members of the ensemble disagree about a
        pixel (their Jensen-Shannon divergence, in nats, a unit of information): 0 where all
        agree, at most {about["largest_uncertainty_nats"]:.2f}. Black is 0 here, and what
        has {brightest:.2f} nats or more is brightest. The score of an image is the mean of its most
        uncertain tenth of the pixels; in the first strip it lies between {min(tenth):.3f} and
        {max(tenth):.3f} nats.""",
        [
            picture(
                _strip(pairs, strip, brightest),
                "The first pairs: drawing, label map, uncertainty.",
                zoom=zoom,
                rows=("drawing", "label map", "uncertainty"),
            ),
            picture(
                _strip(pairs, uncertain, brightest),
                "The most uncertain of the pairs that were kept.",
                zoom=zoom,
                rows=("drawing", "label map", "uncertainty"),
            ),
        ],
        legend=pairs.class_map,
        legend_has_unlabelled=False,
    )


def _strip(pairs: PairSet, records: Sequence[PairRecord], brightest: float) -> Grid:
    """Drawings over their label maps over their uncertainty maps."""
    images = [pairs.image(record) for record in records]
    labels = [painted(pairs.labels(record), pairs.class_map) for record in records]
    maps = [heat(pairs.uncertainty(record), brightest) for record in records]
    return grid([*images, *labels, *maps], columns=len(records))


def times_section(times: Sequence[tuple[str, float]]) -> Section:
    """Steps with their seconds."""
    rows = named([(verb, duration(seconds)) for verb, seconds in times])
    return Section(
        "How it was made",
        """Each step is a verb of the command line that reads folders and writes one new folder;
        all of them lie beside this page. hdgan show FOLDER says what a folder holds, what it was
        made from, and whether it is whole.""",
        tables=[PageTable("Wall time of each step on this computer.", ["step", "time"], rows)],
    )
