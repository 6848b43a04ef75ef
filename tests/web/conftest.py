"""What the tests in a real browser share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web import browser as browsers
from tests.web.browser import Visit, Visits
from tests.web.served_page import ServedPage


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium; the tests are skipped where it is not installed."""
    yield from browsers.launched()


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample set of 500 tiles of 128 pixels; do not change it."""
    return browsers.five_hundred_tiles(tmp_path_factory.getbasetemp())


@pytest.fixture
def visit(chromium: Browser, tmp_path: Path) -> Visits:
    """Begins a visit of a browser to a server's page."""

    def begun(served: ServedPage, **options: object) -> Visit:
        return Visit(chromium, served, tmp_path, **options)

    return begun
