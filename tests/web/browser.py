"""A real browser on the page: visits that notice every error, and a hand that paints."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FilePayload,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from hdgan.class_map import LabelMap
from tests.web.expected_strokes import Point
from tests.web.served_page import ServedPage

NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_CHROMIUM = "no Chromium found; scripts/install-browser installs it"
VIEWPORT = {"width": 1400, "height": 900}
RECORD = "HDGAN_RECORD"
"""Names a folder for a trace of each visit, which `playwright show-trace` plays."""

_PATIENCE_MS = 30_000
_NAMED = "if (location.protocol === 'http:') localStorage.setItem('hdgan.author', 'Anna')"
_VIEW = """canvas => {
    const { left, top } = canvas.getBoundingClientRect();
    return { corner: [left, top], ...canvas.dataset };
}"""

_PICTURES = """() => Promise.all([...document.images].map((image) =>
    image.complete || new Promise((resolve) => image.addEventListener("load", resolve))
))"""


def chromium() -> str | None:
    """Where Chromium is, if it is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launched() -> Iterator[Browser]:
    """Chromium without a window; for a fixture."""
    path = chromium()
    if path is None:
        pytest.skip(NO_CHROMIUM)
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        # Containers have no user namespaces; the tests open no page but their own.
        options = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


def five_hundred_tiles(base: Path) -> Path:
    """A sample set of the shipped kidney generator, drawn once for all processes of the tests.

    Args:
        base: temporary folder of this process; beside it are those of the others, if any.
    """
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    # In a process of its own, without the tests' checks of types, which take longer than drawing.
    options = ["--num-samples", "500", "--select", "36"]
    command = [sys.executable, "-m", "hdgan", "sample", "kidney", str(shared / "drawn"), *options]
    with FileLock(shared / "drawn.lock"):
        subprocess.run(command, check=True, capture_output=True)
    return shared / "drawn"


class Visit:
    """A browser at the page of a server; leaving it fails if anything went wrong on the page.

    What goes wrong comes with a picture of each tab.
    """

    def __init__(self, browser: Browser, served: ServedPage, folder: Path, **options: Any) -> None:
        """Prepare a context of its own.

        Args:
            browser: in which.
            served: whose page.
            folder: for pictures of what failed; its name says which test it was.
            options: of the browser's context.
        """
        self.served, self.folder = served, folder
        self.problems: list[str] = []
        self._excused: list[str] = []
        given: dict[str, Any] = {"viewport": VIEWPORT, "device_scale_factor": 1} | options
        self.context: BrowserContext = browser.new_context(**given)
        self.context.set_default_timeout(_PATIENCE_MS)
        self.context.on("page", self._watch)
        if RECORD in os.environ:
            self.context.tracing.start(screenshots=True, snapshots=True)

    def __enter__(self) -> "Visit":
        """Nothing is open yet."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """Look back, and close."""
        found = [
            problem
            for problem in self.problems
            if not any(re.search(pattern, problem) for pattern in self._excused)
        ]
        note = "\n".join([*found, *(self._pictures() if found or error else ())])
        if RECORD in os.environ:
            self.context.tracing.stop(path=Path(os.environ[RECORD]) / f"{self.folder.name}.zip")
        self.context.close()
        if error is not None:
            error.add_note(note)
        elif found:
            raise AssertionError(f"the page reported errors:\n{note}")

    def excuse(self, pattern: str) -> None:
        """Let pass what a test brings about on purpose."""
        self._excused.append(pattern)

    def entrance(self) -> Page:
        """A tab at the address that the terminal prints."""
        page = self.context.new_page()
        page.goto(self.served.address)
        return page

    def tab(self, view: str = "#/") -> Page:
        """A tab of Anna's browser, which the server and the page know already."""
        if not self.context.pages:
            self.context.request.get(self.served.address)
            self.context.add_init_script(_NAMED)
        page = self.context.new_page()
        page.goto(f"{self.served.base}/{view}")
        return page

    def painter(self, tile: str, reading: int = 1) -> "Hand":
        """The same, on a tile."""
        return Hand(self.tab(f"#/tile/{tile}/{reading}"))

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.problems.append(f"thrown: {error}"))
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.problems.append(f"console: {said.text} ({said.location.get('url')})")

    def _pictures(self) -> list[str]:
        paths = [self.folder / f"tab-{k}.png" for k in range(len(self.context.pages))]
        for page, path in zip(self.context.pages, paths, strict=True):
            page.screenshot(path=path)
        return [f"see {path}" for path in paths]


