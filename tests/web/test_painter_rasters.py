"""The painter's tools choose exactly the pixels that their geometry says; NumPy agrees."""

import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jaxtyping import Bool, UInt8
from playwright.sync_api import Page, Route, sync_playwright
from scipy import ndimage

from hdgan.web.app import STATIC

WIDTH, HEIGHT = 23, 17
SIZE = {"width": WIDTH, "height": HEIGHT}
ADDRESS = "http://painter.test/"
CASES = range(12)

Labels = UInt8[np.ndarray, "height width"]
Pixels = Bool[np.ndarray, "height width"]
Point = tuple[float, float]
Call = Callable[..., Any]

_CALL = """async ([file, name, values]) => {
    const bytes = (value) => value && value.bytes ? Uint8Array.from(value.bytes) : value;
    const given = values.map(bytes);
    const made = (await import("/" + file))[name](...given);
    const flat = (value) => ArrayBuffer.isView(value) ? Array.from(value) : value;
    return { made: flat(made), given: given.map(flat) };
}"""


@pytest.fixture(scope="module")
def blank() -> Iterator[Page]:
    """A page in Chromium that can import the painter's modules."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on the PATH: the painter's modules run in it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.route(f"{ADDRESS}**", _answer)
        page.goto(ADDRESS)
        yield page
        browser.close()


def _answer(route: Route) -> None:
    name = Path(route.request.url).name
    if not name.endswith(".js"):
        route.fulfill(body="<!doctype html>", content_type="text/html")
        return
    route.fulfill(path=STATIC / "painter" / name, content_type="text/javascript")


@pytest.fixture
def call(blank: Page) -> Call:
    """Calls a function of the painter; it gives what is returned and the arguments after it."""

    def run(file: str, name: str, *values: Any) -> tuple[Any, list[Any]]:
        sent = [
            {"bytes": value.ravel().tolist()} if isinstance(value, np.ndarray) else value
            for value in values
        ]
        answer = blank.evaluate(_CALL, [file, name, sent])
        return answer["made"], answer["given"]

    return run


@pytest.mark.parametrize("case", CASES)
def test_a_stroke_takes_the_pixels_within_half_its_width_of_the_pointers_way(
    case: int, call: Call
) -> None:
    random = np.random.default_rng(case)
    points = _points(random, count=int(random.integers(1, 5)))
    diameter = int(random.integers(2, 14))

    spans, _ = call("shapes.js", "strokeSpans", SIZE, _sent(points), diameter)

    assert np.array_equal(_pixels(spans), _stroke(points, diameter))


@pytest.mark.parametrize("case", CASES)
def test_a_stroke_of_one_pixel_also_takes_the_pixel_under_the_pointer(
    case: int, call: Call
) -> None:
    points = _points(np.random.default_rng(case), count=3)
    under = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    for x, y in points:
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            under[int(y), int(x)] = True

    spans, _ = call("shapes.js", "strokeSpans", SIZE, _sent(points), 1)

    assert np.array_equal(_pixels(spans), _stroke(points, 1) | under)


def test_a_pixel_exactly_half_a_width_away_belongs_to_a_slanted_stroke(call: Call) -> None:
    points = [(0.5, 0.5), (16.5, 12.5)]  # along (4, 3): the way of (4, -3) is at right angles

    spans, _ = call("shapes.js", "strokeSpans", SIZE, _sent(points), 10)

    assert _pixels(spans)[10, 5]  # centre (5.5, 10.5) is 5 px from (8.5, 6.5)


@pytest.mark.parametrize("case", CASES)
def test_a_polygon_takes_the_pixels_inside_by_the_even_odd_rule(case: int, call: Call) -> None:
    random = np.random.default_rng(case)
    corners = _points(random, count=int(random.integers(3, 9)))

    spans, _ = call("shapes.js", "polygonSpans", SIZE, _sent(corners))

    assert np.array_equal(_pixels(spans), _inside(corners))


def test_two_polygons_that_share_an_edge_share_no_pixel_and_leave_none(call: Call) -> None:
    left = [(2.0, 1.0), (11.5, 1.0), (7.5, 15.5), (2.0, 15.5)]
    right = [(11.5, 1.0), (20.0, 1.0), (20.0, 15.5), (7.5, 15.5)]

    spans = [call("shapes.js", "polygonSpans", SIZE, _sent(one))[0] for one in (left, right)]

    first, second = (_pixels(one) for one in spans)
    assert not (first & second).any()
    assert np.array_equal(first | second, _inside([*left[:1], *right[1:3], left[3]]))


@pytest.mark.parametrize("case", CASES)
def test_the_wand_takes_joined_pixels_of_a_similar_colour(case: int, call: Call) -> None:
    random = np.random.default_rng(case)
    image = random.integers(90, 110, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    column, row, tolerance = int(random.integers(WIDTH)), int(random.integers(HEIGHT)), 13
    distance = np.abs(image[..., :3].astype(int) - image[row, column, :3]).max(axis=-1)

    spans, _ = call("rasters.js", "wandSpans", image, SIZE, column, row, tolerance)

    assert np.array_equal(_pixels(spans), _joined(distance <= tolerance, column, row))


@pytest.mark.parametrize("case", CASES)
def test_fill_takes_the_joined_pixels_of_one_label(case: int, call: Call) -> None:
    random = np.random.default_rng(case)
    labels = random.choice(np.array([1, 1, 254, 255], dtype=np.uint8), (HEIGHT, WIDTH))
    column, row = int(random.integers(WIDTH)), int(random.integers(HEIGHT))

    spans, _ = call("rasters.js", "regionSpans", labels, SIZE, column, row)

    same = labels == labels[row, column]
    assert np.array_equal(_pixels(spans), _joined(same, column, row))


def test_a_superpixel_takes_all_pixels_of_its_number_where_its_block_lies(call: Call) -> None:
    segments = np.random.default_rng(0).integers(3, size=(6, 8), dtype=np.uint8)
    block = {"width": 8, "height": 6}

    spans, _ = call("rasters.js", "valueSpans", segments, block, 2, {"x": 9, "y": 4})

    expected = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    expected[4:10, 9:17] = segments == 2
    assert np.array_equal(_pixels(spans), expected)


@pytest.mark.parametrize("spared", ["locked", "locked and labelled"])
@pytest.mark.parametrize("case", CASES)
def test_painting_spares_locked_classes_and_if_asked_all_that_is_labelled(
    case: int, spared: str, call: Call
) -> None:
    only_unlabelled = spared == "locked and labelled"
    random = np.random.default_rng(case)
    labels = _random_labels(random)
    chosen = random.random((HEIGHT, WIDTH)) < 0.6
    rules = {"locked": [1, 254], "onlyUnlabelled": only_unlabelled}
    may_change = chosen & ~np.isin(labels, [1, 254]) & ((labels == 255) | (not only_unlabelled))

    rect, given = call("rasters.js", "paint", labels, WIDTH, _spans(chosen), 3, rules)

    expected = np.where(may_change, 3, labels).astype(np.uint8)
    assert np.array_equal(_map(given[0]), expected)
    assert rect == _box(expected != labels)


@pytest.mark.parametrize("case", CASES)
def test_accepting_gives_each_pixel_what_is_predicted_there(case: int, call: Call) -> None:
    random = np.random.default_rng(case)
    labels, predicted = _random_labels(random), random.integers(3, size=(HEIGHT, WIDTH))
    everywhere = np.ones((HEIGHT, WIDTH), dtype=np.bool_)
    rules = {"locked": [], "onlyUnlabelled": True}
    source = predicted.astype(np.uint8)

    _, given = call("rasters.js", "paint", labels, WIDTH, _spans(everywhere), source, rules)

    assert np.array_equal(_map(given[0]), np.where(labels == 255, predicted, labels))


@pytest.mark.parametrize("case", CASES)
def test_the_changed_rectangle_is_the_smallest_around_the_differences(
    case: int, call: Call
) -> None:
    random = np.random.default_rng(case)
    before = _random_labels(random)
    after = before.copy()
    after[random.random((HEIGHT, WIDTH)) < 0.01 * (case % 3)] = 9
    whole = {"x": 0, "y": 0, **SIZE}

    rect, _ = call("rasters.js", "changedRectangle", before, after, WIDTH, whole)

    assert rect == _box(before != after)


def test_a_rectangle_that_is_cut_out_and_put_back_elsewhere_is_the_same(call: Call) -> None:
    labels = _random_labels(np.random.default_rng(0))
    rect = {"x": 3, "y": 2, "width": 7, "height": 5}

    cut, _ = call("rasters.js", "cut", labels, WIDTH, rect)
    moved = rect | {"x": 10, "y": 9}
    sent = np.array(cut, dtype=np.uint8)
    _, given = call("rasters.js", "put", labels, WIDTH, moved, sent)

    expected = labels.copy()
    expected[9:14, 10:17] = labels[2:7, 3:10]
    assert np.array_equal(_map(given[0]), expected)


def test_values_are_counted(call: Call) -> None:
    labels = _random_labels(np.random.default_rng(0))

    counts, _ = call("rasters.js", "countValues", labels)

    assert counts == np.bincount(labels.ravel(), minlength=256).tolist()


def _points(random: np.random.Generator, count: int) -> list[Point]:
    """Points in and a little outside of the map, on eighths: exact as floats, with many ties."""
    columns = random.integers(-32, 8 * WIDTH + 32, count) / 8
    rows = random.integers(-32, 8 * HEIGHT + 32, count) / 8
    return [(float(x), float(y)) for x, y in zip(columns, rows, strict=True)]


def _sent(points: list[Point]) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in points]


def _pixels(spans: list[int]) -> Pixels:
    found = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    for row, first, end in zip(spans[::3], spans[1::3], spans[2::3], strict=True):
        assert 0 <= row < HEIGHT
        assert 0 <= first < end <= WIDTH
        found[row, first:end] = True
    return found


def _spans(chosen: Pixels) -> list[int]:
    rows, columns = np.nonzero(chosen)
    return np.stack([rows, columns, columns + 1], axis=-1).ravel().tolist()


def _map(values: list[int]) -> Labels:
    return np.array(values, dtype=np.uint8).reshape(HEIGHT, WIDTH)


def _random_labels(random: np.random.Generator) -> Labels:
    return random.choice(np.array([0, 1, 2, 254, 255, 255], dtype=np.uint8), (HEIGHT, WIDTH))


def _box(changed: Pixels) -> dict[str, int] | None:
    rows, columns = np.nonzero(changed)
    if rows.size == 0:
        return None
    width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
    return {
        "x": int(columns.min()),
        "y": int(rows.min()),
        "width": int(width),
        "height": int(height),
    }


def _joined(same: Pixels, column: int, row: int) -> Pixels:
    regions, _ = ndimage.label(same)
    found: Pixels = regions == regions[row, column]
    return found


def _stroke(points: list[Point], diameter: int) -> Pixels:
    """Every pixel asked for itself, in exact fractions."""
    parts = list(pairwise(points)) or [(points[0], points[0])]
    found = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    for row, column in np.ndindex(HEIGHT, WIDTH):
        centre = (Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2))
        nearest = min(_square_distance(centre, *part) for part in parts)
        found[row, column] = 4 * nearest <= diameter**2
    return found


def _square_distance(centre: tuple[Fraction, Fraction], start: Point, end: Point) -> Fraction:
    (x, y), (x0, y0), (x1, y1) = centre, map(Fraction, start), map(Fraction, end)
    length = (x1 - x0) ** 2 + (y1 - y0) ** 2
    along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length if length else Fraction(0)
    along = min(Fraction(1), max(Fraction(0), along))
    return (x - x0 - along * (x1 - x0)) ** 2 + (y - y0 - along * (y1 - y0)) ** 2


def _inside(corners: list[Point]) -> Pixels:
    """Crossings to the left of each centre, counted in exact fractions."""
    odd = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    centres = [Fraction(2 * column + 1, 2) for column in range(WIDTH)]
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        (x0, y0), (x1, y1) = map(Fraction, start), map(Fraction, end)
        for row in range(HEIGHT):
            y = Fraction(2 * row + 1, 2)
            if (y0 <= y) != (y1 <= y):
                crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
                odd[row] ^= np.array([crossing <= centre for centre in centres])
    return odd
