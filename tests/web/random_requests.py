"""Requests that are right, nearly right, or nonsense, drawn at random from the server's routes."""

import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, urlencode

import numpy as np
from starlette.routing import Route

from hdgan.class_map import UNLABELLED, LabelMap
from hdgan.web import gallery, painting, transfer
from hdgan.web.desk import STROKES
from tests.tiny_world import SIDE
from tests.web.direct_requests import OWN, Question

ROUTES: list[Route] = [*gallery.ROUTES, *painting.ROUTES, *transfer.ROUTES]
VALUES = bytes([0, 1, 2, 3, 4, 254, 255])
STRANGE = (
    *("", "0", "-1", "1e9", "NaN", "inf", "null", "[]", "{}", "%00", "../..", "..\\..", "*", " "),
    *("9" * 30, "9" * 900, "a" * 300, "\x00", "\n", "\u202e", "\U0001f9a0", "\u0663", "%ff%fe"),
    *("'; DROP TABLE revisions; --", "1 OR 1=1", "<script>", "${7*7}", "\r\nset-cookie: a=b"),
)

Heads = dict[tuple[str, int], int]
"""The newest revision of each reading, as whoever asks knows it."""


@dataclass(frozen=True)
class Drawer:
    """Draws one request after the other."""

    random: Random
    tiles: list[str]
    heads: Heads

    def question(self) -> Question:
        """Any request."""
        if self.random.random() < 0.15:
            return self.stroke()
        if self.random.random() < 0.02:
            return self.imported()
        route = self.random.choice(ROUTES)
        if "export" in route.path and self.random.random() < 0.8:
            return self.stroke()  # exports are slow
        methods = sorted(route.methods or ())
        question = Question(
            self.random.choice(methods if self.random.random() < 0.95 else ["PUT", "POST", "GET"]),
            re.sub(r"\{(\w+)(:\w+)?\}", lambda found: self._part(found[1]), route.path),
            self._query(),
            self._headers(),
            (self._body(route.path),),
        )
        # Finishing would end the play; it has a test of its own.
        return question if "finish" not in question.path else question.but_with(x_author="%00")

    def stroke(self) -> Question:
        """A stroke, most often a right one."""
        tile, reading = self.random.choice(self.tiles), self.random.choice([1, 1, 1, 2])
        x, y = self.random.randrange(SIDE), self.random.randrange(SIDE)
        width, height = self.random.randint(1, SIDE - x), self.random.randint(1, SIDE - y)
        labels = bytes(self.random.choices(VALUES, k=width * height))
        query: dict[str, object] = {"kind": self.random.choice(sorted(STROKES)), "x": x, "y": y}
        query |= {"width": width, "height": height, "seconds": self.random.randrange(700)}
        base = max(0, self.heads.get((tile, reading), 0) - (self.random.random() < 0.1))
        headers = OWN | {"if-match": f'"{base}"', "x-author": self.random.choice(["Anna", "Ben"])}
        path, body = f"/api/tiles/{tile}/readings/{reading}/revisions", zlib.compress(labels)
        if self.random.random() < 0.4:
            name = self.random.choice([*query, "undoes"])
            query[name] = self.random.choice([*STRANGE, -1, 3, SIDE, SIDE + 1])
        if self.random.random() < 0.2:
            body = self._spoilt(body)
        return Question("POST", path, urlencode(query), headers, (body,))

    def imported(self) -> Question:
        """A file of annotations whose classes are known."""
        tile, body = self.random.choice(self.tiles), self.random.choice(list(IMPORTED))
        classes = {str(number): number for number in range(5)} | {"a": 3}
        query = urlencode({"name": "file", "classes": json.dumps(classes)})
        headers = OWN | {"if-match": f'"{self.heads.get((tile, 1), 0)}"'}
        return Question("POST", f"/api/tiles/{tile}/readings/1/import", query, headers, (body,))

    def _part(self, name: str) -> str:
        """Part of an address."""
        right: dict[str, Callable[[], str]] = {
            "tile": lambda: self.random.choice(self.tiles),
            "reading": lambda: str(self.random.choice([1, 2])),
            "revision": lambda: str(self.random.randrange(60)),
            "format": lambda: self.random.choice(["png", "geojson", "coco", "qupath"]),
        }
        if self.random.random() < 0.12:
            strange = self.random.choice(STRANGE)
            return quote(strange) if self.random.random() < 0.5 else strange
        return right.get(name, lambda: "0")()

    def _query(self) -> str:
        names = ["after", "area", "classes", "name", "revision", "seconds", "x", "token2"]
        values = [*STRANGE, "1", "2", "400", '{"0": 1}', '{"a": 256}', "s000001", "a.geojson"]
        count = self.random.choice([0, 0, 1, 2, 3])
        return urlencode(
            [(self.random.choice(names), self.random.choice(values)) for _ in range(count)]
        )

    def _headers(self) -> dict[str, str | list[str]]:
        headers = dict(OWN) | {"if-match": f'"{self.random.randrange(40)}"'}
        if self.random.random() < 0.2:
            name = self.random.choice(
                [
                    "x-author",
                    "if-match",
                    "if-none-match",
                    "content-type",
                    "accept-encoding",
                    "if-range",
                ]
            )
            headers[name] = self.random.choice(STRANGE).encode("utf-8").decode("latin-1")
        return headers

    def _body(self, path: str) -> bytes:
        if self.random.random() < 0.1:
            return self.random.randbytes(self.random.randrange(200))
        if path.endswith("import"):
            body = self.random.choice(_FILES)
        else:
            body = json.dumps(self._json(path)).encode()
        return body if self.random.random() < 0.8 else self._spoilt(body)

    def _json(self, path: str) -> dict[str, object]:
        strange: list[object] = [None, True, -1, 1e300, "1", [], {}, "\ud800", "a" * 201, *STRANGE]
        right: dict[str, object]
        if path.endswith("mark"):
            right = {
                "verdict": self.random.choice(["keep", "maybe", "reject", None]),
                "reason": self.random.choice(["blurred", "other", None]),
                "split": self.random.choice(["training", "validation", "test", None]),
            }
            right = {name: value for name, value in right.items() if self.random.random() < 0.6}
        elif path.endswith("time"):
            right = {"seconds": self.random.choice([0, 1.5, 60, 1e4])}
        else:
            right = {"reading": 1, "revision": self.random.randrange(3)}
        if self.random.random() < 0.2:
            name = self.random.choice([*right, "else"])
            right[name] = self.random.choice(strange)
        return right

    def _spoilt(self, body: bytes) -> bytes:
        """The same with some bytes changed, taken out or put in."""
        spoilt = bytearray(body)
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randrange(len(spoilt) + 1)
            spoilt[at : at + self.random.randrange(3)] = self.random.randbytes(
                self.random.randrange(3)
            )
        return bytes(spoilt)


