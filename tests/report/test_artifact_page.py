"""The page of an artifact: what it says, what it may do, and how it is used."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from hdgan.class_map import KIDNEY, UNLABELLED, painted
from hdgan.report.artifact_page import (
    ArtifactPage,
    Gallery,
    GalleryPicture,
    Relative,
    column_kinds,
    html_of_artifact,
    is_artifact_page,
)
from hdgan.report.artifact_page_layers import (
    heat_layer,
    label_layer,
    outline_layer,
    photo,
    side_px_for,
    svg_uri,
)
from hdgan.report.artifact_page_markdown import PageText, chapters_of
from hdgan.report.charts import histogram, lines
from hdgan.report.page import PageFigure, PageTable, Section
from hdgan.stages.show.labelled import Labelled, Painter, views_of
from tests.web.browser import launched

AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
CARD = """# NAME

Words of NAME.

- a point

| NAME | value |
|---|---|
| a | 1 |

```
lines of NAME
```
"""
HOSTILE = "<script>alert(1)</script>'\"&{{7*7}}"


def pixels_of(uri: str) -> np.ndarray:
    """The picture in a data URI, with its transparency."""
    _, _, content = uri.partition("base64,")
    return np.asarray(Image.open(BytesIO(base64.b64decode(content))).convert("RGBA"))


def labelled(number: int) -> GalleryPicture:
    """A picture of class `number`, with a corner of class 0."""
    labels = np.full((32, 32), number, dtype=np.uint8)
    labels[:8, :8] = 0
    labels[-4:] = UNLABELLED
    random = np.random.default_rng(number)
    image = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    uncertainty = np.full((32, 32), 0.1 * number)
    painter = Painter(KIDNEY, 256, brightest=0.5)
    return painter.picture(
        Labelled(
            f"p{number}",
            labels,
            image,
            uncertainty,
            notes=[f"fold {number % 2}"],
            groups={"fold": [str(number % 2)]},
            numbers={"uncertainty": float(-number)},
        )
    )


def page_of(name: str = "pairs", num_pictures: int = 5) -> ArtifactPage:
    pictures = [labelled(number) for number in range(num_pictures)]
    svg = lines([1, 2], {"a": [1, 2]}, x_label="x", y_label="y")
    table = PageTable("Numbers.", ["name", "value"], [[name, "1.5"]])
    return ArtifactPage(
        kind="pair-set",
        name=name,
        lead="Pairs.",
        facts={"pairs": 5, name: name},
        parents=[Relative("generator", "a" * 64, name, "../generator")],
        children=[Relative("segmenter", "b" * 64)],
        numbers=[("5", "pairs", "kept")],
        gallery=Gallery("All pairs.", views_of(pictures), pictures, KIDNEY, "clear"),
        sections=[Section("Curve", "Text.", [PageFigure("A curve.", None, svg_uri(svg))], [table])],
        texts=[PageText("Its card", chapters_of(CARD.replace("NAME", name)))],
        making={"digest": "c" * 64},
    )


class Elements(HTMLParser):
    """What a page would fetch, and its elements by tag."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.feed(html.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "data", "xlink:href", "srcset", "action") and value:
                self.fetched.append(value)
            assert not name.startswith("on"), name


def test_the_page_fetches_nothing_and_has_one_script() -> None:
    elements = Elements(html_of_artifact(page_of()))

    assert elements.fetched
    assert all(value.startswith("data:image/") for value in elements.fetched)
    assert elements.tags.count("script") == 1
    assert not {"link", "iframe", "object", "form"} & set(elements.tags)


def test_what_the_page_is_told_is_escaped() -> None:
    html = html_of_artifact(page_of(HOSTILE)).decode()

    assert html.count("<script>") == 1
    assert "alert(1)" not in html.partition("<script>")[2].partition("</script>")[0]
    assert "&lt;script&gt;alert(1)" in html
    assert "{{7*7}}" in html


def test_the_policy_names_the_script_that_is_there() -> None:
    html = html_of_artifact(page_of()).decode()

    (script,) = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html


def test_a_page_is_known_by_its_beginning() -> None:
    assert is_artifact_page(html_of_artifact(page_of(HOSTILE))[:4096])
    assert not is_artifact_page(b'<!doctype html><html><head><meta name="generator" content="x">')
    assert not is_artifact_page(b"")


def test_too_many_bytes_leave_every_second_picture_out() -> None:
    pictures = [GalleryPicture(str(i), {"image": "x" * 100}, (1, 1)) for i in range(9)]
    gallery = Gallery("", [], pictures)

    assert [one.name for one in gallery.within(900).pictures] == list("012345678")
    assert [one.name for one in gallery.within(899).pictures] == list("02468")
    assert [one.name for one in gallery.within(0).pictures] == ["0"]


