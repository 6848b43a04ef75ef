"""The page's server, as the page uses it."""

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from hdgan.artifacts.coco import label_maps_in_coco
from hdgan.artifacts.images import grey_of
from hdgan.artifacts.outlines.drawn_labels import class_numbers
from hdgan.class_map import AMBIGUOUS, KIDNEY, UNLABELLED, LabelMap
from hdgan.web.predictor import PaintedTile, Prediction
from tests.tiny_world import SIDE, TinyWorld
from tests.web.page_world import Browser, new_desk, square


@pytest.fixture
def browser(world: TinyWorld, tmp_path: Path) -> Iterator[Browser]:
    desk = new_desk(world.samples, tmp_path)
    yield Browser.at(desk)
    desk.history.close()


TILE, OTHER = "s000000", "s000001"


def test_the_gallery_knows_every_sample(browser: Browser) -> None:
    tiles = browser.client.get("/api/tiles").json()

    assert [tile["tile"] for tile in tiles] == [f"s{i:06d}" for i in range(12)]
    assert sorted(tile["suggested"] for tile in tiles if tile["suggested"] is not None) == list(
        range(9)
    )
    assert tiles[0]["verdict"] is None
    assert tiles[0]["readings"] == []
    assert (tiles[0]["width"], tiles[0]["height"]) == (SIDE, SIDE)


def test_a_tile_set_has_folds_and_no_goal(world: TinyWorld, tmp_path: Path) -> None:
    desk = new_desk(world.tiles, tmp_path)
    browser = Browser.at(desk)
    name = next(iter(desk.source.tiles))

    assert browser.client.get(f"/api/tiles/{name}").json()["fold"] in range(5)
    assert browser.client.get(f"/api/tiles/{name}/image").status_code == 200
    assert browser.client.get(f"/api/tiles/{name}/thumbnail").status_code == 200
    desk.history.close()


def test_a_picture_is_not_sent_twice(browser: Browser) -> None:
    for kind in ("image", "thumbnail"):
        first = browser.client.get(f"/api/tiles/{TILE}/{kind}")
        headers = {"if-none-match": first.headers["etag"]}
        again = browser.client.get(f"/api/tiles/{TILE}/{kind}", headers=headers)
        assert first.status_code == 200
        assert len(first.content) > 50
        assert (again.status_code, again.content) == (304, b"")


def test_a_stroke_comes_back_as_it_was_painted(browser: Browser) -> None:
    assert browser.save(TILE, 0, square(2), x=3, y=5) == 201

    expected = np.full((SIDE, SIDE), UNLABELLED, dtype=np.uint8)
    expected[5:9, 3:7] = 2
    assert np.array_equal(browser.labels(TILE), expected)
    (reading,) = browser.client.get(f"/api/tiles/{TILE}").json()["readings"]
    assert reading["revision"] == 1
    assert reading["authors"] == ["Anna"]
    assert reading["areas"][2] == reading["labelled"] == 16 / SIDE**2


def test_any_revision_and_what_it_changed_can_be_read(browser: Browser) -> None:
    browser.save(TILE, 0, square(2))
    browser.save(TILE, 1, square(AMBIGUOUS), x=2)
    address = f"/api/tiles/{TILE}/readings/1"

    old = browser.client.get(f"{address}/labels", params={"revision": 1})
    before = browser.client.get(f"{address}/revisions/2/before").content
    after = browser.client.get(f"{address}/revisions/2/after").content

    assert old.headers["etag"] == '"1"'
    assert np.count_nonzero(np.frombuffer(old.content, np.uint8) == 2) == 16
    assert before == bytes([2, 2, UNLABELLED, UNLABELLED] * 4)
    assert after == bytes([AMBIGUOUS] * 16)


