"""Pages, pictures, charts and progress."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from hdgan.class_map import KIDNEY, UNLABELLED
from hdgan.report.card import dataset_card
from hdgan.report.charts import confusion, histogram, lines, share
from hdgan.report.generator_card import words_of
from hdgan.report.grids import GAP, grid
from hdgan.report.page import Page, PageTable, Section, chart, html_of, picture
from hdgan.report.pictures import comparison, heat
from hdgan.report.progress import ProgressBar
from hdgan.report.tables import duration, percent
from hdgan.stages.demo.steps import TIMES, Steps
from tests.tiny_world import CARD


def test_tiles_of_a_grid_lie_side_by_side() -> None:
    tiles = [np.full((4, 4, 3), value, dtype=np.uint8) for value in (10, 20, 30)]

    picture_of_three = grid(tiles, columns=2)

    assert picture_of_three.shape == (8 + GAP, 8 + GAP, 3)
    assert int(picture_of_three[0, 0, 0]) == 10
    assert int(picture_of_three[0, 4 + GAP, 0]) == 20
    assert int(picture_of_three[4 + GAP, 0, 0]) == 30
    assert int(picture_of_three[-1, -1, 0]) == 255


def test_a_histogram_shows_each_series_as_parts_of_itself() -> None:
    few, many = np.array([1.0, 1.0, 9.0, 9.0]), np.linspace(0.0, 10.0, 1000)

    svg = histogram({"few": few, "many": many}, x_label="distance", y_label="part", bins=10)

    assert svg.startswith("<svg")
    assert {"few", "many", "distance", "part"} <= set(re.findall(r">([a-z]+)</text>", svg))
    # The highest bar is half of the few, though the many are more.
    assert "0.5" in re.findall(r">([\d.]+)</text>", svg)
    assert "0.6" not in re.findall(r">([\d.]+)</text>", svg)
    assert svg == histogram({"few": few, "many": many}, x_label="distance", y_label="part", bins=10)


def test_a_comparison_marks_what_is_wrong_and_not_what_is_unlabelled() -> None:
    image = np.full((4, 4, 3), 128, dtype=np.uint8)
    truth = np.zeros((4, 4), dtype=np.uint8)
    truth[0] = UNLABELLED
    predicted = np.zeros((4, 4), dtype=np.uint8)
    predicted[:2] = 1

    wrong = comparison(image, truth, predicted, KIDNEY)[:, -4:]

    assert (wrong[1] == (200, 30, 30)).all()
    assert not (wrong[[0, 2, 3]] == (200, 30, 30)).all(axis=-1).any()


def test_heat_rises_from_dark_to_bright() -> None:
    colours = heat(np.array([[0.0, 0.5, 1.0, 2.0]]), largest=1.0).sum(axis=-1)[0]

    assert colours[0] < colours[1] < colours[2]
    assert colours[2] == colours[3]


class Resources(HTMLParser):
    """What a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "data", "xlink:href") and value:
                self.fetched.append(value)
        assert tag not in ("script", "link", "iframe")


def page_of(title: str = "A page") -> bytes:
    pixels = np.zeros((4, 4, 3), dtype=np.uint8)
    matrix = np.array([[9, 1], [0, 5]])
    section = Section(
        "Part",
        "One.\n\nTwo.",
        [
            picture(pixels, "A picture.", zoom=2),
            chart(lines([1, 2], {"a": [1, 2], "b": [2, 1]}, x_label="x", y_label="y"), "A chart."),
            chart(confusion(matrix, ["<first>", "second"]), "A matrix."),
        ],
        [PageTable("Numbers.", ["name", "value"], [["<b>", "1"]])],
        legend=KIDNEY,
    )
    return html_of(Page(title, "Lead.", [("1", "one", "the number one")], [section]))


def test_a_page_fetches_nothing() -> None:
    parser = Resources()
    parser.feed(page_of().decode())

    assert parser.fetched
    assert all(value.startswith(("data:", "#")) for value in parser.fetched)


def test_what_a_page_is_told_is_escaped() -> None:
    html = page_of("<script>alert(1)</script>").decode()

    assert "<script>" not in html
    assert "&lt;b&gt;" in html


def test_a_page_names_its_classes_and_describes_its_pictures() -> None:
    html = page_of().decode()

    for tissue in KIDNEY.classes:
        assert tissue.name in html
        assert tissue.colour in html
    assert 'alt="A picture."' in html
    assert html.count("<p>") == 2


def test_a_chart_is_the_same_for_the_same_numbers() -> None:
    one, two = (lines([1, 2], {"a": [1, 2]}, x_label="x", y_label="y") for _ in range(2))

    assert one == two


