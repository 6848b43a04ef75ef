"""The parts of the report of `hdgan compare`."""

import math
from collections.abc import Sequence

from hdgan.artifacts.comparison import (
    ArmText,
    ComparisonText,
    DifferenceText,
    IntervalText,
    MultiplierText,
)
from hdgan.class_map import ClassMap
from hdgan.report.charts import Band, bands, intervals
from hdgan.report.comparison_pictures import is_made_smaller, row_shown
from hdgan.report.comparison_tables import (
    against,
    arms_by_count,
    arms_explained,
    classes_of,
    costs_of,
    differences_at,
    differences_by_count,
    or_nan,
)
from hdgan.report.comparison_words import explanation_of, title_of, training_of, unseen_patients
from hdgan.report.grids import Grid
from hdgan.report.page import PageFigure, PageTable, Section, chart
from hdgan.report.tables import percent

BASELINE = "supervised"

NOT_CORRECTED = (
    "The verdicts are each arm's own: of 20 arms that change nothing, one would be given a verdict "
    "by chance. The last column of the first table allows for their number (Holm 1979). Only the "
    "comparison at the top was chosen beforehand."
)

LINES_A_CHART = 5
"""More cannot be told apart where their bands lie over one another."""


def doubts_section(text: ComparisonText) -> Section:
    """What speaks against the comparison as a whole."""
    return Section("What makes this doubtful", "\n\n".join(text.doubts))


def compared_section(text: ComparisonText) -> Section:
    """What the verdict is about."""
    design = text.design
    folds = ", ".join(map(str, design.folds))
    compared = (text.candidate, text.reference)
    words = [
        f"{_capital(title_of(text.candidate))}: {explanation_of(text, text.candidate)}.",
        f"{_capital(title_of(text.reference))}: {explanation_of(text, text.reference)}.",
        f"Both got {text.at} human labels. {training_of(compared)} Each was trained for "
        f"{_times(design.draws, 'choice')} of labelled images x {_times(design.seeds, 'seed')}, "
        f"and tested on real images of {_times(design.num_patients, 'patient')} of fold {folds}, "
        f"{unseen_patients(compared, knows_generators=text.knows_generators)}.",
        f"The score: {text.definition}.",
        *text.sentences[1:],
    ]
    if text.multiplier is not None:
        words.append(_worth(text, text.multiplier))
    return Section("What was compared", "\n\n".join(words))


def curves_section(text: ComparisonText) -> Section:
    """Learning curves, and the table of all arms."""
    counted = [arm for arm in text.design.arms if text.arm(arm, None) is None]
    others = [arm for arm in counted if arm != BASELINE]
    ceiling = text.arm("all-labels", None)
    level = None
    if ceiling is not None and ceiling.score.mean is not None:
        level = (title_of("all-labels"), 100 * ceiling.score.mean)
    figures = []
    # Of one number of labels there is no curve; the table says it all.
    for group in _groups(others) if len(text.design.counts) > 1 else []:
        arms = [arm for arm in (BASELINE, *group) if arm in counted]
        svg = bands(
            {title_of(arm): _band(text, arm, is_faint=arm == BASELINE) for arm in arms},
            x_label="human labels",
            y_label="macro Dice, %",
            level=level,
        )
        figures.append(chart(svg, "Mean of the patients and runs; bands are 95 % intervals."))
    return Section(
        "With how many labels",
        "How the score grows with human labels. Intervals overlap more than the differences are "
        "unsure, since good and bad patients are the same for every arm; the next part compares "
        "patient by patient.",
        figures,
        [arms_by_count(text)],
    )


def differences_section(text: ComparisonText) -> Section:
    """Every arm against the baseline, patient by patient."""
    at = [row for row in text.differences if row.count == text.at]
    rows = [row for row in at if row.against == BASELINE]
    rows += [row for row in at if row.against != BASELINE]
    known = {_charted(row): _triple(row.difference) for row in rows}
    shown = {name: triple for name, triple in known.items() if not any(map(math.isnan, triple))}
    figures = []
    if shown:
        caption = (
            f"Differences in macro Dice on {text.at} labels, with 95 % intervals. Right of zero is "
            "better; an interval across zero (grey) is no evidence either way."
        )
        figures.append(chart(intervals(shown, x_label="points of macro Dice"), caption))
    tables = [differences_at(text)]
    if len(text.design.counts) > 1:
        tables.append(differences_by_count(text))
    return Section("Differences", NOT_CORRECTED, figures, tables)


def classes_section(text: ComparisonText) -> Section:
    """Dice of each class."""
    return Section("Classes", "", tables=[classes_of(_at(text), text.at)])