Visits = Callable[..., Visit]
"""Begins a visit to a server's page; further arguments are of the browser's context."""


class Hand:
    """Paints on the tile that a tab shows. Points are in image coordinates."""

    def __init__(self, page: Page) -> None:
        """Wait until the tile is shown."""
        self.page = page
        self.canvas: Locator = page.locator("canvas.marks[data-scale]")
        expect(self.canvas).to_be_visible()

    def keys(self, *keys: str) -> None:
        """Press one key after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def brush(self, diameter: int) -> None:
        """Take the brush, so broad."""
        self.keys("b")
        self.page.get_by_label("Brush size").fill(str(diameter))
        self.canvas.focus()

    def on_screen(self, point: Point) -> tuple[tuple[int, int], Point]:
        """The whole pixel of the screen next to a point, and exactly which point that is."""
        view = self.canvas.evaluate(_VIEW)
        scale, origin = float(view["scale"]), (float(view["left"]), float(view["top"]))
        corner = view["corner"]
        x, y = (round(corner[k] + (point[k] - origin[k]) * scale) for k in (0, 1))
        return (x, y), (origin[0] + (x - corner[0]) / scale, origin[1] + (y - corner[1]) / scale)

    def begin(self, points: Sequence[Point]) -> list[Point]:
        """Press at the first point and move to the others; where that was, exactly."""
        places = [self.on_screen(point) for point in points]
        self.page.mouse.move(*places[0][0])
        self.page.mouse.down()
        for (x, y), _ in places[1:]:
            self.page.mouse.move(x, y)
        return [point for _, point in places]

    def stroke(self, points: Sequence[Point]) -> list[Point]:
        """The same, and let go."""
        exact = self.begin(points)
        self.page.mouse.up()
        return exact

    def click(self, point: Point) -> Point:
        """Press and let go."""
        return self.stroke([point])[0]

    def wait_for(self, revision: int) -> None:
        """Wait until the page says that this is saved."""
        expect(self.page.locator(".saving")).to_have_text(f"Saved (revision {revision})")

    def shares(self) -> list[str]:
        """What the list of classes says that each covers, then what is unlabelled."""
        areas = self.page.locator(".class-row .area").all_text_contents()
        bare = self.page.locator(".classes ~ .bare").text_content() or ""
        return [*areas, bare.removeprefix("Unlabelled ")]


def import_file(page: Page, name: str, content: bytes) -> Locator:
    """Begin to import a file on a tile's page; the dialog that asks for its classes."""
    page.get_by_role("button", name="Import").click()
    file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look into the file").click()
    dialog = page.get_by_role("dialog", name=f"Classes in {name}")
    expect(dialog).to_be_visible()
    return dialog


def wait_for_pictures(page: Page) -> None:
    """Wait until every picture that the page wants to show is there."""
    page.evaluate(_PICTURES)


def saved_labels(
    page: Page, served: ServedPage, tile: str, reading: int = 1, revision: int | None = None
) -> LabelMap:
    """The label map of a square tile that the server has."""
    query = "" if revision is None else f"?revision={revision}"
    answer = page.request.get(f"{served.base}/api/tiles/{tile}/readings/{reading}/labels{query}")
    flat = np.frombuffer(answer.body(), dtype=np.uint8)
    side = round(flat.size**0.5)
    return flat.reshape(side, side)


def shares_of(labels: LabelMap, num_classes: int) -> list[str]:
    """What the list of classes has to say of a label map."""
    values = [*range(num_classes), 254, 255]
    return [f"{100 * float(np.mean(labels == value)):.1f} %" for value in values]
