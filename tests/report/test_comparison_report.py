"""The report of a comparison, as its reader sees it."""

import base64
import re
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hdgan.artifacts.comparison import (
    ArmText,
    ComparisonText,
    DesignText,
    DifferenceText,
    IntervalText,
    WorstText,
)
from hdgan.class_map import KIDNEY, UNLABELLED, painted
from hdgan.report.comparison_page import comparison_page, numbers_of
from hdgan.report.comparison_pictures import WIDTH_PX, is_made_smaller, row_shown
from hdgan.report.comparison_sections import worst_section
from hdgan.report.comparison_tables import (
    FIGURE_SPACE,
    MINUS,
    aligned,
    arms_by_count,
    arms_explained,
    costs_of,
    differences_at,
    differences_by_count,
)
from hdgan.report.grids import GAP, Grid, grid
from hdgan.report.page import html_of


def interval(mean: float, low: float | None, high: float | None) -> IntervalText:
    return IntervalText(mean=mean, low=low, high=high, num_patients=4, num_runs=2)


def arm(name: str, count: int | None, mean: float, seconds: float = 5.0) -> ArmText:
    return ArmText(
        arm=name,
        count=count,
        score=interval(mean, max(0.0, mean - 0.1), min(1.0, mean + 0.1)),
        scores={},
        classes={},
        cpu_seconds=seconds,
        seconds=seconds,
    )


def difference(
    mean: float, low: float | None, high: float | None, verdict: str = "no evidence"
) -> DifferenceText:
    return DifferenceText(
        arm="hdgan",
        against="supervised",
        count=16,
        difference=interval(mean, low, high),
        verdict=verdict,
        corrected=None,
    )


def text_of(
    arms: Sequence[ArmText] = (), differences: Sequence[DifferenceText] = ()
) -> ComparisonText:
    return ComparisonText(
        candidate="hdgan",
        reference="supervised",
        at=16,
        verdict="no evidence",
        sentences=["No evidence."],
        definition="macro Dice",
        definitions={},
        design=DesignText(
            arms=["supervised", "hdgan", "all-labels"],
            counts=[4, 16],
            draws=2,
            seeds=1,
            folds=[0],
            num_runs=9,
            num_patients=4,
            num_images=8,
            detectable=None,
        ),
        arms=list(arms),
        differences=list(differences),
        worst=[
            WorstText(image="patient07_001", patient="patient07", candidate=0.1, reference=0.2),
            WorstText(image="b_002", patient="b", candidate=0.3, reference=None),
        ],
        left_out=[],
        cannot_show=[],
    )


def row_of(side_px: int) -> Grid:
    """An image of noise beside three label maps of noise."""
    random = np.random.default_rng(side_px)
    image = random.integers(0, 256, size=(side_px, side_px, 3), dtype=np.uint8)
    labels = random.integers(0, len(KIDNEY), size=(3, side_px, side_px)).astype(np.uint8)
    labels[:, 0, 0] = UNLABELLED
    return grid([image, *(painted(one, KIDNEY) for one in labels)], columns=4)


def shown_pixels(uri: str) -> Grid:
    kind, encoded = uri.split(",", 1)
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(BytesIO(base64.b64decode(encoded))).convert("RGB"))


def test_numbers_of_a_column_are_padded_until_their_points_stand_below_each_other() -> None:
    rows = aligned([["a", "9.5 [-0.4, 10.2]", "-"], ["b", "100.0 [-60.1, +9.3]", "1.0"]])

    wide = FIGURE_SPACE
    assert rows[0][1] == f"{wide}{wide}9.5 [{wide}{MINUS}0.4, 10.2]"
    assert rows[1][1] == f"100.0 [{MINUS}60.1, +9.3]"
    assert [row[2] for row in rows] == ["-", "1.0"]


@given(
    numbers=st.lists(
        st.tuples(*[st.floats(-999, 999).map(lambda value: f"{value:+.1f}")] * 3),
        min_size=1,
        max_size=6,
    )
)
def test_aligned_cells_have_one_length_and_say_the_same_numbers(
    numbers: list[tuple[str, str, str]],
) -> None:
    cells = [f"{mean} [{low}, {high}]" for mean, low, high in numbers]

    found = [row[1] for row in aligned([["arm", cell] for cell in cells])]

    assert len({len(cell) for cell in found}) == 1
    assert len({tuple(m.start() for m in re.finditer(r"\.", cell)) for cell in found}) == 1
    assert [cell.replace(FIGURE_SPACE, "").replace(MINUS, "-") for cell in found] == cells


