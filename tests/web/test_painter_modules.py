"""The painter's modules when others save, answers are lost, and fingers slip."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route

from hdgan.web.app import STATIC

ADDRESS = "http://localhost/"
"""One that a browser trusts, as it does that of the server; nothing is sent there."""
LOST = "Object.assign(new Error('lost'), { name: 'ApiError', status: 0, body: {} })"
SAVING = """
const said = [];
const { Saving } = await load("painter/saving.js");
const refusal = (status, body = {}) =>
    Object.assign(new Error("no"), { name: "ApiError", status, body });
const parts = (send, isSaved) => ({
    send, isSaved,
    clock: { take: () => 7, giveBack: (seconds) => said.push(`back ${seconds}`) },
    changed() {}, saved: ({ revision }) => said.push(`saved ${revision}`),
    conflicted: ({ revision }) => said.push(`conflict ${revision}`),
    finished: (words, lost) => said.push(`finished ${lost}`),
});
const stroke = () => ({ kind: "brush", rect: {}, bytes: new Uint8Array(1) });
"""
DESK = """
const { LabelMap } = await load("painter/label_map.js");
const map = new LabelMap({ width: 4, height: 1 }, new Uint8Array(4).fill(255));
const options = { values: { value: 1 }, rules: { locked: [], onlyUnlabelled: false } };
const desk = {
    map, options, redraw() {}, drawMarks() {}, commit: () => map.finish(),
    isInside: () => true, isNear: () => false, acceptRegion() {},
};
"""

Run = Callable[[str], Any]


@pytest.fixture(scope="module")
def blank(chromium: Browser) -> Iterator[Page]:
    """A page that can import the page's modules, and shows nothing."""
    page = chromium.new_page()
    page.route(f"{ADDRESS}**", _answer)
    yield page
    page.close()