@pytest.mark.parametrize(
    ("part", "text"),
    [(1.0, "100%"), (0.9999, ">99.9%"), (0.996, "99.6%"), (0.5, "50.0%"), (0.0001, "<0.1%")],
)
def test_only_all_is_a_hundred_per_cent(part: float, text: str) -> None:
    assert share(part) == text


def test_a_picture_names_its_columns_and_rows() -> None:
    pixels = np.zeros((4, 6, 3), dtype=np.uint8)
    figure = picture(pixels, "Two.", columns=("drawing", "<crop>"), rows=("first",))

    html = html_of(Page("A page", "Lead.", sections=[Section("Part", "One.", [figure])])).decode()

    assert '<div class="columns"><span>drawing</span><span>&lt;crop&gt;</span></div>' in html
    assert '<div class="rows"><span>first</span></div>' in html
    assert html.index('class="columns"') < html.index('<img src="data:')


def test_a_card_says_what_was_dropped() -> None:
    about = {
        "num_drawn": 10,
        "num_kept": 9,
        "num_dropped": 1,
        "least_uncertainty_dropped_nats": 0.25,
        "largest_uncertainty_nats": 1.6094,
        "side_px": 64,
        "ending": "png",
        "truncation": 0.7,
        "share_of_pixels": {"glass": 0.25, "tissue": 0.75},
    }

    card = dataset_card(about, {"generator": "abc"})

    assert re.search(r"Of 10 pairs drawn.*the 1\s+most uncertain were dropped.*0\.2500", card, re.S)
    assert "| tissue | 75.00 % |" in card
    assert "## The generator" not in card
    alone = dataset_card(about | {"largest_uncertainty_nats": 0.0}, {"generator": "abc"})
    assert "All 10 pairs drawn at truncation 0.7 were kept" in alone
    assert "were dropped" not in alone
    words = words_of(CARD, "card.md")
    card = dataset_card(about, {"generator": "abc"}, words)
    assert f"## The generator\n\n{words.title}. {words.lead}" in card
    for said in (words.licence, words.annotation, words.limits, words.use):
        assert said in card


@pytest.mark.parametrize(("seconds", "text"), [(5.2, "5 s"), (119.0, "119 s"), (150.0, "2.5 min")])
def test_a_duration_is_said_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_score_without_a_value_is_a_dash() -> None:
    assert percent(float("nan")) == "-"
    assert percent(0.1234) == "12.3 %"


def test_progress_in_a_log_says_what_is_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, *(40.0 * i for i in range(1, 100))])
    monkeypatch.setattr("hdgan.report.progress.time.monotonic", lambda: next(clock))

    with ProgressBar("work", 10, "items", done=2) as progress:
        progress.advance("loss 1")
        progress.advance("loss 2")

    printed = capsys.readouterr().err.splitlines()
    assert printed[0] == "work: goes on after 2 of 10 items"
    assert re.fullmatch(
        r"work: 3 of 10 items, [\d.]+ items/min, \d+ (s|min) left, loss 1", printed[1]
    )
    assert re.fullmatch(
        r"work: 4 of 10 items, [\d.]+ items/min, \d+ (s|min) left, loss 2", printed[2]
    )


def test_the_demonstrations_report_holds_all_its_parts(tmp_path: Path) -> None:
    from hdgan.cli import main

    small = (
        "--from-scratch --kimg 0.064 --num-tiles 60 --num-samples 40 --classifier-steps 5 "
        "--num-pairs 4 --segmenter-steps 1"
    )
    main(["demo", str(tmp_path / "demo"), *small.split()])

    html = (tmp_path / "demo" / "report.html").read_text()
    for title in (
        "The tissue",
        "The generator",
        "The annotation",
        "The classifier",
        "How good the labels are",
        "The dataset",
        "On unseen tissue",
        "How it was made",
    ):
        assert f"<h2>{title}</h2>" in html
    for word in ("Training curve", "Confusion matrix", "recall", "Dice[macro, pooled", "nats"):
        assert word in html
    parser = Resources()
    parser.feed(html)
    assert all(value.startswith(("data:", "#")) for value in parser.fetched)


def test_a_demonstration_that_is_run_again_keeps_its_times(tmp_path: Path) -> None:
    began = {"00 draw": 30.0, "01 tile": 7.0}
    (tmp_path / TIMES).write_text(json.dumps(began))
    steps = Steps(tmp_path, {})

    for step in ("draw", "tile", "tile"):
        with steps.timed(step):
            pass

    assert [round(seconds) for _, seconds in steps.times] == [30, 7, 0]
