"""The report of `hdgan demo` with a generator that comes with the package."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.classifier import ClassifierFolder
from hdgan.artifacts.evaluation import Evaluation
from hdgan.artifacts.image_quality import QualityText
from hdgan.artifacts.pair_set import PairSet
from hdgan.artifacts.sample_set import SampleSet
from hdgan.artifacts.shipped_generator import ShippedGenerator
from hdgan.report.demo_sections import (
    NUM_COLUMNS,
    annotated_figure,
    annotated_part,
    classifier_section,
    pairs_section,
    scores_section,
    split_counts,
    times_section,
    zoom_of,
)
from hdgan.report.generator_card import number
from hdgan.report.grids import grid
from hdgan.report.page import Page, PageTable, Section, chart, picture
from hdgan.report.tables import duration, percent

NUM_DRAWINGS = 32
"""Drawings that the page shows."""


@dataclass(frozen=True)
class ShippedDemo:
    """The generator, and everything that the demonstration made with it."""

    generator: ShippedGenerator
    samples: SampleSet
    annotations: AnnotationSet
    classifier: ClassifierFolder
    evaluation: Evaluation
    pairs: PairSet


def shipped_page(made: ShippedDemo, times: Sequence[tuple[str, float]]) -> Page:
    """The page; `times` are the verbs with their seconds."""
    side_px = made.generator.shape.resolution
    zoom = zoom_of(side_px)
    return Page(
        title="hdgan demo: labelled tissue from a generator",
        lead=f"{made.generator.about.words.title}: a generator that comes with hdgan drew all "
        f"pictures here. {len(made.annotations.records())} of its drawings were annotated, and "
        "from some of those every further drawing is labelled.",
        numbers=_headline(made, times, side_px),
        sections=[
            _generator(made, zoom),
            _closeness(made.generator.quality),
            _memory(made, zoom),
            _annotation(made, zoom),
            classifier_section(made.classifier),
            scores_section(made.evaluation, zoom),
            pairs_section(made.pairs, zoom),
            _limits(made),
            times_section(times),
        ],
    )


def plain(words: str) -> str:
    """A Markdown text without its signs; each point of a list becomes a paragraph."""
    return re.sub(r"^- ", "\n", words, flags=re.MULTILINE).replace("`", "").strip()


def _headline(
    made: ShippedDemo, times: Sequence[tuple[str, float]], side_px: int
) -> list[tuple[str, str, str]]:
    dice = made.evaluation.overall()[0]
    ratio = made.generator.quality.kid_ratio
    numbers = [
        (
            percent(dice.value),
            "macro Dice of the labels of drawings",
            "overlap of the classifier's labels with the annotation (whose it is, stands below) on "
            f"{len(made.evaluation.images())} drawings that it never saw, over the "
            f"{percent(annotated_part(made.evaluation, side_px))} of their pixels that were "
            "annotated; mean over the classes; 100 % is perfect",
        ),
        (
            str(made.pairs.about["num_kept"]),
            "labelled pairs kept",
            f"of {made.pairs.about['num_drawn']} drawn; the most uncertain were dropped",
        ),
        (
            duration(sum(seconds for _, seconds in times)),
            "to this page",
            "on this computer, all steps together; the generator was trained before",
        ),
    ]
    if ratio is not None:
        times_floor = (
            f"{ratio:.2g} times",
            "as far from real tissue as other real tissue",
            "distance (KID) of the drawings to the training tiles, over that of held-out real "
            "tiles to the same; 1 would be as close as other real tissue",
        )
        numbers.insert(1, times_floor)
    return numbers


def _generator(made: ShippedDemo, zoom: int) -> Section:
    about = made.generator.about
    data = about.data
    shown = about.images_shown(elsewhere=False)
    before = about.images_shown(elsewhere=True)
    after = f" (and before that {before:,} of other tissue)" if before else ""
    records = made.samples.records()
    chosen = records[:: max(1, len(records) // NUM_DRAWINGS)][:NUM_DRAWINGS]
    truncation = made.samples.manifest.settings["truncation"]
    return Section(
        "The generator",
        f"""{plain(about.words.lead)}

        It is a StyleGAN2-ADA of {about.resolution} x {about.resolution} pixels with
        {about.parameters:,} numbers, and was shown {shown:,} random crops of {data.tiles} tiles of
        {data.images} images of {data.patients} patients{after}, without labels.

        {plain(about.words.data)}""",
        [
            picture(
                grid([made.samples.image(record) for record in chosen], columns=NUM_COLUMNS),
                f"What it draws, at truncation {truncation:g} (1 would be all its variety, 0 the "
                "mean image alone).",
                zoom=zoom,
            )
        ],
    )


def _closeness(quality: QualityText) -> Section:
    floor = quality.floor
    rows = [
        [
            name.replace("_", " "),
            number(value),
            "-" if floor is None else number(floor[name]),
            quality.definitions[name],
        ]
        for name, value in quality.scores.items()
    ]
    return Section(
        "How close the drawings come to real tissue",
        f"""{quality.num_images} drawings at truncation {quality.truncation:g} were compared with as
        many random crops of the training tiles, as a network sees them that was trained on
        photographs ({quality.encoder}). The noise floor is the same comparison for crops of real
        tiles that the generator never saw: what other real tissue has. These numbers are those of
        the generator's card. Their scale is this network's: scores that others publish, in the
        features of another, do not compare with them.""",
        tables=[
            PageTable(
                "KID and FID are distances: less is closer. Precision, recall, density and "
                "coverage are parts: more is better. The noise floor is other real tissue.",
                ["score", "drawings", "noise floor", "definition"],
                rows,
            )
        ],
    )


def _memory(made: ShippedDemo, zoom: int) -> Section:
    nearest = made.generator.quality.nearest
    said = ""
    if "held-out crops" in nearest:
        ratio = nearest["drawings"] / nearest["held-out crops"]
        said = (
            f"The median distance to the nearest training crop is {number(nearest['drawings'])} "
            f"for drawings and {number(nearest['held-out crops'])} for crops of real tiles that it "
            f"never saw, a ratio of {number(ratio)}: much below 1, the drawings repeat what was "
            "shown; above 1, they are unlike all of it. The left end of the chart is where copies "
            "would be."
        )
    return Section(
        "Does it draw what it has seen?",
        f"""A generator that saw few images may copy them. {made.generator.quality.num_images}
        drawings were compared with as many random crops of the training tiles, each with the one
        that is nearest to it as the network sees them. {said}""",
        [
            chart(
                made.generator.distances,
                "How far drawings are from the nearest training crop, and how far real crops that "
                "the generator never saw are from it. Copies would lie far to the left.",
            ),
            picture(
                made.generator.closest,
                "The drawings that are nearest to a training crop, the nearest first, each "
                "distance taken over that of the crop to the next one. The real crops do not come "
                "with hdgan.",
                zoom=zoom,
            ),
        ],
    )


def _annotation(made: ShippedDemo, zoom: int) -> Section:
    return Section(
        "The annotation",
        f"""{plain(made.generator.about.words.annotation)}

        Of the {len(made.annotations.records())} annotated drawings, dealt at random:
        {split_counts(made.annotations)}. The classifier learns from the first, the second
        show how fitting goes, and it is scored on the third.""",
        [annotated_figure(made.samples, made.annotations, zoom)],
        legend=made.annotations.class_map,
    )


def _limits(made: ShippedDemo) -> Section:
    words = made.generator.about.words
    return Section(
        "What this does not say",
        f"""Nothing here was tested on real tissue: no real annotated tile comes with hdgan. Whether
        pairs help on your tissue is measured with your own (docs/how-to.md, "Test honestly").

        {plain(words.limits)}

        {plain(words.use)}""",
    )
