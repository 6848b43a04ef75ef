"""Who predicts while a person paints: the newest wish counts, and faults and hurry do no harm."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import pytest

from hdgan.web import assistant as assistants
from hdgan.web.assistant import Assistant, SupersededError
from hdgan.web.predictor import PaintedTile, Prediction
from tests.tiny_world import SIDE, TinyWorld
from tests.web.page_world import Browser, new_desk, square

TILE, OTHER = "s000000", "s000001"
PATIENCE = 60
"""Seconds after which something that should have happened has not."""


@dataclass
class SlowPredictor:
    """Predicts when it is let go on; fails on one of the tiles, and whenever it scores."""

    may_go_on: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    scored: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    @property
    def predicts_before_strokes(self) -> bool:
        return True

    def predict(self, tile: str, painted: Mapping[str, PaintedTile]) -> Prediction | None:
        self.asked.append(tile)
        self.begun.set()
        assert self.may_go_on.wait(PATIENCE)
        if tile == OTHER:
            raise RuntimeError("the card has no memory left")
        labels = np.full((SIDE, SIDE), 3, dtype=np.uint8)
        return Prediction(labels, labels, 1.0, len(painted), 0.1)

    def teaches(self) -> Mapping[str, float]:
        return {}

    def score(self, tile: str, painted: Mapping[str, PaintedTile]) -> float:
        self.scored.set()
        raise RuntimeError("the card has no memory left")


@pytest.fixture
def predictor() -> SlowPredictor:
    return SlowPredictor()


@pytest.fixture
def assistant(predictor: SlowPredictor) -> Iterator[Assistant]:
    assistant = Assistant(predictor)
    yield assistant
    predictor.may_go_on.set()
    assistant.close()


def nothing() -> Mapping[str, PaintedTile]:
    """What is painted: nothing."""
    return {}


def test_the_newest_wish_is_fulfilled_and_those_between_are_given_up(
    predictor: SlowPredictor, assistant: Assistant
) -> None:
    first = assistant.predict("first", nothing)
    assert predictor.begun.wait(PATIENCE)
    between = [assistant.predict(f"between {number}", nothing) for number in range(10)]
    newest = assistant.predict("newest", nothing)
    predictor.may_go_on.set()

    assert newest.result(PATIENCE) is not None
    assert first.result(PATIENCE) is not None
    assert all(isinstance(one.exception(PATIENCE), SupersededError) for one in between)
    assert predictor.asked == ["first", "newest"]


def test_a_fault_of_the_predictor_belongs_to_one_wish(
    predictor: SlowPredictor, assistant: Assistant
) -> None:
    predictor.may_go_on.set()

    with pytest.raises(RuntimeError, match="no memory"):
        assistant.predict(OTHER, nothing).result(PATIENCE)
    assert assistant.predict(TILE, nothing).result(PATIENCE) is not None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_while_tiles_are_scored_does_not_end_predictions(
    predictor: SlowPredictor, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistants, "IDLE_SECONDS", 0.0)
    predictor.may_go_on.set()
    assistant.score([TILE, OTHER], nothing)
    assert predictor.scored.wait(PATIENCE)

    assert assistant.predict(TILE, nothing).result(10) is not None


def test_a_wish_that_its_asker_took_back_is_no_hindrance(
    predictor: SlowPredictor, assistant: Assistant
) -> None:
    assistant.predict("first", nothing)
    assert predictor.begun.wait(PATIENCE)
    assert assistant.predict("taken back", nothing).cancel()
    newest = assistant.predict("newest", nothing)
    predictor.may_go_on.set()

    assert newest.result(PATIENCE) is not None


def test_closing_gives_up_what_waits_and_ends(predictor: SlowPredictor) -> None:
    assistant = Assistant(predictor)
    first = assistant.predict("first", nothing)
    assert predictor.begun.wait(PATIENCE)
    waiting = assistant.predict("waiting", nothing)
    closing = threading.Thread(target=assistant.close)
    closing.start()

    assert isinstance(waiting.exception(PATIENCE), SupersededError)
    predictor.may_go_on.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert first.result(PATIENCE) is not None
    assert assistant.predict("late", nothing).result(PATIENCE) is None
    assistant.close()


def test_closing_after_a_wish_was_taken_back_ends(predictor: SlowPredictor) -> None:
    assistant = Assistant(predictor)
    assistant.predict("first", nothing)
    assert predictor.begun.wait(PATIENCE)
    assert assistant.predict("taken back", nothing).cancel()
    predictor.may_go_on.set()

    assistant.close()


@pytest.fixture
def browser(world: TinyWorld, predictor: SlowPredictor, tmp_path: Path) -> Iterator[Browser]:
    desk = new_desk(world.samples, tmp_path, predictor)
    yield Browser.at(desk)
    predictor.may_go_on.set()
    desk.assistant.close()
    desk.history.close()


def predicted(browser: Browser, tile: str) -> httpx2.Response:
    """The answer to a wish for a prediction."""
    wish = {"reading": 1, "revision": 0}
    return browser.client.post(f"/api/tiles/{tile}/prediction", json=wish)


def test_older_wishes_are_told_that_a_newer_one_came(
    browser: Browser, predictor: SlowPredictor
) -> None:
    with browser.client, ThreadPoolExecutor(3) as pool:
        first = pool.submit(predicted, browser, TILE)
        assert predictor.begun.wait(PATIENCE)
        older = pool.submit(predicted, browser, "s000002")
        _until(lambda: browser.desk.assistant._wish is not None)
        newest = pool.submit(predicted, browser, "s000003")
        status, sentence = older.result(PATIENCE).status_code, older.result().json()["error"]
        predictor.may_go_on.set()

        assert (status, sentence) == (409, "A newer prediction was asked for.")
        assert first.result(PATIENCE).status_code == 200
        assert newest.result(PATIENCE).content == bytes([3]) * 2 * SIDE * SIDE


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_strokes_are_saved_while_a_prediction_is_made(
    browser: Browser, predictor: SlowPredictor
) -> None:
    with browser.client, ThreadPoolExecutor(1) as pool:
        waiting: Future[httpx2.Response] = pool.submit(predicted, browser, TILE)
        assert predictor.begun.wait(PATIENCE)

        assert browser.save(TILE, 0, square(1)) == 201
        predictor.may_go_on.set()
        assert waiting.result(PATIENCE).status_code == 200
