"""The report of `hdgan demo`: what happened to the drawn tissue, stage by stage."""

from collections.abc import Sequence
from dataclasses import dataclass

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.generator import GeneratorFolder
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.tile_set import TileSet
from hdgan.report.charts import lines
from hdgan.report.demo_sections import (
    annotated_figure,
    annotated_part,
    classifier_section,
    pairs_section,
    scores_section,
    split_counts,
    times_section,
    worst,
)
from hdgan.report.grids import grid
from hdgan.report.page import Page, Section, chart, picture
from hdgan.report.tables import CLASS_DEFINITIONS, class_table, duration, overall_table, percent

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
    part = annotated_part(made.evaluation, made.generator.shape.resolution)
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
                f"saw, over the {percent(part)} of their pixels that were "
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
            classifier_section(made.classifier),
            scores_section(made.evaluation, ZOOM),
            pairs_section(made.pairs, ZOOM),
            _segmenter(made),
            times_section(times),
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
    return Section(
        "The annotation",
        f"""{len(made.annotations.records())} drawings, chosen to be as different as the whole
        sample set, were labelled: {split_counts(made.annotations)}. Here the exact rule of the
        phantom stands in for the expert: it reads the class of a pixel off its colour. It
        qualified on drawn tissue, whose truth is known,
        with a macro Dice of {percent(made.oracle.dice_on_drawn)}; on the drawings of the generator
        it abstains from {percent(made.oracle.abstained_on_generated)} of the pixels, where the
        colour is of no class.""",
        [annotated_figure(made.samples, made.annotations, ZOOM)],
        legend=made.annotations.class_map,
    )


def _segmenter(made: DemoArtifacts) -> Section:
    evaluation = made.segmenter_evaluation
    return Section(
        "On unseen tissue",
        f"""A small U-Net was trained on the synthetic pairs alone and tested on
        {len(evaluation.images())} tiles of drawn tissue from patients that no stage had seen.
        Whether pairs help compared with real labels is another question; docs/results.md of the
        repository answers it for real nuclei.""",
        [worst(evaluation, ZOOM)],
        [
            class_table(evaluation, CLASS_DEFINITIONS),
            overall_table(evaluation, "Scores over all classes."),
        ],
        legend=evaluation.class_map,
        legend_has_unlabelled=False,
    )
