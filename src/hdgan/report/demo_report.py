"""The report of `hdgan demo`: what happened to the drawn tissue, stage by stage."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.images import rgb_of
from hdgan.artifacts.pair_set import PairRecord, PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.class_map import painted
from hdgan.method.uncertainty import image_score
from hdgan.report.charts import confusion, lines
from hdgan.report.page import Page, PageFigure, PageTable, Section, chart, picture
from hdgan.report.pictures import Grid, grid, heat
from hdgan.report.tables import (
    CLASS_DEFINITIONS,
    class_table,
    duration,
    named,
    overall_table,
    percent,
)

ZOOM = 2
"""How large a pixel of a tile is shown."""


@dataclass(frozen=True)
class OracleRecord:
    """How good the rule is that stands in for the expert."""

    dice_on_drawn: float
    """Macro Dice on drawn tissue, whose truth is known."""

    abstained_on_generated: float
    """Part of the generated pixels whose colour is of no class."""


@dataclass(frozen=True)
class DemoArtifacts:
    """Everything that the demonstration made."""

    tiles: TileSet
    generator: GeneratorFolder
    samples: SampleSet
    annotations: AnnotationSet
    classifier: ClassifierFolder
    evaluation: Evaluation
    pairs: PairSet
    segmenter_evaluation: Evaluation
    oracle: OracleRecord


def demo_page(made: DemoArtifacts, times: Sequence[tuple[str, float]]) -> Page:
    """The page; `times` are the verbs with their seconds."""
    on_samples = {score.name: score for score in made.evaluation.overall()}
    on_tissue = {score.name: score for score in made.segmenter_evaluation.overall()}
    dice = "Dice, macro"
    return Page(
        title="hdgan demo: labelled tissue from a generator",
        lead="A generator learned to draw tissue that it saw without labels. Thirty-six of its "
        "drawings were annotated, and from those every further drawing is labelled. The tissue "
        "here is a phantom, drawn by rule, so that every number can be checked against the truth.",
        numbers=[
            (
                percent(on_samples[dice].value),
                "macro Dice of the labels of drawings",
                f"on {len(made.evaluation.images())} annotated drawings that the classifier never "
                f"saw, over the {percent(_annotated_part(made))} of their pixels that were "
                "annotated; mean over the classes",
            ),
            (
                percent(on_tissue[dice].value),
                "macro Dice on unseen tissue",
                "a segmenter trained on synthetic pairs alone, tested on tissue that no stage saw",
            ),
            (
                str(made.pairs.about["num_kept"]),
                "labelled pairs kept",
                f"of {made.pairs.about['num_drawn']} drawn; the most uncertain were dropped",
            ),
            (
                duration(sum(seconds for _, seconds in times)),
                "from nothing to this page",
                "on this computer, all steps together",
            ),
        ],
        sections=[
            _tissue(made),
            _generator(made),
            _annotation(made),
            _classifier(made),
            _scores(made),
            _pairs(made),
            _segmenter(made),
            _times(times),
        ],
    )


def _tissue(made: DemoArtifacts) -> Section:
    records = made.tiles.records()
    chosen = records[:: max(1, len(records) // 16)][:16]
    return Section(
        "The tissue",
        f"""{len(records)} tiles of phantom kidney from {len({r.patient for r in records})} drawn
        patients in two stains: a glomerulus, arteries with an open lumen, small arterioles,
        tubulointerstitium between them, glass at the edge. The generator is shown the tiles of
        four of the five folds, without labels. The tiles of fold 0 are kept for the last test; a
        patient is in one fold only.""",
        [
            picture(
                grid([made.tiles.image(r) for r in chosen], columns=8), "Drawn tiles.", zoom=ZOOM
            )
        ],
    )


def _generator(made: DemoArtifacts) -> Section:
    progress = made.generator.progress()
    kimg = [tick.images / 1000 for tick in progress]
    samples = made.samples.records()[:40]
    return Section(
        "The generator",
        f"""A small StyleGAN2-ADA, trained from nothing on {progress[-1].images:,} images. It
        had a few minutes where published generators have days on several graphics cards: it has
        found the shapes, but draws them with halos, mixes the stains, and varies the layout less
        than the tissue does.""",
        [
            picture(
                grid([made.samples.image(r) for r in samples], columns=8),
                f"What it draws, at truncation {made.samples.manifest.settings['truncation']:g}.",
                zoom=ZOOM,
            ),
            chart(
                lines(
                    kimg,
                    {
                        "real tiles": [tick.score_real for tick in progress],
                        "drawings": [tick.score_drawn for tick in progress],
                    },
                    x_label="thousand images shown",
                    y_label="discriminator's score",
                ),
                "Training curve: what the discriminator makes of real tiles and of drawings. The "
                "closer the two lines, the harder they are to tell apart.",
            ),
        ],
    )


def _annotation(made: DemoArtifacts) -> Section:
    annotated = made.annotations.records()[:8]
    by_name = {record.sample: record for record in made.samples.records()}
    images = [made.samples.image(by_name[record.image]) for record in annotated]
    labels = [
        painted(made.annotations.labels(record), made.annotations.class_map) for record in annotated
    ]
    splits = [record.split for record in made.annotations.records()]
    counts = ", ".join(
        f"{splits.count(split)} for {split}" for split in ("training", "validation", "test")
    )
    return Section(
        "The annotation",
        f"""{len(splits)} drawings, chosen to be as different as the whole sample set, were
        labelled: {counts}. Here the exact rule of the phantom stands in for the expert: it reads
        the class of a pixel off its colour. It qualified on drawn tissue, whose truth is known,
        with a macro Dice of {percent(made.oracle.dice_on_drawn)}; on the drawings of the generator
        it abstains from {percent(made.oracle.abstained_on_generated)} of the pixels, where the
        colour is of no class.""",
        [
            picture(
                grid([*images, *labels], columns=8), "Drawings and their annotations.", zoom=ZOOM
            )
        ],
        legend=made.annotations.class_map,
    )


def _classifier(made: DemoArtifacts) -> Section:
    curves = made.classifier.curves()
    text = made.classifier.text
    return Section(
        "The classifier",
        f"""{text.num_members} small perceptrons read the class of a pixel off the
        {text.num_channels} numbers that the generator's own layers hold about it. They differ in
        where they start and in the pixels they see; where they disagree, the label is
        uncertain.""",
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
                "dropout) and of validation drawings (all members together).",
            )
        ],
    )


def _scores(made: DemoArtifacts) -> Section:
    matrix = np.stack(made.evaluation.confusion()).sum(axis=0)
    return Section(
        "How good the labels are",
        f"""The classifier's label maps of {len(made.evaluation.images())} test drawings against
        their annotations. Pixels that were not annotated do not count.""",
        [
            chart(
                confusion(matrix, made.evaluation.class_map.names),
                "Confusion matrix: where the true pixels of each class go, in parts of its row.",
            ),
            _worst(made.evaluation),
        ],
        [
            class_table(made.evaluation, CLASS_DEFINITIONS),
            overall_table(made.evaluation, "Scores over all classes."),
        ],
        legend=made.evaluation.class_map,
    )


def _annotated_part(made: DemoArtifacts) -> float:
    """Part of the test drawings' pixels that has a label."""
    counted = int(np.stack(made.evaluation.confusion()).sum())
    side = made.generator.shape.resolution
    return counted / (len(made.evaluation.images()) * side**2)


