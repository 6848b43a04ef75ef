"""The annotation page from end to end: a served set, a real browser, label maps on disk."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from hdgan.artifacts.annotation_set import AnnotationSet
from hdgan.artifacts.images import grey_of
from hdgan.artifacts.sample_set import SampleSet
from hdgan.class_map import KIDNEY, UNLABELLED
from tests.web.browser import Hand, Visits, import_file, saved_labels, shares_of
from tests.web.expected_strokes import ExpectedMap, alike, brushed, enclosed, segment
from tests.web.served_page import ServedPage

SIDE = 128
CLASSES = len(KIDNEY)
BRUSH = 9
LINE = [(18.0, 21.0), (49.0, 37.0), (41.0, 62.0)]
OTHER_LINE = [(20.0, 110.0), (60.0, 96.0)]


@pytest.fixture(scope="module")
def served(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """A server for tests that do not end it, each of which has tiles of its own."""
    with ServedPage(drawn, tmp_path_factory.mktemp("annotate") / "annotations") as page:
        yield page


def test_a_set_is_chosen_painted_and_finished_though_the_server_dies_in_a_stroke(
    drawn: Path, visit: Visits, tmp_path: Path
) -> None:
    folder = tmp_path / "annotations"
    with ServedPage(drawn, folder) as served, visit(served) as seen:
        page = seen.entrance()
        page.get_by_label("Your name").fill("Anna")
        page.keyboard.press("Enter")
        tile = choose(page, served)
        hand = Hand(page)
        expected = ExpectedMap(SIDE, SIDE)
        paint_with_four_tools(hand, served, tile, drawn, expected)
        undo_across_a_reload(hand, expected)
        assert np.array_equal(saved_labels(page, served, tile), expected.labels)
        seen.excuse("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
        paint_while_the_server_dies(hand, served, expected)
        assert np.array_equal(saved_labels(page, served, tile), expected.labels)
        exported = exported_png(page)

    assert np.array_equal(grey_of(exported, "the export"), expected.labels)
    assert np.array_equal(finished_labels(drawn, folder, tile), expected.labels)


def choose(page: Page, served: ServedPage) -> str:
    """Keep the 36 suggested tiles, doubt one and reject one, deal, open the first; its name."""
    expect(page.locator(".card").first).to_be_visible()
    for _ in range(36):
        page.keyboard.press("k")
    page.keyboard.press("m")
    page.keyboard.press("4")
    page.keyboard.press("r")
    page.get_by_label("In your words").fill("out of focus")
    page.keyboard.press("Enter")
    expect(page.locator(".goals")).to_contain_text("36 of 36")
    page.get_by_role("button", name="Deal the rest").click()
    for name, goal in {"Training": 16, "Validation": 4, "Test": 16}.items():
        expect(page.locator(".goals")).to_contain_text(f"{name} {goal}/{goal}")

    tiles = page.request.get(f"{served.base}/api/tiles").json()
    kept = {tile["tile"] for tile in tiles if tile["verdict"] == "keep"}
    assert kept == {tile["tile"] for tile in tiles if tile["suggested"] is not None}
    others = {tile["verdict"]: tile["reason"] for tile in tiles if tile["reason"]}
    assert others == {"maybe": "implausible", "reject": "out of focus"}

    page.locator(".card[tabindex='0']").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    first: str = next(tile["tile"] for tile in tiles if tile["suggested"] == 0)
    expect(page.get_by_role("heading", name=first)).to_be_visible()
    return first


def paint_with_four_tools(
    hand: Hand, served: ServedPage, tile: str, drawn: Path, expected: ExpectedMap
) -> None:
    """Three classes; the last stroke is undone, done again, and undone."""
    samples = SampleSet.open(drawn)
    image = next(samples.image(record) for record in samples.records() if record.sample == tile)
    answer = hand.page.request.get(f"{served.base}/api/tiles/{tile}/superpixels/0/0?area=400")
    segments = np.frombuffer(answer.body(), dtype="<u2").reshape(SIDE, SIDE).astype(np.uint16)

    hand.brush(BRUSH)
    hand.keys("1")
    expected.paint(brushed(expected.size, hand.stroke(LINE), BRUSH), 0)
    hand.keys("p", "2")
    corners = [(70.0, 15.0), (112.0, 33.0), (92.0, 71.0), (88.0, 30.0), (66.0, 52.0)]
    exact = [hand.click(corner) for corner in corners]
    hand.keys("Enter")
    expected.paint(enclosed(expected.size, exact), 1)
    hand.keys("w", "3")
    hand.page.get_by_label("Tolerance").fill("20")
    places = [(x, y) for x in (12.0, 64.0, 100.0, 120.0) for y in (84.0, 100.0, 120.0)]
    largest = max(places, key=lambda place: alike(image, place, 20).sum())
    expected.paint(alike(image, hand.click(largest), 20), 2)
    hand.keys("s", "2")
    expected.paint(segment(segments, hand.click((40.0, 90.0))), 1)
    hand.wait_for(4)
    assert hand.shares() == shares_of(expected.labels, CLASSES)
    for key, does in (("z", expected.undo), ("y", expected.redo), ("z", expected.undo)):
        hand.keys(f"Control+{key}")
        does()
        assert hand.shares() == shares_of(expected.labels, CLASSES)
    hand.wait_for(7)


def undo_across_a_reload(hand: Hand, expected: ExpectedMap) -> None:
    """What was painted is there after a reload, and is undone and done again from before it."""
    hand.page.reload()
    expect(hand.canvas).to_be_visible()
    assert hand.shares() == shares_of(expected.labels, CLASSES)
    hand.keys("Control+z")
    hand.wait_for(8)
    expected.undo()
    assert hand.shares() == shares_of(expected.labels, CLASSES)
    hand.keys("Control+y", "Control+y")
    hand.wait_for(10)
    expected.redo()
    expected.redo()
    assert hand.shares() == shares_of(expected.labels, CLASSES)


def paint_while_the_server_dies(hand: Hand, served: ServedPage, expected: ExpectedMap) -> None:
    """One stroke is begun before and ended after it, another follows; both are saved in the end."""
    banner = hand.page.get_by_role("alert").filter(has_text="Not saved")
    hand.brush(BRUSH)
    hand.keys("5")
    exact = hand.begin(OTHER_LINE)
    served.kill()
    hand.page.mouse.up()
    expected.paint(brushed(expected.size, exact, BRUSH), 4)
    expect(banner).to_contain_text("1 stroke")
    hand.keys("e")
    expected.paint(brushed(expected.size, hand.stroke(LINE[1:]), BRUSH), UNLABELLED)
    expect(banner).to_contain_text("2 strokes")
    served.start()
    hand.wait_for(12)
    expect(banner).to_be_hidden()


def exported_png(page: Page) -> bytes:
    """The label map of the tile that is shown, by the page's dialog."""
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export PNG label maps").click()
    return Path(waiting.value.path()).read_bytes()