def _png(side: int) -> bytes:
    """A grey PNG, written by hand."""
    rows = b"".join(b"\0" + bytes(row % 5 for _ in range(side)) for row in range(side))
    parts = [
        (b"IHDR", np.array([side, side], ">u4").tobytes() + b"\x08\0\0\0\0"),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = (
        np.array([len(data)], ">u4").tobytes()
        + kind
        + data
        + np.array([zlib.crc32(kind + data)], ">u4").tobytes()
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _geojson() -> bytes:
    """A square of class `a` as QuPath has it."""
    ring = [[1, 1], [9, 1], [9, 9], [1, 9], [1, 1]]
    feature = {
        "type": "Feature",
        "properties": {"classification": {"name": "a"}},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def _square() -> LabelMap:
    """The label map of the same."""
    labels = np.full((SIDE, SIDE), UNLABELLED, dtype=np.uint8)
    labels[1:9, 1:9] = 3
    return labels


IMPORTED: dict[bytes, LabelMap] = {
    _png(SIDE): np.repeat(np.arange(SIDE) % 5, SIDE).astype(np.uint8).reshape(SIDE, SIDE),
    _geojson(): _square(),
}
"""Files that can be imported, and what they show."""

_FILES = [
    *IMPORTED,
    _png(SIDE + 1),
    b'<ASAP_Annotations><Annotations><Annotation Name="a" Type="Polygon" PartOfGroup="a">'
    b'<Coordinates><Coordinate Order="0" X="1" Y="1"/><Coordinate Order="1" X="9" Y="1"/>'
    b'<Coordinate Order="2" X="9" Y="9"/></Coordinates></Annotation></Annotations>'
    b"</ASAP_Annotations>",
]
