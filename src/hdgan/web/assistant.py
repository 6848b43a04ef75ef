"""Who predicts while a person paints: one thread, the newest wish first."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from time import monotonic

from hdgan.errors import HdganError
from hdgan.web.guard import LOG
from hdgan.web.predictor import PaintedTile, Prediction, Predictor

IDLE_SECONDS = 3.0
"""How long nobody must have wished for a prediction before tiles are scored: a wish that comes
meanwhile has to wait for one."""

Painted = Callable[[], Mapping[str, PaintedTile]]
"""What is painted when the work begins."""


class SupersededError(HdganError):
    """A newer wish came before this one was begun."""


class Assistant:
    """A predictor in a thread of its own; without one, nothing is predicted.

    While nobody waits it scores tiles, so that the next one can be the one that teaches most.
    """

    def __init__(self, predictor: Predictor | None) -> None:
        """Begin to wait for wishes.

        Args:
            predictor: who predicts, if anybody.
        """
        self.predictor = predictor
        self._wish: tuple[str, Painted, Future[Prediction | None]] | None = None
        self._last_wish = monotonic()
        self._to_score: list[str] = []
        self._scored: dict[str, int] = {}
        self._painted: Painted = dict
        self._is_open = predictor is not None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="assistant", daemon=True)
        if predictor is not None:
            self._thread.start()

    @property
    def predicts(self) -> bool:
        """Whether anything will ever be predicted."""
        return self.predictor is not None

    @property
    def predicts_before_strokes(self) -> bool:
        """Whether there is something to show on a tile that nobody has painted on."""
        return self.predictor is not None and self.predictor.predicts_before_strokes

    def predict(self, tile: str, painted: Painted) -> Future[Prediction | None]:
        """Wish for a prediction; an older wish that was not begun is given up.

        The future raises SupersededError if that happens to it.
        """
        future: Future[Prediction | None] = Future()
        with self._changed:
            if not self._is_open:
                future.set_result(None)
                return future
            self._give_up()
            self._wish, self._last_wish = (tile, painted, future), monotonic()
            self._changed.notify()
        return future

    def score(self, tiles: Iterable[str], painted: Painted) -> None:
        """Find out, when there is time, how unsure the predictor is of these tiles.

        Those that it has not seen come first, then those that it saw longest ago.
        """
        with self._changed:
            self._to_score = sorted(tiles, key=lambda tile: self._scored.get(tile, -1))
            self._painted = painted
            self._changed.notify()

    def scores(self) -> Mapping[str, float]:
        """How unsure it is of each tile that it has seen; higher teaches more."""
        return {} if self.predictor is None else self.predictor.teaches()

    def close(self) -> None:
        """Stop after what is being done."""
        with self._changed:
            was_open, self._is_open = self._is_open, False
            self._give_up()
            self._changed.notify()
        if was_open:
            self._thread.join()

    def _give_up(self) -> None:
        if self._wish is not None:
            _, _, future = self._wish
            if future.set_running_or_notify_cancel():  # else whoever asked has gone
                future.set_exception(SupersededError("A newer prediction was asked for."))
            self._wish = None

    def _work(self) -> None:
        while True:
            with self._changed:
                if not (self._wish or self._may_score()) and self._is_open:
                    self._changed.wait(IDLE_SECONDS if self._to_score else None)
                if not self._is_open:
                    return
                wish, self._wish = self._wish, None
                tile = self._to_score.pop(0) if not wish and self._may_score() else None
            if wish is not None:
                self._fulfil(*wish)
            elif tile is not None:
                self._score(tile)

    def _may_score(self) -> bool:
        """Whether there is a tile to score, and nobody has wished for anything for a while."""
        return bool(self._to_score) and monotonic() - self._last_wish >= IDLE_SECONDS

    def _fulfil(self, tile: str, painted: Painted, future: "Future[Prediction | None]") -> None:
        if self.predictor is None or not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(self.predictor.predict(tile, painted()))
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked
            future.set_exception(error)

    def _score(self, tile: str) -> None:
        if self.predictor is None:
            return
        self._scored[tile] = 1 + max(self._scored.values(), default=-1)
        try:
            self.predictor.score(tile, self._painted())
        except BaseException as error:  # noqa: BLE001 - whoever opens that tile is told
            LOG.warning("tile %s could not be scored: %s", ascii(tile), ascii(error)[:300])