def finished_labels(drawn: Path, folder: Path, tile: str) -> np.ndarray:
    """The label map of a tile in the annotation set that `--finish` writes."""
    command = [sys.executable, "-m", "hdgan", "annotate", str(drawn), str(folder), "--finish"]
    subprocess.run(command, check=True, capture_output=True)
    annotations = AnnotationSet.open(folder)
    (record,) = annotations.records()
    assert record.image == tile
    return annotations.labels(record)


@pytest.mark.parametrize("choice", ["Keep both", "Keep mine", "Show theirs"])
def test_of_two_tabs_on_one_tile_the_later_one_decides_and_nothing_is_lost(
    choice: str, served: ServedPage, visit: Visits
) -> None:
    tile = {"Keep mine": "s000001", "Show theirs": "s000002", "Keep both": "s000008"}[choice]
    theirs, mine, both = (ExpectedMap(SIDE, SIDE) for _ in range(3))
    with visit(served) as seen:
        seen.excuse("status of 412")
        first, second = seen.painter(tile), seen.painter(tile)
        first.brush(BRUSH)
        second.brush(BRUSH)
        first.page.bring_to_front()
        theirs.paint(brushed(theirs.size, first.stroke(LINE), BRUSH), 0)
        both.paint(theirs.labels == 0, 0)
        first.wait_for(1)
        second.page.bring_to_front()
        second.keys("2")
        mine.paint(brushed(mine.size, second.stroke(OTHER_LINE), BRUSH), 1)
        both.paint(mine.labels == 1, 1)
        dialog = second.page.get_by_role("dialog", name="This label map was saved elsewhere")
        expect(dialog).to_contain_text("Anna saved revision 1 (brush)")
        dialog.get_by_role("button", name=choice).click()
        kept = {"Keep mine": mine, "Show theirs": theirs, "Keep both": both}[choice]
        second.wait_for(1 if choice == "Show theirs" else 2)

        assert second.shares() == shares_of(kept.labels, CLASSES)
        assert np.array_equal(saved_labels(second.page, served, tile), kept.labels)
        revision_1 = saved_labels(second.page, served, tile, revision=1)
        assert np.array_equal(revision_1, theirs.labels)


