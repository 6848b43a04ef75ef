"""How far labels may be trusted: a few lines, and sections of a page."""

from collections.abc import Sequence

from hdgan.method.trust_scores import Calibration, Margin, Risk, Trust
from hdgan.pipeline import Fact
from hdgan.report.artifact_page_layers import svg_uri
from hdgan.report.charts import lines, share
from hdgan.report.page import PageFigure, PageTable, Section

NUM_CHARTS = 8
"""Reliability curves at most, of the classes with most pixels; the tables have all."""


def trust_facts(trust: Trust) -> dict[str, Fact]:
    """What a terminal says: calibration, detection, margins, undecided objects, noise."""
    facts: dict[str, Fact] = {}
    worst = max(trust.calibration[:-1], key=lambda row: row.expected_error or 0.0, default=None)
    if trust.calibration and worst is not None:
        said = f"{_number(trust.calibration[-1].expected_error)} of the predicted class"
        facts["calibration error"] = (
            f"{said}; of one class at most {_number(worst.expected_error)} ({worst.name})"
        )
    for row in trust.detection:
        if row.name == "all classes":
            what = f"{_number(row.auroc)} AUROC (.5: by chance), {row.wrong:,} wrong pixels"
            facts[f"errors found by {row.measure}"] = what
    for curve in trust.risk:
        half = curve.risk[len(curve.risk) // 2 - 1]
        facts[f"surest half by {curve.measure}"] = (
            f"{share(half)} wrong, against {share(curve.risk[-1])} of all"
        )
    if trust.margins:
        facts["margins"] = _margins(trust.margins)
    objects = sum(row.objects for row in trust.contours)
    if objects:
        undecided = sum(row.undecided for row in trust.contours)
        facts["undecided objects"] = f"{share(undecided / objects)} of {objects:,}"
    if trust.noise is not None:
        flips = trust.noise
        facts["labels that change with the noise"] = (
            flips.why_not if flips.share is None else f"{share(flips.share)} of the pixels"
        )
    return facts


def trust_sections(trust: Trust) -> list[Section]:
    """What a page says: charts of reliability and of risk, and tables, each with its definition."""
    says = trust.definitions
    reliability = Section(
        "Do probabilities mean what they say?",
        _sentence(says.get("expected_error", "")),
        [_reliability(row) for row in _most(trust.calibration)],
        [_calibration_table(trust.calibration)],
    )
    detection = Section(
        "Does uncertainty find the errors?",
        _sentence(says.get("auroc", "")),
        [_risk(curve, says) for curve in trust.risk],
        [_detection_table(trust)],
    )
    contours = Section(
        "Contours and objects", _sentence(says.get("margin", "")), tables=[_contour_table(trust)]
    )
    return [reliability, detection, contours]


def _most(rows: Sequence[Calibration]) -> list[Calibration]:
    """All classes together, then those with most pixels that have a curve."""
    *classes, together = rows
    classes = sorted(classes, key=lambda row: -row.true_pixels)[: NUM_CHARTS - 1]
    return [row for row in (together, *classes) if len(row.bins) > 1]


def _reliability(row: Calibration) -> PageFigure:
    said = [one.said for one in row.bins]
    series = {"is so": [one.true for one in row.bins], "as said": said}
    svg = lines(said, series, x_label="said with probability", y_label="part that is so")
    caption = f"{row.name}: expected calibration error {_number(row.expected_error)}."
    return PageFigure(caption, picture=svg_uri(svg))


def _risk(curve: Risk, says: dict[str, str]) -> PageFigure:
    series = {"as found": curve.risk, "at best": curve.optimal}
    svg = lines(curve.coverage, series, x_label="part of the pixels kept", y_label="part wrong")
    caption = (
        f"By {curve.measure}: {says.get('risk', '')}. Area {curve.area:.4f}, at best "
        f"{curve.least_area:.4f} ({says.get('area', '')})."
    )
    return PageFigure(caption, picture=svg_uri(svg))


def _calibration_table(rows: Sequence[Calibration]) -> PageTable:
    cells = [[row.name, _number(row.expected_error), f"{row.true_pixels:,}"] for row in rows]
    caption = "Expected calibration error, from 0; a dash where there is no pixel."
    return PageTable(caption, ["class", "calibration error", "pixels of which it is so"], cells)


def _detection_table(trust: Trust) -> PageTable:
    cells = [
        [row.measure, row.name, _number(row.auroc), f"{row.wrong:,}", f"{row.pixels:,}"]
        for row in trust.detection
    ]
    caption = "AUROC of the error; a dash where all pixels are right, or all wrong."
    return PageTable(caption, ["uncertainty", "predicted", "AUROC", "wrong", "pixels"], cells)


def _contour_table(trust: Trust) -> PageTable:
    says = trust.definitions
    cells = [
        [
            row.name,
            _margin(margin),
            f"{margin.units} {margin.unit}s",
            _number(row.boundary_f1),
            f"{row.undecided:,} of {row.objects:,}",
            f"{row.speckles_per_megapixel:.1f}",
        ]
        for row, margin in zip(trust.contours, trust.margins, strict=True)
    ]
    caption = " ".join(
        f"{title}: {says[name]}."
        for title, name in (
            ("Boundary F1", "boundary_f1"),
            ("Undecided", "undecided"),
            ("Specks", "speckles_per_megapixel"),
        )
        if name in says
    )
    header = ["class", "margin", "calibrated on", "boundary F1", "undecided", "specks / megapixel"]
    return PageTable(caption, header, cells)


def _sentence(definition: str) -> str:
    return f"{definition[:1].upper()}{definition[1:]}." if definition else ""


def _margins(margins: Sequence[Margin]) -> str:
    """All of them; a reason that is the same for all classes is said once."""
    reasons = {row.why_not for row in margins}
    if len(reasons) == 1 and margins[0].px is None:
        return f"none: {margins[0].why_not}"
    said = "; ".join(f"{row.name} {_margin(row)}" for row in margins)
    return f"{said} (for the next {margins[0].unit} like these, see the page of `show --html`)"


def _margin(margin: Margin) -> str:
    return margin.why_not if margin.px is None else f"{margin.px} px"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