def test_filters_that_divide_nothing_are_left_out_and_numbers_come_in_order() -> None:
    pictures = [
        GalleryPicture(fold, {}, (1, 1), groups={"fold": [fold], "stain": ["PAS"]})
        for fold in ("10", "9", "none")
    ]

    assert Gallery("", [], pictures).groups == {"fold": ["9", "10", "none"]}


@given(side=st.integers(1, 40), largest=st.integers(1, 60), seed=st.integers(0, 1000))
def test_a_label_layer_has_the_colours_of_the_classes_and_nothing_where_unlabelled(
    side: int, largest: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    labels = random.choice([0, 1, 2, 3, 4, UNLABELLED], size=(side, side)).astype(np.uint8)

    layer = pixels_of(label_layer(labels, KIDNEY, largest))

    assert max(layer.shape[:2]) == min(side, largest)
    if side <= largest:
        is_labelled = labels != UNLABELLED
        assert ((layer[..., 3] > 0) == is_labelled).all()
        assert (layer[is_labelled][:, :3] == painted(labels, KIDNEY)[is_labelled]).all()


def test_outlines_lie_on_both_sides_of_a_border_and_nowhere_else() -> None:
    labels = np.zeros((300, 300), dtype=np.uint8)
    labels[:, 100:] = 2

    layer = pixels_of(outline_layer(labels, KIDNEY, 300))

    assert (layer[:, 99, :3] == KIDNEY.palette[0]).all()
    assert (layer[:, 100, :3] == KIDNEY.palette[2]).all()
    assert np.flatnonzero(layer[0, :, 3]).tolist() == [99, 100]


def test_outlines_of_small_maps_are_thinner_than_a_pixel() -> None:
    labels = np.zeros((16, 16), dtype=np.uint8)
    labels[:, 8:] = 1

    layer = pixels_of(outline_layer(labels, KIDNEY, 512))

    assert layer.shape[:2] == (256, 256)
    assert np.flatnonzero(layer[0, :, 3]).tolist() == [127, 128]


def test_photos_are_made_small_and_small_ones_stay_exact() -> None:
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (16, 40, 3), dtype=np.uint8)
    large = np.full((600, 300, 3), 90, dtype=np.uint8)

    assert (pixels_of(photo(small, 256))[..., :3] == small).all()
    assert pixels_of(photo(large, 256)).shape[:2] == (256, 128)
    assert abs(int(pixels_of(photo(large, 256))[100, 64, 0]) - 90) <= 2


def test_uncertainty_is_averaged_and_brighter_where_it_is_larger() -> None:
    values = np.zeros((64, 64))
    values[:, 32:] = 1.0

    layer = pixels_of(heat_layer(values, 1.0, 16))[..., :3].astype(int).sum(axis=-1)

    assert layer.shape == (16, 16)
    assert layer[:, :8].max() < layer[:, 8:].min()


def test_more_pictures_are_smaller() -> None:
    assert [side_px_for(n) for n in (1, 64, 65, 200, 250, 251, 1000)] == [
        512,
        512,
        256,
        256,
        256,
        128,
        128,
    ]


def test_numbers_are_told_from_words() -> None:
    rows = [["a", "1,000", "12.5 %", "x"], ["b", "-", "<0.1%", "y" * 60]]

    kinds = column_kinds(PageTable("", ["w", "n", "p", "t"], rows))

    assert kinds == ["word", "number", "number", "text"]


def test_a_class_is_present_from_one_percent_of_the_pixels_on() -> None:
    labels = np.zeros((10, 20), dtype=np.uint8)
    labels[0, :2] = 1
    labels[1, 0] = 2

    picture = Painter(KIDNEY, 256).picture(Labelled("a", labels))

    assert picture.groups == {"class present (1% or more)": [KIDNEY.names[0], KIDNEY.names[1]]}


def test_bars_of_counts_are_as_high_as_there_are_values() -> None:
    few, many = np.array([0.1]), np.full(9, 0.9)

    def highest(svg: str) -> float:
        """The largest number beside the upright axis."""
        return max(map(float, re.findall(r"<text[^>]*end[^>]*>([\d.]+)</text>", svg)))

    counts = histogram({"few": few, "many": many}, x_label="x", y_label="y", as_counts=True)
    parts = histogram({"few": few, "many": many}, x_label="x", y_label="y")

    assert highest(counts) == 8
    assert highest(parts) == 1