def test_two_tabs_on_one_tile_get_a_clear_conflict(browser: Browser) -> None:
    browser.save(TILE, 0, square(2))
    here = browser.labels(TILE)

    response = browser.client.post(
        f"/api/tiles/{TILE}/readings/1/revisions",
        params={"kind": "brush", "x": 0, "y": 0, "width": 1, "height": 1},
        content=b"x\x9cc\x04\x00\x00\x02\x00\x02",
        headers={"if-match": '"0"', "x-author": "Ben"},
    )

    assert response.status_code == 412
    told = response.json()
    assert (told["revision"], told["author"], told["kind"]) == (1, "Anna", "brush")
    assert "another one has been saved meanwhile" in told["error"]
    assert np.array_equal(browser.labels(TILE), here)


def test_a_stroke_that_does_not_say_what_it_was_painted_on_is_refused(browser: Browser) -> None:
    response = browser.client.post(f"/api/tiles/{TILE}/readings/1/revisions")

    assert response.status_code == 428


@pytest.mark.parametrize("value", [5, 200, 253])
def test_a_value_that_is_no_class_is_refused(browser: Browser, value: int) -> None:
    assert browser.save(TILE, 0, square(value)) == 422
    assert browser.desk.history.head(TILE, 1) == 0


def test_a_rectangle_beyond_the_tile_is_refused(browser: Browser) -> None:
    assert browser.save(TILE, 0, square(1), x=SIDE - 3) == 422
    assert browser.save(TILE, 0, square(1, side=SIDE + 1)) == 422
    assert browser.desk.history.head(TILE, 1) == 0


def test_a_verdict_keeps_what_it_does_not_name(browser: Browser) -> None:
    address = f"/api/tiles/{TILE}/mark"
    browser.client.put(address, json={"verdict": "reject", "reason": "blurred"})
    browser.client.put(address, json={"split": "test"})

    tile = browser.client.put(address, json={"reason": None}).json()

    assert (tile["verdict"], tile["reason"], tile["split"]) == ("reject", None, "test")


def test_kept_tiles_are_dealt_to_the_goal(browser: Browser) -> None:
    for i in range(5):
        browser.client.put(f"/api/tiles/s{i:06d}/mark", json={"verdict": "keep"})
    browser.client.put(f"/api/tiles/{TILE}/mark", json={"split": "validation"})

    dealt = browser.client.post("/api/deal").json()["tiles"]

    assert len(dealt) == 4
    splits = [tile["split"] for tile in browser.client.get("/api/tiles").json()]
    assert [splits.count(split) for split in ("training", "validation", "test")] == [2, 1, 2]
    assert splits[0] == "validation"


def test_minutes_are_told_and_kept(browser: Browser) -> None:
    address = f"/api/tiles/{TILE}/readings/1/time"

    told = browser.client.post(address, json={"seconds": 90.0}).json()

    assert told == {"minutes": 1.5}
    assert browser.client.get(f"/api/tiles/{TILE}").json()["minutes"] == 1.5


def test_the_next_tile_is_suggested_kept_and_unpainted(browser: Browser) -> None:
    tiles = browser.client.get("/api/tiles").json()
    first = next(tile["tile"] for tile in tiles if tile["suggested"] == 0)
    second = next(tile["tile"] for tile in tiles if tile["suggested"] == 1)

    assert browser.client.get("/api/next").json()["tile"] == first
    browser.save(first, 0, square(1))
    assert browser.client.get("/api/next").json()["tile"] == second
    assert browser.client.get("/api/next", params={"after": second}).json()["tile"] != second
    browser.client.put(f"/api/tiles/{OTHER}/mark", json={"verdict": "keep"})
    assert browser.client.get("/api/next").json()["tile"] == OTHER


def test_two_readings_are_apart_and_compared(browser: Browser) -> None:
    one = np.repeat([0, 1], 8).astype(np.uint8).reshape(4, 4)
    other = one.copy()
    other[2] = 0
    other[0, 0] = AMBIGUOUS
    browser.save(TILE, 0, one)
    browser.save(TILE, 0, other, reading=2)

    found = browser.client.get("/api/agreement").json()

    (row,) = found["tiles"]
    assert (row["tile"], row["readings"], row["pixels"]) == (TILE, [1, 2], 15)
    assert row["dice"][0] == pytest.approx(2 * 7 / (7 + 11))
    assert row["dice"][1] == pytest.approx(2 * 4 / (8 + 4))
    assert row["dice"][2] is None
    assert row["ambiguous"] == 1 / SIDE**2
    assert found["classes"][0]["name"] == "whitespace"


