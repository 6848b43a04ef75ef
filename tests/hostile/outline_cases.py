"""Hostile outlines and tables: entities, depth, tangles, what is no number, archives."""

import io
import json
import zipfile
from collections.abc import Callable

import numpy as np

from tests.hostile.case import Case, a_file, in_a_folder
from tests.hostile.file_readers import APERIO, ASAP, SCORES

IMPORT = "import-annotations samples IN OUT --unnamed a"
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE ASAP_Annotations [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b"]><ASAP_Annotations>&m;</ASAP_Annotations>"
)
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    b"<ASAP_Annotations>&a;</ASAP_Annotations>"
)
DEEP = 100_000


def _outline(parser: str, name: str, data: bytes | Callable[[], bytes], says: str | None) -> Case:
    ending = {"GeoJSON": "geojson", "COCO": "json", "ImageJ": "zip"}.get(parser, "xml")
    return Case(parser, name, IMPORT, in_a_folder(f"s000000.{ending}", data), says)


def _polygon(*rings: object, kind: str = "Polygon") -> bytes:
    geometry = {"type": kind, "coordinates": rings}
    return json.dumps({"type": "Feature", "geometry": geometry, "properties": {}}).encode()


def _scribble(corners: int) -> bytes:
    return _polygon(np.random.default_rng(0).uniform(0, 16, (corners, 2)).round(3).tolist())


def _many_scribbles() -> bytes:
    random = np.random.default_rng(0)
    rings = [random.uniform(0, 16, (300, 2)).round(3).tolist() for _ in range(200)]
    return _polygon(*[[ring] for ring in rings], kind="MultiPolygon")


def _comb(teeth: int) -> bytes:
    """A ring that goes up and down through all rows again and again, and never crosses itself."""
    ring = [[16 * n / teeth, 1e6 * (n % 2)] for n in range(teeth)]
    return _polygon([*ring, [17, 1e6], [17, 2e6], [0, 2e6]])


def _circle(corners: int) -> bytes:
    along = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = np.stack([np.cos(along), np.sin(along)], axis=1) * 8 + 8
    text = ",".join(f"[{x:.4f},{y:.4f}]" for x, y in points.tolist())
    return b'{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[%s]]}}' % text.encode()


def _nested_annotations() -> bytes:
    return b"<ASAP_Annotations>" + b"<Annotation>" * DEEP + b"</Annotation>" * DEEP


def _holes(count: int) -> bytes:
    def region(number: int, left: float, side: float, hole: int) -> str:
        corners = ((left, 1), (left + side, 1), (left + side, 1 + side), (left, 1 + side))
        points = "".join(f'<Vertex X="{x}" Y="{y}"/>' for x, y in corners)
        head = f'<Region Id="{number}" Type="0" NegativeROA="{hole}">'
        return f"{head}<Vertices>{points}</Vertices></Region>"

    regions = [region(0, 0, 16, 0), *(region(n, 15 * n / count, 1e-4, 1) for n in range(1, count))]
    text = (
        f"<Annotations><Annotation><Regions>{''.join(regions)}</Regions></Annotation></Annotations>"
    )
    return text.encode()


