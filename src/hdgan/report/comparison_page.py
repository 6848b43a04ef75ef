"""The report of `hdgan compare`: the verdict first, then what it rests on."""

from collections.abc import Sequence

from hdgan.artifacts.comparison import ComparisonText, DesignText
from hdgan.class_map import ClassMap
from hdgan.report.comparison_sections import (
    arms_section,
    classes_section,
    compared_section,
    costs_section,
    curves_section,
    differences_section,
    doubts_section,
    limits_section,
    scores_section,
    worst_section,
)
from hdgan.report.comparison_tables import ends_of, points
from hdgan.report.comparison_words import title_of, unseen_patients
from hdgan.report.grids import Grid
from hdgan.report.page import Page, Section
from hdgan.report.tables import percent


def comparison_page(text: ComparisonText, class_map: ClassMap, pictures: Sequence[Grid]) -> Page:
    """The page.

    Args:
        text: what was found.
        class_map: of the annotation.
        pictures: of `text.worst`, in its order: image, annotation, reference, candidate in a row.
    """
    return Page(
        title=headline_of(text),
        lead=text.sentences[0],
        numbers=numbers_of(text),
        sections=sections_of(text, class_map, pictures),
    )


def headline_of(text: ComparisonText) -> str:
    """The verdict in a few words."""
    candidate = title_of(text.candidate)
    if text.verdict == "no evidence":
        return f"No evidence that {candidate} helps here"
    return f"{candidate} {text.verdict} here"


def numbers_of(text: ComparisonText) -> list[tuple[str, str, str]]:
    """Headline numbers: value, name, definition."""
    found = text.difference(text.candidate, text.reference, text.at)
    numbers = []
    if found is not None and found.difference.mean is not None:
        interval = ends_of(found.difference)
        numbers.append(
            (
                f"{points(found.difference.mean)} points",
                f"of macro Dice over {title_of(text.reference)} on {text.at} labels",
                f"95 % interval {interval}; {_allowed_for(text.design)}"
                if interval
                else "no interval: too few patients or runs to tell what others would give",
            )
        )
    for arm in dict.fromkeys((text.candidate, text.reference)):
        row = text.arm(arm, text.at)
        if row is not None and row.score.mean is not None:
            name = f"macro Dice of {title_of(arm)}"
            numbers.append((percent(row.score.mean), name, "mean of the patients and runs"))
    design = text.design
    unseen = unseen_patients(design.arms, knows_generators=text.knows_generators)
    numbers.append(
        (
            f"{design.num_patients} patients",
            f"and {design.num_images} images tested on",
            f"{unseen}; {design.num_runs} trainings in all",
        )
    )
    return numbers


def _allowed_for(design: DesignText) -> str:
    """What the interval knows of."""
    if design.draws > 1 and design.seeds > 1:
        return "other patients, labels and seeds are allowed for"
    if design.draws > 1:
        return "other patients and labels are allowed for, other seeds are not"
    if design.seeds > 1:
        return "other patients and seeds are allowed for, other labels are not"
    return "other patients are allowed for, other labels and seeds are not"


def sections_of(
    text: ComparisonText, class_map: ClassMap, pictures: Sequence[Grid]
) -> list[Section]:
    """Everything below the headline."""
    return [
        *([doubts_section(text)] if text.doubts else []),
        compared_section(text),
        curves_section(text),
        differences_section(text),
        classes_section(text),
        scores_section(text),
        worst_section(text, class_map, pictures),
        costs_section(text),
        limits_section(text),
        arms_section(text),
    ]
