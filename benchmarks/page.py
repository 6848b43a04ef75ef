"""The annotation page in Chromium: loading, painting, saving, moving, memory, each with its bound.

usage: page.py [--side 4096] [--steps 200] [--brush 200] [--prediction-px 1024]

Two tiles of drawn tissue, a window of 1400 x 900. A brush step is from the pointer's event to the
label map being drawn again, as the page itself measures it: Chromium gives these events out once a
frame, so that it is some milliseconds more than the page's own work. A frame is the time between
two of them while the pointer moves, 16.7 ms at best. A stroke is saved from the pointer's release
until the page says so. The prediction is a row of the benchmark `page_prediction`; 0 leaves it out.
Ends with 1 if a bound is missed.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from benchmarks.tiling import TILE_PX, tissue
from jaxtyping import UInt8
from playwright.sync_api import Browser, Page, sync_playwright
from tests.web.browser import NO_CHROMIUM, Hand, Visit, chromium, wait_for_pictures
from tests.web.served_page import ServedPage

from hdgan.artifacts.arrays import array_bytes
from hdgan.artifacts.images import png_of
from hdgan.artifacts.order import Order
from hdgan.artifacts.sample_set import LATENTS, SAMPLES, SampleRecord
from hdgan.artifacts.table import table_bytes
from hdgan.artifacts.unfinished import UnfinishedArtifact, made_once

_READY = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    while (!document.querySelector("canvas.marks[data-scale]")) await frame();
    await frame();
    await frame();
    return performance.now();
}"""

_WATCH = """() => {
    const [frames, work] = [[], []];
    const see = (now) => window.seen && frames.push(now) && requestAnimationFrame(see);
    let began = 0;
    const stop = new AbortController();
    const on = (act, capture) =>
        window.addEventListener("pointermove", act, { capture, signal: stop.signal });
    on(() => (began = performance.now()), true);
    on(() => work.push(performance.now() - began), false);
    performance.clearMeasures("brush-step");
    window.seen = () => {
        stop.abort();
        window.seen = null;
        const steps = performance.getEntriesByName("brush-step").map((step) => step.duration);
        return { steps, work, frames: frames.slice(1).map((now, k) => now - frames[k]) };
    };
    requestAnimationFrame(see);
}"""

_WATCH_SAVING = """() => {
    const status = document.querySelector(".saving");
    let released = 0;
    const release = ({ timeStamp }) => (released = timeStamp);
    window.addEventListener("pointerup", release, { capture: true });
    window.saved = new Promise((resolve) => {
        let waits = false;
        const watcher = new MutationObserver(() => {
            waits ||= status.dataset.state === "saving";
            if (!waits || status.dataset.state !== "saved") return;
            watcher.disconnect();
            window.removeEventListener("pointerup", release, { capture: true });
            resolve(performance.now() - released);
        });
        watcher.observe(status, { attributes: true });
    });
}"""