def _worst(evaluation: Evaluation) -> PageFigure:
    names = sorted(name for name in evaluation.manifest.files if name.startswith("pictures/"))[:4]
    pictures = [rgb_of(evaluation.read(name), name) for name in names]
    return picture(
        grid(pictures, columns=1),
        "The test images with most wrong pixels: image, annotation, prediction, and in red what "
        "is wrong.",
        zoom=ZOOM,
    )


def _pairs(made: DemoArtifacts) -> Section:
    kept = made.pairs.records()
    by_score = sorted(kept, key=lambda record: record.uncertainty)
    strip = kept[:8]
    uncertain = by_score[-8:][::-1]
    maps = [made.pairs.uncertainty(record) for record in [*strip, *uncertain]]
    brightest = max(1e-3, float(np.quantile(np.stack(maps), 0.99)))
    about = made.pairs.about
    tenth = [image_score(made.pairs.uncertainty(record)) for record in strip]
    return Section(
        "The dataset",
        f"""{about["num_drawn"]} further drawings were labelled, and the {about["num_dropped"]} most
        uncertain dropped. Uncertainty is the Jensen-Shannon divergence of the members: 0 nats
        where all agree, at most {about["largest_uncertainty_nats"]:.2f}. Black is 0 here, and what
        has {brightest:.2f} nats or more is brightest. The score of an image is the mean of its most
        uncertain tenth of the pixels; in the first strip it lies between {min(tenth):.3f} and
        {max(tenth):.3f} nats.""",
        [
            picture(
                _strip(made.pairs, strip, brightest),
                "The first pairs: drawing, label map, uncertainty.",
                zoom=ZOOM,
            ),
            picture(
                _strip(made.pairs, uncertain, brightest),
                "The most uncertain of the pairs that were kept.",
                zoom=ZOOM,
            ),
        ],
        legend=made.pairs.class_map,
        legend_has_unlabelled=False,
    )


def _strip(pairs: PairSet, records: Sequence[PairRecord], brightest: float) -> Grid:
    """Drawings over their label maps over their uncertainty maps."""
    images = [pairs.image(record) for record in records]
    labels = [painted(pairs.labels(record), pairs.class_map) for record in records]
    maps = [heat(pairs.uncertainty(record), brightest) for record in records]
    return grid([*images, *labels, *maps], columns=len(records))


def _segmenter(made: DemoArtifacts) -> Section:
    evaluation = made.segmenter_evaluation
    return Section(
        "On unseen tissue",
        f"""A small U-Net was trained on the synthetic pairs alone and tested on
        {len(evaluation.images())} tiles of drawn tissue from patients that no stage had seen.
        Whether pairs help compared with real labels is another question; docs/results.md of the
        repository answers it for real nuclei.""",
        [_worst(evaluation)],
        [
            class_table(evaluation, CLASS_DEFINITIONS),
            overall_table(evaluation, "Scores over all classes."),
        ],
        legend=evaluation.class_map,
        legend_has_unlabelled=False,
    )


def _times(times: Sequence[tuple[str, float]]) -> Section:
    rows = named([(verb, duration(seconds)) for verb, seconds in times])
    return Section(
        "How it was made",
        """Each step is a verb of the command line that reads folders and writes one new folder;
        all of them lie beside this page. hdgan show FOLDER says what a folder holds, what it was
        made from, and whether it is whole.""",
        tables=[PageTable("Wall time of each step on this computer.", ["step", "time"], rows)],
    )
