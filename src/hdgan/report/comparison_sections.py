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
from hdgan.report.artifact_page_layers import photo
from hdgan.report.charts import Band, bands, intervals
from hdgan.report.comparison_words import WORDS, title_of, training_of, unseen_patients
from hdgan.report.grids import Grid
from hdgan.report.page import PageFigure, PageTable, Section, chart
from hdgan.report.tables import duration, percent

BASELINE = "supervised"

NOT_CORRECTED = (
    "The verdicts are each arm's own: of 20 arms that change nothing, one would be given a verdict "
    "by chance. The last column of the first table allows for their number (Holm 1979). Only the "
    "comparison at the top was chosen beforehand."
)

LINES_A_CHART = 5
"""More cannot be told apart where their bands lie over one another."""

PICTURE_PX = 1040
"""Width at which four pictures in a row are shown."""


def points(value: float) -> str:
    """A difference in points of a hundred, with its sign."""
    rounded = round(100 * value, 1)
    return "0.0" if rounded == 0 else f"{rounded:+.1f}"


def doubts_section(text: ComparisonText) -> Section:
    """What speaks against the comparison as a whole."""
    return Section("What makes this doubtful", "\n\n".join(text.doubts))


def compared_section(text: ComparisonText) -> Section:
    """What the verdict is about."""
    design = text.design
    folds = ", ".join(map(str, design.folds))
    compared = (text.candidate, text.reference)
    words = [
        f"{_capital(title_of(text.candidate))}: {_explanation(text, text.candidate)}.",
        f"{_capital(title_of(text.reference))}: {_explanation(text, text.reference)}.",
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
        [_arms_table(text)],
    )


def differences_section(text: ComparisonText) -> Section:
    """Every arm against the baseline, patient by patient."""
    at = [row for row in text.differences if row.count == text.at]
    rows = [row for row in at if row.against == BASELINE]
    rows += [row for row in at if row.against != BASELINE]
    known = {_against(row): _triple(row.difference) for row in rows}
    shown = {name: triple for name, triple in known.items() if not any(map(math.isnan, triple))}
    figures = []
    if shown:
        caption = (
            f"Differences in macro Dice on {text.at} labels, with 95 % intervals. Right of zero is "
            "better; an interval across zero (grey) is no evidence either way."
        )
        figures.append(chart(intervals(shown, x_label="points of macro Dice"), caption))
    tables = [_differences_table(text)]
    if len(text.design.counts) > 1:
        tables.append(_differences_by_count(text))
    return Section("Differences", NOT_CORRECTED, figures, tables)


def classes_section(text: ComparisonText) -> Section:
    """Dice of each class."""
    rows = _at(text)
    names = list(rows[0].classes) if rows else []
    table = PageTable(
        f"Dice of each class on {text.at} labels: all test images of a run together, mean of the "
        "runs. A dash: the class does not occur.",
        ["arm", *names],
        [[_named(row), *(percent(_or_nan(row.classes[name])) for name in names)] for row in rows],
    )
    return Section("Classes", "", tables=[table])


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
                percent(_or_nan(row.score.mean)),
                *(percent(_or_nan(row.scores[name])) for name in names),
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
    figures = [
        PageFigure(
            f"{worst.image} (patient {worst.patient}): mean Dice of its classes "
            f"{percent(_or_nan(worst.candidate))} with {title_of(text.candidate)}, "
            f"{percent(_or_nan(worst.reference))} with {title_of(text.reference)} (means of the "
            "runs).",
            picture=photo(pixels, 2 * PICTURE_PX),
            width_px=PICTURE_PX,
            columns=heads,
        )
        for worst, pixels in zip(text.worst, pictures, strict=True)
    ]
    words = (
        f"Test images on which {title_of(text.candidate)} does worst on {text.at} labels, the "
        "worst first. Label maps of the first label draw and seed."
    )
    if not figures:
        return Section("Worst cases", "No pictures were asked for.")
    return Section("Worst cases", words, figures, legend=class_map)


def costs_section(text: ComparisonText) -> Section:
    """What a segmenter of each arm takes."""
    rows = [
        [
            _named(row),
            "-" if row.cpu_seconds is None else f"{row.cpu_seconds:,.0f}",
            "-" if row.seconds is None else duration(row.seconds),
        ]
        for row in _at(text)
    ]
    table = PageTable(
        "A segmenter's training and the pairs that it learns from, mean of the runs, on one "
        "thread. The time of a GPU is in the clock's alone. The generator is not counted, nor "
        "are runs that were interrupted on the way and went on. A dash: no other is there.",
        ["arm", "CPU seconds", "by the clock"],
        rows,
    )
    return Section("Costs", "", tables=[table])


