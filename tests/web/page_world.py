"""A desk over a few tiles, and a browser's side of the conversation."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from starlette.testclient import TestClient

from hdgan.artifacts.annotation_history import AnnotationHistory
from hdgan.artifacts.annotation_set import Split
from hdgan.class_map import KIDNEY, LabelMap
from hdgan.web.app import page
from hdgan.web.assistant import Assistant
from hdgan.web.desk import Desk
from hdgan.web.guard import Secret
from hdgan.web.predictor import Predictor
from hdgan.web.tiles import TileSource

GOAL: Mapping[Split, int] = {"training": 2, "validation": 1, "test": 2}
ORIGIN = "http://127.0.0.1:8470"
SECRET = Secret("the secret of the tests")


def new_desk(samples: Path, folder: Path, predictor: Predictor | None = None) -> Desk:
    """A desk whose history and thumbnails are in a folder; finishing writes nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    source = TileSource.opened(samples, folder / "thumbnails")
    history = AnnotationHistory(folder / "history.sqlite3", source.sizes)
    assistant = Assistant(predictor)
    return Desk(source, history, KIDNEY, GOAL, assistant, lambda: ("nowhere", {}))


@dataclass(frozen=True)
class Browser:
    """A client that has the cookie and says where it comes from."""

    desk: Desk
    client: TestClient

    @classmethod
    def at(cls, desk: Desk) -> "Browser":
        """A browser that has opened the printed address."""
        session = {"author": "Anna", "samples": "samples"}
        client = TestClient(page(desk, SECRET, 8470, session), base_url=ORIGIN)
        client.headers.update({"origin": ORIGIN, "x-author": "Anna"})
        client.get("/", params={"token": SECRET.token})
        return cls(desk, client)

    def save(
        self, tile: str, base: int, labels: LabelMap, *, reading: int = 1, x: int = 0, y: int = 0
    ) -> int:
        """Save a stroke; the status comes back."""
        height, width = labels.shape
        response = self.client.post(
            f"/api/tiles/{tile}/readings/{reading}/revisions",
            params={"kind": "brush", "x": x, "y": y, "width": width, "height": height},
            content=zlib.compress(labels.tobytes()),
            headers={"if-match": f'"{base}"'},
        )
        return response.status_code

    def labels(self, tile: str, reading: int = 1) -> LabelMap:
        """The newest label map."""
        response = self.client.get(f"/api/tiles/{tile}/readings/{reading}/labels")
        shown = self.desk.source.tiles[tile]
        flat = np.frombuffer(response.content, dtype=np.uint8)
        return flat.reshape(shown.height, shown.width)


def square(value: int, side: int = 4) -> LabelMap:
    """A square of one class."""
    return np.full((side, side), value, dtype=np.uint8)