def _zip(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def _region(name: str) -> tuple[str, bytes]:
    from roifile import ImagejRoi

    ring = np.array([[1.5, 1], [12, 1.5], [9, 14]])
    return name, ImagejRoi.frompoints(ring, name="a").tobytes()


def _coco(segmentation: object, side: int = 16) -> bytes:
    return json.dumps(
        {
            "images": [{"id": 1, "file_name": "s000000.png", "width": side, "height": side}],
            "categories": [{"id": 1, "name": "a"}],
            "annotations": [
                {"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation}
            ],
        }
    ).encode()


def _scores(name: str, data: bytes | Callable[[], bytes], says: str | None) -> Case:
    return Case("scores", name, "check-scores IN", a_file("scores.csv", data), says)


def _slides(name: str, data: bytes, says: str) -> Case:
    words = "tile images OUT --table IN --workers 1"
    return Case("slides' table", name, words, a_file("slides.csv", data), says)


CASES = [
    _outline("GeoJSON", "empty", b"", "is empty"),
    _outline("GeoJSON", "nested deeply", b"[" * DEEP, "nested more deeply"),
    _outline(
        "GeoJSON",
        "10,000,000 corners",
        lambda: _circle(10**5)[:-3].ljust(40_000_000, b","),
        "values, more than",
    ),
    _outline(
        "GeoJSON", "no number", _polygon([[0, 0], [float("nan"), 1], [2, 2]]), "corner at nan"
    ),
    _outline("GeoJSON", "no end", _polygon([[0, 0], [float("inf"), 1], [2, 2]]), "corner at inf"),
    _outline(
        "GeoJSON", "far away", _polygon([[0, 0], [10**300, 1], [2, 2]]), "corner at|list of points"
    ),
    _outline("GeoJSON", "a bow tie", _polygon([[0, 0], [9, 9], [9, 0], [0, 9]]), None),
    _outline("GeoJSON", "a tangle", lambda: _scribble(5_000), "crosses itself about"),
    _outline(
        "GeoJSON", "many tangles", _many_scribbles, "cross themselves or each other more than"
    ),
    _outline("GeoJSON", "a comb", lambda: _comb(2_000_000), "cross its rows|values, more than"),
    _outline("GeoJSON", "empty rings", _polygon([], [[0, 0]], [[1, 1], [2, 2]]), "of 0 classes"),
    _outline(
        "GeoJSON", "texts", _polygon([["a" * 10**6, "b"]] + [["", ""]] * 50_000), "list of points"
    ),
    _outline("ASAP", "entities", LAUGHS, "has a DOCTYPE"),
    _outline("ASAP", "a file outside", OUTSIDE, "has a DOCTYPE"),
    _outline("ASAP", "nested deeply", _nested_annotations, "elements in elements"),
    _outline(
        "ASAP",
        "elements without end",
        lambda: b"<ASAP_Annotations>" + b"<a/>" * 5_000_000,
        "elements and attributes",
    ),
    _outline(
        "ASAP",
        "in a strange encoding",
        ASAP.replace(b'"1.0"', b'"1.0" encoding="rot13"'),
        "not XML",
    ),
    _outline("ASAP", "no number", ASAP.replace(b"12,5", b"nan"), "corner at"),
    _outline("ImageScope", "entities", LAUGHS.replace(b"ASAP_", b""), "has a DOCTYPE"),
    _outline("ImageScope", "no number", APERIO.replace(b'X="14"', b'X="1e999"'), "corner at inf"),
    _outline("ImageScope", "20,000 holes", lambda: _holes(20_000), None),
    _outline("ImageJ", "out of the folder", _zip(_region("../../../outside.roi")), None),
    _outline("ImageJ", "a bomb", lambda: _zip(("a.roi", bytes(30_000_000))), "packed more than"),
    _outline(
        "ImageJ",
        "many files",
        lambda: _zip(*[(f"{n}.roi", b"") for n in range(20_001)]),
        "more than 20,000",
    ),
    _outline("ImageJ", "cut short", _zip(_region("a.roi"))[:-20], "not a ZIP|neither JSON"),
    _outline(
        "ImageJ", "a region cut short", _zip(("a.roi", _region("a")[1][:70])), "region of ImageJ"
    ),
    _outline("COCO", "of 100,000 px", _coco([[0, 0, 9, 0, 9, 9]], side=100_000), "more than the"),
    _outline(
        "COCO", "runs without end", _coco({"size": [16, 16], "counts": "o" * 10**6}), "run-length"
    ),
    _outline(
        "COCO", "runs of minus", _coco({"size": [16, 16], "counts": [-1, 257]}), "do not fill"
    ),
    _outline("COCO", "runs of 2**70", _coco({"size": [16, 16], "counts": [2**70]}), "run-length"),
    _scores("empty", b"", "has no score"),
    _scores("bytes", bytes(range(256)), "no text in UTF-8"),
    _scores("larger than a megabyte", b"a" * 1_000_001, "larger than 1 MB"),
    _scores("lines without end", b"a,1\n" * 200_000, "200,000 lines"),
    _scores("blanks without end", b"a" + b"  \t" * 3_000 + b"b", "has no score"),
    _scores("words without end", b"\n".join([b"a " * 4_990] * 100), "has no score"),
    _scores("quotes", b'class,dice\n"' + b'"' * 9_000 + b"\n", "has no score|cells"),
    _scores("moves the cursor", b"class,dice\n\x1b[2Ja,0.5\n", None),
    _scores(
        "1,000 classes",
        b"class,recall,precision,dice,iou,pixels\n" + b"a,0.91,0.88,0.895,0.81,1200\n" * 999,
        None,
    ),
    _scores("huge numbers", SCORES[0].replace(b"0.91", b"9" * 15 + b"e99"), None),
    _slides("empty", b"", "it needs one called slide"),
    _slides("bytes", bytes(range(256)), "cannot be read as a table"),
    _slides("a fold of 10**30", b"slide,fold\npatient0_000," + b"9" * 30 + b"\n", "fold"),
    _slides("no number", b"slide,spacing_um\npatient0_000,nan\n", "needed is a number of um/px"),
    _slides("a quote that does not end", b'slide,patient\n"a,b\n', "no CSV table"),
    _slides(
        "a cell of a megabyte", b"slide,patient\na," + b"x" * 10**6 + b"\n", "no CSV table|names"
    ),
]
"""Of outlines and tables."""