def scores_section(text: ComparisonText) -> Section:
    """The other scores side by side, with their definitions."""
    rows = _at(text)
    names = list(text.definitions)
    table = PageTable(
        f"On {text.at} labels, means of the runs. The verdict is about the first column.",
        ["arm", "Dice, macro, pooled in patient", *names],
        [
            [
                _named(row),
                percent(or_nan(row.score.mean)),
                *(percent(or_nan(row.scores[name])) for name in names),
            ]
            for row in rows
        ],
    )
    definitions = PageTable(
        "What each score is.",
        ["score", "definition"],
        [
            ["Dice, macro, pooled in patient", text.definition],
            *([name, text.definitions[name]] for name in names),
        ],
    )
    return Section(
        "Other scores",
        "Scores that average differently may order arms differently: those that weigh pixels say "
        "little about small classes.",
        tables=[table, definitions],
    )


def worst_section(text: ComparisonText, class_map: ClassMap, pictures: Sequence[Grid]) -> Section:
    """The images that the candidate does worst on."""
    heads = ["image", "annotation", title_of(text.reference), title_of(text.candidate)]
    shown = [row_shown(pixels) for pixels in pictures]
    figures = [
        PageFigure(
            f"{worst.image} ({_patient(worst.patient)}): mean Dice of its classes "
            f"{percent(or_nan(worst.candidate))} with {title_of(text.candidate)}, "
            f"{percent(or_nan(worst.reference))} with {title_of(text.reference)} (means of the "
            "runs).",
            picture=picture,
            width_px=width_px,
            columns=heads,
        )
        for worst, (picture, width_px) in zip(text.worst, shown, strict=True)
    ]
    words = (
        f"Test images on which {title_of(text.candidate)} does worst on {text.at} labels, the "
        "worst first. Label maps of the first label draw and seed."
    )
    if any(map(is_made_smaller, pictures)):
        words += " The folder `pictures` has them in full size."
    if not figures:
        return Section("Worst cases", "No pictures were asked for.")
    return Section("Worst cases", words, figures, legend=class_map)


def costs_section(text: ComparisonText) -> Section:
    """What a segmenter of each arm takes."""
    return Section("Costs", "", tables=[costs_of(_at(text))])


def limits_section(text: ComparisonText) -> Section:
    """What the comparison cannot show, and what was left out of it."""
    left_out = [f"Left out: {sentence}" for sentence in text.left_out]
    return Section("What this can and cannot show", "\n\n".join([*text.cannot_show, *left_out]))


def arms_section(text: ComparisonText) -> Section:
    """What each arm is."""
    return Section("The arms", "", tables=[arms_explained(text)])


def _worth(text: ComparisonText, multiplier: MultiplierText) -> str:
    """What the candidate's labels are worth; its sentence says so in labels and in minutes."""
    if multiplier.labels is None:
        return multiplier.sentence
    words = f"{_capital(title_of(text.candidate))}: {multiplier.sentence}"
    if (multiplier.low or 0.0) <= 1 <= (multiplier.high or 0.0):
        return f"{words} The interval includes 1, so they may be worth no more than themselves."
    return words


def _groups(arms: Sequence[str]) -> list[list[str]]:
    """Arms that share a chart, those with a generator first; one chart even if there is none."""
    ordered = sorted(arms, key=lambda arm: not arm.startswith("hdgan"))
    most = LINES_A_CHART - 1
    return [ordered[i : i + most] for i in range(0, max(1, len(ordered)), most)]


def _band(text: ComparisonText, arm: str, *, is_faint: bool = False) -> Band:
    rows = [row for count in text.design.counts if (row := text.arm(arm, count)) is not None]
    triples = [_triple(row.score) for row in rows]
    middle, low, high = ([triple[k] for triple in triples] for k in range(3))
    return Band([row.count or 0 for row in rows], middle, low, high, is_faint)


def _charted(row: DifferenceText) -> str:
    """An arm beside its interval; the baseline goes without saying."""
    return title_of(row.arm) if row.against == BASELINE else against(row)


def _triple(found: IntervalText) -> tuple[float, float, float]:
    """Middle, low and high in points."""
    return tuple(100 * or_nan(end) for end in (found.mean, found.low, found.high))  # type: ignore[return-value]


def _at(text: ComparisonText) -> list[ArmText]:
    """Every arm at the verdict's number of labels, and with all labels."""
    return [row for row in text.arms if row.count in (text.at, None)]


def _named(row: ArmText) -> str:
    return title_of(row.arm)


def _patient(name: str) -> str:
    return name if name.lower().startswith("patient") else f"patient {name}"


def _times(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
