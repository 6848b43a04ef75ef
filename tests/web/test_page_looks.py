"""How the annotation page looks: to people who see it, and to those who hear it."""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from hdgan.artifacts.images import grey_of
from hdgan.artifacts.shipped import SHIPPED
from hdgan.class_map import LabelMap
from tests.web.browser import VIEWPORT, Hand, Visit, Visits, import_file, wait_for_pictures
from tests.web.served_page import ServedPage, open_client, save_stroke

LABELS = SHIPPED / "kidney" / "annotations" / "labels"
NAMES = sorted(path.stem for path in LABELS.glob("*.png"))
NUM_PAINTED = 20
SHOWN, READ_TWICE, SPARE = "s000325", "s000053", "s000008"
REJECTED = {"s000305": "blurred", "s000447": "artefact", "s000093": "implausible"}

AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
SCREENSHOTS = "HDGAN_SCREENSHOTS"
"""Set to 1, it has the pictures of the documentation taken anew."""

MAX_BYTES = 700_000

OUTLINE = {"type": "Polygon", "coordinates": [[[1, 1], [9, 1], [9, 9], [1, 1]]]}
OUTLINES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": OUTLINE,
            "properties": {"classification": {"name": "glomerulus"}},
        }
    ],
}


@pytest.fixture(scope="module")
def served(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """A set that is half painted with the shipped label maps, whose classes are the first three."""
    with ServedPage(drawn, tmp_path_factory.mktemp("looks") / "annotations") as page:
        client = open_client(page)
        for name in NAMES:
            client.put(f"/api/tiles/{name}/mark", json={"verdict": "keep"})
        for name in {*NAMES[:NUM_PAINTED], SHOWN, READ_TWICE}:
            save_stroke(client, name, shipped_labels(name))
        read_again(client, READ_TWICE, np.roll(shipped_labels(READ_TWICE), 3, axis=1))
        for name, reason in REJECTED.items():
            client.put(f"/api/tiles/{name}/mark", json={"verdict": "reject", "reason": reason})
        client.post("/api/deal")
        client.close()
        yield page


def read_again(client: httpx2.Client, tile: str, labels: LabelMap) -> None:
    height, width = labels.shape
    client.post(
        f"/api/tiles/{tile}/readings/2/revisions",
        params={"kind": "brush", "x": 0, "y": 0, "width": width, "height": height},
        content=zlib.compress(labels.tobytes()),
        headers={"if-match": '"0"'},
    ).raise_for_status()


def shipped_labels(name: str) -> LabelMap:
    path = LABELS / f"{name}.png"
    return grey_of(path.read_bytes(), path.name)


@pytest.fixture(scope="module")
def heard(
    chromium: Browser, served: ServedPage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Page, ServedPage]]:
    """A tab with axe in it, which the page's own policy would keep out."""
    folder = tmp_path_factory.mktemp("heard")
    with Visit(chromium, served, folder, bypass_csp=True) as visit:
        visit.excuse("status of 412")
        page = visit.tab()
        page.evaluate(AXE)
        yield page, served


Open = Callable[[Page, ServedPage], None]
"""Brings up what is looked at."""


def nothing(_: Page, __: ServedPage) -> None:
    """The view as it is."""


def pressed(key: str) -> Open:
    return lambda page, _: page.keyboard.press(key)


def clicked(name: str) -> Open:
    return lambda page, _: page.get_by_role("button", name=name).first.click()


def file_looked_into(page: Page, _: ServedPage) -> None:
    import_file(page, "outlines.geojson", json.dumps(OUTLINES).encode())


def saved_elsewhere(page: Page, served: ServedPage) -> None:
    client = open_client(served)
    save_stroke(client, SPARE, shipped_labels(SHOWN))
    client.close()
    Hand(page).stroke([(20.0, 20.0), (60.0, 70.0)])
    expect(page.get_by_role("dialog", name="saved elsewhere")).to_be_visible()


VIEWS: dict[str, tuple[str, Open]] = {
    "the gallery": ("#/", nothing),
    "the gallery's keys": ("#/", pressed("?")),
    "why a tile is rejected": ("#/", pressed("r")),
    "a tile in large": ("#/", pressed(" ")),
    "the annotator's name": ("#/", clicked("Annotator Anna")),
    "the export of all tiles": ("#/", clicked("Export")),
    "finishing": ("#/", clicked("Finish")),
    "the painter": (f"#/tile/{SHOWN}/1", nothing),
    "the painter's keys": (f"#/tile/{SHOWN}/1", pressed("?")),
    "the export of a tile": (f"#/tile/{SHOWN}/1", clicked("Export")),
    "the import": (f"#/tile/{SHOWN}/1", clicked("Import")),
    "the classes of a file": (f"#/tile/{SHOWN}/1", file_looked_into),
    "a conflict": (f"#/tile/{SPARE}/1", saved_elsewhere),
    "the agreement": ("#/agreement", nothing),
}
DIALOGS = {name for name, (_, opens) in VIEWS.items() if opens is not nothing}


@pytest.mark.parametrize("name", VIEWS)
def test_who_does_not_see_the_page_can_use(name: str, heard: tuple[Page, ServedPage]) -> None:
    page, served = heard
    view, opens = VIEWS[name]
    # By way of another view, which closes what the test before left open.
    page.goto(f"{served.base}/#/agreement")
    expect(page.get_by_role("heading", name="Agreement")).to_be_visible()
    page.goto(f"{served.base}/{view}")
    expect(page.locator(".card, canvas.marks[data-scale], table").first).to_be_visible()
    opens(page, served)
    if name in DIALOGS:
        expect(page.get_by_role("dialog")).to_be_visible()

    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")

    assert [said for said in map(described, found["violations"]) if said] == []
    assert len(found["passes"]) > 10


def described(violation: dict[str, Any]) -> str:
    """What is wrong and where, if it is serious."""
    if violation["impact"] not in ("serious", "critical"):
        return ""
    where = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {where}"


def test_the_documentation_shows_the_page_as_it_is(
    served: ServedPage, visit: Visits, tmp_path: Path
) -> None:
    folder = IMAGES if os.environ.get(SCREENSHOTS) == "1" else tmp_path
    with visit(served) as seen:
        hand = seen.painter(SHOWN)
        hand.brush(16)
        hand.keys("3")
        (x, y), _ = hand.on_screen((88.0, 40.0))
        hand.page.mouse.move(x, y)
        hand.page.wait_for_timeout(500)
        pictures = {"annotation-painter": taken(hand.page)}
        hand.page.goto(f"{served.base}/#/")
        expect(hand.page.locator(".card").first).to_be_visible()
        hand.page.mouse.move(0, 0)
        wait_for_pictures(hand.page)
        hand.page.wait_for_timeout(500)
        pictures["annotation-gallery"] = taken(hand.page)

    for name, picture in pictures.items():
        assert picture.size == (VIEWPORT["width"], VIEWPORT["height"])
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 2000
        path = folder / f"{name}.png"
        path.write_bytes(compressed(picture))


def taken(page: Page) -> Image.Image:
    return Image.open(BytesIO(page.screenshot())).convert("RGB")


def compressed(picture: Image.Image) -> bytes:
    """A PNG with as many shades of each channel as the bound lets pass."""
    for step in (1, 4, 8, 16):
        buffer = BytesIO()
        shades = picture.point(lambda value, step=step: min(255, round(value / step) * step))
        shades.save(buffer, "PNG", optimize=True)
        if buffer.tell() < MAX_BYTES:
            return buffer.getvalue()
    raise AssertionError(f"the picture takes more than {MAX_BYTES} bytes")