def test_keys_alone_choose_paint_undo_and_go_on(served: ServedPage, visit: Visits) -> None:
    with visit(served) as seen:
        page = seen.entrance()
        expect(page.get_by_label("Your name")).to_be_focused()
        for key in ("Enter", "ArrowRight", "ArrowDown", "Enter"):
            page.keyboard.press(key)
            expect(page.get_by_role("dialog")).to_be_hidden()
            expect(page.locator(".card, canvas").first).to_be_visible()
        hand = Hand(page)
        tile = page.locator("h1").inner_text()
        diameter = float(page.get_by_label("Brush size").input_value())
        live = page.locator(".live")
        hand.keys("3", "ArrowRight")
        place = re.compile(r"column (\d+), row (\d+)")
        expect(live).to_have_text(place)
        column, row = map(int, *place.findall(live.inner_text()))
        hand.keys("Shift+ArrowUp", "ArrowLeft")
        column, row = column - 1, row - 10
        expect(live).to_contain_text(f"column {column}, row {row}: unlabelled")
        hand.keys("Enter", "Enter")
        hand.wait_for(1)
        expected = brushed((SIDE, SIDE), [(column + 0.5, row + 0.5)], diameter)
        assert np.array_equal(saved_labels(page, served, tile) == 2, expected)
        hand.keys("Control+z")
        hand.wait_for(2)
        assert (saved_labels(page, served, tile) == UNLABELLED).all()
        hand.keys("n")
        expect(page.locator("h1")).not_to_have_text(tile)
        hand.canvas.wait_for()
        hand.keys("g")
        expect(page.locator(".card").first).to_be_visible()


@pytest.mark.parametrize("kind", ["pen", "touch"])
def test_a_pen_and_a_finger_paint(kind: str, served: ServedPage, visit: Visits) -> None:
    tile = {"pen": "s000003", "touch": "s000004"}[kind]
    with visit(served, has_touch=True) as seen:
        hand = seen.painter(tile)
        hand.brush(BRUSH)
        places = [hand.on_screen(point) for point in LINE]
        drag(hand, kind, [place for place, _ in places])
        hand.wait_for(1)
        labels = saved_labels(hand.page, served, tile)

    assert np.array_equal(labels == 0, brushed((SIDE, SIDE), [point for _, point in places], BRUSH))


def drag(hand: Hand, kind: str, places: list[tuple[int, int]]) -> None:
    """Set a pen or a finger down, move it and lift it, as the browser hears of it."""
    session = hand.page.context.new_cdp_session(hand.page)
    if kind == "touch":
        for i, (x, y) in enumerate(places):
            what = "touchMove" if i else "touchStart"
            touched = {"type": what, "touchPoints": [{"x": x, "y": y}]}
            session.send("Input.dispatchTouchEvent", touched)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        return
    types = ["mousePressed", *["mouseMoved"] * (len(places) - 1), "mouseReleased"]
    for what, (x, y) in zip(types, [*places, places[-1]], strict=True):
        pen = {"type": what, "x": x, "y": y, "pointerType": "pen", "button": "left", "buttons": 1}
        session.send("Input.dispatchMouseEvent", pen | {"clickCount": 1})