def test_finishing_says_what_is_missing_and_then_refuses_strokes(browser: Browser) -> None:
    assert browser.client.get("/api/finish").json()["ready"] is False
    assert browser.client.post("/api/finish").status_code == 422
    browser.save(TILE, 0, square(1))
    browser.client.put(f"/api/tiles/{OTHER}/mark", json={"verdict": "keep"})

    outlook = browser.client.get("/api/finish").json()
    assert outlook["ready"] is True
    assert outlook["painted"] == 1
    assert any(OTHER in problem for problem in outlook["problems"])
    assert browser.client.post("/api/finish").json()["folder"] == "nowhere"
    assert browser.save(TILE, 1, square(2)) == 409
    assert browser.client.put(f"/api/tiles/{TILE}/mark", json={}).status_code == 409


def test_without_a_predictor_there_is_no_prediction(browser: Browser) -> None:
    wish = {"reading": 1, "revision": 0}

    assert browser.client.post(f"/api/tiles/{TILE}/prediction", json=wish).status_code == 204


def painted(browser: Browser) -> LabelMap:
    """Two squares, one in the other, and a mark."""
    browser.save(TILE, 0, square(2, 9), x=2, y=3)
    browser.save(TILE, 1, square(1, 3), x=4, y=6)
    browser.save(TILE, 2, square(AMBIGUOUS, 2), x=13, y=0)
    return browser.labels(TILE)


@pytest.mark.parametrize("kind", ["png", "geojson", "coco"])
def test_what_is_exported_can_be_imported_on_another_tile(browser: Browser, kind: str) -> None:
    labels = painted(browser)
    file = browser.client.get(f"/api/tiles/{TILE}/readings/1/export/{kind}")
    address = f"/api/tiles/{OTHER}/readings/1/import"
    name = file.headers["content-disposition"].split('"')[1]

    found = browser.client.post(address, params={"name": name}, content=file.content).json()
    classes = {row["name"]: row["class"] for row in found["found"]}
    response = browser.client.post(
        address,
        params={"name": name, "classes": json.dumps(classes)},
        content=file.content,
        headers={"if-match": '"0"'},
    )

    assert (file.status_code, response.status_code) == (200, 201), response.text
    expected = np.where(labels == AMBIGUOUS, UNLABELLED, labels) if kind == "png" else labels
    assert np.array_equal(browser.labels(OTHER), expected)


def test_a_first_look_at_a_file_changes_nothing(browser: Browser) -> None:
    painted(browser)
    file = browser.client.get(f"/api/tiles/{TILE}/readings/1/export/geojson").content

    found = browser.client.post(f"/api/tiles/{OTHER}/readings/1/import", content=file).json()

    assert {row["name"]: row["class"] for row in found["found"]} == {
        "glomerulus": 2,
        "cortical tubulointerstitium": 1,
        "ambiguous": AMBIGUOUS,
    }
    assert browser.desk.history.head(OTHER, 1) == 0


def test_an_import_leaves_what_it_does_not_cover(browser: Browser) -> None:
    painted(browser)
    file = browser.client.get(f"/api/tiles/{TILE}/readings/1/export/geojson").content
    browser.save(OTHER, 0, square(4, SIDE))

    browser.client.post(
        f"/api/tiles/{OTHER}/readings/1/import",
        params={"classes": json.dumps(dict.fromkeys((*KIDNEY.names, "ambiguous"), 0))},
        content=file,
        headers={"if-match": '"1"'},
    )

    expected = np.where(browser.labels(TILE) == UNLABELLED, 4, 0)
    assert np.array_equal(browser.labels(OTHER), expected)


def test_an_old_revision_can_be_exported(browser: Browser) -> None:
    painted(browser)
    address = f"/api/tiles/{TILE}/readings/1/export/png"

    old = browser.client.get(address, params={"revision": 1}).content

    assert np.count_nonzero(grey_of(old, "old") == 2) == 81