def _answer(route: Route) -> None:
    name = urlsplit(route.request.url).path.removeprefix("/")
    if name.endswith(".js"):
        route.fulfill(path=STATIC / name, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html>", content_type="text/html")


@pytest.fixture
def run(blank: Page) -> Run:
    """Runs a function's body, in which `load` imports a module; what it returns comes back."""
    blank.goto(ADDRESS)
    return lambda body: blank.evaluate(
        f"async () => {{ const load = (name) => import('/' + name); {body} }}"
    )


def test_an_undo_leaves_a_stroke_that_is_not_finished_to_itself(run: Run) -> None:
    assert run(
        DESK
        + """
        map.paint([0, 0, 2], 1, options.rules);
        const undone = map.write({ x: 3, y: 0, width: 1, height: 1 }, Uint8Array.of(2));
        return [undone.rect.x, undone.rect.width, map.finish().rect, Array.from(map.kept)];
        """
    ) == [3, 1, {"x": 0, "y": 0, "width": 2, "height": 1}, [1, 1, 255, 2]]


def test_pieces_that_come_late_have_the_class_with_which_the_stroke_began(run: Run) -> None:
    assert run(
        DESK
        + """
        const { Pieces } = await load("painter/pieces.js");
        const size = { width: 4, height: 1 };
        const block = { segments: Uint16Array.of(0, 0, 1, 1), size, origin: { x: 0, y: 0 } };
        desk.superpixels = { at: () => null, load: async () => block };
        const pieces = new Pieces(desk);
        pieces.begin({ x: 0.5, y: 0.5 });
        options.values.value = 3;
        await pieces.end();
        return Array.from(map.kept);
        """
    ) == [1, 1, 255, 255]


def test_the_first_finger_of_a_pinch_neither_fills_nor_drops_a_polygon(run: Run) -> None:
    assert run(
        DESK
        + """
        const { fill, polygon } = (await load("painter/tools.js")).makeTools(desk);
        fill.begin({ x: 0.5, y: 0.5 });
        fill.interrupt();
        fill.end();
        const pinched = Array.from(map.kept);
        fill.begin({ x: 0.5, y: 0.5 });
        fill.end();
        for (const x of [1, 2, 3]) polygon.begin({ x, y: 1 });
        polygon.interrupt();
        return [pinched, Array.from(map.kept), polygon.corners.map(({ x }) => x)];
        """
    ) == [[255] * 4, [1] * 4, [1, 2]]


def test_both_maps_are_kept_where_one_did_not_change_the_other(run: Run) -> None:
    assert run(
        """
        const { laidOver } = await load("painter/rasters.js");
        const maps = [[1, 1, 255, 9], [0, 255, 255, 9], [0, 255, 3, 2]];
        return Array.from(laidOver(...maps.map((map) => Uint8Array.from(map))));
        """
    ) == [1, 1, 3, 2]


def test_a_report_of_time_whose_answer_was_lost_is_sent_again_as_it_was(run: Run) -> None:
    first, again, later = run(
        f"""
        const {{ Clock }} = await load("painter/clock.js");
        const sent = [];
        const clock = new Clock(async (one) => {{
            sent.push({{ ...one }});
            if (sent.length === 1) throw {LOST};
        }}, () => {{}});
        clock.seconds = 5;
        await clock.flush();
        clock.seconds = 3;
        await clock.flush();
        clock.close();
        return sent;
        """
    )
    assert first == again
    assert (first["seconds"], later["seconds"]) == (5, 3)
    assert first["report"] != later["report"]


def test_a_server_that_goes_away_while_it_is_asked_whose_stroke_it_has_is_away(run: Run) -> None:
    assert run(
        SAVING
        + """
        const send = async () => { throw refusal(412, { revision: 1, kind: "brush" }); };
        const saving = new Saving(parts(send, async () => { throw refusal(503); }), 0);
        saving.add(stroke());
        await new Promise((resolve) => setTimeout(resolve, 20));
        clearTimeout(saving.timer);
        return [saving.state, saving.waiting.length, said];
        """
    ) == ["away", 1, []]


def test_a_stroke_that_was_saved_after_all_is_not_asked_about_nor_are_its_seconds_given_back(
    run: Run,
) -> None:
    assert run(
        SAVING
        + """
        const send = async () => { throw refusal(412, { revision: 2, kind: "fill" }); };
        const saving = new Saving(parts(send, async (number) => number === 1), 0);
        saving.add(stroke());
        saving.add(stroke());
        await new Promise((resolve) => setTimeout(resolve, 20));
        saving.restart(2);
        return said;
        """
    ) == ["saved 1", "conflict 2", "back 7"]


def test_the_queue_ends_when_the_annotations_are_finished(run: Run) -> None:
    assert run(
        SAVING
        + """
        const saving = new Saving(parts(async () => { throw refusal(409); }, null), 0);
        saving.add(stroke());
        await new Promise((resolve) => setTimeout(resolve, 20));
        const leaving = new Event("beforeunload", { cancelable: true });
        window.dispatchEvent(leaving);
        return [saving.state, saving.timer ?? null, leaving.defaultPrevented, said];
        """
    ) == ["finished", None, False, ["finished 1"]]


def test_locks_stay_from_tile_to_tile_and_only_a_second_reading_begins_without_predictions(
    run: Run,
) -> None:
    assert run(
        """
        const { Options } = await load("painter/options.js");
        const open = (isBlind) =>
            new Options({ width: 128, height: 128 }, { has_predictions: true }, isBlind);
        open(false).toggleLock(2);
        const [first, second] = [open(false), open(true)];
        second.set({ showsUncertainty: true, size: 5 });
        const seen = [first, second, open(false)].map(({ values }) => values.showsPrediction);
        const next = open(false);
        return [[...next.locked], seen, next.values.showsUncertainty, next.values.size];
        """
    ) == [[2], [True, False, True], False, 5]


def test_of_a_mark_only_what_was_decided_is_sent(run: Run) -> None:
    assert run(
        """
        const { Marks } = await load("marks.js");
        const sent = [];
        window.fetch = async (path, { body }) => {
            sent.push(JSON.parse(body));
            return new Response("{}");
        };
        const marks = new Marks(() => {});
        const stale = { tile: "s1", verdict: null, reason: null, split: null };
        marks.records.set("s1", stale);
        await marks.give("s1", { verdict: "keep", reason: null });
        marks.records.set("s1", { ...stale, verdict: "keep" });
        marks.undo();
        await marks.saving;
        return sent;
        """
    ) == [{"verdict": "keep", "reason": None}, {"verdict": None, "reason": None}]