def test_a_second_reading_begins_blind_and_its_agreement_is_shown(
    served: ServedPage, visit: Visits
) -> None:
    tile = "s000005"
    with visit(served) as seen:
        hand = seen.painter(tile)
        hand.brush(BRUSH)
        first = brushed((SIDE, SIDE), hand.stroke(LINE), BRUSH)
        hand.keys("2")
        first_other = brushed((SIDE, SIDE), hand.stroke(OTHER_LINE), BRUSH)
        hand.wait_for(2)
        hand.keys("g")
        hand.page.get_by_role("button", name="Second reading").click()
        again = Hand(hand.page)
        expect(hand.page.locator(".painter-top")).to_contain_text("Reading 2")
        assert again.shares() == ["0.0 %"] * (CLASSES + 1) + ["100.0 %"]
        assert np.unique(saved_labels(hand.page, served, tile, 2)).tolist() == [UNLABELLED]
        again.keys("1")
        second = brushed((SIDE, SIDE), again.stroke(LINE[1:]), BRUSH)
        again.keys("2")
        second_other = brushed((SIDE, SIDE), again.stroke([*OTHER_LINE, LINE[0]]), BRUSH)
        again.wait_for(2)
        hand.page.get_by_role("link", name="Agreement").click()
        row = hand.page.get_by_role("row", name=tile)
        expect(row).to_be_visible()
        cells = row.get_by_role("cell").all_inner_texts()

    one = np.select([first_other, first], [1, 0], 9)
    other = np.select([second_other, second], [1, 0], 9)
    both = (one < 9) & (other < 9)
    dice = [
        2
        * ((one == k) & (other == k) & both).sum()
        / sum(((m == k) & both).sum() for m in (one, other))
        for k in (0, 1)
    ]
    assert cells[0] == "1 and 2"
    assert [cells[1], cells[3]] == [f"{value:.2f}" for value in dice]
    assert cells[-2] == f"{both.sum():,}"


def test_the_dialog_that_finishes_writes_the_annotation_set(
    drawn: Path, visit: Visits, tmp_path: Path
) -> None:
    folder = tmp_path / "annotations"
    with ServedPage(drawn, folder) as served, visit(served) as seen:
        hand = seen.painter("s000000")
        hand.brush(BRUSH)
        painted = brushed((SIDE, SIDE), hand.stroke(LINE), BRUSH)
        hand.wait_for(1)
        hand.page.get_by_role("button", name="Finish").click()
        hand.page.get_by_role("button", name="Write the annotation set").click()
        written = hand.page.get_by_role("dialog", name="The annotation set is written")
        expect(written).to_contain_text(str(folder))
        expect(written).to_contain_text("hdgan train-classifier")
        annotations = AnnotationSet.open(folder)
        written.get_by_role("button", name="Close").last.click()
        seen.excuse("status of 409")
        hand.stroke(OTHER_LINE)
        expect(hand.page.get_by_role("alert").filter(has_text="is written")).to_be_visible()

    (record,) = annotations.records()
    assert np.array_equal(annotations.labels(record), np.where(painted, 0, UNLABELLED))


def test_outlines_exported_from_one_tile_and_imported_into_another_give_the_same_labels(
    served: ServedPage, visit: Visits
) -> None:
    with visit(served) as seen:
        hand = seen.painter("s000006")
        page = hand.page
        hand.stroke(LINE)
        hand.keys("4")
        hand.stroke([*OTHER_LINE, LINE[2]])
        hand.wait_for(2)
        page.get_by_role("button", name="Export", exact=True).click()
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Export QuPath GeoJSON").click()
        page.goto(f"{served.base}/#/tile/s000007/1")
        expect(page.locator("h1")).to_have_text("s000007")
        outlines = Path(waiting.value.path()).read_bytes()
        dialog = import_file(page, waiting.value.suggested_filename, outlines)
        dialog.get_by_role("button", name="Import").click()
        hand.wait_for(1)

        exported, imported = (saved_labels(page, served, name) for name in ("s000006", "s000007"))
    assert set(np.unique(exported)) == {0, 3, UNLABELLED}
    assert np.array_equal(imported, exported)