@pytest.mark.parametrize("kind", ["png", "geojson", "coco", "qupath"])
def test_everything_painted_is_exported_at_once(browser: Browser, kind: str) -> None:
    labels = painted(browser)

    response = browser.client.get(f"/api/export/{kind}")

    assert response.status_code == 200
    assert list(browser.desk.history.path.parent.glob("export-*")) == []
    if kind == "coco":
        ((stem, found),) = label_maps_in_coco(response.content, "coco", class_numbers(KIDNEY))
        assert stem == TILE
        assert np.array_equal(found, labels)
        return
    names = set(zipfile.ZipFile(BytesIO(response.content)).namelist())
    wanted = {
        "png": {"classes.json", f"labels/{TILE}.png", f"colours/{TILE}.png"},
        "geojson": {"classes.json", f"{TILE}.geojson"},
        "qupath": {"qupath/project.qpproj", f"qupath/annotations/{TILE}.geojson"},
    }[kind]
    assert wanted <= names


def test_a_file_of_nothing_known_is_refused(browser: Browser) -> None:
    response = browser.client.post(f"/api/tiles/{TILE}/readings/1/import", content=b"hello")

    assert response.status_code == 422
    assert "neither JSON nor XML" in response.json()["error"]


def test_the_same_report_of_time_counts_once(browser: Browser) -> None:
    address = f"/api/tiles/{TILE}/readings/1/time"
    report = {"seconds": 30.0, "report": "the first report"}

    browser.client.post(address, json=report)
    told = browser.client.post(address, json=report).json()
    other = browser.client.post(address, json=report | {"report": "another report"}).json()

    assert (told["minutes"], other["minutes"]) == (0.5, 1.0)


def test_only_an_undo_or_a_redo_takes_a_revision_back(browser: Browser) -> None:
    response = browser.client.post(
        f"/api/tiles/{TILE}/readings/1/revisions",
        params={"kind": "brush", "x": 0, "y": 0, "width": 1, "height": 1, "undoes": 1},
        content=zlib.compress(b"\x00"),
        headers={"if-match": '"0"'},
    )

    assert response.status_code == 422


def test_a_class_name_that_is_no_text_is_told_as_well_as_can_be(browser: Browser) -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [5, 0], [5, 5], [0, 0]]]},
        "properties": {"classification": {"name": "\ud800"}},
    }
    file = json.dumps({"type": "FeatureCollection", "features": [feature]})

    response = browser.client.post(f"/api/tiles/{TILE}/readings/1/import", content=file)

    assert response.status_code == 200
    assert response.json()["found"][0]["outlines"] == 1


class Listener:
    """A predictor that only notes which label maps it was to learn from."""

    predicts_before_strokes = False

    def __init__(self) -> None:
        self.heard: list[dict[str, tuple[int, int]]] = []

    def predict(self, tile: str, painted: Mapping[str, PaintedTile]) -> Prediction | None:
        """Nothing."""
        self.heard.append(
            {name: (own.revision, int(own.labels()[0, 0])) for name, own in painted.items()}
        )
        return None

    def teaches(self) -> Mapping[str, float]:
        """Nothing."""
        return {}

    def score(self, tile: str, painted: Mapping[str, PaintedTile]) -> float:
        """Nothing."""
        return 0.0


def test_a_second_reading_is_predicted_blind(world: TinyWorld, tmp_path: Path) -> None:
    listener = Listener()
    desk = new_desk(world.samples, tmp_path, listener)
    browser = Browser.at(desk)
    browser.save(TILE, 0, square(1))
    browser.save(TILE, 0, square(3), reading=2)
    browser.save(OTHER, 0, square(2))

    for tile, reading in ((TILE, 1), (TILE, 2), (OTHER, 1)):
        wish = {"reading": reading, "revision": 1}
        browser.client.post(f"/api/tiles/{tile}/prediction", json=wish)
    desk.assistant.close()
    desk.history.close()

    first, second, of_other = listener.heard
    assert (first[TILE][1], second[TILE][1], of_other[TILE][1]) == (1, 3, 1)
    assert first[TILE][0] == of_other[TILE][0] != second[TILE][0]