def test_a_card_becomes_chapters_whose_parts_stay_in_order() -> None:
    text = """---
license: x
---
Before.

# Title

Some *text* with `code`.

- one
  goes on
- two

| a | b |
|---|---|
| 1 \\| 3 | **2** |

> a [link](there.md)
> of \\<b\\>

![Shown](here.png)

![Lost](gone.png)

```sh
# no heading
```
"""

    before, title = chapters_of(text, "README", {"here.png": "data:here"}.get)

    assert (before.title, [block.paragraph for block in before.blocks]) == ("README", ["Before."])
    assert title.title == "Title"
    words, points, table, quote, shown, lost, code = title.blocks
    assert words.paragraph == "Some *text* with code."
    assert points.points == ["one goes on", "two"]
    assert table.table == PageTable("", ["a", "b"], [["1 | 3", "2"]])
    assert quote.paragraph == "a link of <b>"
    assert shown.figure == PageFigure("Shown", picture="data:here")
    assert lost.paragraph == "(A picture that is not here: Lost)"
    assert code.code == "# no heading"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium; the tests are skipped where it is not installed."""
    yield from launched()


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page with hostile names in a browser that fails on any error or request."""
    (tmp_path / "page.html").write_bytes(html_of_artifact(page_of(HOSTILE)))
    page = chromium.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"thrown: {error}"))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: problems.append(request.url[:60]))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto((tmp_path / "page.html").as_uri())
    yield page
    page.close()
    assert [one for one in problems if not one.startswith(("data:", "file:"))] == []


def names(page: Page) -> list[str]:
    return page.locator(".shelf .name").all_text_contents()


def visible(page: Page, where: str) -> list[str]:
    """The layers that can be seen."""
    script = "all => all.filter(x => x.checkVisibility()).map(x => x.className)"
    return [str(one) for one in page.locator(f"{where} img").evaluate_all(script)]


def test_pictures_are_filtered_and_sorted(opened: Page) -> None:
    assert names(opened) == ["p0", "p1", "p2", "p3", "p4"]

    opened.get_by_label("fold").select_option("1")
    assert names(opened) == ["p1", "p3"]
    expect(opened.get_by_role("status")).to_have_text("2 of 5 pictures")
    opened.get_by_label("fold").select_option("")
    opened.get_by_label("sort by").select_option("uncertainty, least first")
    assert names(opened) == ["p4", "p3", "p2", "p1", "p0"]
    opened.get_by_label("class present (1% or more)").select_option("glomerulus")
    assert names(opened) == ["p2"]


def test_keys_choose_what_is_seen(opened: Page) -> None:
    first = ".shelf li:first-child"
    assert visible(opened, first) == ["image", "labels"]

    for key, layers in (
        ("2", ["image"]),
        ("3", ["labels"]),
        ("4", ["image", "outlines"]),
        ("5", ["uncertainty"]),
    ):
        opened.keyboard.press(key)
        assert visible(opened, first) == layers


def test_a_picture_is_seen_in_large_and_keys_lead_to_the_next(opened: Page) -> None:
    opened.locator(".card").first.focus()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("Enter")
    large = opened.get_by_role("dialog")

    expect(large).to_be_visible()
    expect(large.locator("#large-name")).to_have_text("p1")
    opened.keyboard.press("ArrowRight")
    expect(large.locator("#large-name")).to_have_text("p2")
    opened.keyboard.press("3")
    assert visible(opened, ".stage") == ["labels"]
    opened.keyboard.press("ArrowLeft")
    opened.keyboard.press("ArrowLeft")
    opened.keyboard.press("ArrowLeft")
    expect(large.locator("#large-name")).to_have_text("p4")
    opened.keyboard.press("Escape")
    expect(large).to_be_hidden()
    focused = opened.evaluate(
        "document.activeElement.closest('li').querySelector('.name').innerText"
    )
    assert focused == "p4"


def test_without_scripts_one_can_still_choose_what_is_seen(
    chromium: Browser, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_bytes(html_of_artifact(page_of()))
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())

    page.get_by_text("outlines 4").click()

    assert page.locator(".shelf li:first-child .outlines").is_visible()
    assert not page.locator(".shelf li:first-child .labels").is_visible()
    assert not page.get_by_label("fold").is_visible()
    context.close()


@pytest.mark.parametrize("width", [1300, 390])
def test_who_does_not_see_the_page_can_use_it(
    chromium: Browser, tmp_path: Path, width: int
) -> None:
    (tmp_path / "page.html").write_bytes(html_of_artifact(page_of()))
    context = chromium.new_context(viewport={"width": width, "height": 800}, bypass_csp=True)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.evaluate(AXE)

    found = [page.evaluate("axe.run(document, { resultTypes: ['violations'] })")]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".card").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found.append(page.evaluate("axe.run(document, { resultTypes: ['violations'] })"))

    said = [
        (one["id"], one["nodes"][0]["html"][:200]) for run in found for one in run["violations"]
    ]
    assert json.dumps(said) == "[]"
    assert all(len(run["passes"]) > 10 for run in found)
    context.close()