@dataclass(frozen=True)
class Row:
    """What was measured, and what it must keep."""

    what: str
    found: float
    unit: str
    bound: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the bound is kept, if there is one."""
        return self.bound is None or self.found < self.bound

    def __str__(self) -> str:
        """The row of the table."""
        bound, kept = "", ""
        if self.bound is not None:
            bound, kept = f"< {self.bound:g} {self.unit}", "yes" if self.is_kept else "NO"
        digits = 2 if self.unit == "s" else 1 if self.unit == "ms" else 0
        return f"| {self.what} | {self.found:.{digits}f} {self.unit} | {bound} | {kept} |"


class MeasuredServer(ServedPage):
    """A server whose memory can be looked up."""

    @property
    def process(self) -> int:
        """Its number."""
        assert self._process is not None
        return self._process.pid


def made_tiles(folder: Path, side: int) -> Path:
    """A sample set of two tiles, which no generator has drawn."""
    random = np.random.default_rng(0)
    kinds = [tissue(random) for _ in range(8)]
    rows = [SampleRecord(sample=f"s{i:06d}", row=i, seed=i, suggested=i) for i in range(2)]

    def make(unfinished: UnfinishedArtifact) -> None:
        for row in rows:
            unfinished.write(row.image, png_of(_tile(random, kinds, side)))
        unfinished.write(LATENTS, array_bytes({"w": np.zeros((2, 8), np.float32)}))
        unfinished.write(SAMPLES, table_bytes(rows, SampleRecord))

    made_once(folder, Order("sample-set", {}, {"generator": "0" * 64}), make)
    return folder


def _tile(
    random: np.random.Generator, kinds: list[UInt8[np.ndarray, "512 512 3"]], side: int
) -> UInt8[np.ndarray, "side side 3"]:
    """Pieces of tissue beside each other."""
    chosen = random.integers(len(kinds), size=(math.ceil(side / TILE_PX),) * 2)
    rows = [np.concatenate([kinds[k] for k in row], axis=1) for row in chosen]
    return np.ascontiguousarray(np.concatenate(rows)[:side, :side])


def loading(page: Page, served: MeasuredServer) -> Row:
    """From the address to the tile, ready to be painted on."""
    page.goto(f"{served.base}/#/tile/s000000/1", wait_until="commit")
    return Row("open a tile", page.evaluate(_READY) / 1000, "s", 3)


def painting(hand: Hand, num_steps: int, where: str) -> list[Row]:
    """Broad strokes, and how long the last one takes to be saved."""
    hand.page.evaluate(_WATCH)
    _press(hand.page, list(_path(hand, num_steps)))
    seen = hand.page.evaluate("seen()")
    hand.page.evaluate(_WATCH_SAVING)
    hand.page.mouse.up()
    saving = hand.page.evaluate("window.saved") / 1000
    steps, middle = seen["steps"], float(np.median(seen["steps"]))
    return [
        Row(f"brush step, {where}, median of {len(steps)}", middle, "ms", 16),
        Row(f"brush step, {where}, 95th percentile", _late(steps), "ms", 33),
        Row(f"the page's work in it, {where}, 95th percentile", _late(seen["work"]), "ms"),
        Row(f"frame while painting, {where}, 95th percentile", _late(seen["frames"]), "ms"),
        Row(f"save the stroke, {where}", saving, "s", 1),
    ]


def _press(page: Page, places: list[tuple[int, int]]) -> None:
    """Press at the first place and move to the others."""
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)


def _path(hand: Hand, num_steps: int) -> Iterator[tuple[int, int]]:
    """A winding way from the middle of what is seen, in steps of about ten pixels of the screen."""
    box = hand.canvas.bounding_box()
    assert box is not None
    x, y, reach = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["height"] / 2.6
    for i in range(num_steps + 1):
        turn = 10 * i / reach
        yield round(x + reach * math.sin(turn)), round(y + reach * math.sin(0.7 * turn))


def moving(hand: Hand, num_steps: int) -> list[Row]:
    """The image is dragged, then made larger and smaller."""
    places = list(_path(hand, num_steps // 2))
    hand.keys("m")
    dragged = _late_frame(hand, lambda: _press(hand.page, places))
    hand.page.mouse.up()
    hand.keys("Home")

    def zoom() -> None:
        for i in range(num_steps // 4):
            hand.page.mouse.wheel(0, 60 if i % 20 < 10 else -60)

    zoomed = _late_frame(hand, zoom)
    hand.keys("b")
    return [
        Row("frame while dragging, 95th percentile", dragged, "ms", 33),
        Row("frame while zooming, 95th percentile", zoomed, "ms", 33),
    ]


def _late_frame(hand: Hand, act: Callable[[], None]) -> float:
    hand.page.evaluate(_WATCH)
    act()
    return _late(hand.page.evaluate("seen().frames"))


def _late(frames: list[float]) -> float:
    return float(np.percentile(frames, 95))


def restoring(page: Page) -> Row:
    """The first revision becomes the newest one: the whole label map is saved."""
    page.locator("summary", has_text="History").click()
    page.locator(".revisions li button").last.click()
    page.evaluate(_WATCH_SAVING)
    page.get_by_role("button", name="Restore this revision").click()
    return Row("restore a revision", page.evaluate("window.saved") / 1000, "s", 1)


def predicting(side: int) -> Row:
    """From a stroke to its prediction, by the benchmark of that."""
    command = [sys.executable, "-m", "benchmarks.page_prediction", "--row", str(side)]
    line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    wall, cpu = line.split("|")[4].split()
    return Row(f"prediction at {side} px, CPU s {cpu}", float(wall), "s", 5)


def megabytes(process: int, key: str) -> float:
    """What a process holds (`VmRSS`) or held at most (`VmHWM`)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def memory(browser: Browser, page: Page, served: MeasuredServer) -> list[Row]:
    """Of the page, its process and the server."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    held = [megabytes(one["id"], "VmRSS") for one in processes if one["type"] == "renderer"]
    heap = page.evaluate("performance.memory.usedJSHeapSize") / 2**20
    return [
        Row("memory of the page's process", max(held), "MB"),
        Row("of it JavaScript's heap", heap, "MB"),
        Row("memory of the server, at most", megabytes(served.process, "VmHWM"), "MB"),
    ]


def measured(browser: Browser, served: MeasuredServer, brush: int, num_steps: int) -> Iterator[Row]:
    """All that needs the page, in the order in which a person meets it."""
    with (
        tempfile.TemporaryDirectory(prefix="hdgan-") as scratch,
        Visit(browser, served, Path(scratch)) as visit,
    ):
        page = visit.tab()
        page.locator(".card img").first.wait_for()
        wait_for_pictures(page)
        page.goto("about:blank")
        yield loading(page, served)
        hand = Hand(page)
        hand.brush(brush)
        yield from painting(hand, num_steps, "whole tile")
        page.locator(".zoom .percent").click()
        hand.keys("2")
        yield from painting(hand, num_steps, "at 100 %")
        yield from moving(hand, num_steps)
        yield restoring(page)
        yield from memory(browser, page, served)


def main() -> None:
    """Print a row a measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=200, help="of the brush, at each size")
    parser.add_argument("--brush", type=int, default=200, help="diameter, px of the tile")
    parser.add_argument("--prediction-px", type=int, default=1024)
    chosen = parser.parse_args()
    path = chromium()
    if path is None:
        sys.exit(NO_CHROMIUM)
    rows = []
    print(f"Load of the machine: {' '.join(f'{load:.1f}' for load in os.getloadavg())}.\n")
    print("| measured | found | bound | kept |\n| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory(prefix="hdgan-") as scratch, sync_playwright() as playwright:
        samples = made_tiles(Path(scratch) / "samples", chosen.side)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        served = MeasuredServer(samples, Path(scratch) / "annotations")
        with served:
            for row in measured(browser, served, chosen.brush, chosen.steps):
                rows.append(row)
                print(row, flush=True)
        browser.close()
    if chosen.prediction_px:
        rows.append(predicting(chosen.prediction_px))
        print(rows[-1])
    sys.exit(0 if all(row.is_kept for row in rows) else 1)


if __name__ == "__main__":
    main()