def test_scores_of_arms_stand_below_the_number_of_labels() -> None:
    arms = [arm("supervised", 4, 0.05), arm("hdgan", 4, 0.5), arm("supervised", 16, 0.6)]

    table = arms_by_count(text_of(arms))

    assert table.header == ["arm", "4 labels", "16 labels"]
    lengths = [len(row[1]) for row in table.rows if row[1] != "-"]
    assert lengths == [len("50.0 [40.0, 60.0]")] * 2


def test_a_bound_that_rounds_to_zero_keeps_the_sign_that_the_verdict_rests_on() -> None:
    text = text_of(differences=[difference(-0.002, -0.004, -0.0003, "hurts")])

    (row,) = differences_at(text).rows

    assert row[0] == "HDGAN against supervised"
    assert row[2].replace(MINUS, "-") == "[-0.4, -0.0]"
    assert "[-0.4, -0.0]" in numbers_of(text)[0][2]


def test_a_difference_without_interval_is_a_dash_there_and_said_in_the_headline() -> None:
    text = text_of(differences=[difference(0.02, None, None)])

    assert differences_at(text).rows[0][1:3] == ["+2.0", "-"]
    assert differences_by_count(text).rows[0][1:] == ["-", "+2.0"]
    definition = numbers_of(text)[0][2]
    assert definition.startswith("no interval: too few patients or runs")
    assert "allowed for" not in definition


@pytest.mark.parametrize(
    ("draws", "seeds", "words"),
    [
        (2, 2, "other patients, labels and seeds are allowed for"),
        (2, 1, "other patients and labels are allowed for, other seeds are not"),
        (1, 2, "other patients and seeds are allowed for, other labels are not"),
        (1, 1, "other patients are allowed for, other labels and seeds are not"),
    ],
)
def test_the_headline_says_what_the_interval_allows_for(draws: int, seeds: int, words: str) -> None:
    text = text_of(differences=[difference(0.02, -0.01, 0.05)])
    design = text.design.model_copy(update={"draws": draws, "seeds": seeds})
    text = text.model_copy(update={"design": design})

    assert numbers_of(text)[0][2].endswith(words)


@pytest.mark.parametrize(
    ("longest", "unit", "cells"),
    [
        (90.0, "seconds by the clock", ["5.0", "90.0"]),
        (600.0, "minutes by the clock", ["0.1", "10.0"]),
    ],
)
def test_times_of_a_column_are_in_one_unit(longest: float, unit: str, cells: list[str]) -> None:
    table = costs_of([arm("supervised", 16, 0.5), arm("hdgan", 16, 0.5, longest)])

    assert table.header[2] == unit
    assert [row[2] for row in table.rows] == cells


def test_the_arms_are_explained_with_their_name_on_the_command_line_and_source() -> None:
    rows = {row[0]: row[1] for row in arms_explained(text_of()).rows}

    assert [*rows] == ["supervised", "HDGAN (hdgan)", "all labels (all-labels)"]
    assert rows["supervised"].endswith("stain jitter. Ronneberger et al. 2015.")


@pytest.mark.parametrize("side_px", [16, 64, 100, 256, 257, 700])
def test_label_maps_have_no_colour_but_those_of_their_classes(side_px: int) -> None:
    uri, width_px = row_shown(row_of(side_px))

    pixels = shown_pixels(uri)

    assert pixels.shape[1] <= WIDTH_PX
    assert width_px % pixels.shape[1] == 0
    assert width_px <= WIDTH_PX
    side = (pixels.shape[1] - 3 * GAP) // 4
    labels = pixels[:, side + GAP : 2 * side + GAP]
    colours = {tuple(colour) for colour in labels.reshape(-1, 3).tolist()}
    assert colours <= {*map(tuple, KIDNEY.palette.tolist()), (0, 0, 0)}


def test_a_small_row_is_shown_without_loss_and_magnified() -> None:
    row = row_of(64)

    uri, width_px = row_shown(row)

    assert np.array_equal(shown_pixels(uri), row)
    assert width_px == 3 * row.shape[1]
    assert not is_made_smaller(row)


def test_the_page_does_not_smooth_what_it_magnifies() -> None:
    page = html_of(comparison_page(text_of(), KIDNEY, [row_of(16), row_of(16)])).decode()

    assert re.search(r"figure img \{[^}]*image-rendering: pixelated", page)
    assert page.count("data:image/png;base64,") == 2
    assert "image/jpeg" not in page


def test_worst_cases_name_a_patient_once_and_where_the_pictures_are_in_full_size() -> None:
    small = worst_section(text_of(), KIDNEY, [row_of(16), row_of(16)])
    large = worst_section(text_of(), KIDNEY, [row_of(300), row_of(300)])

    captions = [figure.caption for figure in small.figures]
    assert captions[0].startswith("patient07_001 (patient07): ")
    assert captions[1].startswith("b_002 (patient b): ")
    assert "full size" not in small.text
    assert "The folder `pictures` has them in full size." in large.text