def limits_section(text: ComparisonText) -> Section:
    """What the comparison cannot show, and what was left out of it."""
    left_out = [f"Left out: {sentence}" for sentence in text.left_out]
    return Section("What this can and cannot show", "\n\n".join([*text.cannot_show, *left_out]))


def arms_section(text: ComparisonText) -> Section:
    """What each arm is."""
    rows = [
        [title_of(arm), arm, _explanation(text, arm), WORDS[arm].source]
        for arm in text.design.arms
        if arm in WORDS
    ]
    header = ["arm", "on the command line", "how", "source"]
    return Section("The arms", "", tables=[PageTable("", header, rows)])


def _explanation(text: ComparisonText, arm: str) -> str:
    """How an arm comes to its segmenter, and what was changed in it here."""
    changed = text.changed.get(arm)
    return WORDS[arm].explanation + (f"; here {changed}" if changed else "")


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


def _arms_table(text: ComparisonText) -> PageTable:
    counts = text.design.counts
    rows = []
    for arm in text.design.arms:
        every = text.arm(arm, None)
        cells = [_cell(text.arm(arm, count)) for count in counts]
        rows.append([title_of(arm), *cells, _cell(every)])
    if all(row[-1] == "-" for row in rows):
        rows, last = [row[:-1] for row in rows], []
    else:
        last = ["all"]
    return PageTable(
        "Macro Dice in %, by the number of human labels: mean of the patients and runs, and its "
        "95 % interval. A dash: not run, or too little for an interval.",
        ["arm", *(str(count) for count in counts), *last],
        rows,
    )


def _cell(row: ArmText | None) -> str:
    if row is None or row.score.mean is None:
        return "-"
    mean, low, high = (
        100 * _or_nan(end) for end in (row.score.mean, row.score.low, row.score.high)
    )
    return f"{mean:.1f}" if math.isnan(low) else f"{mean:.1f} [{low:.1f}, {high:.1f}]"


def _differences_table(text: ComparisonText) -> PageTable:
    """Every comparison at the verdict's number of labels."""
    rows = [
        [
            title_of(row.arm),
            title_of(row.against),
            "-" if row.difference.mean is None else points(row.difference.mean),
            _ends(row.difference) or "-",
            row.verdict,
            row.corrected or "-",
        ]
        for row in text.differences
        if row.count == text.at
    ]
    return PageTable(
        f"On {text.at} labels: points of macro Dice, arm less other arm, patient by patient and "
        "run by run.",
        ["arm", "against", "difference", "95 % interval", "verdict", "all arms allowed for"],
        rows,
    )


def _differences_by_count(text: ComparisonText) -> PageTable:
    """The same comparisons at every number of labels."""
    found = {(row.arm, row.against, row.count): row for row in text.differences}
    pairs = dict.fromkeys((row.arm, row.against) for row in text.differences)
    rows = []
    for arm, against in pairs:
        cells = [_difference_cell(found.get((arm, against, count))) for count in text.design.counts]
        rows.append([title_of(arm), title_of(against), *cells])
    return PageTable(
        "The same with every number of labels: points, and the 95 % interval.",
        ["arm", "against", *map(str, text.design.counts)],
        rows,
    )


def _difference_cell(row: DifferenceText | None) -> str:
    if row is None or row.difference.mean is None:
        return "-"
    return f"{points(row.difference.mean)} {_ends(row.difference)}".strip()


def _ends(found: IntervalText) -> str:
    """The interval of a difference; empty if there is none."""
    if found.low is None or found.high is None:
        return ""
    return f"[{points(found.low)}, {points(found.high)}]"


def _against(row: DifferenceText) -> str:
    if row.against == BASELINE:
        return title_of(row.arm)
    return f"{title_of(row.arm)} - {title_of(row.against)}"


def _triple(found: IntervalText) -> tuple[float, float, float]:
    """Middle, low and high in points."""
    return tuple(100 * _or_nan(end) for end in (found.mean, found.low, found.high))  # type: ignore[return-value]


def _at(text: ComparisonText) -> list[ArmText]:
    """Every arm at the verdict's number of labels, and with all labels."""
    return [row for row in text.arms if row.count in (text.at, None)]


def _named(row: ArmText) -> str:
    return title_of(row.arm)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _times(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
